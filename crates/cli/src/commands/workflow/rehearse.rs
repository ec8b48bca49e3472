//! Workflows run with scripted results, on this machine alone.

use super::super::Context;
use super::super::execution::parameters::{self, Assignment};
use super::files;
use crate::client::Page;
use crate::exit::{FAILED, Usage};
use crate::output::{self, HAPPENINGS, VERDICTS};
use anyhow::{Context as _, bail};
use attune_domain::status::ExecutionStatus;
use attune_domain::workflow::rehearsal::{Happening, Rehearsed, Script, What};
use attune_packs::rehearsal;
use attune_packs::{WorkflowDefinition, read_workflow};
use clap::Args;
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `attune workflow rehearse`.
#[derive(Args, Debug)]
pub struct Rehearse {
    /// File of the workflow; or folder of a pack, whose `workflows/tests/*.yaml` are run
    #[arg(value_name = "FILE|PACK")]
    pub path: PathBuf,
    /// YAML file with what tasks come to: `task: {outcome, data, result, seconds}`, or a list of those [default: every
    /// task succeeds]
    #[arg(long, value_name = "FILE")]
    pub results: Option<PathBuf>,
    /// Parameters: text where the workflow's schema says text, else JSON if it is JSON
    #[arg(value_name = "KEY=VALUE")]
    pub assignments: Vec<Assignment>,
    /// All parameters as a JSON object, or `@FILE` (`@-` for stdin); KEY=VALUE goes over it
    #[arg(long, value_name = "JSON|@FILE")]
    pub params: Option<String>,
    /// How the workflow must end for the exit code 0
    #[arg(long, value_name = "STATUS", default_value = "completed")]
    pub expect: ExecutionStatus,
}

/// Runs a workflow with scripted results, or the rehearsals of a pack.
///
/// # Errors
/// When a file cannot be read, or what it says cannot be done.
pub(super) fn run(rehearse: Rehearse, context: &Context) -> anyhow::Result<ExitCode> {
    if rehearse.path.is_dir() {
        return run_all(&rehearse, context);
    }
    let workflow = workflow(&rehearse.path)?;
    let script = match &rehearse.results {
        Some(file) => script(file)?,
        None => Script::default(),
    };
    let schema = workflow.parameters.clone().unwrap_or_default();
    let mut parameters = match &rehearse.params {
        Some(text) => parameters::object(text)?,
        None => Map::new(),
    };
    parameters.extend(rehearse.assignments.iter().map(|one| one.typed(&schema)));
    let rehearsed = rehearsal::run(&workflow, parameters, json!({}), &script)
        .map_err(|problems| Usage(problems.join("\n")))?;
    show(&rehearsed, context)?;
    Ok(if rehearsed.status == rehearse.expect.as_str() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

fn workflow(file: &Path) -> anyhow::Result<WorkflowDefinition> {
    let found = read_workflow(file);
    let errors = files::has_errors(&found);
    for problem in &found.problems {
        output::note(&format!("{}/{problem}", found.root.display()))?;
    }
    match found.workflow {
        Some(workflow) if !errors => Ok(workflow),
        _ => bail!("{} is no workflow that can be run", file.display()),
    }
}

fn script(file: &Path) -> anyhow::Result<Script> {
    let text = fs::read_to_string(file);
    let text = text.with_context(|| format!("cannot read {}", file.display()))?;
    let script = serde_saphyr::from_str(&text);
    script.map_err(|error| Usage(format!("{}: {error}", file.display())).into())
}

fn show(rehearsed: &Rehearsed, context: &Context) -> anyhow::Result<()> {
    if !context.output.is_table() {
        return Ok(context.output.object(&serde_json::to_value(rehearsed)?)?);
    }
    let items = rehearsed.happenings.iter().map(row).collect();
    context.output.list(&HAPPENINGS, &Page { items, pagination: None })?;
    output::print("")?;
    let Rehearsed { status, result, seconds, .. } = rehearsed;
    Ok(context.output.object(&json!({"status": status, "seconds": seconds, "result": result}))?)
}

fn row(happening: &Happening) -> Value {
    let task = match happening.item {
        Some(item) => format!("{}[{item}]", happening.task),
        None => happening.task.clone(),
    };
    let mut row = json!({"at": happening.at, "task": task});
    match &happening.what {
        What::Begins { action, input, tries } => {
            let again = if *tries > 0 { format!(", try {}", tries + 1) } else { String::new() };
            row["event"] = format!("begins{again}").into();
            row["action"] = action.as_str().into();
            row["input"] = input.to_string().into();
        }
        What::Ends { outcome } => row["event"] = json!(outcome),
        What::Passes { outcome, error } => {
            row["event"] = json!(outcome);
            row["input"] = json!(error);
        }
    }
    row
}

/// Runs the rehearsals of a pack.
fn run_all(rehearse: &Rehearse, context: &Context) -> anyhow::Result<ExitCode> {
    if rehearse.results.is_some() || rehearse.params.is_some() || !rehearse.assignments.is_empty() {
        let text = "the rehearsals of a pack bring their own parameters and results";
        return Err(Usage(text.to_owned()).into());
    }
    let verdicts = rehearsal::rehearse_all(&rehearse.path)?;
    let failed = verdicts.iter().filter(|verdict| !verdict.passed()).count();
    let row = |verdict: &rehearsal::Verdict| {
        json!({
            "file": verdict.file,
            "workflow": verdict.workflow,
            "verdict": if verdict.passed() { "passed" } else { "failed" },
            "reason": verdict.differences.join("\n"),
        })
    };
    let items = verdicts.iter().map(row).collect();
    context.output.list(&VERDICTS, &Page { items, pagination: None })?;
    if verdicts.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    output::note(&format!("{} passed, {failed} failed", verdicts.len() - failed))?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}
