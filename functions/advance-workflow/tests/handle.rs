//! Steps of threads, over the embedded ports and an orchestrator that remembers what it was told.

use crate::embedded;
use advance_workflow::{Task, handle};
use async_trait::async_trait;
use attune_domain::id::ExecutionId;
use attune_function::{Environment, Invocation};
use attune_journey::workflow::Limits;
use attune_ports::orchestrator::{Orchestrator, Then, ThreadStep};
use attune_ports::{Ports, Unavailable};
use serde_json::json;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

/// Refuses as often as it is told to, and counts.
#[derive(Default)]
struct Told {
    refusals: u32,
    asked: AtomicU32,
    told: Mutex<Vec<(String, Then)>>,
}

#[async_trait]
impl Orchestrator for Told {
    async fn start(&self, _: ThreadStep) -> Result<(), Unavailable> {
        Err(Unavailable::new("the orchestrator", "nothing is to be started"))
    }

    async fn tell(&self, token: &str, then: Then) -> Result<(), Unavailable> {
        if self.asked.fetch_add(1, Ordering::Relaxed) < self.refusals {
            return Err(Unavailable::new("the orchestrator", "ThrottlingException"));
        }
        self.told.lock().expect("nobody panics").push((token.to_owned(), then));
        Ok(())
    }
}

/// A step of a run that is gone, as the state machine asks for it.
fn task() -> Task {
    let asked = json!({
        "step": {"run": 4711, "thread": 0, "hop": 0, "sequence": 0},
        "token": "AQCEAAAAKgAAAAMAAAAAAAAAAQ",
    });
    serde_json::from_value(asked).expect("the state machine asks so")
}

/// Handles the task in a function that has so long.
async fn handled(told: &Arc<Told>, time: Duration) -> Result<(), Unavailable> {
    let (_folder, local) = embedded::open();
    let ports = Ports { orchestrator: Arc::clone(told) as _, ..local.ports.clone() };
    let invocation = Invocation { deadline: SystemTime::now() + time };
    handle(&ports, Limits::default(), &invocation, task()).await
}

#[test]
fn the_environment_bounds_runs() {
    let name = "ATTUNE_WORKFLOW_STEP_LIMIT";
    let limits = |value| advance_workflow::limits(&Environment::of(&[(name, value)]));
    for (why, value, expected) in [
        ("as many as it says", "70", Some(70)),
        ("else as many as anywhere", "", Some(Limits::default().steps)),
        ("one at least", "0", Some(1)),
        ("a word is none", "many", None),
    ] {
        assert_eq!(limits(value).ok().map(|limits| limits.steps), expected, "{why}");
    }
}

#[test]
fn a_task_is_what_the_state_machine_sends() {
    let machine = include_str!("../../../statemachines/workflow.asl.json");
    let machine: serde_json::Value = serde_json::from_str(machine).expect("it is JSON");
    let sent = &machine["States"]["Step"]["Parameters"]["Payload"];
    assert_eq!(sent, &json!({"step.$": "$.step", "token.$": "$$.Task.Token"}));
    let run = ExecutionId::new(4711);
    let step = ThreadStep { run, thread: 0, hop: 0, sequence: 0 };
    assert_eq!(task(), Task { step, token: "AQCEAAAAKgAAAAMAAAAAAAAAAQ".into() });
}

#[tokio::test]
async fn a_thread_of_a_run_that_is_gone_ends() {
    let told = Arc::default();
    handled(&told, Duration::from_secs(60)).await.unwrap();
    let told = told.told.lock().unwrap().clone();
    assert_eq!(told, [(task().token, Then::End)]);
}

#[tokio::test]
async fn who_does_not_answer_is_told_again() {
    let told = Arc::new(Told { refusals: 2, ..Told::default() });
    handled(&told, Duration::from_secs(60)).await.unwrap();
    assert_eq!(told.asked.load(Ordering::Relaxed), 3);
    assert_eq!(told.told.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_failure_is_told_while_the_function_has_time() {
    let told = Arc::new(Told { refusals: u32::MAX, ..Told::default() });
    // Of which a second is not kept for telling.
    let error = handled(&told, Duration::from_secs(6)).await.unwrap_err();
    assert_eq!(error.to_string(), "the orchestrator is unavailable: ThrottlingException");
    assert!(told.asked.load(Ordering::Relaxed) > 1, "it was attempted again");
    assert!(told.told.lock().unwrap().is_empty());
}
