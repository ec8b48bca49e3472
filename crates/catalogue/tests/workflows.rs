//! Workflows and the actions that execute them: always both, or neither.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use attune_catalogue::actions::ActionChange;
use attune_catalogue::workflows::{self, NewWorkflow, WorkflowChange};
use attune_catalogue::{Error, Origin, actions, install, packs, read, sync_workflows};
use attune_domain::catalogue::{Action, Pack, Workflow};
use attune_domain::payload::Payload;
use attune_domain::workflow::digest;
use serde_json::{Value, json};
use std::fs;
use support::World;
use support::reference;
use tempfile::TempDir;

fn graph(message: &str) -> Value {
    json!({
        "version": "1.0",
        "tasks": [{"name": "say", "action": "core.echo", "input": {"message": message}}],
    })
}

fn new(name: &str, definition: Value) -> NewWorkflow {
    NewWorkflow {
        reference: reference(name),
        pack_ref: "my".into(),
        label: "Mine".into(),
        description: None,
        version: "1.0.0".into(),
        param_schema: Some(json!({"host": {"type": "string"}})),
        out_schema: None,
        definition,
        tags: vec!["a".into()],
    }
}

async fn both(world: &World, name: &str) -> (Option<Workflow>, Option<Action>) {
    (read::get(&world.ports, name).await.unwrap(), read::get(&world.ports, name).await.unwrap())
}

