//! What schemas admit, fill in and hide.

use super::{Error, Schema, Secrets, is_redacted, redacted, restore};
use serde_json::{Value, json};

fn flat() -> Schema {
    parse(&json!({
        "host": {"type": "string", "required": true, "minLength": 2, "position": 0},
        "port": {"type": "integer", "default": 443, "minimum": 1, "maximum": 65535},
        "token": {"type": "string", "secret": true, "maxLength": 12},
        "mode": {"type": "string", "enum": ["fast", "slow"], "default": "fast"},
        "opts": {"type": "object", "properties": {
            "key": {"type": "string", "secret": true},
            "depth": {"type": "integer", "required": true},
        }},
        "users": {"type": "array", "uniqueItems": true, "items": {"type": "object", "properties": {
            "name": {"type": "string"}, "password": {"type": "string", "secret": true, "required": true},
        }}},
        "when": {"type": "string", "format": "date-time"},
    }))
}

fn parse(schema: &Value) -> Schema {
    Schema::parse(Some(schema)).unwrap_or_else(|error| panic!("{schema}: {error}"))
}

fn told(result: Result<(), Vec<super::Violation>>) -> Vec<String> {
    result.err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn values_are_checked_against_flat_schemas() {
    let rows: [(Value, &[&str], &str); 8] = [
        (json!({"host": "db1", "extra": [1]}), &[], "unknown members are allowed"),
        (json!({"host": "db1", "when": "soon"}), &[], "formats are not checked"),
        (json!({}), &["\"host\" is a required property"], "a required member"),
        (
            json!({"host": "db1", "port": "5"}),
            &["port: the value is not of type \"integer\""],
            "nothing is coerced",
        ),
        (
            json!({"host": "db1", "port": 0}),
            &["port: the value is less than the minimum of 1"],
            "limits",
        ),
        (
            json!({"host": "db1", "mode": "odd"}),
            &["mode: the value is not one of \"fast\" or \"slow\""],
            "a choice",
        ),
        (
            json!({"host": "db1", "opts": {}}),
            &["opts: \"depth\" is a required property"],
            "required on deeper levels",
        ),
        (
            json!({"host": "db1", "users": [{"name": "a", "password": 5}]}),
            &["users.0.password: the value is not of type \"string\""],
            "inside of arrays",
        ),
    ];
    for (value, wanted, what) in rows {
        assert_eq!(told(flat().validate_rendered(&value)), wanted, "{what}");
    }
}

#[test]
fn json_schema_is_taken_as_it_is() {
    let schema = parse(&json!({
        "type": "object", "required": ["a"],
        "properties": {"a": {"$ref": "#/$defs/small"}, "b": {"type": "boolean", "required": false}},
        "$defs": {"small": {"type": "integer", "maximum": 9}},
    }));
    assert_eq!(
        told(schema.validate_rendered(&json!({"a": 10}))),
        ["a: the value is greater than the maximum of 9"]
    );
    assert_eq!(told(schema.validate_rendered(&json!({"a": 1, "b": true}))), [""; 0]);
    assert_eq!(
        told(parse(&json!({"type": "array"})).validate_rendered(&json!({}))),
        ["the value is not of type \"array\""]
    );
    let parameter_called_type = parse(&json!({"type": {"type": "string", "required": true}}));
    assert_eq!(
        told(parameter_called_type.validate_rendered(&json!({}))),
        ["\"type\" is a required property"]
    );
}

#[test]
fn no_schema_admits_everything() {
    for schema in [None, Some(json!(null)), Some(json!({}))] {
        let schema = Schema::parse(schema.as_ref()).expect("reads");
        assert_eq!(schema.validate_rendered(&json!([1, "a"])), Ok(()));
        assert!(schema.redact(&mut json!({"a": 1})).is_empty());
    }
}

#[test]
fn unusable_schemas_are_errors() {
    for (schema, wanted) in [
        (json!([1]), Error::NotAnObject),
        (json!({"host": "string"}), Error::Property("host".to_owned())),
    ] {
        assert_eq!(Schema::parse(Some(&schema)).expect_err("unusable"), wanted);
    }
    for (schema, why) in [
        (json!({"a": {"type": "text"}}), "an unknown type"),
        (json!({"a": {"type": "string", "pattern": "("}}), "a pattern that is none"),
        (
            json!({"a": {"type": "string", "pattern": "(?=x)"}}),
            "a pattern that could take for ever",
        ),
        (json!({"a": {"$ref": "https://example.com/schema.json"}}), "a reference to elsewhere"),
        (json!({"a": {"$ref": "file:///etc/passwd"}}), "a reference to a file"),
    ] {
        assert!(matches!(Schema::parse(Some(&schema)), Err(Error::Invalid { .. })), "{why}");
    }
}

#[test]
fn templates_satisfy_whatever_only_their_rendering_can_tell() {
    let t = "{{ event.payload.x }}";
    let union = parse(
        &json!({"v": {"anyOf": [{"type": "object", "properties": {"n": {"type": "integer"}}}, {"type": "integer"}]}}),
    );
    let rows: [(&Schema, Value, &[&str], &str); 7] = [
        (
            &flat(),
            json!({"host": t, "port": t, "mode": t, "opts": t, "users": t}),
            &[],
            "as any type",
        ),
        (&flat(), json!({"host": "h{{ x }}", "port": "1{{ x }}"}), &[], "inside text, too"),
        (
            &flat(),
            json!({"port": t}),
            &["\"host\" is a required property"],
            "but not for what is absent",
        ),
        (
            &flat(),
            json!({"host": t, "port": "{{ x"}),
            &["port: the value is not of type \"integer\""],
            "unclosed is no template",
        ),
        (
            &flat(),
            json!({"host": t, "opts": {"depth": t, "key": 1}}),
            &["opts.key: the value is not of type \"string\""],
            "nor for its neighbours",
        ),
        (&union, json!({"v": {"n": t}}), &[], "below an alternative"),
        (
            &union,
            json!({"v": true}),
            &["v: the value is not valid under any of the schemas listed in the 'anyOf' keyword"],
            "an alternative without one",
        ),
    ];
    for (schema, value, wanted, what) in rows {
        assert_eq!(told(schema.validate(&value)), wanted, "{what}");
    }
    assert_eq!(
        told(flat().validate_rendered(&json!({"host": "db1", "port": t}))).len(),
        1,
        "a plain check knows no templates"
    );
}

#[test]
fn messages_never_quote_a_value() {
    let secret = "hunter2-hunter2";
    for value in [
        json!({"host": "h", "token": secret}),
        json!({"host": secret, "mode": secret, "port": secret, "opts": {"key": [secret], "depth": secret}}),
        json!({"host": "hh", "users": [secret, secret]}),
        json!(secret),
    ] {
        let told = told(flat().validate_rendered(&value)).join("\n");
        assert!(!told.is_empty() && !told.contains("hunter2"), "{told}");
    }
}

#[test]
fn defaults_fill_what_is_absent_or_null_on_the_top_level() {
    let mut values = json!({"host": "a", "port": null, "mode": "slow"});
    flat().defaults(values.as_object_mut().expect("an object"));
    assert_eq!(values, json!({"host": "a", "port": 443, "mode": "slow"}));
}

#[test]
fn secrets_are_taken_out_and_put_back() {
    let original = json!({
        "host": "db1", "token": "t0ken", "opts": {"key": "k", "depth": 1},
        "users": [{"name": "a", "password": "p1"}, {"name": "b", "password": null}, {"name": "c"}],
    });
    let mut value = original.clone();
    let secrets = flat().redact(&mut value);
    assert_eq!(value["token"], json!({"$attune_secret": true, "redacted": true}));
    assert!(is_redacted(&value["opts"]["key"]) && is_redacted(&value["users"][0]["password"]));
    assert_eq!(value["users"][1]["password"], Value::Null, "nothing is no secret");
    assert_eq!(secrets.places().collect::<Vec<_>>(), ["/opts/key", "/token", "/users/0/password"]);
    assert_eq!(secrets.texts(), ["k", "t0ken", "p1"]);
    assert_eq!(format!("{secrets:?}"), "Secrets(3 values)");
    assert!(flat().redact(&mut value).is_empty(), "redacting twice takes nothing more");

    let stored = serde_json::to_string(&secrets).expect("serialises");
    let loaded: Secrets = serde_json::from_str(&stored).expect("deserialises");
    restore(&mut value, &loaded);
    assert_eq!(value, original);
}

#[test]
fn a_secret_object_goes_as_a_whole_and_returns_only_to_its_marker() {
    let schema = parse(
        &json!({"auth": {"type": "object", "secret": true, "properties": {"pin": {"secret": true}}}}),
    );
    let mut value = json!({"auth": {"pin": 4711, "on": true}});
    let secrets = schema.redact(&mut value);
    assert_eq!(value, json!({"auth": redacted()}));
    assert_eq!(secrets.texts(), [r#"{"on":true,"pin":4711}"#, "4711"]);
    let mut changed = json!({"auth": "other"});
    secrets.restore(&mut changed);
    assert_eq!(changed, json!({"auth": "other"}));
}

#[test]
fn a_schema_is_shared_between_threads() {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<Schema>();
}

#[test]
fn a_secret_may_name_one_that_lies_elsewhere() {
    let schema = Schema::parse(Some(&json!({
        "password": {"type": "string", "secret": true},
        "again": {"type": "string", "secret": true},
        "own": {"type": "string", "secret": true},
        "plain": {"type": "string"},
    })))
    .unwrap();
    let given = json!({
        "password": "secretsmanager:db/password", "again": "secretsmanager:db/password",
        "own": "secretsmanager:", "plain": "secretsmanager:db/other",
    });
    let mut parameters = given.clone();
    let mut secrets = schema.redact(&mut parameters);
    assert_eq!(secrets.references(), ["db/password"], "only of secrets, each once, with a name");
    secrets.resolve("db/password", "hunter2");
    secrets.restore(&mut parameters);
    let expected = json!({
        "password": "hunter2", "again": "hunter2",
        "own": "secretsmanager:", "plain": "secretsmanager:db/other",
    });
    assert_eq!(parameters, expected);
    assert!(secrets.texts().contains(&"hunter2".to_owned()), "struck out of what the run says");
}
