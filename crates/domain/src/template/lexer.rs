//! Expression text to tokens.

use super::error::Fault;
use serde_json::Number;

/// One word of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// A name or a keyword.
    Name(String),
    /// A number; after a dot always a plain integer, so that `items.0.1` is two steps.
    Number(Number),
    /// A quoted text, its escapes resolved.
    Text(String),
    /// An operator or a bracket.
    Mark(&'static str),
}

/// A token and its offset in bytes.
pub(crate) type Spotted = (Token, usize);

/// Longest first, so that `==` is not read as two.
const MARKS: [&str; 26] = [
    "==", "!=", "<=", ">=", "//", "**", "<", ">", "=", "+", "-", "*", "/", "%", "~", "|", ".", ",",
    ":", "(", ")", "[", "]", "{", "}", "!",
];

/// A syntax error at a byte offset.
pub(crate) fn syntax(source: &str, offset: usize, message: impl Into<String>) -> Fault {
    let position = source.get(..offset).map_or(0, |before| before.chars().count()) + 1;
    Fault::Syntax { position, message: message.into() }
}

/// Reads all tokens of an expression.
pub(crate) fn tokens(source: &str) -> Result<Vec<Spotted>, Fault> {
    tokens_of(source, &MARKS, None)
}

/// Reads all tokens of an expression in another spelling: with these marks, of which longer ones come
/// first, and this quote around text in which a backslash is itself.
pub(crate) fn tokens_of(
    source: &str,
    marks: &[&'static str],
    verbatim: Option<char>,
) -> Result<Vec<Spotted>, Fault> {
    let mut found: Vec<Spotted> = Vec::new();
    let mut at = 0;
    while let Some(next) = source[at..].chars().next() {
        if next.is_whitespace() {
            at += next.len_utf8();
            continue;
        }
        let (token, len) = if next.is_ascii_alphabetic() || next == '_' {
            let len = source[at..]
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(source.len() - at);
            (Token::Name(source[at..at + len].to_owned()), len)
        } else if next.is_ascii_digit() {
            let after_dot = matches!(found.last(), Some((Token::Mark("."), _)));
            number(source, at, after_dot)?
        } else if next == '"' || next == '\'' {
            text(source, at, next)?
        } else if Some(next) == verbatim {
            verbatim_text(source, at, next)?
        } else if let Some(mark) = marks.iter().find(|mark| source[at..].starts_with(**mark)) {
            (Token::Mark(mark), mark.len())
        } else {
            return Err(syntax(source, at, format!("unexpected `{next}`")));
        };
        found.push((token, at));
        at += len;
    }
    Ok(found)
}

fn number(source: &str, at: usize, after_dot: bool) -> Result<(Token, usize), Fault> {
    let rest = &source.as_bytes()[at..];
    let digits =
        |from: usize| from + rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut len = digits(0);
    let mut float = false;
    if !after_dot {
        if rest.get(len) == Some(&b'.') && rest.get(len + 1).is_some_and(u8::is_ascii_digit) {
            float = true;
            len = digits(len + 1);
        }
        if matches!(rest.get(len), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(rest.get(len + 1), Some(b'+' | b'-')));
            let end = digits((len + 1 + sign).min(rest.len()));
            if end > len + 1 + sign {
                float = true;
                len = end;
            }
        }
    }
    let text = &source[at..at + len];
    let value = if float {
        text.parse().ok().and_then(Number::from_f64)
    } else {
        text.parse::<i64>()
            .map(Number::from)
            .or_else(|_| text.parse::<u64>().map(Number::from))
            .ok()
    };
    value
        .map(|number| (Token::Number(number), len))
        .ok_or_else(|| syntax(source, at, format!("the number `{text}` is out of range")))
}

/// A text in which only the quote itself can be escaped.
fn verbatim_text(source: &str, at: usize, quote: char) -> Result<(Token, usize), Fault> {
    let mut value = String::new();
    let mut chars = source[at + 1..].char_indices().peekable();
    while let Some((offset, next)) = chars.next() {
        if next == quote {
            return Ok((Token::Text(value), offset + 2));
        }
        let escaped = if next == '\\' { chars.next_if(|(_, after)| *after == quote) } else { None };
        value.push(escaped.map_or(next, |(_, quote)| quote));
    }
    Err(syntax(source, at, "this text is not closed"))
}

fn text(source: &str, at: usize, quote: char) -> Result<(Token, usize), Fault> {
    let mut value = String::new();
    let mut chars = source[at + 1..].char_indices();
    while let Some((offset, next)) = chars.next() {
        match next {
            _ if next == quote => return Ok((Token::Text(value), offset + 2)),
            '\\' => match chars.next().map(|(_, escape)| escape) {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('r') => value.push('\r'),
                Some('u') => {
                    let code: String = chars.by_ref().take(4).map(|(_, digit)| digit).collect();
                    let scalar = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                    value.push(scalar.ok_or_else(|| {
                        syntax(source, at + 1 + offset, "an invalid `\\u` escape")
                    })?);
                }
                // What is no escape keeps its backslash: patterns are full of `\d`.
                Some(escape @ ('\\' | '"' | '\'')) => value.push(escape),
                Some(other) => value.extend(['\\', other]),
                None => break,
            },
            _ => value.push(next),
        }
    }
    Err(syntax(source, at, "this text is not closed"))
}