/// The graph that a run of this digest finds.
async fn kept(world: &World, digest: &str) -> Option<Value> {
    let bytes = world.ports.blobs.get(&digest::blob(digest)).await.unwrap()?;
    Some(serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn a_workflow_is_made_with_its_action() {
    let world = World::new();
    world.pack("my").await;
    let made = workflows::create(&world.ports, &new("my.flow", graph("hi"))).await.unwrap();
    let (workflow, action) = both(&world, "my.flow").await;
    let (workflow, action) = (workflow.unwrap(), action.unwrap());
    assert_eq!(workflow, made);
    assert!(workflow.is_adhoc && action.is_adhoc);
    assert_eq!(action.workflow.as_ref(), Some(&workflow.digest));
    assert_eq!(action.workflow_id, Some(workflow.id));
    assert_eq!(action.param_schema, workflow.param_schema);
    assert_eq!(kept(&world, &workflow.digest).await, Some(graph("hi")));
    assert_eq!(workflows::graph(&world.ports, &workflow).await.unwrap(), graph("hi"));

    let taken = workflows::create(&world.ports, &new("my.flow", graph("hi"))).await;
    assert!(matches!(taken, Err(Error::Conflict(_))), "{taken:?}");
    world.action("my.act").await;
    let taken = workflows::create(&world.ports, &new("my.act", graph("hi"))).await;
    assert!(matches!(taken, Err(Error::Conflict(_))), "the ref of an action is taken: {taken:?}");
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_field() {
    let world = World::new();
    world.pack("my").await;
    let broken = json!({"tasks": [{"name": "a", "action": "echo"}, {"name": "a"}]});
    let large = graph(&"x".repeat(1 << 20));
    let rows = [
        (
            "a graph with mistakes",
            new("my.flow", broken),
            "definition.tasks[1]: there are two tasks 'a'; \
             definition.tasks[0].action: 'echo' has no pack: expected 'pack.name'",
        ),
        (
            "a graph that is none",
            new("my.flow", json!([])),
            "definition: expected a mapping with tasks, found a list",
        ),
        (
            "a graph that is too large",
            new("my.flow", large),
            "definition: larger than 1048576 bytes",
        ),
        (
            "another pack's ref",
            new("other.flow", graph("")),
            "ref: 'other.flow' is not of pack 'my'",
        ),
        (
            "an empty version",
            NewWorkflow { version: String::new(), ..new("my.flow", graph("")) },
            "version: must have 1 to 50 characters",
        ),
    ];
    for (what, new, wanted) in rows {
        let error = workflows::create(&world.ports, &new).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{what}");
        assert_eq!(error.to_string(), wanted, "{what}");
    }
    assert_eq!(both(&world, "my.flow").await, (None, None));
}

#[tokio::test]
async fn what_is_changed_of_its_action_is_changed_of_the_workflow() {
    let world = World::new();
    world.pack("my").await;
    workflows::create(&world.ports, &new("my.flow", graph("hi"))).await.unwrap();
    let (before, _) = both(&world, "my.flow").await;
    let change = ActionChange {
        label: Some("Other".into()),
        description: Some("As told".into()),
        param_schema: Some(json!({"port": {"type": "integer"}})),
        out_schema: Some(json!({"said": {"type": "string"}})),
        // Whoever read the action sends back what it has in place of an entry point.
        entrypoint: Some(String::new()),
        ..ActionChange::default()
    };
    let changed = actions::update(&world.ports, "my.flow", &change).await.unwrap();
    let (workflow, action) = both(&world, "my.flow").await;
    let workflow = workflow.unwrap();
    assert_eq!(action.as_ref(), Some(&changed));
    assert_eq!(
        (&workflow.label, &workflow.description, &workflow.param_schema, &workflow.out_schema),
        (&"Other".to_owned(), &change.description, &change.param_schema, &change.out_schema)
    );
    assert_eq!(Some(workflow.digest), before.map(|before| before.digest), "its graph is as it was");

    for (what, change) in [
        ("an entry point", ActionChange { entrypoint: Some("echo".into()), ..Default::default() }),
        (
            "a runtime",
            ActionChange { runtime_ref: Some("core.python".into()), ..Default::default() },
        ),
        (
            "a version of it",
            ActionChange {
                runtime_version_constraint: Some(Some(">=3".into())),
                ..Default::default()
            },
        ),
    ] {
        let refused = actions::update(&world.ports, "my.flow", &change).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{what}: {refused:?}");
    }
    assert_eq!(both(&world, "my.flow").await.1, Some(changed), "nothing of that is stored");

    actions::delete(&world.ports, "my.flow").await.unwrap();
    assert_eq!(both(&world, "my.flow").await, (None, None));
}

#[tokio::test]
async fn a_change_leaves_the_old_graph_to_those_who_run_it() {
    let world = World::new();
    world.pack("my").await;
    let old = workflows::create(&world.ports, &new("my.flow", graph("old"))).await.unwrap();
    let change = WorkflowChange {
        definition: Some(graph("new")),
        param_schema: Some(json!({"port": {"type": "integer"}})),
        tags: Some(vec![]),
        ..WorkflowChange::default()
    };
    let changed = workflows::update(&world.ports, "my.flow", &change).await.unwrap();
    assert_eq!((changed.id, changed.label.as_str()), (old.id, "Mine"));
    assert_ne!(changed.digest, old.digest);
    let (_, action) = both(&world, "my.flow").await;
    let action = action.unwrap();
    assert_eq!(action.workflow, Some(changed.digest.clone()));
    assert_eq!(action.param_schema, Some(json!({"port": {"type": "integer"}})));
    assert_eq!(kept(&world, &old.digest).await, Some(graph("old")));
    assert_eq!(kept(&world, &changed.digest).await, Some(graph("new")));

    let wrong = WorkflowChange { definition: Some(json!({})), ..WorkflowChange::default() };
    let error = workflows::update(&world.ports, "my.flow", &wrong).await.unwrap_err();
    assert_eq!(error.to_string(), "definition.tasks: required, but missing");
    let error = workflows::update(&world.ports, "my.none", &change).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }));
}

#[tokio::test]
async fn a_large_graph_lies_in_its_blob_alone() {
    let world = World::new();
    world.pack("my").await;
    let large = graph(&"x".repeat(50_000));
    let made = workflows::create(&world.ports, &new("my.flow", large.clone())).await.unwrap();
    assert!(matches!(made.definition, Payload::Blob { .. }));
    assert_eq!(workflows::graph(&world.ports, &made).await.unwrap(), large);
}

#[tokio::test]
async fn a_workflow_and_its_action_go_together() {
    let world = World::new();
    world.pack("my").await;
    let ports = &world.ports;
    for name in ["my.one", "my.two", "my.three"] {
        workflows::create(ports, &new(name, graph("hi"))).await.unwrap();
    }
    workflows::delete(ports, "my.one").await.unwrap();
    actions::delete(ports, "my.two").await.unwrap();
    packs::delete(ports, "my", false).await.unwrap();
    for name in ["my.one", "my.two", "my.three"] {
        assert_eq!(both(&world, name).await, (None, None), "{name}");
    }
    assert!(matches!(workflows::delete(ports, "my.one").await, Err(Error::NotFound { .. })));
    assert!(kept(&world, &digest::of(&graph("hi"))).await.is_some(), "runs go on");
}

