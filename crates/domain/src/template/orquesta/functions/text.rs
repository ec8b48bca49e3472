//! Functions of text.

use crate::template::engine::Evaluation;
use crate::template::error::Fault;
use crate::template::functions::{compile_pattern, int_of, list_of, text_for, text_of, wrong};
use minijinja::Value;

/// Units of work that compiling a pattern costs.
const COMPILATION: usize = 2_000;

/// Text by characters, lists and objects by elements.
pub(super) fn len(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let wrong = || wrong("len", "a string, an array or an object", &args[0]);
    args[0].len().map(Value::from).ok_or_else(wrong)
}

/// Null, text of nothing but spaces, and what has no elements.
pub(super) fn is_empty(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    if args[0].is_none() {
        return Ok(Value::from(true));
    }
    let length = match args[0].as_str() {
        Some(text) => Some(text.trim().len()),
        None => args[0].len(),
    };
    length
        .map(|length| Value::from(length == 0))
        .ok_or_else(|| wrong("isEmpty", "a string, an array or an object", &args[0]))
}

pub(super) fn trim(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let characters = trimmed_characters("trim", args)?;
    Ok(Value::from(text_of("trim", &args[0])?.trim_matches(characters)))
}

pub(super) fn trim_left(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let characters = trimmed_characters("trimLeft", args)?;
    Ok(Value::from(text_of("trimLeft", &args[0])?.trim_start_matches(characters)))
}

pub(super) fn trim_right(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let characters = trimmed_characters("trimRight", args)?;
    Ok(Value::from(text_of("trimRight", &args[0])?.trim_end_matches(characters)))
}

/// The second argument's characters, or white space.
fn trimmed_characters<'v>(
    name: &str,
    args: &'v [Value],
) -> Result<impl Fn(char) -> bool + use<'v>, Fault> {
    let characters = args.get(1).filter(|value| !value.is_none());
    let characters = characters.map(|characters| text_of(name, characters)).transpose()?;
    Ok(move |c: char| characters.map_or(c.is_whitespace(), |characters| characters.contains(c)))
}

/// `text.split(separator, most)`: at white space if there is no separator, at most that often.
pub(super) fn split(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let text = text_of("split", &args[0])?;
    // One part per character at worst.
    evaluation.budget.spend(text.len())?;
    let most = args.get(2).map_or(Ok(-1), |most| int_of("split", most))?;
    let most = usize::try_from(most).map_or(usize::MAX, |most| most.saturating_add(1));
    let parts: Vec<Value> = match args.get(1).filter(|separator| !separator.is_none()) {
        Some(separator) => match text_of("split", separator)? {
            "" => return Err(Fault::evaluation("`split` takes a separator that is not empty")),
            separator => text.splitn(most, separator).map(Value::from).collect(),
        },
        None => words(text, most).into_iter().map(Value::from).collect(),
    };
    Ok(Value::from(parts))
}

/// At most that many words, the last of which is all of the rest.
fn words(text: &str, most: usize) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(char::is_whitespace).filter(|_| words.len() + 1 < most);
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        words.push(word);
        rest = after.trim_start();
    }
    words
}

/// `list.join(separator)` or `separator.join(list)`.
pub(super) fn join(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let (list, separator) = match (args[0].as_str(), args[1].as_str()) {
        (Some(separator), None) => (&args[1], separator),
        _ => (&args[0], text_of("join", &args[1])?),
    };
    let mut joined = String::new();
    for (at, item) in list_of("join", list)?.iter().enumerate() {
        if at > 0 {
            evaluation.budget.spend_output(separator.len())?;
            joined.push_str(separator);
        }
        joined.push_str(&text_for(evaluation, item)?);
    }
    Ok(Value::from(joined))
}

/// `text.substring(start, length)`, in characters; a negative start counts from the end, a negative
/// length goes up to it.
pub(super) fn substring(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let text = text_of("substring", &args[0])?;
    let start = int_of("substring", &args[1])?;
    let length = args.get(2).map_or(Ok(-1), |length| int_of("substring", length))?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let start = match usize::try_from(start) {
        Ok(start) => start,
        Err(_) => {
            let from_end = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
            text.chars().count().saturating_sub(from_end)
        }
    };
    Ok(Value::from(text.chars().skip(start).take(length).collect::<String>()))
}

pub(super) fn characters(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let text = text_of("toCharArray", &args[0])?;
    evaluation.budget.spend(text.len())?;
    Ok(Value::from(text.chars().map(|c| Value::from(c.to_string())).collect::<Vec<_>>()))
}

/// `format('{0} of {1}', …)`: `{}` takes the arguments in turn, a doubled brace is one brace.
pub(super) fn format(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let mut rest = text_of("format", &args[0])?;
    let mut formatted = String::new();
    let mut turn = 0_usize;
    while let Some(at) = rest.find(['{', '}']) {
        formatted.push_str(&rest[..at]);
        let (brace, after) = rest[at..].split_at(1);
        if let Some(after) = after.strip_prefix(brace) {
            formatted.push_str(brace);
            rest = after;
            continue;
        }
        let field = if brace == "{" { after.split_once('}') } else { None };
        let (field, after) =
            field.ok_or_else(|| Fault::evaluation("`format` has a lonely brace"))?;
        let number = if field.is_empty() {
            turn += 1;
            Some(turn)
        } else {
            field.parse::<usize>().ok().and_then(|number| number.checked_add(1))
        };
        let argument = number.and_then(|number| args.get(number)).ok_or_else(|| {
            Fault::evaluation("`format` takes fields `{}` and `{0}`, with an argument for each")
        })?;
        let text = text_for(evaluation, argument)?;
        evaluation.budget.spend_output(text.len())?;
        formatted.push_str(&text);
        rest = after;
    }
    formatted.push_str(rest);
    Ok(Value::from(formatted))
}

/// `regex_substring(text, pattern, index, ignore_case)`: the match of that number, from 0.
pub(super) fn regex_substring(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let (text, pattern) =
        (text_of("regex_substring", &args[0])?, text_of("regex_substring", &args[1])?);
    let index = args.get(2).map_or(Ok(0), |index| int_of("regex_substring", index))?;
    evaluation.budget.spend(COMPILATION)?;
    let pattern = compile_pattern(pattern, args.get(3).is_some_and(Value::is_true))?;
    let found = usize::try_from(index).ok().and_then(|index| pattern.find_iter(text).nth(index));
    found
        .map(|found| Value::from(found.as_str()))
        .ok_or_else(|| Fault::evaluation("`regex_substring` found no such match"))
}

/// What stands behind the last slash.
pub(super) fn basename(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let path = text_of("basename", &args[0])?;
    Ok(Value::from(path.rsplit_once('/').map_or(path, |(_, name)| name)))
}

/// What stands before the last slash, which belongs to it only if there is nothing else.
pub(super) fn dirname(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let path = text_of("dirname", &args[0])?;
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let rooted = directory.trim_end_matches('/').is_empty() && path.starts_with('/');
    Ok(Value::from(if rooted { "/" } else { directory.trim_end_matches('/') }))
}

/// Text as it stands between the quotes of a JSON string.
pub(super) fn json_escape(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let text = serde_json::Value::from(text_of("json_escape", &args[0])?).to_string();
    evaluation.budget.spend_output(text.len())?;
    Ok(Value::from(&text[1..text.len() - 1]))
}
