//! A runner without processes: it notes what starts, holds runs back until told otherwise, and ends them as
//! their parameters say.

use async_trait::async_trait;
use attune_domain::execution::Execution;
use attune_domain::id::ExecutionId;
use attune_domain::runtime::Runtime;
use attune_domain::status::ExecutionStatus;
use attune_ports::runner::{Cancelled, Invocation, Outcome, Runner};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Entry points that begin so may run again.
pub const PURE: &str = "pure";

/// A run that has started.
#[derive(Clone, Debug)]
pub struct Start {
    /// Which execution.
    pub execution: ExecutionId,
    /// Its attempt.
    pub attempt: u32,
    /// Its action.
    pub action: String,
    /// With these parameters.
    pub parameters: Map<String, Value>,
    /// Whether it may run again.
    pub pure: bool,
}

#[derive(Default)]
struct State {
    starts: Vec<Start>,
    running: usize,
    most: usize,
    /// Runs wait for one of its permits, where it is there.
    gate: Option<Arc<Semaphore>>,
    /// Counts crashes: what an earlier life ran is over.
    life: u32,
}

/// The runner. A run whose parameters say `"fail": true` fails, every other completes and answers its
/// parameters, secrets struck out.
#[derive(Default)]
pub struct Scripted {
    state: Mutex<State>,
}

impl Scripted {
    /// From now on runs wait in their action until they are let go.
    pub fn hold(&self) {
        self.state.lock().gate = Some(Arc::new(Semaphore::new(0)));
    }

    /// Lets so many of those that wait, or will wait, go on.
    pub fn release(&self, count: usize) {
        if let Some(gate) = &self.state.lock().gate {
            gate.add_permits(count);
        }
    }

    /// Nobody waits any more.
    pub fn let_go(&self) {
        if let Some(gate) = self.state.lock().gate.take() {
            gate.close();
        }
    }

    /// Everything that has started so far, in order.
    #[must_use]
    pub fn starts(&self) -> Vec<Start> {
        self.state.lock().starts.clone()
    }

    /// Executions in the order in which they started.
    #[must_use]
    pub fn started(&self) -> Vec<ExecutionId> {
        self.state.lock().starts.iter().map(|start| start.execution).collect()
    }

    /// Runs at this moment.
    #[must_use]
    pub fn running(&self) -> usize {
        self.state.lock().running
    }

    /// The most runs that there were at any one moment.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.state.lock().most
    }

    /// The runner as the present life of the process has it.
    pub(super) fn alive(self: &Arc<Self>) -> Arc<dyn Runner> {
        let life = self.state.lock().life;
        Arc::new(Alive { scripted: Arc::clone(self), life })
    }

    /// The process has died: what ran is over, and nothing of it starts any more.
    pub(super) fn abandon(&self) {
        let mut state = self.state.lock();
        state.life += 1;
        state.running = 0;
    }

    /// Looks that what completed ran, and that what must not run again did so only where its policy allows
    /// another attempt, each attempt once. What may run again may: a crash can take its claim with it.
    pub(super) fn check(&self, executions: &[Execution]) {
        let mut runs: HashMap<ExecutionId, Vec<Start>> = HashMap::new();
        for start in self.starts() {
            runs.entry(start.execution).or_default().push(start);
        }
        for execution in executions {
            let own = runs.remove(&execution.id).unwrap_or_default();
            // Who asks people instead of running completes by their answer.
            let asks = own.is_empty() && execution.asked.is_some_and(|asked| asked.ends);
            // A workflow has a run in place of a process.
            let works = execution.workflow.is_none();
            if execution.status == ExecutionStatus::Completed && works && !asks {
                assert!(!own.is_empty(), "{} completed without running", execution.id);
            }
            let mut attempts: Vec<u32> =
                own.iter().filter(|start| !start.pure).map(|start| start.attempt).collect();
            let many = attempts.len();
            attempts.dedup();
            assert_eq!(attempts.len(), many, "{} ran an attempt twice", execution.id);
            let may_run_again = own.iter().all(|start| start.pure) || execution.max_attempts > 1;
            assert!(may_run_again || own.len() <= 1, "{} ran twice", execution.id);
        }
        // A request that a crash took before it was answered may have run, if that does no harm.
        runs.retain(|_, starts| starts.iter().any(|start| !start.pure));
        assert!(runs.is_empty(), "something ran that is no execution: {runs:?}");
    }

    /// Notes a start, and answers what it waits at; `None` where the process has died.
    fn begin(&self, life: u32, invocation: &Invocation) -> Option<Option<Arc<Semaphore>>> {
        let mut state = self.state.lock();
        if state.life != life {
            return None;
        }
        state.starts.push(Start {
            execution: invocation.execution,
            attempt: invocation.attempt,
            action: invocation.action_ref.to_string(),
            parameters: invocation.parameters.clone(),
            pure: invocation.entrypoint.starts_with(PURE),
        });
        state.running += 1;
        state.most = state.most.max(state.running);
        Some(state.gate.clone())
    }

    fn end(&self, life: u32) {
        let mut state = self.state.lock();
        if state.life == life {
            state.running -= 1;
        }
    }
}

/// The runner of one life of the process.
struct Alive {
    scripted: Arc<Scripted>,
    life: u32,
}

#[async_trait]
impl Runner for Alive {
    async fn run(&self, invocation: Invocation, cancelled: Cancelled) -> Outcome {
        let Some(gate) = self.scripted.begin(self.life, &invocation) else {
            return std::future::pending().await;
        };
        let wait = async {
            match gate {
                // Closed: let go.
                Some(gate) => drop(gate.acquire().await.map(|permit| permit.forget())),
                // Gives others a chance to be at it at the same time.
                None => tokio::task::yield_now().await,
            }
        };
        let status = tokio::select! {
            biased;
            () = wait => match invocation.parameters.get("fail") {
                Some(Value::Bool(true)) => ExecutionStatus::Failed,
                _ => ExecutionStatus::Completed,
            },
            () = cancelled => ExecutionStatus::Cancelled,
        };
        self.scripted.end(self.life);
        let succeeded = status == ExecutionStatus::Completed;
        let mut said = Value::Object(invocation.parameters);
        strike(&invocation.secrets, &mut said);
        Outcome::new(status, json!({"succeeded": succeeded, "data": said}))
    }

    fn is_pure(&self, _: Runtime, entrypoint: &str) -> bool {
        entrypoint.starts_with(PURE)
    }
}

/// Strikes secrets out of what a run says, as every runner does.
fn strike(secrets: &[String], said: &mut Value) {
    match said {
        Value::String(text) => {
            for secret in secrets {
                *text = text.replace(secret, "[REDACTED]");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strike(secrets, item)),
        Value::Object(map) => map.values_mut().for_each(|item| strike(secrets, item)),
        _ => {}
    }
}
