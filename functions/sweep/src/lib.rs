//! Looks after the stack, every minute: repairs what crashes left between two steps, removes what is old,
//! and, as the first thing after a deployment, sets the stack up.
//!
//! Two sweeps at once do no harm: each repair is a commit on a condition, and whoever comes second finds it
//! done.

mod settings;
mod setup;

pub use settings::Settings;
pub use setup::Password;

use attune_journey::{retention, sweep};
use attune_ports::Ports;
use serde::Serialize;
use serde_json::Value;

/// Old records removed in one go, of each kind.
const REMOVED_AT_ONCE: usize = 1_000;
/// Definitions are compared with schedules and subscriptions in the first minute of so many: it reads all of
/// them.
const COMPARED_EVERY: i64 = 15;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Whether the stack was set up.
    pub set_up: bool,
    /// Overdue records looked at.
    pub looked: usize,
    /// Announcements made again.
    pub announced: usize,
    /// Executions given up because their worker died.
    pub abandoned: usize,
    /// Executions given to another worker.
    pub rescheduled: usize,
    /// Old records removed.
    pub removed: usize,
    /// Schedules that were wrong; `None` where they were not looked at.
    pub timers: Option<usize>,
    /// Subscriptions to cloud events that were wrong; `None` where they were not looked at.
    pub subscriptions: Option<usize>,
}

/// Some parts of a sweep failed; the others were done, and the next sweep goes on.
#[derive(Debug, thiserror::Error)]
#[error("the sweep could not {}", .0.join("; could not "))]
pub struct Incomplete(pub Vec<String>);

/// Sweeps. Of `event` only `{"reconcile": true}` is looked at, which compares definitions with schedules at
/// once.
///
/// # Errors
/// [`Incomplete`], after everything that could be done was done.
pub async fn handle(
    ports: &Ports,
    settings: &Settings,
    password: &dyn Password,
    event: &Value,
) -> Result<Swept, Incomplete> {
    let mut failures = Failures::default();
    let mut swept = Swept::default();
    let set_up = setup::ensure(ports, settings, password).await;
    swept.set_up = failures.note("set the stack up", set_up).unwrap_or_default();
    if let Some(overdue) = failures.note("repair what is overdue", sweep::overdue(ports).await) {
        swept.looked = overdue.looked;
        swept.announced = overdue.announced;
        swept.abandoned = overdue.abandoned;
        swept.rescheduled = overdue.rescheduled;
    }
    let minute = ports.clock.now().timestamp() / 60;
    if swept.set_up || event["reconcile"] == true || minute % COMPARED_EVERY == 0 {
        let links = attune_catalogue::links::reconcile(ports).await;
        failures.note("compare rules with their triggers and actions", links);
        let timers = attune_catalogue::timers::reconcile(ports).await;
        swept.timers = failures.note("compare timers with their schedules", timers);
        let subscribed = attune_catalogue::cloud_events::reconcile(ports).await;
        swept.subscriptions =
            failures.note("compare triggers with their subscriptions", subscribed);
    }
    let kept = retention::Retention { events: settings.keep, executions: settings.keep };
    let removed = retention::apply(ports, &kept, REMOVED_AT_ONCE).await;
    swept.removed = failures.note("remove what is old", removed).unwrap_or_default();
    tracing::info!(?swept, "swept");
    if failures.0.is_empty() { Ok(swept) } else { Err(Incomplete(failures.0)) }
}

/// What went wrong so far.
#[derive(Default)]
struct Failures(Vec<String>);

impl Failures {
    fn note<T, E: std::error::Error>(&mut self, what: &str, done: Result<T, E>) -> Option<T> {
        match done {
            Ok(value) => Some(value),
            Err(error) => {
                let mut causes = vec![error.to_string()];
                let mut source = error.source();
                while let Some(cause) = source {
                    causes.push(cause.to_string());
                    source = cause.source();
                }
                self.0.push(format!("{what}: {}", causes.join(": ")));
                None
            }
        }
    }
}