const FILES: [(&str, &str); 4] = [
    ("pack.yaml", "ref: demo\nversion: \"1.0.0\"\n"),
    (
        "workflows/alone.yaml",
        "version: \"1\"\nparameters: {a: {type: string}}\ntasks: [{name: t}]\n",
    ),
    (
        "actions/linked.yaml",
        "ref: demo.linked\nlabel: Linked\nworkflow_file: workflows/linked.yaml\n",
    ),
    ("actions/workflows/linked.yaml", "version: \"1\"\ntasks: [{name: t}]\n"),
];

fn write(folder: &TempDir, path: &str, text: &str) {
    let file = folder.path().join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn files() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in FILES {
        write(&folder, path, text);
    }
    folder
}

async fn registered(world: &World, folder: &TempDir) {
    let pack = attune_packs::load(folder.path()).unwrap_or_else(|errors| panic!("{errors}"));
    let origin = Origin::Registration { force: true };
    let done = install(&world.ports, &pack, Some("/packs/demo"), origin).await.unwrap();
    assert_eq!(done.warnings, [""; 0]);
}

#[tokio::test]
async fn files_bring_workflows_and_take_them_away() {
    let (world, folder) = (World::new(), files());
    registered(&world, &folder).await;
    let (workflow, action) = both(&world, "demo.alone").await;
    let (alone, action) = (workflow.unwrap(), action.unwrap());
    assert!(!alone.is_adhoc && !action.is_adhoc);
    assert_eq!(action.workflow.as_ref(), Some(&alone.digest));
    assert_eq!(action.param_schema, Some(json!({"a": {"type": "string"}})));
    assert_eq!(both(&world, "demo.linked").await.1.unwrap().label, "Linked");
    let before = world.everything().await;
    registered(&world, &folder).await;
    assert_eq!(world.everything().await, before, "nothing is written again");

    write(&folder, "workflows/alone.yaml", "version: \"2\"\ntasks: [{name: u}]\n");
    registered(&world, &folder).await;
    let (changed, action) = both(&world, "demo.alone").await;
    let (changed, action) = (changed.unwrap(), action.unwrap());
    assert_eq!((changed.id, changed.version.as_str()), (alone.id, "2"));
    assert_eq!(action.workflow, Some(changed.digest.clone()));
    assert!(kept(&world, &alone.digest).await.is_some(), "runs go on with the old graph");

    fs::remove_file(folder.path().join("workflows/alone.yaml")).unwrap();
    write(&folder, "actions/linked.yaml", "ref: demo.linked\nentry_point: echo hi\n");
    fs::remove_file(folder.path().join("actions/workflows/linked.yaml")).unwrap();
    registered(&world, &folder).await;
    assert_eq!(both(&world, "demo.alone").await, (None, None));
    let (workflow, action) = both(&world, "demo.linked").await;
    assert_eq!((workflow, action.unwrap().workflow), (None, None), "an action like any other now");
}

#[tokio::test]
async fn reading_files_again_takes_nothing_away() {
    let (world, folder) = (World::new(), files());
    registered(&world, &folder).await;
    fs::remove_file(folder.path().join("workflows/alone.yaml")).unwrap();
    write(&folder, "workflows/more.workflow.yaml", "version: \"1\"\ntasks: [{name: t}]\n");
    write(&folder, "workflows/wrong.yaml", "version: \"1\"\ntasks: []\n");
    write(&folder, "actions/wrong.yaml", "ref: elsewhere.wrong\n");
    let read_again = attune_packs::read_workflows(folder.path()).unwrap();
    let problems: Vec<_> = read_again
        .problems
        .iter()
        .map(|(name, problems)| (name.as_str(), problems.len()))
        .collect();
    assert_eq!(problems, [("demo.linked", 0), ("demo.more", 0), ("demo.wrong", 1)]);
    let pack: Pack = read::require(&world.ports, "demo").await.unwrap();
    let (synced, refused) = sync_workflows(&world.ports, &pack, &read_again).await.unwrap();
    assert!(refused.is_empty(), "{refused:?}");
    let synced: Vec<_> =
        synced.iter().map(|it| (it.workflow.reference.as_str(), it.created)).collect();
    assert_eq!(synced, [("demo.linked", false), ("demo.more", true)]);
    assert!(both(&world, "demo.alone").await.0.is_some());
    assert!(both(&world, "demo.more").await.1.unwrap().workflow.is_some());
}
