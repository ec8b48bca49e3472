use super::CloudEventSource;
use serde_json::{Value, json};

fn parse(pattern: Value) -> Result<CloudEventSource, super::Error> {
    CloudEventSource::parse(&json!({"type": "cloud_event", "event_pattern": pattern}))
}

#[test]
fn patterns_that_eventbridge_takes_are_taken() {
    let patterns = [
        json!({"source": ["aws.s3"]}),
        json!({"source": ["aws.ec2"], "detail": {"state": ["running", null, true, 7]}}),
        json!({"detail": {"name": [{"prefix": "db-"}, {"suffix": {"equals-ignore-case": ".PNG"}}]}}),
        json!({"detail": {"name": [{"equals-ignore-case": "alice"}, {"wildcard": "a*b*"}]}}),
        json!({"detail": {"state": [{"anything-but": "idle"}, {"anything-but": ["a", "b"]}]}}),
        json!({"detail": {"n": [{"anything-but": 3}, {"anything-but": [1, 2]}]}}),
        json!({"detail": {"n": [{"anything-but": {"prefix": ["x", "y"]}}]}}),
        json!({"detail": {"n": [{"numeric": ["=", 3.5]}, {"numeric": [">", 0, "<=", 5]}]}}),
        json!({"detail": {"ip": [{"cidr": "10.0.0.0/24"}, {"cidr": "::1/128"}, {"exists": false}]}}),
        json!({"$or": [{"source": ["a"]}, {"detail": {"$or": [{"x": [1]}, {"y": [2]}]}}]}),
    ];
    for pattern in patterns {
        let source = parse(pattern.clone()).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        assert_eq!(Value::Object(source.event_pattern), pattern);
    }
}

#[test]
fn a_mistake_is_told_with_its_path() {
    let table = [
        (json!({}), "event_pattern", "must not be empty"),
        (json!({"source": "aws.s3"}), "event_pattern.source", "such as [\"aws.s3\"]"),
        (json!({"source": []}), "event_pattern.source", "empty list"),
        (json!({"detail_type": ["x"]}), "event_pattern.detail_type", "no field of an event"),
        (json!({"$or": [{"a": [1]}, {"source": ["b"]}]}), "event_pattern.a", "no field"),
        (json!({"detail": {}}), "event_pattern.detail", "must not be empty"),
        (json!({"detail": {"a": [["b"]]}}), "event_pattern.detail.a[0]", "list within a list"),
        (
            json!({"detail": {"a": ["x", {"prefx": "b"}]}}),
            "event_pattern.detail.a[1].prefx",
            "no matcher",
        ),
        (json!({"detail": {"a": [{}]}}), "event_pattern.detail.a[0]", "exactly one"),
        (json!({"detail": {"a": [{"prefix": 1}]}}), "event_pattern.detail.a[0].prefix", "a text"),
        (
            json!({"detail": {"a": [{"exists": "yes"}]}}),
            "event_pattern.detail.a[0].exists",
            "true or false",
        ),
        (
            json!({"detail": {"a": [{"numeric": [">", "0"]}]}}),
            "event_pattern.detail.a[0].numeric",
            "operator",
        ),
        (
            json!({"detail": {"a": [{"numeric": ["<", 1, ">", 0]}]}}),
            "event_pattern.detail.a[0].numeric",
            "lower",
        ),
        (
            json!({"detail": {"a": [{"numeric": []}]}}),
            "event_pattern.detail.a[0].numeric",
            "operator",
        ),
        (
            json!({"detail": {"a": [{"cidr": "10.0.0.0/33"}]}}),
            "event_pattern.detail.a[0].cidr",
            "block",
        ),
        (
            json!({"detail": {"a": [{"wildcard": "a**"}]}}),
            "event_pattern.detail.a[0].wildcard",
            "two '*'",
        ),
        (
            json!({"detail": {"a": [{"anything-but": [1, "a"]}]}}),
            "event_pattern.detail.a[0].anything-but",
            "only",
        ),
        (
            json!({"detail": {"a": [{"anything-but": {"cidr": "x"}}]}}),
            "event_pattern.detail.a[0].anything-but.cidr",
            "no matcher",
        ),
        (json!({"detail": {"a": [6e9]}}), "event_pattern.detail.a[0]", "5e9"),
        (json!({"$or": [{"source": ["a"]}]}), "event_pattern.$or", "two patterns"),
        (json!({"$or": {"source": ["a"]}}), "event_pattern.$or", "list of patterns"),
        (json!({"source": [&"x".repeat(5_000)]}), "event_pattern", "4096"),
        (json!([1]), "event_pattern", "must be an object"),
        (Value::Null, "event_pattern", "required"),
    ];
    for (pattern, field, reason) in table {
        let error = parse(pattern.clone()).expect_err(&pattern.to_string());
        assert_eq!(error.field, field, "{pattern}");
        assert!(error.reason.contains(reason), "{pattern}: {error}");
    }
}

#[test]
fn a_bus_is_a_name_and_the_default_one_needs_none() {
    let source = |bus: Value| {
        let config = json!({
            "type": "cloud_event", "event_pattern": {"source": ["a"]}, "event_bus": bus,
        });
        CloudEventSource::parse(&config)
    };
    assert_eq!(source(json!("orders.v1")).unwrap().event_bus.as_deref(), Some("orders.v1"));
    assert_eq!(source(json!("default")).unwrap().event_bus, None);
    assert_eq!(source(Value::Null).unwrap().event_bus, None);
    for bad in [json!(""), json!("a b"), json!(7)] {
        assert_eq!(source(bad).unwrap_err().field, "event_bus");
    }
    let typo = json!({"type": "cloud_event", "event_pattern": {"source": ["a"]}, "bus": "x"});
    assert_eq!(CloudEventSource::parse(&typo).unwrap_err().field, "bus");
}

#[test]
fn it_is_shown_as_it_was_written() {
    let config = json!({
        "type": "cloud_event", "event_pattern": {"source": ["a"]}, "event_bus": "orders",
    });
    assert_eq!(CloudEventSource::parse(&config).unwrap().config(), config);
}
