//! How a run ends when no thread is left.

use crate::status::ExecutionStatus;
use crate::workflow::definition::{Definition, Dialect, Join};
use crate::workflow::names::{Context, Local};
use crate::workflow::run::{Phase, Run, Status, Thread};
use serde_json::{Map, Value, json};

/// How a run has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// The status of its execution.
    pub status: ExecutionStatus,
    /// The result of its execution.
    pub result: Value,
}

/// Gives a thread up for a reason that is none of its task's, and with it the run: nothing new begins, and what runs on
/// other threads ends.
pub fn give_up(run: &mut Run, thread: u32, fault: String) {
    run.fault.get_or_insert(fault);
    let Some(Thread { task, phase, .. }) = run.threads.remove(&thread) else { return };
    if let Phase::Working(working) = phase
        && let Some(state) = run.tasks.get_mut(&task)
    {
        state.outcome.get_or_insert(working.outcome());
    }
}

/// How a run has ended; `None`, it has not. A run that has ended does not go on.
pub fn ending(definition: &Definition, run: &mut Run, context: &mut Context<'_>) -> Option<Ending> {
    if !run.threads.is_empty() || run.status == Status::Over {
        return None;
    }
    let canceling = run.status == Status::Canceling;
    run.status = Status::Over;
    if canceling {
        let result = json!({"error": "Workflow cancelled", "succeeded": false});
        return Some(Ending { status: ExecutionStatus::Cancelled, result });
    }
    if run.fault.is_none() && run.failed.is_empty() {
        run.fault = unmet_join(definition, run);
    }
    let error = if let Some(fault) = &run.fault {
        Some(format!("Workflow failed: {fault}"))
    } else if run.failed.is_empty() {
        None
    } else {
        let names: Vec<&str> = run.failed.iter().map(String::as_str).collect();
        Some(format!("Workflow failed: {} task(s) failed: {}", names.len(), names.join(", ")))
    };
    let Some(error) = error else {
        let mut result = output(definition, run, context);
        result.entry("succeeded").or_insert(true.into());
        return Some(Ending { status: ExecutionStatus::Completed, result: result.into() });
    };
    // Orquesta tells what it can of a failed workflow too.
    let mut result = match definition.dialect {
        Dialect::Orquesta => output(definition, run, context),
        Dialect::Classic => Map::new(),
    };
    result.insert("error".into(), error.into());
    result.insert("succeeded".into(), false.into());
    Some(Ending { status: ExecutionStatus::Failed, result: result.into() })
}

/// What the author wants to be told. Outputs that have no value are left out, and `output_errors` says why.
fn output(definition: &Definition, run: &Run, context: &mut Context<'_>) -> Map<String, Value> {
    let (mut told, mut errors) = (Map::new(), Map::new());
    for (name, template) in &definition.output {
        let rendered = template.render(&context.scope(definition, run, Local::Nowhere));
        match rendered {
            Ok(value) => {
                // In Orquesta later outputs may read earlier ones.
                if definition.dialect == Dialect::Orquesta {
                    context.vars.insert(name.clone(), value.clone());
                }
                told.insert(name.clone(), value);
            }
            Err(error) => {
                errors.insert(name.clone(), error.to_string().into());
            }
        }
    }
    if !errors.is_empty() {
        told.entry("output_errors").or_insert(errors.into());
    }
    told
}

/// The join that waits for arrivals which cannot come any more.
fn unmet_join(definition: &Definition, run: &Run) -> Option<String> {
    let (name, state) = run.tasks.iter().find(|(_, state)| !state.arrivals.is_empty())?;
    let at = definition.task(name)?;
    let leading = definition.inbound(at).iter().map(|&task| definition.tasks[task].name.as_str());
    let missing: Vec<&str> =
        leading.clone().filter(|task| !state.arrivals.contains(*task)).collect();
    let needed = match definition.tasks[at].join {
        Some(Join::Count(count)) => count as usize,
        _ => leading.count(),
    };
    let arrived: Vec<&str> = state.arrivals.iter().map(String::as_str).collect();
    Some(format!(
        "task '{name}' waits for {needed} tasks, and only {} came to it ({}); nothing came from {}",
        arrived.len(),
        arrived.join(", "),
        missing.join(", "),
    ))
}
