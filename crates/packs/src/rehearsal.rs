//! `workflows/tests/*.yaml`: rehearsals that say what is to come of them, so that they stand as tests of a pack.
//!
//! ```yaml
//! workflow: deploy.rollout            # which of the pack's workflows
//! parameters: {host: db1}
//! results:                            # what its tasks come to, as `attune_domain::workflow::rehearsal::Script`
//!   check: {outcome: failed, seconds: 2}
//! expect:
//!   status: failed
//!   result: {host: db1}               # members that the result must have, and perhaps others
//!   tasks: [check, undo]              # tasks in the order in which their executions begin
//! ```

use crate::pack::{Pack, parse, read_file};
use crate::problem::{Errors, Position, Problem, Report, Severity};
use crate::workflow::WorkflowDefinition;
use crate::workflow_files::{WorkflowFiles, read_workflows, yaml_files};
use attune_domain::reference::ComponentRef;
use attune_domain::schema::Schema;
use attune_domain::workflow::Definition;
use attune_domain::workflow::definition::Work;
use attune_domain::workflow::rehearsal::{MOST_HAPPENINGS, Rehearsed, Script, What, rehearse};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where they are.
pub const FOLDER: &str = "workflows/tests";
/// Rehearsals of a pack, at most. Together with [`MOST_TOGETHER`] it bounds what a server does for a pack that comes.
const MOST_FILES: usize = 500;
/// Things that happen in all rehearsals of a pack, before no other is begun.
const MOST_TOGETHER: usize = 2 * MOST_HAPPENINGS;

/// A rehearsal and what is to come of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rehearsal {
    /// Which workflow.
    pub workflow: ComponentRef,
    /// With which parameters; defaults are added.
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// The configuration of its pack.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// What its tasks come to.
    #[serde(default)]
    pub results: Script,
    /// What is to come of it.
    pub expect: Expectation,
}

/// What is to come of a rehearsal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// Status of the workflow, such as `completed` or `failed`.
    pub status: String,
    /// Members that its result must have; it may have others. What is no object must be the whole.
    #[serde(default)]
    pub result: Option<Value>,
    /// The tasks, in the order in which their executions begin; one with items once for each, and a branch under its
    /// own name.
    #[serde(default)]
    pub tasks: Option<Vec<String>>,
}

/// What came of a pack's rehearsal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Its file, relative to the pack's root.
    pub file: PathBuf,
    /// Which workflow it is about; `None`, the file is no rehearsal or was not run.
    pub workflow: Option<ComponentRef>,
    /// What is not as expected; empty, it has passed.
    pub differences: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl Verdict {
    fn not_run(file: PathBuf, why: String) -> Self {
        Self { file, workflow: None, differences: vec![why], took: Duration::ZERO }
    }

    /// Whether all is as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Runs the rehearsals of the pack in folder `root`, by the names of their files.
///
/// # Errors
/// What is wrong with the pack's workflows.
pub fn rehearse_all(root: &Path) -> Result<Vec<Verdict>, Errors> {
    let WorkflowFiles { workflows, problems, .. } = read_workflows(root)?;
    let problems: Vec<_> = problems.into_values().flatten().collect();
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(Errors { root: root.to_owned(), problems });
    }
    let workflows: Vec<_> = workflows.into_iter().map(|(_, workflow)| workflow).collect();
    Ok(rehearse_with(root, &workflows))
}

/// Runs the rehearsals of a pack that was loaded, by the names of their files.
#[must_use]
pub fn rehearse_pack(pack: &Pack) -> Vec<Verdict> {
    rehearse_with(&pack.root, &pack.workflows)
}

fn rehearse_with(root: &Path, workflows: &[WorkflowDefinition]) -> Vec<Verdict> {
    let found = RefCell::default();
    let files = yaml_files(root, FOLDER, &found);
    let mut verdicts: Vec<_> = found.take().into_iter().map(unreadable).collect();
    let mut happened = 0;
    for (number, file) in files.into_iter().enumerate() {
        let began = Instant::now();
        if number == MOST_FILES || happened >= MOST_TOGETHER {
            let text = format!(
                "not run, nor is what follows: a pack has {MOST_FILES} rehearsals at most, in which \
                 {MOST_TOGETHER} things happen together"
            );
            verdicts.push(Verdict::not_run(file, text));
            break;
        }
        let Some(rehearsal) = read(root, Report { file: &file, problems: &found }) else {
            verdicts.extend(found.take().into_iter().map(unreadable));
            continue;
        };
        let workflow = workflows.iter().find(|it| it.reference == rehearsal.workflow);
        let differences = match workflow.map(|workflow| rehearsal.run(workflow)) {
            Some(Ok(rehearsed)) => {
                happened += rehearsed.happenings.len();
                rehearsal.expect.differences(&rehearsed)
            }
            Some(Err(problems)) => problems,
            None => vec![format!("no file of this pack defines workflow '{}'", rehearsal.workflow)],
        };
        let workflow = Some(rehearsal.workflow);
        verdicts.push(Verdict { file, workflow, differences, took: began.elapsed() });
    }
    verdicts
}

