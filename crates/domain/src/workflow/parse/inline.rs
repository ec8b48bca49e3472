//! Assignments in one line: `core.echo message=<% ctx().text %> times=3`.

use super::language::leading_expression;
use serde_json::Value;

/// The assignments of a line, in their order.
///
/// A value is an expression in its delimiters, text in quotes, JSON in brackets or braces, or what stands up to the
/// next space: a number, `true`, `false`, `null`, or else text.
///
/// # Errors
/// What is not an assignment, in words.
pub(super) fn assignments(line: &str) -> Result<Vec<(String, Value)>, String> {
    let mut found = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let Some((name, after)) = rest.split_once('=').filter(|(name, _)| is_name(name.trim_end()))
        else {
            let word = rest.split_whitespace().next().unwrap_or(rest);
            return Err(format!("expected 'name=value' at '{word}'"));
        };
        let name = name.trim_end();
        let (value, after) = value(after.trim_start()).map_err(|why| format!("{name}: {why}"))?;
        found.push((name.to_owned(), value));
        rest = after.trim_start();
    }
    Ok(found)
}

/// Whether a text may stand on the left of an assignment.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

fn value(text: &str) -> Result<(Value, &str), String> {
    if let Some(length) = leading_expression(text) {
        // More may follow without a space: `<% a %>-<% b %>`.
        let length = length + unspaced(&text[length..]);
        return Ok((Value::String(text[..length].to_owned()), &text[length..]));
    }
    match text.chars().next() {
        None => Ok((Value::String(String::new()), "")),
        Some(quote @ ('"' | '\'')) => quoted(&text[1..], quote),
        Some('[' | '{') => {
            let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
            match values.next() {
                Some(Ok(value)) => Ok((value, &text[values.byte_offset()..])),
                _ => Err("expected JSON".to_owned()),
            }
        }
        Some(_) => {
            let (word, rest) = text.split_at(unspaced(text));
            let literal =
                serde_json::from_str(word).ok().filter(|value: &Value| !value.is_string());
            Ok((literal.unwrap_or_else(|| Value::String(word.to_owned())), rest))
        }
    }
}

/// Bytes up to the next space that is in no expression.
fn unspaced(text: &str) -> usize {
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        match leading_expression(&text[at..]) {
            Some(length) => at += length,
            None if next.is_whitespace() => break,
            None => at += next.len_utf8(),
        }
    }
    at
}

fn quoted(text: &str, quote: char) -> Result<(Value, &str), String> {
    let mut unquoted = String::new();
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        // Quotes inside an expression do not end the text around it.
        if let Some(length) = leading_expression(&text[at..]) {
            unquoted.push_str(&text[at..at + length]);
            at += length;
            continue;
        }
        at += next.len_utf8();
        match next {
            next if next == quote => return Ok((Value::String(unquoted), &text[at..])),
            '\\' => {
                let escaped = text[at..].chars().next();
                match escaped {
                    Some(escaped) if escaped == quote || escaped == '\\' => {
                        unquoted.push(escaped);
                        at += escaped.len_utf8();
                    }
                    _ => unquoted.push('\\'),
                }
            }
            next => unquoted.push(next),
        }
    }
    Err(format!("the quote {quote} is never closed"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn assignments_of_every_kind_are_read() {
        let rows = [
            ("nothing", "", json!([])),
            ("an expression", "a=<% ctx().x %>", json!([["a", "<% ctx().x %>"]])),
            (
                "expressions and text without spaces",
                "a=<% ctx().x %>-{{ ctx(y) }}/z b=1",
                json!([["a", "<% ctx().x %>-{{ ctx(y) }}/z"], ["b", 1]]),
            ),
            (
                "quoted text with spaces and an expression",
                r#"cmd="echo <% ctx("x") %> 'now'" n=2"#,
                json!([["cmd", r#"echo <% ctx("x") %> 'now'"#], ["n", 2]]),
            ),
            ("an escaped quote", r"a='it\'s' b=x", json!([["a", "it's"], ["b", "x"]])),
            (
                "literals",
                "a=1.5 b=true c=null d=x",
                json!([["a", 1.5], ["b", true], ["c", null], ["d", "x"]]),
            ),
            ("JSON", r#"a=[1, 2] b={"k": "v"}"#, json!([["a", [1, 2]], ["b", {"k": "v"}]])),
            ("an empty value", "a=", json!([["a", ""]])),
            ("umlauts", "a=grüße b=ü", json!([["a", "grüße"], ["b", "ü"]])),
        ];
        for (what, line, wanted) in rows {
            assert_eq!(json!(assignments(line).unwrap()), wanted, "{what}");
        }
    }

    #[test]
    fn what_is_no_assignment_is_refused() {
        let rows = [
            ("a word alone", "message", "expected 'name=value' at 'message'"),
            ("a word before an assignment", "hello there=1", "expected 'name=value' at 'hello'"),
            ("an open quote", "a='b", "a: the quote ' is never closed"),
            ("broken JSON", "a=[1,", "a: expected JSON"),
        ];
        for (what, line, wanted) in rows {
            assert_eq!(assignments(line).unwrap_err(), wanted, "{what}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_line_panics(line in "[a =<%>{}\\[\\]'\"\\\\é1,:-]{0,32}") {
            let _ = assignments(&line);
        }
    }
}
