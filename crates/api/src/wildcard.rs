//! Filters that may hold `*`, which stands for any text.

/// Whether `text` fits `pattern`.
#[must_use]
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        // The leftmost place leaves the most for what follows.
        match rest.find(part) {
            None => return false,
            Some(at) => rest = &rest[at + part.len()..],
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("core.echo", "core.echo", true),
            ("core.echo", "core.echo2", false),
            ("core.*", "core.echo", true),
            ("core.*", "core.", true),
            ("core.*", "corex.echo", false),
            ("*.echo", "core.echo", true),
            ("*.echo", "core.echo.x", false),
            ("*", "", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "abbc", true),
            ("a*b*c", "acb", false),
            ("aa*aa", "aaa", false),
            ("**x", "yx", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} on {text}");
        }
    }
}
