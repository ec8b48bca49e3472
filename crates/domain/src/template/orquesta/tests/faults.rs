//! What is refused, and what is said about it.

use super::{evaluate, with_scope};
use crate::template::Fault;
use crate::template::orquesta::{expression, template};
use serde_json::json;

#[test]
fn what_cannot_be_read_says_where_and_what_was_expected() {
    let rows = [
        ("<% %>", 1, "the expression is empty"),
        ("<% ctx().x == 1 %>", 9, "equality is written `=` in YAQL"),
        ("<% ctx(). %>", 7, "expected the name of a member or a method, found the end"),
        ("<% 1 + %>", 4, "expected a value, found the end"),
        ("<% ctx().x | upper %>", 9, "expected the end of the expression, found `|`"),
        ("<% 1 < 2 < 3 %>", 9, "comparisons do not stand in a row; join them with `and`"),
        ("<% [1, 2 %>", 6, "expected `]`, found the end"),
        ("<% {a: 1} %>", 3, "expected `=>`, found `:`"),
        ("<% 'open %>", 1, "this text is not closed"),
        ("<% `open %>", 1, "this text is not closed"),
        ("<% a & b %>", 3, "unexpected `&`"),
        ("<% succeeded and true %>", 1, "a function is called: `succeeded()`"),
        (
            "<% ctx().x = True %>",
            11,
            "`True` is text in YAQL; write `true`, `false` or `null`, or quote it",
        ),
        (
            "<% $.x %>",
            1,
            "`$` is the element in a function of elements such as `where($ > 1)`; variables are \
             `ctx().name`",
        ),
        ("<% [1].aggregate($1 + $2) %>", 5, "there is no method `aggregate` here"),
        ("<% [1].where($1 > 2) %>", 12, "expected `)`, found `1`"),
        ("<% [1].where() %>", 5, "`where` takes 1 argument, not 0"),
        ("<% 1 + where([1], true) %>", 5, "`where` is a method: write `value.where(…)`"),
        ("<% [1].int() %>", 5, "`int` is a function and not a method"),
        ("<% [1].product() %>", 5, "there is no method `product` here"),
        ("<% random() %>", 1, "there is no function `random` here"),
        ("<% len(a => 1) %>", 1, "`len` takes no named arguments"),
        ("<% range(1, 2, 3, 4) %>", 1, "`range` takes 1 to 3 arguments, not 4"),
        ("<% switch(1) %>", 1, "`switch` takes `condition => value`"),
        ("<% result(1) %>", 1, "`result` takes no arguments"),
        ("<% task() %>", 1, "`task` takes the name of a task"),
        ("<% ctx(a, b) %>", 1, "`ctx` takes one name, not 2"),
        ("<% st2kv(a, b) %>", 1, "`st2kv` takes the quoted name of a key and nothing else"),
        ("<% true and failed %>", 10, "a function is called: `failed()`"),
        (
            "<% st2kv(k) + 'x' %>",
            1,
            "a value of the keystore is all of its expression; text may stand around that",
        ),
        ("<% [1].take($) %>", 10, "`$` is the element"),
        ("<% let(x => 1) -> $x %>", 1, "there is no function `let` here"),
        ("<% x?.y() %>", 5, "`?.` is followed by a member, not by a call"),
        ("<% ctx().x %> and <% failed() %>", 1, "there is text beside the expression"),
        ("{{ ctx(a, b) }}", 10, "`ctx` takes one name, not 2"),
        ("{{ ctx().x.frobnicate() }}", 19, "methods cannot be called"),
        ("{{ 'x' | basename(2) }}", 18, "`basename` takes 1 argument, not 2"),
        (
            "{{ 'x' | regex_substring('x', index=1) }}",
            36,
            "`regex_substring` takes no named arguments",
        ),
        ("{{ zip(1=2) }}", 6, "expected `)`, found `=`"),
        ("{{ result(1) }}", 10, "`result` takes no arguments"),
        ("{{ ctx().x = 1 }}", 9, "expected the end of the expression, found `=`"),
    ];
    for (source, position, message) in rows {
        match expression(source).map_err(|error| error.fault) {
            Err(Fault::Syntax { position: at, message: found }) => {
                assert!(found.starts_with(message), "{source}: {found}");
                assert_eq!(at, position, "{source}: {found}");
            }
            other => panic!("{source}: {other:?}"),
        }
    }
}

