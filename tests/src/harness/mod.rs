//! The whole journey in this process, over the ports of either deployment, with a runner that does as it is
//! told.
//!
//! [`Harness::start`] opens an empty deployment and starts the workers. A test brings in definitions
//! ([`Harness::action`] and others), asks for things as a client would ([`Harness::event`],
//! [`Harness::request`]), waits for what must come of it ([`Harness::until`]), and ends with
//! [`Harness::finish`], which looks that nothing is left behind. By [`Options`] the same test runs with
//! every message delivered twice ([`twice`]), or through a crash after any number of port calls
//! ([`crashing`]): then the harness drops what is pending, opens the deployment again, recovers, and the
//! clients ask again, all without the test noticing.

mod asking;
mod clock;
pub mod crashing;
mod definitions;
pub(crate) mod leftovers;
pub mod recording;
pub mod scripted;
pub mod twice;

pub use asking::new_execution;
pub use definitions::{PolicyTerms, RuleTerms};

use crate::contract::{self, Ending, Fixture};
use attune_domain::execution::Execution;
use attune_domain::id::ExecutionId;
use attune_journey::workflow::Limits;
use attune_journey::{load, run, sweep, workers};
use attune_local::InProcess;
use attune_ports::{Clock, Ports};
use chrono::TimeDelta;
use clock::Shifted;
use crashing::{Crash, Crashing};
use recording::Recording;
use scripted::Scripted;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use twice::Twice;

/// How long something may take before it counts as never happening.
const PATIENCE: Duration = Duration::from_secs(20);
/// The same where every call is a request.
const MORE_PATIENCE: Duration = Duration::from_secs(180);
/// Time limit of runs that a crash may interrupt, where only the passing of it tells that they are dead.
const LIMIT: Duration = Duration::from_secs(600);
/// Longer than any step may be announced and not dealt with, before the sweep looks after it.
const OVERDUE: Duration = Duration::from_secs(3_600);
/// The clock is set forward by hours, and who runs is not dead for that.
const FOREVER: Duration = Duration::from_secs(7 * 86_400);
/// Not everything is told by the feed: look so often anyway.
const LOOK: Duration = Duration::from_millis(20);

/// What a crash takes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Whatever was not settled.
    Pending,
    /// Nothing: the process dies right after its writes have become durable.
    Nothing,
}

/// What makes a journey harder.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Every message is delivered twice.
    pub twice: bool,
    /// The process dies after so many changing calls of records and queues.
    pub crash: Option<(u64, Loss)>,
    /// Threads of workflows go over to a fresh execution of their orchestrator after so many steps; `None`, as the
    /// server has it.
    pub hop: Option<u32>,
    /// Tasks that a run may enter; `None`, as the server has it.
    pub steps: Option<u64>,
}

/// A server in this process, with the clients' memory of what they asked for.
pub struct Harness<F: Fixture> {
    fixture: F,
    options: Options,
    /// Runs the actions, across crashes.
    pub runner: Arc<Scripted>,
    /// What went over the ports, across crashes.
    pub recording: Arc<Recording>,
    clock: Arc<Shifted>,
    life: Option<Life>,
    crashes: u32,
    /// Executions that there must be in the end.
    expected: usize,
}

/// The server between two crashes.
struct Life {
    /// With whatever makes the journey harder.
    ports: Ports,
    /// Without.
    calm: Ports,
    crash: Arc<Crash>,
    stop: watch::Sender<bool>,
    workers: JoinHandle<()>,
}

impl<F: Fixture> Harness<F> {
    /// An empty server at work.
    pub async fn start(options: Options) -> Self {
        // What a dead worker has in hand comes again soon, and no message dies of that.
        let visibility = Duration::from_secs(if F::SLEEPS { 20 * 60 } else { 3 });
        let max_receives = if F::SLEEPS { 5 } else { 1000 };
        let mut harness = Self {
            fixture: F::fresh(contract::Options { visibility, max_receives }).await,
            options,
            runner: Arc::default(),
            recording: Arc::default(),
            clock: Arc::default(),
            life: None,
            crashes: 0,
            expected: 0,
        };
        harness.open().await;
        harness
    }

