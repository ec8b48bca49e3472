//! Takes secret values out of everything an action says.
//!
//! Redaction is by value: whatever equals a secret is replaced, wherever it stands. Besides the
//! value itself these spellings of it are recognised: without surrounding white space (what a
//! shell substitution makes of it), as it looks inside JSON text, with and without non-ASCII
//! characters escaped, and as it looks in the query of a URL.

use serde_json::Value;

/// What stands in place of a secret.
pub(crate) const MARK: &str = "[REDACTED]";

/// A shorter secret is not compared with numbers and booleans of a result: `1` or `443` would
/// take too much with them. Text is compared with every secret of at least one character.
const SHORTEST_SCALAR: usize = 4;

/// The secrets of one run.
pub(crate) struct Redaction {
    /// Every spelling, longest first, so that the first match is the longest.
    spellings: Vec<Vec<u8>>,
    /// Which bytes a spelling starts with.
    starts: [bool; 256],
    /// The values that are compared with numbers and booleans.
    scalars: Vec<String>,
}

impl Redaction {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut spellings = Vec::new();
        let mut scalars = Vec::new();
        for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
            for form in [secret, secret.trim()] {
                let escaped = Value::from(form).to_string();
                let escaped = &escaped[1..escaped.len() - 1];
                spellings.push(ascii(escaped).into_bytes());
                spellings.push(percent(form, "%20").into_bytes());
                spellings.push(percent(form, "+").into_bytes());
                spellings.push(escaped.as_bytes().to_vec());
                spellings.push(form.as_bytes().to_vec());
            }
            if secret.len() >= SHORTEST_SCALAR {
                scalars.push(secret.to_owned());
            }
        }
        spellings.retain(|spelling| !spelling.is_empty());
        spellings.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        spellings.dedup();
        let mut starts = [false; 256];
        for spelling in &spellings {
            starts[usize::from(spelling[0])] = true;
        }
        Self { spellings, starts, scalars }
    }

    /// Whether there is nothing to redact.
    pub(crate) fn is_empty(&self) -> bool {
        self.spellings.is_empty()
    }

    /// A text without its secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        if self.is_empty() {
            return text.to_owned();
        }
        let mut redactor = Redactor::new(self);
        let mut clean = Vec::with_capacity(text.len());
        redactor.push(text.as_bytes(), &mut clean);
        redactor.finish(&mut clean);
        String::from_utf8_lossy(&clean).into_owned()
    }

    /// Redacts a value in depth, keys of objects included.
    pub(crate) fn value(&self, value: &mut Value) {
        if self.is_empty() {
            return;
        }
        match value {
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) => {
                let text = value.to_string();
                if self.scalars.contains(&text) {
                    *value = MARK.into();
                }
            }
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(members) => {
                let taken = std::mem::take(members);
                members.extend(taken.into_iter().map(|(key, mut member)| {
                    self.value(&mut member);
                    (self.text(&key), member)
                }));
            }
        }
    }

    /// Whether more text could make a secret of these bytes.
    fn may_grow(&self, rest: &[u8]) -> bool {
        self.spellings.iter().any(|s| s.len() > rest.len() && s.starts_with(rest))
    }

    /// The length of the longest secret that these bytes start with.
    fn matched(&self, rest: &[u8]) -> Option<usize> {
        self.spellings.iter().find(|s| rest.starts_with(s)).map(Vec::len)
    }
}

/// Escapes non-ASCII characters as JSON does.
fn ascii(text: &str) -> String {
    use std::fmt::Write;
    let mut escaped = String::with_capacity(text.len());
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => escaped.push(byte.into()),
            _ => write!(escaped, "\\u{unit:04x}").expect("a string takes any text"),
        }
    }
    escaped
}

/// Escapes what is not plainly allowed in a URL, with the given spelling of a space.
fn percent(text: &str, space: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => escaped.push_str(space),
            b'-' | b'.' | b'_' | b'~' => escaped.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => escaped.push(byte.into()),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// Redacts a stream that arrives in pieces of any size. It holds back only bytes that may be the
/// start of a secret, so that what a reader sees lags behind as little as possible.
pub(crate) struct Redactor<'a> {
    redaction: &'a Redaction,
    held: Vec<u8>,
    /// How many of the held bytes belong to a secret whose mark is already out.
    covered: usize,
}

impl<'a> Redactor<'a> {
    pub(crate) fn new(redaction: &'a Redaction) -> Self {
        Self { redaction, held: Vec::new(), covered: 0 }
    }

    /// Takes a piece and appends to `clean` what is certain by now.
    pub(crate) fn push(&mut self, piece: &[u8], clean: &mut Vec<u8>) {
        if self.redaction.is_empty() {
            clean.extend_from_slice(piece);
        } else {
            self.held.extend_from_slice(piece);
            self.scan(false, clean);
        }
    }

    /// The stream has ended: what was held back is not the start of a secret after all.
    pub(crate) fn finish(&mut self, clean: &mut Vec<u8>) {
        self.scan(true, clean);
    }

    /// The stream is cut here: what was held back may well be the start of a secret.
    pub(crate) fn cut(&mut self, clean: &mut Vec<u8>) {
        if self.held.len() > self.covered {
            clean.extend_from_slice(MARK.as_bytes());
        }
        self.held.clear();
        self.covered = 0;
    }

