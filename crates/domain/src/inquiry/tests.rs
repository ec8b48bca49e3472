use super::form::{Form, Input};
use super::*;
use crate::status::ExecutionStatus;
use proptest::prelude::*;
use serde_json::json;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

/// Asked at 0, with time until 100.
fn inquiry(schema: Option<Value>) -> Inquiry {
    Inquiry {
        id: InquiryId::new(9),
        execution: ExecutionId::new(5),
        action_ref: ComponentRef::parse("core.ask").unwrap(),
        executor: Some(IdentityId::new(1)),
        prompt: "Deploy?".into(),
        response_schema: schema,
        assigned_to: None,
        status: Status::Pending,
        response: None,
        timeout_at: at(100),
        links: vec![],
        created: at(0),
        updated: at(0),
        responded_at: None,
        responded_by: None,
    }
}

#[test]
fn words_are_read_in_any_case_and_cancelled_with_one_l_too() {
    for status in Status::ALL {
        assert_eq!(status.as_str().to_uppercase().parse(), Ok(status));
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    assert_eq!("canceled".parse(), Ok(Status::Cancelled));
    assert!("answered".parse::<Status>().is_err());
}

#[test]
fn an_answer_counts_in_time_once_and_if_it_fits() {
    let schema = json!({"approved": {"type": "boolean", "required": true}});
    let large = json!({"approved": true, "why": "x".repeat(MAX_RESPONSE_BYTES)});
    for (why, when, answer, fits) in [
        ("in time", 50, json!({"approved": true}), true),
        ("with more than was asked for", 50, json!({"approved": false, "why": "late"}), true),
        ("a template is text", 50, json!({"approved": "{{ yes }}"}), false),
        ("without what was asked for", 50, json!({}), false),
        ("not even an object", 50, json!("yes"), false),
        ("too large", 50, large, false),
        ("at the deadline", 100, json!({"approved": true}), false),
        ("after it", 101, json!({"approved": true}), false),
    ] {
        let mut asked = inquiry(Some(schema.clone()));
        let before = asked.clone();
        let said = asked.respond(answer.clone(), Some(IdentityId::new(7)), at(when));
        assert_eq!(said.is_ok(), fits, "{why}: {said:?}");
        if fits {
            assert_eq!(
                (asked.status, &asked.response),
                (Status::Responded, &Some(answer)),
                "{why}"
            );
            assert_eq!(asked.responded_at, Some(at(when)), "{why}");
            assert_eq!(asked.responded_by, Some(IdentityId::new(7)), "{why}");
            let again = asked.respond(json!({"approved": false}), None, at(when));
            assert_eq!(again, Err(Refusal::Over(Status::Responded)), "{why}, again");
        } else {
            assert_eq!(asked, before, "{why}: nothing is changed");
        }
    }
}

#[test]
fn what_does_not_fit_is_told_without_the_answer() {
    let mut asked = inquiry(Some(json!({"n": {"type": "integer"}})));
    let refused = asked.respond(json!({"n": "swordfish"}), None, at(1)).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("n: ") && !text.contains("swordfish"), "{text}");
}

#[test]
fn who_may_answer() {
    let (own, parent, other) = (ExecutionId::new(5), ExecutionId::new(4), ExecutionId::new(3));
    let (ann, bob) = (Some(IdentityId::new(7)), Some(IdentityId::new(8)));
    for (why, assigned_to, identity, lineage, permitted, expected) in [
        ("anybody with permission", None, bob, vec![], true, Ok(())),
        ("nobody without", None, bob, vec![], false, Err(Denial::Permission)),
        ("the assignee needs none", ann, ann, vec![], false, Ok(())),
        ("permission is no assignment", ann, bob, vec![], true, Err(Denial::Assigned)),
        ("nor is no identity", ann, None, vec![], true, Err(Denial::Assigned)),
        ("not the asking execution", None, bob, vec![own, parent], true, Err(Denial::Loop)),
        ("nor its child", None, bob, vec![other, own], true, Err(Denial::Loop)),
        ("not even for the assignee", ann, ann, vec![own], true, Err(Denial::Loop)),
        ("a sibling with permission", None, bob, vec![other, parent], true, Ok(())),
    ] {
        let asked = Inquiry { assigned_to, ..inquiry(None) };
        let who = Answerer { identity, lineage: &lineage, permitted };
        assert_eq!(asked.admits(&who), expected, "{why}");
    }
}

