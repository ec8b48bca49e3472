//! Finding `{{ expressions }}` in text. `{%` and `{#` mean nothing here.

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'t> {
    /// Text that stands for itself.
    Literal(&'t str),
    /// An expression between its braces, untrimmed.
    Expression(&'t str),
}

/// Whether a text holds at least one `{{ … }}`.
///
/// ```
/// assert!(attune_domain::template::contains_template("on {{ event.payload.host }}"));
/// assert!(!attune_domain::template::contains_template("{{ never closed"));
/// ```
pub fn contains_template(text: &str) -> bool {
    text.find("{{").is_some_and(|open| text[open + 2..].contains("}}"))
}

/// Splits a text into literals and expressions; what is opened and never closed is literal.
pub(crate) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find("{{") {
        let Some(length) = expression_length(&rest[open + 2..]) else { break };
        if open > 0 {
            parts.push(Part::Literal(&rest[..open]));
        }
        parts.push(Part::Expression(&rest[open + 2..open + 2 + length]));
        rest = &rest[open + 2 + length + 2..];
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest));
    }
    parts
}

/// The text of an expression that may or may not stand in braces.
pub(crate) fn unwrapped(source: &str) -> &str {
    let trimmed = source.trim();
    match parts(trimmed).as_slice() {
        [Part::Expression(inner)] => inner.trim(),
        _ => trimmed,
    }
}

/// How far the expression goes that starts here. Braces inside quotes and inside an object literal do not
/// close it; if nothing else closes it, because a quote stands alone, the first `}}` does.
pub(crate) fn expression_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut quote = None;
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, quote) {
            (b'\\', Some(_)) => at += 1,
            (byte, Some(open)) if byte == open => quote = None,
            (_, Some(_)) => {}
            (b'"' | b'\'', None) => quote = Some(byte),
            (b'{', None) => depth += 1,
            (b'}', None) if depth > 0 => depth -= 1,
            (b'}', None) if bytes.get(at + 1) == Some(&b'}') => return Some(at),
            _ => {}
        }
        at += 1;
    }
    text.find("}}")
}

#[cfg(test)]
mod tests {
    use super::Part::{Expression, Literal};
    use super::{Part, parts};

    #[test]
    fn only_closed_double_braces_are_live() {
        let rows: [(&str, &str, &[Part<'_>]); 10] = [
            ("plain text is literal", "plain", &[Literal("plain")]),
            ("an expression alone", "{{ a }}", &[Expression(" a ")]),
            (
                "expressions among text",
                "x{{a}}y{{b}}",
                &[Literal("x"), Expression("a"), Literal("y"), Expression("b")],
            ),
            ("statements stay text", "{% if a %}", &[Literal("{% if a %}")]),
            (
                "comments stay text",
                "{# {{a}} #}",
                &[Literal("{# "), Expression("a"), Literal(" #}")],
            ),
            ("what never closes is literal", "a {{ b", &[Literal("a {{ b")]),
            ("braces in quotes do not close", "{{ '}}' }}", &[Expression(" '}}' ")]),
            (
                "an escaped quote does not end the quote",
                r"{{ '\'}}' }}",
                &[Expression(r" '\'}}' ")],
            ),
            (
                "a lonely quote does not swallow the rest",
                "{{ it's }} ok",
                &[Expression(" it's "), Literal(" ok")],
            ),
            ("object literals nest", "{{ {'a': {'b': 1}} }}", &[Expression(" {'a': {'b': 1}} ")]),
        ];
        for (what, text, wanted) in rows {
            assert_eq!(parts(text), wanted, "{what}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_lost(text in "[{}a'\"\\\\ é]{0,24}") {
            let rebuilt: String = parts(&text)
                .into_iter()
                .map(|part| match part {
                    Literal(literal) => literal.to_owned(),
                    Expression(inner) => format!("{{{{{inner}}}}}"),
                })
                .collect();
            proptest::prop_assert_eq!(rebuilt, text);
        }
    }
}
