//! Threads of workflows as executions of one state machine in Step Functions.
//!
//! `statemachines/workflow.asl.json` is that machine: it calls `advance-workflow` with a step and a task token,
//! waits until somebody answers the token, and does as the answer says. An execution that waits costs nothing.

use crate::{Clients, failure};
use async_trait::async_trait;
use attune_domain::Timestamp;
use attune_ports::Unavailable;
use attune_ports::orchestrator::{Orchestrator, Then, ThreadStep};
use aws_sdk_sfn::error::SdkError;
use aws_sdk_sfn::operation::send_task_success::SendTaskSuccessError;
use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use aws_sdk_sfn::types::ExecutionStatus;
use chrono::{SubsecRound, TimeDelta};
use std::sync::Arc;

/// What this port is called where it fails.
const WHAT: &str = "the orchestrator";
/// How often an execution is begun again that failed.
const ATTEMPTS: u32 = 10;

/// Has steps taken by Step Functions.
pub struct StepFunctions {
    clients: Arc<Clients>,
    machine: Option<String>,
}

impl StepFunctions {
    /// Executions of the state machine of this ARN. Without one nothing can be started or told: a function that has
    /// nothing to do with workflows needs no right to.
    #[must_use]
    pub const fn new(clients: Arc<Clients>, machine: Option<String>) -> Self {
        Self { clients, machine }
    }

    fn machine(&self) -> Result<&str, Unavailable> {
        let without = || Unavailable::new(WHAT, "this function has no state machine");
        self.machine.as_deref().ok_or_else(without)
    }

    /// Begins an execution, unless there is or was one of this name; answers whether there was none.
    async fn begin(&self, name: &str, step: ThreadStep) -> Result<bool, Unavailable> {
        let machine = self.machine()?;
        let request = self.clients.sfn().await.start_execution();
        // What the first step is handed has the form of any other answer.
        let input = text_of(Then::Step { step })?;
        match request.state_machine_arn(machine).name(name).input(input).send().await {
            // Also where one runs that was begun with the same step.
            Ok(_) => Ok(true),
            Err(error) if is(&error, StartExecutionError::is_execution_already_exists) => Ok(false),
            Err(error) => Err(failure::unavailable(WHAT, error)),
        }
    }

    /// Whether the execution of this name ended although its thread did not.
    async fn has_failed(&self, name: &str) -> Result<bool, Unavailable> {
        let arn = self.machine()?.replacen(":stateMachine:", ":execution:", 1);
        let request = self.clients.sfn().await.describe_execution();
        let found = request.execution_arn(format!("{arn}:{name}")).send().await;
        let found = found.map_err(|error| failure::unavailable(WHAT, error))?;
        Ok(matches!(
            found.status,
            ExecutionStatus::Failed | ExecutionStatus::TimedOut | ExecutionStatus::Aborted
        ))
    }
}

#[async_trait]
impl Orchestrator for StepFunctions {
    async fn start(&self, step: ThreadStep) -> Result<(), Unavailable> {
        for attempt in 0..ATTEMPTS {
            let name = name_of(&step, attempt);
            if self.begin(&name, step).await? || !self.has_failed(&name).await? {
                return Ok(());
            }
        }
        Err(Unavailable::new(WHAT, format!("{} failed {ATTEMPTS} times", name_of(&step, 0))))
    }

    async fn tell(&self, token: &str, then: Then) -> Result<(), Unavailable> {
        // The token says whose it is; but who has no state machine has no right to answer it.
        self.machine()?;
        let request = self.clients.sfn().await.send_task_success();
        let request = request.task_token(token).output(text_of(then)?);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if is(&error, is_gone) => Ok(()),
            Err(error) => Err(failure::unavailable(WHAT, error)),
        }
    }
}

/// Whether nobody waits with this token any more.
fn is_gone(error: &SendTaskSuccessError) -> bool {
    error.is_task_timed_out() || error.is_task_does_not_exist() || error.is_invalid_token()
}

/// Whether the service answered with an error of this kind.
fn is<E, R>(error: &SdkError<E, R>, kind: impl FnOnce(&E) -> bool) -> bool {
    error.as_service_error().is_some_and(kind)
}

/// The name of an execution. AWS keeps it for 90 days after its end, however it ended: one that takes the place of
/// another has a name of its own.
fn name_of(step: &ThreadStep, attempt: u32) -> String {
    let name = format!("{}-{}-{}", step.run, step.thread, step.hop);
    if attempt == 0 { name } else { format!("{name}-{attempt}") }
}

/// What comes next, as the machine reads it. Its moments are of whole milliseconds, never earlier than said.
fn text_of(then: Then) -> Result<String, Unavailable> {
    let then = match then {
        Then::Wait { step, until } => Then::Wait { step, until: ceiling(until) },
        then => then,
    };
    serde_json::to_string(&then).map_err(|error| Unavailable::new(WHAT, error))
}

/// The whole millisecond at or after a moment.
fn ceiling(moment: Timestamp) -> Timestamp {
    let floor = moment.trunc_subsecs(3);
    if floor < moment { floor + TimeDelta::milliseconds(1) } else { floor }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_domain::id::ExecutionId;

    fn step() -> ThreadStep {
        let run: ExecutionId = serde_json::from_str("9007199254740991").expect("an id");
        ThreadStep { run, thread: 4, hop: 2, sequence: 17 }
    }

    #[test]
    fn an_execution_is_named_after_run_thread_and_hop_but_not_after_the_step() {
        assert_eq!(name_of(&step(), 0), "9007199254740991-4-2");
        assert_eq!(name_of(&step(), 1), "9007199254740991-4-2-1");
        let later = ThreadStep { sequence: 18, ..step() };
        assert_eq!(name_of(&later, 0), name_of(&step(), 0));
        let longest = ThreadStep { thread: u32::MAX, hop: u32::MAX, ..step() };
        assert!(name_of(&longest, ATTEMPTS).len() <= 80, "names have at most 80 characters");
    }

    #[tokio::test]
    async fn without_a_state_machine_nothing_is_asked() {
        let none = StepFunctions::new(Arc::default(), None);
        let refusals = [none.start(step()).await, none.tell("token", Then::End).await];
        for refusal in refusals {
            let why = "the orchestrator is unavailable: this function has no state machine";
            assert_eq!(refusal.unwrap_err().to_string(), why);
        }
    }

    #[test]
    fn moments_are_of_whole_milliseconds_and_not_too_early() {
        let rows = [
            ("2026-11-21T17:00:00Z", "2026-11-21T17:00:00Z"),
            ("2026-11-21T17:00:00.123Z", "2026-11-21T17:00:00.123Z"),
            ("2026-11-21T17:00:00.123000001Z", "2026-11-21T17:00:00.124Z"),
            ("2026-11-21T17:00:00.999999Z", "2026-11-21T17:00:01Z"),
        ];
        for (moment, expected) in rows {
            let until = moment.parse().expect("a moment");
            let text = text_of(Then::Wait { step: step(), until }).expect("JSON");
            let told: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(told["until"], expected, "{moment}");
        }
    }
}