#[test]
fn links_give_way_to_newer_ones_and_none_is_made_too_late() {
    let link = |n: usize| Link { digest: n.to_string(), expires_at: at(90), made_by: None };
    let mut asked = inquiry(None);
    for n in 0..=MAX_LINKS {
        asked.give_out(link(n), at(1)).unwrap();
    }
    assert_eq!(asked.links.len(), MAX_LINKS);
    assert!(asked.link("0").is_none() && asked.link("1").is_some());
    asked.give_out(Link { expires_at: at(99), ..link(50) }, at(95)).unwrap();
    assert_eq!(asked.links.len(), 1, "what has expired is forgotten");
    assert_eq!(asked.give_out(link(51), at(100)), Err(Refusal::Expired));
    asked.cancel(at(96)).unwrap();
    assert_eq!(asked.give_out(link(52), at(97)), Err(Refusal::Over(Status::Cancelled)));
}

#[test]
fn results_tell_how_it_ended_and_keep_what_was_there() {
    let before = json!({"succeeded": true, "exit_code": 0, "data": {"plan": 3}});
    let waiting = outcome::pending(Some(before), InquiryId::new(9));
    assert_eq!(
        waiting,
        json!({"succeeded": true, "exit_code": 0, "data": {"plan": 3}, "inquiry_id": 9, "status": "pending"})
    );
    let mut asked = inquiry(None);
    assert_eq!(outcome::of(&asked, None), None);
    asked.respond(json!({"approved": true}), None, at(1)).unwrap();
    let (status, result) = outcome::of(&asked, Some(waiting.clone())).unwrap();
    assert_eq!(status, ExecutionStatus::Completed);
    assert_eq!(
        result,
        json!({
            "succeeded": true, "exit_code": 0, "data": {"plan": 3}, "response": {"approved": true},
            "__inquiry_id": 9, "__inquiry_created_published": true,
        })
    );
    let late = Inquiry { status: Status::Timeout, ..inquiry(None) };
    assert_eq!(
        outcome::of(&late, Some(waiting)),
        Some((
            ExecutionStatus::Timeout,
            json!({
                "succeeded": false, "exit_code": 0, "data": {"plan": 3},
                "error": "inquiry timed out", "__inquiry_id": 9,
            })
        ))
    );
    let gone = Inquiry { status: Status::Cancelled, ..inquiry(None) };
    assert_eq!(outcome::of(&gone, None).unwrap().0, ExecutionStatus::Cancelled);
}

#[test]
fn a_result_asks_at_the_top_or_in_what_it_printed() {
    let question = json!({"prompt": "Go on?"});
    for (why, mut result, found, left) in [
        ("at the top", json!({"__inquiry": question, "a": 1}), true, json!({"a": 1})),
        ("in data", json!({"data": {"__inquiry": question}}), true, json!({"data": {}})),
        ("null is no question", json!({"__inquiry": null}), false, json!({})),
        (
            "text is not looked into",
            json!({"data": "__inquiry"}),
            false,
            json!({"data": "__inquiry"}),
        ),
        ("nor lists", json!({"data": [question]}), false, json!({"data": [question]})),
    ] {
        assert_eq!(outcome::take_question(&mut result).is_some(), found, "{why}");
        assert_eq!(result, left, "{why}");
    }
}

#[test]
fn questions_are_read_and_wrong_ones_say_why() {
    for (given, wrong) in [
        (json!({"prompt": "Go?"}), None),
        (json!({"prompt": "Go?", "response_schema": null, "assigned_to": null}), None),
        (json!({"prompt": "Go?", "assigned_to": 7, "timeout_seconds": 0.5}), None),
        (json!({"prompt": "Go?", "assigned_to": "ann", "timeout_seconds": "60"}), None),
        (json!("Go?"), Some("object")),
        (json!({}), Some("prompt")),
        (json!({"prompt": "  "}), Some("prompt")),
        (json!({"prompt": "x".repeat(10_001)}), Some("prompt")),
        (json!({"prompt": "Go?", "response_schema": {"a": 1}}), Some("response_schema")),
        (json!({"prompt": "Go?", "response_schema": "text"}), Some("response_schema")),
        (
            json!({"prompt": "?", "response_schema": {"pin": {"type": "string", "secret": true}}}),
            Some("cannot be secret"),
        ),
        (json!({"prompt": "Go?", "assigned_to": [1]}), Some("assigned_to")),
        (json!({"prompt": "Go?", "timeout_seconds": 0}), Some("timeout_seconds")),
        (json!({"prompt": "Go?", "timeout_seconds": 1e300}), Some("timeout_seconds")),
    ] {
        let read = Question::read(&given);
        match wrong {
            None => assert!(read.is_ok(), "{given}: {read:?}"),
            Some(word) => {
                let error = read.expect_err(&given.to_string()).to_string();
                assert!(error.contains(word), "{given}: {error}");
            }
        }
    }
    let people = |of: Value| Question::read(&json!({"prompt": "?", "assigned_to": of})).unwrap();
    assert_eq!(people(json!("7")).assigned_to, Some(Person::Id(IdentityId::new(7))));
    assert_eq!(people(json!("ann")).assigned_to, Some(Person::Login("ann".into())));
}

