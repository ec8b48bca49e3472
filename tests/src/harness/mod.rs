//! The whole journey in this process, over the embedded ports, with a runner that does as it is told.
//!
//! [`Harness::start`] opens an empty data folder and starts the workers. A test brings in definitions
//! ([`Harness::action`] and others), asks for things as a client would ([`Harness::event`],
//! [`Harness::request`]), waits for what must come of it ([`Harness::until`]), and ends with
//! [`Harness::finish`], which looks that nothing is left behind. By [`Options`] the same test runs with
//! every message delivered twice ([`twice`]), or through a crash after any number of port calls
//! ([`crashing`]): then the harness drops what is pending, opens the folder again, recovers, and the
//! clients ask again, all without the test noticing.

mod asking;
mod clock;
pub mod crashing;
mod definitions;
mod leftovers;
pub mod recording;
pub mod scripted;
pub mod twice;

pub use definitions::{PolicyTerms, RuleTerms};

use attune_domain::execution::Execution;
use attune_domain::id::ExecutionId;
use attune_journey::{load, run, sweep, workers};
use attune_local::Local;
use attune_ports::{Ports, Runner};
use chrono::TimeDelta;
use clock::Shifted;
use crashing::{Crash, Crashing};
use recording::Recording;
use scripted::Scripted;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use twice::Twice;

/// How long something may take before it counts as never happening.
const PATIENCE: Duration = Duration::from_secs(20);
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
}

/// A server in this process, with the clients' memory of what they asked for.
pub struct Harness {
    folder: TempDir,
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
    local: Local,
    /// With whatever makes the journey harder.
    ports: Ports,
    /// Without.
    calm: Ports,
    crash: Arc<Crash>,
    stop: watch::Sender<bool>,
    workers: JoinHandle<()>,
}

impl Harness {
    /// An empty server at work.
    pub async fn start(options: Options) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut harness = Self {
            folder,
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
    #[must_use]
    pub fn feed(&self) -> Arc<dyn attune_ports::Feed> {
        Arc::clone(&self.life().local.feed)
    }

    /// Sets the journey's clock forward. Queues keep the real time.
    pub fn later(&self, by: TimeDelta) {
        self.clock.forward(by);
    }

    async fn open(&mut self) {
        let mut local = open(self.folder.path(), self.runner.alive());
        local.ports.clock = Arc::clone(&self.clock) as Arc<dyn attune_ports::Clock>;
        let calm = local.ports.clone();
        let crash = Arc::new(Crash::after(self.options.crash.map(|(calls, _)| calls)));
        let mut queues = Arc::clone(&calm.queues);
        if self.options.twice {
            queues = Arc::new(Twice::new(queues));
        }
        let ports = Ports {
            queues: Arc::new(Crashing::new(self.recording.queues(queues), Arc::clone(&crash))),
            records: Arc::new(Crashing::new(
                self.recording.records(Arc::clone(&calm.records)),
                Arc::clone(&crash),
            )),
            ..calm.clone()
        };
        if self.has_crashed() {
            sweep::recover(&ports).await.expect("nothing speaks against recovering");
        }
        let (stop, stopped) = watch::channel(false);
        let config = workers::Config {
            processes: 64,
            natives: 8,
            terms: run::Terms {
                // The clock is set forward by hours, and who runs is not dead for that.
                timeout: Duration::from_secs(7 * 86_400),
                look: Duration::from_millis(5),
                ..run::Terms::default()
            },
        };
        let workers = tokio::spawn(workers::run(ports.clone(), config, stopped));
        self.life = Some(Life { local, ports, calm, crash, stop, workers });
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
        life.local.crash();
        drop(life.local);
        self.crashes += 1;
        self.open().await;
    }

    /// Waits until `look` finds something, looking whenever something has changed.
    ///
    /// # Panics
    /// Where it has not found anything within twenty seconds.
    pub async fn until<T>(
        &mut self,
        what: &str,
        mut look: impl AsyncFnMut(&Ports) -> Option<T>,
    ) -> T {
        let since = Instant::now();
        loop {
            self.revive().await;
            let life = self.life();
            let head = life.local.feed.head();
            if let Some(found) = look(&life.calm).await {
                return found;
            }
            if since.elapsed() > PATIENCE {
                let left = leftovers::find(&life.calm).await;
                panic!("still waiting: {what}; {left:#?}");
            }
            tokio::select! {
                _ = life.local.feed.after(head) => {}
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
        life.local.close();
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        // The writer's thread ends only when it is told to.
        if let Some(life) = self.life.take() {
            life.workers.abort();
            life.local.crash();
        }
    }
}

fn open(folder: &Path, runner: Arc<dyn Runner>) -> Local {
    let config = attune_local::Config::default();
    attune_local::open(folder, &config, runner).expect("the folder can be opened")
}
