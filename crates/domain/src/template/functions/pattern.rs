//! Functions of regular expressions. The engine is linear in time: there is no look-around and no
//! back-reference, and no pattern that takes for ever.

use super::{text_of, wrong};
use crate::template::engine::Evaluation;
use crate::template::error::Fault;
use minijinja::Value;
use minijinja::value::{Object, ObjectRepr};
use regex::{Regex, RegexBuilder};
use std::borrow::Cow;
use std::sync::Arc;

/// Bytes of memory a compiled pattern may take.
const SIZE_LIMIT: usize = 1 << 20;
/// Units of work that compiling a pattern costs.
const COMPILATION: usize = 2_000;

/// A compiled pattern: what a literal one in an expression becomes once and for all.
#[derive(Debug)]
pub(crate) struct Pattern(Regex);

impl Object for Pattern {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

impl Pattern {
    /// Compiles a pattern, within limits.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        compile(text, false).map(Self)
    }
}

/// Compiles a pattern within limits; `fold` ignores case.
pub(crate) fn compile(text: &str, fold: bool) -> Result<Regex, Fault> {
    RegexBuilder::new(text)
        .case_insensitive(fold)
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(SIZE_LIMIT)
        .build()
        .map_err(|_| {
            Fault::evaluation(
                "not a regular expression (look-around and back-references are not available)",
            )
        })
}

fn regex<'v>(
    evaluation: &Evaluation,
    name: &str,
    pattern: &'v Value,
    fold: Option<&Value>,
) -> Result<Cow<'v, Regex>, Fault> {
    let fold = fold.is_some_and(Value::is_true);
    let text = match pattern.downcast_object_ref::<Pattern>() {
        Some(compiled) if !fold => return Ok(Cow::Borrowed(&compiled.0)),
        Some(compiled) => compiled.0.as_str(),
        None => pattern.as_str().ok_or_else(|| wrong(name, "a pattern", pattern))?,
    };
    evaluation.budget.spend(COMPILATION)?;
    compile(text, fold).map(Cow::Owned)
}

/// `match(pattern, text)`: anywhere in the text.
pub(super) fn matches(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let regex = regex(evaluation, "match", &args[0], None)?;
    Ok(Value::from(regex.is_match(text_of("match", &args[1])?)))
}

/// `regex_search(text, pattern, ignore_case)`: anywhere in the text.
pub(super) fn regex_search(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let regex = regex(evaluation, "regex_search", &args[1], args.get(2))?;
    Ok(Value::from(regex.is_match(text_of("regex_search", &args[0])?)))
}

/// `regex_match(text, pattern, ignore_case)`: at the start of the text.
pub(super) fn regex_match(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let regex = regex(evaluation, "regex_match", &args[1], args.get(2))?;
    let text = text_of("regex_match", &args[0])?;
    // The leftmost match decides: if any match starts at 0, it is the leftmost.
    Ok(Value::from(regex.find(text).is_some_and(|found| found.start() == 0)))
}

/// `regex_replace(text, pattern, replacement, ignore_case)`: every match. In the replacement, `\1` and
/// `\g<name>` stand for groups; a dollar sign is itself.
pub(super) fn regex_replace(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let regex = regex(evaluation, "regex_replace", &args[1], args.get(3))?;
    let (text, replacement) =
        (text_of("regex_replace", &args[0])?, text_of("regex_replace", &args[2])?);
    let template = references(replacement);
    let mut replaced = String::new();
    let mut end = 0;
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        let before = replaced.len();
        replaced.push_str(&text[end..whole.start()]);
        captures.expand(&template, &mut replaced);
        evaluation.budget.spend_output(replaced.len() - before)?;
        end = whole.end();
    }
    replaced.push_str(&text[end..]);
    Ok(Value::from(replaced))
}

/// A replacement in Python's notation, in that of the regex crate.
fn references(replacement: &str) -> String {
    let mut out = String::with_capacity(replacement.len());
    let mut rest = replacement;
    while let Some(at) = rest.find(['\\', '$']) {
        out.push_str(&rest[..at]);
        let (mark, after) = rest[at..].split_at(1);
        rest = after;
        if mark == "$" {
            out.push_str("$$");
            continue;
        }
        let digits = after.bytes().take_while(u8::is_ascii_digit).count().min(2);
        let named = after.strip_prefix("g<").and_then(|name| name.split_once('>'));
        if digits > 0 {
            out.push_str(&format!("${{{}}}", &after[..digits]));
            rest = &after[digits..];
        } else if let Some((name, after)) = named {
            out.push_str(&format!("${{{name}}}"));
            rest = after;
        } else if let Some(escaped) = after.strip_prefix('\\') {
            out.push('\\');
            rest = escaped;
        } else {
            out.push('\\');
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::references;

    #[test]
    fn replacements_name_groups_as_in_python() {
        for (python, rust) in [
            (r"plain", "plain"),
            (r"\2-\1", "${2}-${1}"),
            (r"\g<year>!", "${year}!"),
            (r"costs $1", "costs $$1"),
            (r"a\\1", r"a\1"),
            (r"\w", r"\w"),
        ] {
            assert_eq!(references(python), rust, "{python}");
        }
    }
}