#[test]
fn a_form_asks_for_what_the_schema_asks_for() {
    let schema = json!({
        "approved": {"type": "boolean", "required": true},
        "reason": {"type": "string", "description": "Why?", "position": 1},
        "count": {"type": "integer", "required": true, "title": "How many", "position": 0},
        "size": {"enum": ["small", 2]},
        "tags": {"type": "array"},
    });
    let form = Form::of(Some(&schema));
    assert!(form.decides);
    let names: Vec<_> = form.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["count", "reason", "size", "tags"]);
    assert_eq!((form.fields[0].label.as_str(), form.fields[0].required), ("How many", true));
    assert_eq!(form.fields[2].input, Input::Choice(vec![json!("small"), json!(2)]));

    let fill = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        form.read(&pairs)
    };
    assert_eq!(
        fill(&[
            ("approved", "true"),
            ("count", " 3 "),
            ("size", "2"),
            ("tags", "[1]"),
            ("reason", "")
        ]),
        Ok(json!({"approved": true, "count": 3, "size": 2, "tags": [1]}))
    );
    for (why, filled, path) in [
        ("no button", vec![("count", "3")], "approved"),
        ("a field is missing", vec![("approved", "false")], "count"),
        ("no number", vec![("approved", "false"), ("count", "many")], "count"),
        ("no such choice", vec![("approved", "true"), ("count", "1"), ("size", "3")], "size"),
        ("no JSON", vec![("approved", "true"), ("count", "1"), ("tags", "[")], "tags"),
    ] {
        let violations = fill(&filled).expect_err(why);
        assert_eq!(violations[0].path, path, "{why}");
    }
}

#[test]
fn a_schema_without_properties_is_a_decision_or_one_field() {
    for (schema, decides, fields) in [
        (json!(null), true, 0),
        (json!({}), true, 0),
        (json!({"type": "object"}), true, 0),
        (json!({"type": "string"}), false, 1),
        (json!({"type": "object", "required": ["a"]}), false, 1),
        (json!({"anyOf": [{"type": "string"}]}), false, 1),
    ] {
        let form = Form::of(Some(&schema));
        assert_eq!((form.decides, form.fields.len()), (decides, fields), "{schema}");
    }
    let whole = Form::of(Some(&json!({"type": "string"})));
    let said = whole.read(&[("response".into(), "\"yes\"".into())]);
    assert_eq!(said, Ok(json!("yes")));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Respond,
    Expire,
    Cancel,
}

proptest! {
    /// Whatever comes in whichever order: it ends once, with a response only where it was answered, and in time.
    #[test]
    fn it_ends_once(
        steps in prop::collection::vec(
            (prop_oneof![Just(Step::Respond), Just(Step::Expire), Just(Step::Cancel)], 0_i64..200),
            0..12,
        ),
    ) {
        let mut asked = inquiry(None);
        let mut now = 0;
        let mut ended = None;
        for (step, pause) in steps {
            now += pause;
            match step {
                Step::Respond => drop(asked.respond(json!(now), None, at(now))),
                Step::Expire => drop(asked.expire(at(now))),
                Step::Cancel => drop(asked.cancel(at(now))),
            }
            if asked.status != Status::Pending {
                let first = ended.get_or_insert_with(|| asked.clone());
                prop_assert_eq!(&asked, &*first);
            }
            prop_assert_eq!(asked.response.is_some(), asked.status == Status::Responded);
            prop_assert!(asked.status != Status::Responded || asked.responded_at < Some(at(100)));
        }
    }

    /// Whatever a form is sent: an answer or violations, no panic.
    #[test]
    fn any_filled_form_is_read(name in "[a-z]{1,8}", text in ".{0,20}") {
        let kinds = ["string", "integer", "number", "boolean", "array", "object"];
        for kind in kinds {
            let form = Form::of(Some(&json!({&name: {"type": kind}})));
            let _ = form.read(&[(name.clone(), text.clone())]);
        }
    }
}