    /// Whether it has died and recovered.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.crashes > 0
    }

    /// The ports as they are, for looking; they change with a crash.
    #[must_use]
    #[expect(
        clippy::misnamed_getters,
        reason = "tests look through ports that are never in the way"
    )]
    pub fn ports(&self) -> &Ports {
        &self.life().calm
    }

    /// The ports that the server works on.
    fn hard_ports(&self) -> &Ports {
        &self.life().ports
    }

    fn life(&self) -> &Life {
        self.life.as_ref().expect("the server lives")
    }

    /// What changes from now on, in order.
    pub async fn feed(&self) -> Arc<dyn attune_ports::Feed> {
        self.fixture.feed().await
    }

    /// Sets the journey's clock forward. Queues keep the real time.
    pub fn later(&self, by: TimeDelta) {
        self.clock.forward(by);
    }

    async fn open(&mut self) {
        let calm = Ports {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            runner: self.runner.alive(),
            // On either deployment: what it forgets in a crash has to be found again.
            orchestrator: Arc::new(InProcess::new(Arc::clone(&self.clock) as Arc<dyn Clock>)),
            ..self.fixture.ports().clone()
        };
        let crash = Arc::new(Crash::after(self.options.crash.map(|(calls, _)| calls)));
        let mut queues = Arc::clone(&calm.queues);
        let mut orchestrator = Arc::clone(&calm.orchestrator);
        if self.options.twice {
            queues = Arc::new(Twice::new(queues));
            orchestrator = Arc::new(Twice::new(orchestrator));
        }
        let ports = Ports {
            queues: Arc::new(Crashing::new(self.recording.queues(queues), Arc::clone(&crash))),
            records: Arc::new(Crashing::new(
                self.recording.records(Arc::clone(&calm.records)),
                Arc::clone(&crash),
            )),
            orchestrator: Arc::new(Crashing::new(orchestrator, Arc::clone(&crash))),
            ..calm.clone()
        };
        let mut timeout = FOREVER;
        if self.has_crashed() {
            self.recover(&ports).await;
        } else if self.options.crash.is_some() && !ports.sole_worker {
            timeout = LIMIT;
        }
        let (stop, stopped) = watch::channel(false);
        let config = workers::Config {
            processes: 64,
            natives: 8,
            terms: run::Terms {
                timeout,
                look: Duration::from_millis(5) * F::COST as u32,
                ..run::Terms::default()
            },
            limits: Limits {
                hop: self.options.hop.unwrap_or(Limits::default().hop),
                steps: self.options.steps.unwrap_or(Limits::default().steps),
            },
        };
        let workers = tokio::spawn(workers::run(ports.clone(), config, stopped));
        self.life = Some(Life { ports, calm, crash, stop, workers });
    }

    /// Repairs what the life before has left. Where there could be other workers, nobody is taken for dead
    /// before its time is over.
    async fn recover(&self, ports: &Ports) {
        let recovered = if ports.sole_worker {
            sweep::recover(ports).await
        } else {
            self.later(TimeDelta::from_std(LIMIT + OVERDUE).expect("less than an age"));
            sweep::overdue(ports).await
        };
        recovered.expect("nothing speaks against recovering");
    }

    /// Where the server has died: opens its folder again, once.
    async fn revive(&mut self) {
        let Some(life) = self.life.take_if(|life| life.crash.has_happened()) else { return };
        life.workers.abort();
        let _ = life.workers.await;
        self.runner.abandon();
        if self.options.crash.take().is_some_and(|(_, loss)| loss == Loss::Nothing) {
            life.calm.records.settle().await.expect("it settles");
        }
        // Whoever holds the ports of the dead holds their store, too.
        drop((life.ports, life.calm));
        self.fixture.restart(Ending::Crash).await;
        self.crashes += 1;
        self.open().await;
    }

    /// Waits until `look` finds something, looking whenever something has changed.
    ///
    /// # Panics
    /// Where it has not found anything within twenty seconds, or a minute where every call is a request.
    pub async fn until<T>(
        &mut self,
        what: &str,
        mut look: impl AsyncFnMut(&Ports) -> Option<T>,
    ) -> T {
        let since = Instant::now();
        loop {
            self.revive().await;
            let life = self.life();
            let feed = if F::FOLLOWS_AT_ONCE { Some(self.fixture.feed().await) } else { None };
            let head = feed.as_ref().map(|feed| feed.head());
            if let Some(found) = look(&life.calm).await {
                return found;
            }
            if since.elapsed() > if F::COST == 1 { PATIENCE } else { MORE_PATIENCE } {
                let left = leftovers::find(&life.calm).await;
                panic!("still waiting: {what}; {left:#?}");
            }
            let change = async {
                match feed.as_ref().zip(head) {
                    Some((feed, head)) => drop(feed.after(head).await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = change => {}
                () = life.crash.happens() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Waits until an execution is over.
    pub async fn ended(&mut self, id: ExecutionId) -> Execution {
        self.until(&format!("execution {id} ends"), async |ports| {
            let found = load::execution(ports, id).await.expect("executions can be read");
            found.filter(|execution| execution.status.is_terminal())
        })
        .await
    }

    /// An execution as it is now.
    pub async fn execution(&self, id: ExecutionId) -> Execution {
        let found = load::execution(self.ports(), id).await.expect("executions can be read");
        found.expect("there is such an execution")
    }

    /// Repairs what is overdue, as the server does every minute.
    pub async fn sweep(&self) {
        // The index must know what happened a moment ago.
        self.ports().records.settle().await.expect("it settles");
        sweep::overdue(self.hard_ports()).await.expect("nothing speaks against sweeping");
    }

    /// Looks that all is over and nothing is left behind: no message, dead letter, slot, ticket, count or
    /// due entry, no execution too many, no action that ran twice. Then ends the server.
    pub async fn finish(mut self) {
        self.runner.let_go();
        self.until("nothing is left behind", async |ports| {
            leftovers::find(ports).await.is_empty().then_some(())
        })
        .await;
        let executions = leftovers::executions(self.ports()).await;
        assert_eq!(executions.len(), self.expected, "an execution too many or too few");
        self.runner.check(&executions);
        let Some(life) = self.life.take() else { return };
        let _ = life.stop.send(true);
        // Long-polling receivers hear of the stop; whoever works finishes.
        life.workers.await.expect("no worker fails");
    }
}

impl<F: Fixture> Drop for Harness<F> {
    fn drop(&mut self) {
        if let Some(life) = self.life.take() {
            life.workers.abort();
        }
    }
}
