use super::*;
use serde_json::json;

fn schema(source: Value) -> Schema {
    Schema::parse(Some(&source)).unwrap()
}

#[test]
fn values_are_checked_and_templates_stand_in_for_any_type() {
    let server = json!({
        "host": {"type": "string", "required": true, "position": 0},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 443},
        "mode": {"type": "string", "enum": ["fast", "safe"]},
        "opts": {"type": "object", "properties": {"deep": {"type": "boolean", "required": true}}},
        "tags": {"type": "array", "items": {"type": "string"}},
    });
    let full = json!({
        "type": "object",
        "properties": {"n": {"type": "integer", "secret": true}},
        "required": ["n"],
    });
    for (source, value, wrong) in [
        (&server, json!({"host": "a"}), vec![]),
        (&server, json!({}), vec![""]),
        (&server, json!({"host": 5}), vec!["host"]),
        (&server, json!({"host": "a", "port": 0}), vec!["port"]),
        (&server, json!({"host": "a", "port": "443"}), vec!["port"]),
        (&server, json!({"host": "a", "port": "{{ event.payload.port }}"}), vec![]),
        (&server, json!({"host": "a", "mode": "x {{ y }} z"}), vec![]),
        (&server, json!({"host": "a", "mode": "slow"}), vec!["mode"]),
        (&server, json!({"host": "a", "opts": {}}), vec!["opts"]),
        (&server, json!({"host": "a", "opts": {"deep": "{{ d }}"}}), vec![]),
        (&server, json!({"host": "a", "opts": "{{ o }}"}), vec![]),
        (&server, json!({"host": "a", "tags": ["{{ t }}", "u"]}), vec![]),
        (&server, json!({"host": "a", "tags": ["{{ t }}", 3]}), vec!["tags.1"]),
        (&server, json!({"host": "a", "extra": 1}), vec![]),
        (&full, json!({"n": 1}), vec![]),
        (&full, json!({}), vec![""]),
    ] {
        let found = schema(source.clone()).validate(&value).err().unwrap_or_default();
        let paths: Vec<&str> = found.iter().map(|violation| violation.path.as_str()).collect();
        assert_eq!(paths, wrong, "{value}");
    }
}

#[test]
fn a_violation_never_repeats_the_value() {
    let secret = schema(json!({"token": {"type": "string", "secret": true, "maxLength": 3}}));
    let violations = secret.validate(&json!({"token": "hunter2"})).unwrap_err();
    assert!(!violations[0].to_string().contains("hunter2"), "{}", violations[0]);
}

#[test]
fn what_cannot_be_a_schema_is_said() {
    for (source, message) in [
        (json!([]), "a schema must be an object"),
        (json!({"a": 1}), "property 'a' must be an object"),
    ] {
        assert_eq!(Schema::parse(Some(&source)).unwrap_err().to_string(), message);
    }
    assert!(Schema::parse(Some(&json!({"a": {"type": "nonsense"}}))).is_err());
    assert!(Schema::parse(Some(&json!({"a": {"$ref": "http://example.com/x.json"}}))).is_err());
    assert!(Schema::parse(None).unwrap().validate(&json!(5)).is_ok());
}

#[test]
fn defaults_fill_what_is_absent_or_null_at_the_top() {
    let schema = schema(json!({"a": {"type": "integer", "default": 1}, "b": {"default": "{{ x }}"}}));
    let mut parameters = json!({"a": null, "c": 3}).as_object().cloned().unwrap();
    schema.defaults(&mut parameters);
    assert_eq!(Value::Object(parameters), json!({"a": 1, "b": "{{ x }}", "c": 3}));
}

#[test]
fn secrets_are_taken_out_and_put_back() {
    let schema = schema(json!({
        "token": {"type": "string", "secret": true},
        "db": {"type": "object", "properties": {"password": {"type": "string", "secret": true}}},
    }));
    let original = json!({"token": "t0k", "db": {"password": "pw", "host": "h"}, "x": 1});
    let mut value = original.clone();
    let secrets = schema.redact(&mut value);
    let mark = json!({"$attune_secret": true, "redacted": true});
    assert_eq!(value, json!({"token": mark, "db": {"password": mark, "host": "h"}, "x": 1}));
    assert!(!format!("{secrets:?}").contains("pw"));
    assert!(schema.redact(&mut value).is_empty(), "marks are not taken for secrets");
    let sealed = serde_json::to_vec(&secrets).unwrap();
    let secrets: Secrets = serde_json::from_slice(&sealed).unwrap();
    secrets.restore(&mut value);
    assert_eq!(value, original);
    let mut texts = secrets.texts();
    texts.sort();
    assert_eq!(texts, ["pw", "t0k"]);
}