/// The verdict on a file that is no rehearsal.
fn unreadable(problem: Problem) -> Verdict {
    let Problem { file, line, column, message, .. } = problem;
    let place = if line > 0 { format!("line {line}, column {column}: ") } else { String::new() };
    Verdict::not_run(file, format!("{place}{message}"))
}

fn read(root: &Path, report: Report<'_>) -> Option<Rehearsal> {
    let text = read_file(&root.join(report.file));
    let text =
        text.map_err(|error| report.error(Position::default(), "", error.to_string())).ok()?;
    let node = parse(&text, report)?;
    let read = serde_json::from_value(node.to_value());
    read.map_err(|error| report.error(node.at, "", error.to_string())).ok()
}

impl Rehearsal {
    fn run(&self, workflow: &WorkflowDefinition) -> Result<Rehearsed, Vec<String>> {
        let config = Value::Object(self.config.clone());
        run(workflow, self.parameters.clone(), config, &self.results)
    }
}

impl Expectation {
    fn differences(&self, rehearsed: &Rehearsed) -> Vec<String> {
        let mut differences = Vec::new();
        if self.status != rehearsed.status {
            differences.push(format!(
                "the status is '{}' instead of '{}'; the result is {}",
                rehearsed.status, self.status, rehearsed.result
            ));
        }
        match (&self.result, &rehearsed.result) {
            (Some(Value::Object(expected)), result) => {
                for (name, value) in expected {
                    if result.get(name) != Some(value) {
                        let found = result.get(name).map_or("missing".to_owned(), Value::to_string);
                        differences.push(format!("result.{name} is {found} instead of {value}"));
                    }
                }
            }
            (Some(expected), result) if expected != result => {
                differences.push(format!("the result is {result} instead of {expected}"));
            }
            _ => {}
        }
        let begun = begun(rehearsed);
        if let Some(expected) = &self.tasks
            && *expected != begun
        {
            differences.push(format!("the tasks are {begun:?} instead of {expected:?}"));
        }
        differences
    }
}

/// The tasks, in the order in which their executions began.
fn begun(rehearsed: &Rehearsed) -> Vec<&str> {
    let begins = |what: &What| matches!(what, What::Begins { .. });
    let happenings = rehearsed.happenings.iter().filter(|happening| begins(&happening.what));
    happenings.map(|happening| happening.task.as_str()).collect()
}

/// Runs a workflow with scripted results. Of executions that end at the same time the one that began first ends first.
///
/// # Errors
/// What is wrong with the parameters, and names in the script of which there are no tasks.
pub fn run(
    workflow: &WorkflowDefinition,
    mut parameters: Map<String, Value>,
    config: Value,
    script: &Script,
) -> Result<Rehearsed, Vec<String>> {
    let definition = Definition::parse(&workflow.graph)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let schema = Schema::parse(workflow.parameters.as_ref()).map_err(|e| vec![e.to_string()])?;
    schema.defaults(&mut parameters);
    let parameters = Value::Object(parameters);
    let mut problems: Vec<String> = match schema.validate(&parameters) {
        Ok(()) => Vec::new(),
        Err(violations) => violations.iter().map(|it| format!("parameters: {it}")).collect(),
    };
    let names = names(&definition);
    let strangers = script.0.keys().filter(|name| !names.contains(name.as_str()));
    problems.extend(
        strangers.map(|name| {
            format!("results: the workflow has no task '{name}' that executes something")
        }),
    );
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(rehearse(&definition, parameters, config, script, |_| 0))
}

/// The names that executions have in a script.
fn names(definition: &Definition) -> BTreeSet<&str> {
    let names = definition.tasks.iter().flat_map(|task| match &task.work {
        Work::Nothing => Vec::new(),
        Work::Action(_) => vec![task.name.as_str()],
        Work::Parallel(branches) => branches.iter().map(|branch| branch.name.as_str()).collect(),
    });
    names.collect()
}