#[test]
fn what_is_missing_or_of_a_wrong_type_is_an_error_that_says_so() {
    let rows = [
        ("<% ctx().absent %>", "`ctx.absent` is not defined"),
        ("<% ctx(absent) + 1 %>", "`ctx.absent` is not defined"),
        ("{{ ctx(absent) }}", "`ctx.absent` is not defined"),
        ("<% ctx().__hidden %>", "`ctx.__hidden` is not defined"),
        ("<% ctx('__hidden') %>", "`ctx.__hidden` is not defined"),
        ("<% ctx()['__hidden'] %>", "`ctx[\"__hidden\"]` is not defined"),
        ("{{ ctx().__hidden }}", "`ctx.__hidden` is not defined"),
        ("{{ ctx(__hidden) ~ 'x' }}", "`ctx.__hidden` is not defined"),
        ("<% task(other) %>", "`task.other` is not defined"),
        ("<% ctx().xs[9] %>", "`ctx.xs[9]` is not defined"),
        ("<% ctx().hosts.select($.absent) %>", "an undefined value was used"),
        ("<% 'a' + 1 %>", "`+` does not apply to string and number"),
        ("<% 'a' < 1 %>", "`<` does not apply to string and number"),
        ("<% 1 / 0 %>", "division by zero"),
        ("<% 1 mod 0 %>", "division by zero"),
        ("<% [].first() %>", "`first` was given an empty list"),
        ("<% [1, 2].single() %>", "`single` takes a list of exactly one element"),
        ("<% 3.select($) %>", "`select` takes an array, not number"),
        ("<% [1, a].orderBy($) %>", "`<` does not apply to number and string"),
        ("<% {1 => a} %>", "the keys of an object must be strings"),
        ("<% [1].toDict($) %>", "`toDict` takes keys that are strings, not number"),
        ("<% range(1, 5, 0) %>", "`range` takes a step other than zero"),
        ("<% 'a'.split('') %>", "`split` takes a separator that is not empty"),
        ("<% format('{') %>", "`format` has a lonely brace"),
        ("<% format('{x}', 1) %>", "`format` takes fields"),
        ("<% int(many) %>", "`int` was given text that is not a number"),
        ("<% ctx().name =~ '(' %>", "not a regular expression"),
    ];
    for (source, message) in rows {
        let found = evaluate(source).expect_err(source).fault.to_string();
        assert!(found.starts_with(message), "{source}: {found}");
    }
}

#[test]
fn nothing_takes_more_than_its_bounds() {
    let rows = [
        "<% range(100000).select(range(1000)) %>",
        "<% range(3000).select(ctx().xs.select(range(100).select($ + 1))).len() %>",
        "<% range(1, 9223372036854775807) %>",
        "<% range(-9223372036854775807, 9223372036854775807, 3) %>",
        "<% zip(range(1000000), [], [], [], [], [], []) %>",
        "<% range(1000000).orderBy($) %>",
    ];
    for source in rows {
        let fault = evaluate(source).expect_err(source).fault;
        assert_eq!(fault, Fault::Limit { what: "work" }, "{source}");
    }
    for source in [
        format!("<% {}1{} %>", "(".repeat(60), ")".repeat(60)),
        format!("<% {}1 %>", "not ".repeat(60)),
        format!("<% {}1 %>", "-".repeat(60)),
        format!("<% {}1{} %>", "[1].select(".repeat(10), ")".repeat(10)),
        format!("<% ctx(){} %>", ".x".repeat(60)),
        format!("<% 1{} %>", " + 1".repeat(600)),
        format!("<% len({}) %>", "1,".repeat(600)),
        format!("<% '{}' %>", "x".repeat(20_000)),
    ] {
        let fault = expression(&source).expect_err(&source).fault;
        assert!(matches!(fault, Fault::Syntax { .. }), "{source}: {fault}");
    }
}

#[test]
fn steps_in_a_row_and_brackets_add_up_to_a_bound_on_depth() {
    let deep = |inner: &str, step: &str, levels: usize| {
        let level = |inner: String, _| format!("({inner}{})", step.repeat(20));
        (0..levels).fold(inner.to_owned(), level)
    };
    // Without the bound, the deep ones would overflow the stack.
    for (levels, readable) in [(1, true), (3, true), (4, false), (38, false)] {
        for source in [
            format!("<% {} %>", deep("[1]", ".reverse()", levels)),
            format!("<% {} %>", deep("null", "?.x", levels)),
            format!("<% {} %>", deep("[[1]]", "[range(1)[0]]", levels)),
            format!("{{{{ {} }}}}", deep("[1]", "|list", levels)),
        ] {
            match expression(&source) {
                Ok(read) if readable => {
                    // Whether it has a value is another matter.
                    let _ = with_scope(|scope| read.evaluate(scope));
                }
                Err(error) if !readable => {
                    let fault = error.fault.to_string();
                    assert!(fault.contains("too deeply"), "{source}: {fault}");
                }
                other => panic!("{source}: {other:?}"),
            }
        }
    }
    let lambdas = |levels: usize| {
        format!("<% {}$ + 1{} %>", "[1].select(".repeat(levels), ")".repeat(levels))
    };
    assert_eq!(evaluate(&lambdas(6)), Ok(json!([[[[[[2]]]]]])));
    let refused = expression(&lambdas(7)).expect_err("one too many").fault;
    assert!(refused.to_string().contains("too deeply"), "{refused}");
}

#[test]
fn a_check_finds_every_expression_that_cannot_be_read() {
    let errors = template(&json!({"a": "<% 1 + %>", "b": ["ok", "{{ ctx( }}"], "c": "<% 1 %>"}))
        .check()
        .expect_err("two of them cannot be read");
    let at: Vec<&str> = errors.iter().map(|error| error.at.as_str()).collect();
    assert_eq!(at, ["a", "b.1"]);
}
