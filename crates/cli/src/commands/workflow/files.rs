//! Workflows' files of this machine, and what is wrong with them.

use super::super::Context;
use crate::client::Page;
use crate::exit::{FAILED, Usage};
use crate::output::{self, PROBLEMS};
use attune_packs::{Problem, Severity, WorkflowFile, read_workflow};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

/// Looks for mistakes in a file, or in a workflow of the server.
///
/// # Errors
/// When the server does not answer, or refuses.
pub(super) async fn validate(subject: &str, context: &Context) -> anyhow::Result<ExitCode> {
    if !is_file(subject) {
        let said = context.client.post(&["workflows", subject, "validate"], None).await?;
        context.output.object(&said)?;
        return Ok(if said["valid"] == true { ExitCode::SUCCESS } else { ExitCode::from(FAILED) });
    }
    let path = Path::new(subject);
    if !path.is_file() {
        return Err(Usage(format!("{subject} is no file")).into());
    }
    let found = read_workflow(path);
    let rows: Vec<Value> = found.problems.iter().map(|problem| row(&found, problem)).collect();
    if rows.is_empty() {
        output::note(&format!("{subject} is a workflow that can be run"))?;
    }
    let list = Page { items: rows, pagination: None };
    context.output.list(&PROBLEMS, &list)?;
    Ok(if found.workflow.is_some() && !has_errors(&found) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

/// Whether a file is meant rather than a reference, which has neither such an end nor a folder.
fn is_file(subject: &str) -> bool {
    subject.ends_with(".yaml") || subject.ends_with(".yml") || Path::new(subject).exists()
}

/// Whether something keeps the workflow from being run.
pub(super) fn has_errors(found: &WorkflowFile) -> bool {
    found.problems.iter().any(|problem| problem.severity == Severity::Error)
}

fn row(found: &WorkflowFile, problem: &Problem) -> Value {
    let place = found.root.join(&problem.file).display().to_string();
    let place = match problem.line {
        0 => place,
        line => format!("{place}:{line}:{}", problem.column),
    };
    json!({
        "place": place,
        "severity": problem.severity,
        "field": problem.field,
        "message": problem.message,
    })
}
