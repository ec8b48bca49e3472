//! Workflows in Orquesta's form: each of `tests/orquesta` is read like a pack's file, run with scripted
//! results, and compared with what stands beside it. The guide has a table of them, which is made here.

// Clippy takes only `#[test]` functions for tests, not what they share.
#![allow(clippy::unwrap_used)]

use attune_domain::workflow::Definition;
use attune_domain::workflow::definition::Dialect;
use attune_domain::workflow::rehearsal::{Happening, Rehearsed, Script, What};
use attune_packs::{WorkflowDefinition, load, rehearsal};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What stands beside a workflow, in `NN_name.expected.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// What it is an example of.
    shape: String,
    #[serde(default)]
    parameters: Map<String, Value>,
    #[serde(default)]
    results: Script,
    /// [`order`] of what happens.
    order: String,
    status: String,
    /// The result but for `succeeded` and `error`.
    output: Value,
    error: Option<String>,
    /// How long it takes, where that is of interest.
    seconds: Option<f64>,
    /// What the executions are given, in order, where that is of interest.
    inputs: Option<Vec<Value>>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/orquesta")
}

/// The names of the workflows, in order.
fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap();
    let mut names: Vec<String> = files
        .filter_map(|file| {
            let name = file.unwrap().file_name().into_string().unwrap();
            Some(name.strip_suffix(".expected.yaml")?.to_owned())
        })
        .collect();
    names.sort();
    names
}

/// All workflows in a pack of their own.
fn workflows() -> Vec<WorkflowDefinition> {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("pack.yaml"), "ref: orquesta\nversion: \"1.0.0\"\n").unwrap();
    fs::create_dir(home.path().join("workflows")).unwrap();
    for name in names() {
        let file = format!("{name}.yaml");
        fs::copy(folder().join(&file), home.path().join("workflows").join(&file)).unwrap();
    }
    let pack = load(home.path()).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(pack.warnings, []);
    pack.workflows
}

fn expected(name: &str) -> Expected {
    let text = fs::read_to_string(folder().join(format!("{name}.expected.yaml"))).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn run(workflow: &WorkflowDefinition, expected: &Expected) -> Rehearsed {
    let definition = Definition::parse(&workflow.graph).unwrap();
    assert_eq!(definition.dialect, Dialect::Orquesta, "{}", workflow.reference);
    rehearsal::run(workflow, expected.parameters.clone(), json!({}), &expected.results)
        .unwrap_or_else(|problems| panic!("{}: {problems:?}", workflow.reference))
}

/// The tasks in the order in which they begin: `a → b + c`, where `b` and `c` begin at the same moment. Each item and
/// each try is told, and tasks that do nothing.
fn order(happenings: &[Happening]) -> String {
    let (mut line, mut before) = (String::new(), None);
    for Happening { at, task, item, what } in happenings {
        if matches!(what, What::Ends { .. }) {
            continue;
        }
        if let Some(before) = before {
            line.push_str(if before == at { " + " } else { " → " });
        }
        before = Some(at);
        line.push_str(task);
        if let Some(item) = item {
            write!(line, "[{item}]").unwrap();
        }
    }
    line
}

fn inputs(happenings: Vec<Happening>) -> Value {
    let input = |happening: Happening| match happening.what {
        What::Begins { input, .. } => Some(input),
        _ => None,
    };
    happenings.into_iter().filter_map(input).collect()
}

#[test]
fn workflows_of_orquesta_run_as_they_are_written() {
    let workflows = workflows();
    assert!(workflows.len() >= 30);
    let mut differences = Vec::new();
    for (name, workflow) in names().iter().zip(&workflows) {
        let expected = expected(name);
        let Rehearsed { happenings, status, mut result, seconds } = run(workflow, &expected);
        let members = result.as_object_mut().unwrap();
        let succeeded = members.remove("succeeded").unwrap();
        let error = members.remove("error").unwrap_or_default();
        let mut compare = |what: &str, found: Value, wanted: Value| {
            if found != wanted {
                differences.push(format!("{name}: {what}\n  found  {found}\n  wanted {wanted}\n"));
            }
        };
        compare("order", order(&happenings).into(), expected.order.into());
        compare("succeeded", succeeded, (expected.status == "completed").into());
        compare("status", status.into(), expected.status.into());
        compare("error", error, expected.error.into());
        compare("output", result, expected.output);
        compare("seconds", seconds.into(), expected.seconds.unwrap_or(seconds).into());
        if let Some(wanted) = expected.inputs {
            compare("inputs", inputs(happenings), wanted.into());
        }
    }
    assert!(differences.is_empty(), "{}", differences.concat());
}

#[test]
fn the_guide_has_the_table_of_them() {
    let mut table = String::from("| workflow | shape | order | output |\n|---|---|---|---|\n");
    for name in names() {
        let Expected { shape, order, status, mut output, .. } = expected(&name);
        let failed = Some("failed").filter(|failed| *failed == status).map(str::to_owned);
        // Whether maps keep their order is for the whole build to say.
        output.sort_all_objects();
        let output = (output != json!({})).then(|| format!("`{output}`"));
        let told: Vec<String> = failed.into_iter().chain(output).collect();
        writeln!(table, "| `{name}` | {shape} | {order} | {} |", told.join(": ")).unwrap();
    }
    let guide = include_str!("../../../docs/ORQUESTA.md");
    assert!(guide.contains(&table), "docs/ORQUESTA.md is to contain this table:\n\n{table}");
}

#[test]
fn the_guide_lists_every_function() {
    let documented = include_str!("../../domain/src/template/orquesta/mod.rs");
    let guide = include_str!("../../../docs/ORQUESTA.md");
    let rows: Vec<&str> =
        documented.lines().filter_map(|line| line.strip_prefix("//! |")).collect();
    assert!(rows.len() > 10);
    for row in rows {
        assert!(guide.contains(&format!("\n|{row}\n")), "docs/ORQUESTA.md lacks the row\n|{row}");
    }
}
