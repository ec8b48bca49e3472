//! Labels for those who wrote none.

/// `http_request` becomes `Http Request`.
pub(crate) fn derive(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty()).map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect::<String>()
        })
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::derive;

    #[test]
    fn labels_come_from_names() {
        for (name, label) in [
            ("http_request", "Http Request"),
            ("echo", "Echo"),
            ("timer_10s_echo", "Timer 10s Echo"),
            ("__x__", "X"),
            ("deploy-now", "Deploy-now"),
        ] {
            assert_eq!(derive(name), label);
        }
    }
}