    /// Overlapping secrets become one mark: every byte of every match is dropped.
    fn scan(&mut self, last: bool, clean: &mut Vec<u8>) {
        let bytes = &self.held;
        let mut at = 0;
        let mut plain = 0;
        let mut covered_to = self.covered;
        while at < bytes.len() {
            if self.redaction.starts[usize::from(bytes[at])] {
                let rest = &bytes[at..];
                if !last && self.redaction.may_grow(rest) {
                    break;
                }
                if let Some(length) = self.redaction.matched(rest) {
                    if at >= covered_to {
                        clean.extend_from_slice(&bytes[plain..at]);
                        clean.extend_from_slice(MARK.as_bytes());
                    }
                    covered_to = covered_to.max(at + length);
                }
            }
            if at < covered_to {
                plain = at + 1;
            }
            at += 1;
        }
        clean.extend_from_slice(&bytes[plain..at]);
        self.held.drain(..at);
        self.covered = covered_to.saturating_sub(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn redacted(secrets: &[&str], pieces: &[&str]) -> String {
        let redaction = Redaction::new(secrets.iter().copied());
        let mut redactor = Redactor::new(&redaction);
        let mut clean = Vec::new();
        for piece in pieces {
            redactor.push(piece.as_bytes(), &mut clean);
        }
        redactor.finish(&mut clean);
        String::from_utf8(clean).unwrap()
    }

    #[test]
    fn text() {
        let rows: &[(&str, &[&str], &[&str], &str)] = &[
            ("nothing secret passes unchanged", &[], &["a", "b"], "ab"),
            ("an empty secret is ignored", &[""], &["ab"], "ab"),
            (
                "a secret goes wherever it stands",
                &["key"],
                &["key, monkey"],
                "[REDACTED], mon[REDACTED]",
            ),
            (
                "a secret split over pieces goes",
                &["hunter2"],
                &["x hun", "t", "er2 y"],
                "x [REDACTED] y",
            ),
            ("the start of a secret alone stays", &["hunter2"], &["x hunt"], "x hunt"),
            (
                "the longest of nested secrets wins",
                &["ab", "abcd"],
                &["abcd ab"],
                "[REDACTED] [REDACTED]",
            ),
            ("overlapping secrets go together", &["abc", "bcd"], &["xab", "cdy"], "x[REDACTED]y"),
            ("a repetitive secret leaves no rest", &["aa"], &["aaa b"], "[REDACTED] b"),
            ("its end without its line break goes", &["pw\n"], &["pw;"], "[REDACTED];"),
            ("as it looks inside JSON", &["a\"b"], &[r#"{"k":"a\"b"}"#], r#"{"k":"[REDACTED]"}"#),
            (
                "as it looks in a URL",
                &["a b/c"],
                &["?k=a%20b%2Fc&k=a+b%2Fc"],
                "?k=[REDACTED]&k=[REDACTED]",
            ),
            (
                "as it looks inside ASCII JSON",
                &["ключ"],
                &[r"\u043a\u043b\u044e\u0447!"],
                "[REDACTED]!",
            ),
        ];
        for (case, secrets, pieces, expected) in rows {
            assert_eq!(&redacted(secrets, pieces), expected, "{case}");
        }
    }

    #[test]
    fn values_in_depth() {
        let redaction = Redaction::new(["s3cret", "1234", "12", "true"]);
        let mut value = json!({
            "s3cret": ["a s3cret b", {"deep": "s3cret"}],
            "pin": 1234, "short": 12, "flag": true, "other": 12345, "none": null,
        });
        redaction.value(&mut value);
        assert_eq!(
            value,
            json!({
                "[REDACTED]": ["a [REDACTED] b", {"deep": "[REDACTED]"}],
                "pin": "[REDACTED]", "short": 12, "flag": "[REDACTED]", "other": 12345, "none": null,
            })
        );
    }

    #[test]
    fn a_cut_stream_does_not_show_the_start_of_a_secret() {
        let redaction = Redaction::new(["hunter2"]);
        let mut redactor = Redactor::new(&redaction);
        let mut clean = Vec::new();
        redactor.push(b"password: hunter", &mut clean);
        redactor.cut(&mut clean);
        assert_eq!(String::from_utf8(clean).unwrap(), "password: [REDACTED]");
    }

    proptest! {
        #[test]
        fn no_secret_survives_and_pieces_make_no_difference(
            secrets in prop::collection::vec("[ab]{1,4}", 1..4),
            text in "[abc]{0,60}",
            sizes in prop::collection::vec(1..7_usize, 1..30),
        ) {
            let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
            let mut pieces = Vec::new();
            let mut rest = text.as_str();
            for size in sizes.iter().cycle() {
                if rest.is_empty() { break; }
                let (piece, tail) = rest.split_at((*size).min(rest.len()));
                pieces.push(piece);
                rest = tail;
            }
            let clean = redacted(&secrets, &pieces);
            for secret in &secrets {
                prop_assert!(!clean.contains(secret), "{secret} in {clean} from {text}");
            }
            prop_assert_eq!(clean.matches('c').count(), text.matches('c').count());
            prop_assert_eq!(clean, redacted(&secrets, &[&text]));
        }
    }
}
