//! What strings with expressions in them come to.

use super::{context, with_scope};
use crate::template::orquesta::template;
use crate::template::{Scope, Template, render_deferred};
use serde_json::json;

#[test]
fn a_string_that_is_one_expression_keeps_its_type_and_others_become_text() {
    let rows = [
        (json!("<% ctx().xs %>"), json!([3, 1, 2])),
        (json!("  {{ ctx().n }} "), json!(7)),
        (json!("<% ctx().nothing %>"), json!(null)),
        (json!("n=<% ctx().n %>"), json!("n=7")),
        (json!("<% ctx().n %><% ctx().n %>"), json!("77")),
        (json!("{{ ctx().n }} <% ctx().xs %>!"), json!("7 [3,1,2]!")),
        (json!("[<% ctx().nothing %>]"), json!("[]")),
        (json!({"a": ["<% ctx().half %>", 1, true]}), json!({"a": [0.5, 1, true]})),
        (json!("100 %> of <% nothing"), json!("100 %> of <% nothing")),
        (json!("{% if x %}"), json!("{% if x %}")),
        (json!("<% '{{ ctx().n }}' %>"), json!("{{ ctx().n }}")),
        (json!("{{ '<% ctx().n %>' }}"), json!("<% ctx().n %>")),
        (json!("<% ctx().sly %>"), json!("<% ctx().n %>{{ ctx().n }}")),
        (json!("is <% ctx().sly %>"), json!("is <% ctx().n %>{{ ctx().n }}")),
    ];
    for (source, wanted) in rows {
        let rendered = with_scope(|scope| template(&source).render(scope));
        assert_eq!(rendered, Ok(wanted), "{source}");
    }
}

#[test]
fn the_keystore_is_left_to_the_runner_in_the_language_that_it_reads() {
    let rows = [
        (json!("<% st2kv('system.token') %>"), json!("{{ keystore.token }}"), json!("s3cret")),
        (
            json!("{{ st2kv.system.token | decrypt_kv }}"),
            json!("{{ keystore.token }}"),
            json!("s3cret"),
        ),
        (
            json!("{{ keystore.token | upper }}"),
            json!("{{ keystore.token | upper }}"),
            json!("S3CRET"),
        ),
        (
            json!("<% ctx().name %>:<% st2kv('token') %>"),
            json!("Ada:{{ keystore.token }}"),
            json!("Ada:s3cret"),
        ),
        (
            json!("{{ <% st2kv('token') %>"),
            json!("{{ '{' }}{{ '{' }} {{ keystore.token }}"),
            json!("{{ s3cret"),
        ),
        (
            json!("{<% st2kv('token') %>}<% ctx().sly %>"),
            json!("{{ '{' }}{{ keystore.token }}}<% ctx().n %>{{ '{' }}{{ '{' }} ctx().n }}"),
            json!("{s3cret}<% ctx().n %>{{ ctx().n }}"),
        ),
    ];
    let (context, keystore) = (context(), json!({"token": "s3cret"}));
    for (source, left, wanted) in rows {
        let scope = Scope::strict().root("ctx", &context).defer("keystore");
        let rendered = template(&source).render_for_later(&scope).unwrap();
        assert_eq!(rendered.value, left, "{source}");
        assert_eq!(rendered.deferred, [""], "{source}");
        let mut value = rendered.value;
        render_deferred(
            &mut value,
            &rendered.deferred,
            &Scope::strict().root("keystore", &keystore),
        )
        .unwrap();
        assert_eq!(value, wanted, "{source}");
    }
}

#[test]
fn the_template_language_itself_stays_as_it_is() {
    let rows = [
        ("<% 1 %>", json!("<% 1 %>")),
        ("{{ 'a' or 'b' }}", json!(true)),
        ("{{ zip([1, 2], [3]) }}", json!([[1, 3]])),
    ];
    for (source, wanted) in rows {
        let rendered = Template::parse(&json!(source)).render(&Scope::strict());
        assert_eq!(rendered, Ok(wanted), "{source}");
    }
    for source in ["{{ 'a'.upper() }}", "{{ yaql_len('a') }}"] {
        assert!(Template::parse(&json!(source)).render(&Scope::strict()).is_err(), "{source}");
    }
}
