//! Finding `{{ … }}` and `<% … %>` in text.

use crate::template::text::expression_length;

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'t> {
    /// Text that stands for itself.
    Literal(&'t str),
    /// What stands between `{{` and `}}`.
    Jinja(&'t str),
    /// What stands between `<%` and `%>`.
    Yaql(&'t str),
}

/// Length of every delimiter.
const DELIMITER: usize = 2;

/// Splits a text into literals and expressions; what is opened and never closed is literal.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut literal, mut at) = (0, 0);
    // What is not closed here is not closed further on either, and not looked for again.
    let (mut jinja, mut yaql) = (true, true);
    while let Some(open) = next_open(&text[at..], jinja, yaql).map(|found| at + found) {
        let inner = &text[open + DELIMITER..];
        let is_jinja = text[open..].starts_with("{{");
        let length = if is_jinja { expression_length(inner) } else { yaql_length(inner) };
        let Some(length) = length else {
            jinja &= !is_jinja;
            yaql &= is_jinja;
            at = open + DELIMITER;
            continue;
        };
        if literal < open {
            parts.push(Part::Literal(&text[literal..open]));
        }
        let inner = &inner[..length];
        parts.push(if is_jinja { Part::Jinja(inner) } else { Part::Yaql(inner) });
        at = open + DELIMITER + length + DELIMITER;
        literal = at;
    }
    if literal < text.len() {
        parts.push(Part::Literal(&text[literal..]));
    }
    parts
}

fn next_open(text: &str, jinja: bool, yaql: bool) -> Option<usize> {
    let jinja = if jinja { text.find("{{") } else { None };
    let yaql = if yaql { text.find("<%") } else { None };
    jinja.into_iter().chain(yaql).min()
}

/// How far the YAQL goes that starts here: to the first `%>` outside of quotes, or to the first at all
/// if a quote stands alone.
fn yaql_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut quote = None;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, quote) {
            (b'\\', Some(_)) => at += 1,
            (byte, Some(open)) if byte == open => quote = None,
            (_, Some(_)) => {}
            (b'"' | b'\'' | b'`', None) => quote = Some(byte),
            (b'%', None) if bytes.get(at + 1) == Some(&b'>') => return Some(at),
            _ => {}
        }
        at += 1;
    }
    text.find("%>")
}

#[cfg(test)]
mod tests {
    use super::Part::{Jinja, Literal, Yaql};
    use super::{Part, parts};

    #[test]
    fn both_delimiters_are_live_and_the_first_to_open_wins() {
        let rows: [(&str, &str, &[Part<'_>]); 10] = [
            ("plain text is literal", "a % b < c", &[Literal("a % b < c")]),
            ("YAQL alone", "<% ctx().x %>", &[Yaql(" ctx().x ")]),
            (
                "both among text",
                "a {{b}} <%c%>!",
                &[Literal("a "), Jinja("b"), Literal(" "), Yaql("c"), Literal("!")],
            ),
            ("YAQL in a Jinja text is text", "{{ '<% x %>' }}", &[Jinja(" '<% x %>' ")]),
            ("Jinja in a YAQL text is text", "<% '{{ x }}' %>", &[Yaql(" '{{ x }}' ")]),
            ("a closing mark in quotes does not close", "<% '%>' %>", &[Yaql(" '%>' ")]),
            ("nor in backticks", "<% `%>` %>", &[Yaql(" `%>` ")]),
            (
                "a lonely quote does not swallow the rest",
                "<% a' %> b",
                &[Yaql(" a' "), Literal(" b")],
            ),
            ("what never closes is literal", "<% a", &[Literal("<% a")]),
            ("and does not hide what does close", "{{ a <% b %>", &[Literal("{{ a "), Yaql(" b ")]),
        ];
        for (what, text, wanted) in rows {
            assert_eq!(parts(text), wanted, "{what}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_lost(text in "[{}<%>a'\"`\\\\ é]{0,24}") {
            let rebuilt: String = parts(&text)
                .into_iter()
                .map(|part| match part {
                    Literal(literal) => literal.to_owned(),
                    Jinja(inner) => format!("{{{{{inner}}}}}"),
                    Yaql(inner) => format!("<%{inner}%>"),
                })
                .collect();
            proptest::prop_assert_eq!(rebuilt, text);
        }
    }
}
