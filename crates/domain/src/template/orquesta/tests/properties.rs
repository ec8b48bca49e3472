//! What holds for any text and any value.

use super::with_scope;
use crate::template::Scope;
use crate::template::orquesta::{expression, template};
use proptest::prelude::{Strategy, prop, prop_assert_eq, proptest};
use serde_json::{Value, json};

/// Text that is likely to get far into the grammar.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "ctx()",
        ".x",
        "ctx(xs)",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "=>",
        "$",
        "$.name",
        ".where(",
        ".select(",
        "1",
        "'t'",
        "`",
        "a",
        ",",
        " ",
        "+",
        "-",
        "=",
        "!=",
        "=~",
        "and",
        " or ",
        " not ",
        " in ",
        " mod ",
        "coalesce(",
        "switch(",
        "zip(",
        "?.",
        "item()",
        "result()",
        "task(",
        ".get(",
        "|",
        "upper",
        "|default(",
        ":",
        "\\",
        "é",
        "<%",
        "%>",
        "{{",
        "}}",
        "dict(",
        "list(",
        "range(",
        ".orderBy(",
        "null",
        "st2kv(",
        "1.5",
        ".join(",
        "*",
        "/",
    ]);
    prop::collection::vec(word, 0..14).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn no_text_panics_whatever_it_is(text in ".{0,60}") {
        for source in [text.clone(), format!("<%{text}%>"), format!("{{{{{text}}}}}")] {
            if let Ok(expression) = expression(&source) {
                let _ = with_scope(|scope| expression.evaluate(scope));
            }
        }
    }

    #[test]
    fn no_words_of_the_language_panic_in_any_order(text in words()) {
        for source in [text.clone(), format!("<%{text}%>"), format!("{{{{{text}}}}}")] {
            if let Ok(expression) = expression(&source) {
                let _ = with_scope(|scope| expression.evaluate(scope));
                let _ = expression.evaluate(&Scope::lenient());
            }
            let _ = with_scope(|scope| template(&json!(source)).render(scope));
        }
    }

    #[test]
    fn values_are_never_read_as_expressions(value in "[<%>{}a-c().'$ ]{0,30}") {
        let context = json!({"v": value, "list": [value]});
        let scope = || Scope::strict().root("ctx", &context);
        for source in ["<% ctx().v %>", "{{ ctx(v) }}", "<% ctx().list.select($).first() %>"] {
            let rendered = template(&json!(source)).render(&scope());
            prop_assert_eq!(rendered, Ok(Value::String(value.clone())));
        }
        let rendered = template(&json!("<% ctx(v) %>|{{ ctx(v) }}")).render(&scope());
        prop_assert_eq!(rendered, Ok(Value::String(format!("{value}|{value}"))));
    }

    #[test]
    fn lists_come_out_as_they_would_in_rust(xs in prop::collection::vec(-50_i64..50, 0..20), n in -50_i64..50) {
        let context = json!({"xs": xs, "n": n});
        let scope = Scope::strict().root("ctx", &context);
        let evaluate = |source: &str| expression(source).unwrap().evaluate(&scope).unwrap();
        let larger: Vec<i64> = xs.iter().copied().filter(|x| *x > n).collect();
        prop_assert_eq!(evaluate("<% ctx().xs.where($ > ctx().n) %>"), json!(larger));
        let mut sorted = xs.clone();
        sorted.sort_unstable();
        prop_assert_eq!(evaluate("<% ctx().xs.orderBy($) %>"), json!(sorted));
        prop_assert_eq!(evaluate("<% ctx().xs.any($ > ctx().n) %>"), json!(!larger.is_empty()));
        prop_assert_eq!(evaluate("<% ctx().xs.sum() %>"), json!(xs.iter().sum::<i64>()));
        if n != 0 {
            let floored: Vec<i64> =
                xs.iter().map(|x| (*x as f64 / n as f64).floor() as i64).collect();
            prop_assert_eq!(evaluate("<% ctx().xs.select($ / ctx().n) %>"), json!(floored));
            let remainders: Vec<i64> =
                xs.iter().zip(&floored).map(|(x, floor)| x - floor * n).collect();
            prop_assert_eq!(evaluate("<% ctx().xs.select($ mod ctx().n) %>"), json!(remainders));
        }
    }
}
