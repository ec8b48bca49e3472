//! One workflow with a fork, a join, a loop, items, branches and a failure, in every format.

use super::*;
use crate::workflow::rehearsal::{Script, Stage};
use serde_json::{Value, json};

fn definition() -> Definition {
    let echo = |name: &str, more: Value| {
        let mut task = json!({"name": name, "action": "core.echo"});
        if let (Some(task), Value::Object(more)) = (task.as_object_mut(), more) {
            task.extend(more);
        }
        task
    };
    let graph = json!({"version": "1", "vars": {"n": 0}, "tasks": [
        echo("start", json!({"next": [{"do": ["count", "hosts", "checks"]}]})),
        echo("count", json!({"next": [
            {"when": "{{ succeeded() and vars.n < 2 }}", "publish": [{"n": "{{ vars.n + 1 }}"}], "do": "count"},
            {"when": "{{ succeeded() and vars.n >= 2 }}", "do": "meet"},
        ]})),
        echo("hosts", json!({"with_items": [1, 2, 3], "input": {"n": "{{ item }}"}, "next": [
            {"when": "{{ succeeded() }}", "do": "meet"},
            {"when": "{{ failed() }}", "do": "tidy"},
        ]})),
        {"name": "checks", "type": "parallel", "next": [{"do": "meet"}], "tasks": [
            {"name": "disk", "action": "core.noop"}, {"name": "net", "action": "core.noop"},
        ]},
        echo("meet", json!({"join": "all", "next": [
            {"when": "{{ result().note == \"<a> & \\\"b\\\"\" }}", "do": "count"},
        ]})),
        echo("tidy", json!({"next": [{"when": "{{ failed() }}", "do": "fail"}, {"do": "noop"}]})),
    ]});
    Definition::parse(&graph).unwrap()
}

/// The run once one of the items has failed.
fn run(definition: &Definition) -> Run {
    let script: Script = serde_json::from_value(json!({
        "hosts": [{}, {"outcome": "failed"}, {}], "checks": {"seconds": 5}, "disk": {"seconds": 5},
    }))
    .unwrap();
    let mut stage = Stage::new(definition, json!({}), json!({}), &script, |_| 0);
    while stage.run.standing("tidy") != Status::Running {
        assert!(stage.happens(), "it comes to that");
    }
    stage.run.clone()
}

#[test]
fn a_definition_is_drawn() {
    let picture = Picture::of(&definition(), None);
    for format in [Format::Text, Format::Mermaid] {
        insta::assert_snapshot!(format!("definition.{format}"), picture.render(format));
    }
}

#[test]
fn a_run_is_drawn() {
    let definition = definition();
    let picture = Picture::of(&definition, Some(&run(&definition)));
    for format in Format::ALL {
        insta::assert_snapshot!(format!("run.{format}"), picture.render(format));
    }
    let read: Picture = serde_json::from_str(&picture.render(Format::Json)).unwrap();
    assert_eq!(read, picture, "what is sent can be drawn where it arrives");
}

#[test]
fn what_an_author_writes_stays_text() {
    let evil = "\"]; <script>alert(1)</script> \u{1b}[31m #lt; -->";
    let node = |name: &str| Node {
        name: name.to_owned(),
        kind: Kind::Action,
        action: Some(evil.to_owned()),
        status: Some(Status::Running),
        visits: 1,
        join: None,
        branches: vec![],
        progress: None,
    };
    let edge = |to: Option<&str>| Edge {
        from: evil.to_owned(),
        to: to.map(str::to_owned),
        command: None,
        label: Some(evil.to_owned()),
        taken: Some(true),
    };
    let picture = Picture {
        nodes: vec![node(evil), node("b")],
        edges: vec![edge(Some("b")), edge(Some("who?")), edge(None)],
    };
    for (format, forbidden) in [
        (Format::Svg, &["<script", "\u{1b}"][..]),
        (Format::Mermaid, &["<script", "\"];", "\u{1b}", "#lt;"]),
        (Format::Dot, &[" \"];", "\u{1b}"]),
        (Format::Text, &["\u{1b}"]),
    ] {
        let drawn = picture.render(format);
        for forbidden in forbidden {
            assert!(!drawn.contains(forbidden), "{format}: {drawn}");
        }
    }
    assert!(picture.render(Format::Dot).contains("label=\"\\\"]; <script>"), "quotes are escaped");
}

#[test]
fn formats_are_called_by_their_names() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse(), Ok(format));
    }
    assert!("png".parse::<Format>().is_err());
}
