//! The scenarios, each a question with a bounded answer.

mod items_memory;
mod latency;
mod list_executions;
mod many_rules;
mod memory;
mod micro;
mod queue_depth;
mod rules_1000;
mod shell;
mod webhook_noop;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};

use crate::Measurement;
use crate::fixture::Fixture;
use crate::http::Request;
use crate::inside;
use crate::server::Server;
use crate::session::{Credentials, Session};

/// A scenario by its name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// How many webhook deliveries become completed executions per second?
    WebhookNoop,
    /// How long does one execution take while nothing else goes on?
    Latency,
    /// How many processes are run per second?
    Shell,
    /// How fast is one event matched with 1,000 rules of its trigger?
    Rules1000,
    /// Do 10,000 rules on other triggers cost anything?
    ManyRules,
    /// How often per second is the list of executions answered?
    ListExecutions,
    /// Does admission get slower as the line gets longer?
    QueueDepth,
    /// How much memory does the server hold?
    Memory,
    /// Does it hold more while and after a workflow goes through a longer list?
    ItemsMemory,
    /// What does one execution cost inside the server: commits, rows, reads, time for each step?
    Inside,
    /// What did the last run of the micro-benchmarks say?
    Micro,
}

impl Scenario {
    /// All of them, in the order in which they run.
    pub const ALL: [Self; 11] = [
        Self::WebhookNoop,
        Self::Latency,
        Self::Shell,
        Self::Rules1000,
        Self::ManyRules,
        Self::ListExecutions,
        Self::QueueDepth,
        Self::Memory,
        Self::ItemsMemory,
        Self::Inside,
        Self::Micro,
    ];

    /// The name on the command line and the first part of its measurements' names.
    pub fn name(self) -> &'static str {
        match self {
            Self::WebhookNoop => "webhook_noop",
            Self::Latency => "latency",
            Self::Shell => "shell",
            Self::Rules1000 => "rules_1000",
            Self::ManyRules => "many_rules",
            Self::ListExecutions => "list_executions",
            Self::QueueDepth => "queue_depth",
            Self::Memory => "memory",
            Self::ItemsMemory => "items_memory",
            Self::Inside => "inside",
            Self::Micro => "micro",
        }
    }

    /// Whether it needs a server of its own: it reads the process, or leaves behind what removing
    /// its pack does not remove.
    fn needs_own_server(self) -> bool {
        matches!(self, Self::QueueDepth | Self::Memory | Self::ItemsMemory)
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.into_iter().map(Self::name).collect();
            format!("no such scenario; there are {}", known.join(", "))
        })
    }
}

/// How much work a scenario does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Enough to see that it works and roughly how fast: all scenarios within two minutes or so.
    Quick,
    /// Enough for a number to be compared.
    Full,
}

impl Size {
    /// One of two amounts.
    pub fn pick<T>(self, quick: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

/// What is measured.
#[derive(Clone)]
pub enum Target {
    /// This program, started afresh for every scenario with its data below `scratch`, so that no
    /// scenario works on what another left behind.
    Own {
        /// The server's program.
        program: PathBuf,
        /// Where data folders are made.
        scratch: PathBuf,
    },
    /// A running server, cleaned up after every scenario.
    Running {
        /// `host:port`.
        authority: String,
        /// An administrator's.
        credentials: Credentials,
    },
}

/// Runs `scenario`. `built` is the folder that cargo builds into, where micro-benchmarks leave their
/// estimates. Without an answer where the target cannot serve the scenario.
pub async fn run(
    scenario: Scenario,
    target: &Target,
    size: Size,
    built: &Path,
) -> Result<Option<Vec<Measurement>>> {
    if scenario == Scenario::Micro {
        return micro::read(built).map(Some);
    }
    if scenario == Scenario::Inside {
        // A thread of its own: the journey runs on all cores, as the server does.
        let (scratch, events, others) =
            (built.join("bench"), size.pick(2_000, 20_000), size.pick(1_000, 10_000));
        let measured = std::thread::spawn(move || inside::measure(&scratch, events, others));
        let measured = measured.join().map_err(|_| anyhow::anyhow!("scenario inside panicked"))?;
        return measured.context("scenario inside").map(Some);
    }
    let name = scenario.name();
    match target {
        Target::Own { program, scratch } => {
            let server = Server::start(program, scratch).await?;
            let mut session = Session::login(server.authority(), server.credentials()).await?;
            silence_demo(&mut session).await?;
            let fixture = Fixture::create(&mut session, name).await?;
            let measured = measure(scenario, &mut session, &fixture, size, Some(&server)).await;
            server.stop().await?;
            measured.with_context(|| format!("scenario {name}")).map(Some)
        }
        Target::Running { .. } if scenario.needs_own_server() => Ok(None),
        Target::Running { authority, credentials } => {
            let mut session = Session::login(authority, credentials).await?;
            let fixture = Fixture::create(&mut session, name).await?;
            let measured = measure(scenario, &mut session, &fixture, size, None).await;
            // Also after a failure: the server is somebody's.
            fixture.remove(&mut session).await?;
            measured.with_context(|| format!("scenario {name}")).map(Some)
        }
    }
}

async fn measure(
    scenario: Scenario,
    session: &mut Session,
    fixture: &Fixture,
    size: Size,
    server: Option<&Server>,
) -> Result<Vec<Measurement>> {
    match (scenario, server) {
        (Scenario::WebhookNoop, _) => webhook_noop::run(session, fixture, size).await,
        (Scenario::Latency, _) => latency::run(session, size).await,
        (Scenario::Shell, _) => shell::run(session, fixture, size).await,
        (Scenario::Rules1000, _) => rules_1000::run(session, fixture, size).await,
        (Scenario::ManyRules, _) => many_rules::run(session, fixture, size).await,
        (Scenario::ListExecutions, _) => list_executions::run(session, fixture, size).await,
        (Scenario::QueueDepth, _) => queue_depth::run(session, size).await,
        (Scenario::Memory, Some(server)) => memory::run(session, fixture, size, server).await,
        (Scenario::ItemsMemory, Some(server)) => {
            items_memory::run(session, fixture, size, server).await
        }
        (Scenario::Memory | Scenario::ItemsMemory, None) => {
            bail!("the memory of a server elsewhere cannot be read")
        }
        (Scenario::Inside | Scenario::Micro, _) => bail!("this scenario needs no server"),
    }
}

/// Disables the rule that a new installation demonstrates itself with: its executions would count.
async fn silence_demo(session: &mut Session) -> Result<()> {
    session.look_up(Request::post("/api/v1/rules/core.timer_10s_echo/disable", "")).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_found_by_its_name() {
        for scenario in Scenario::ALL {
            assert_eq!(scenario.name().parse(), Ok(scenario));
        }
        let error = "webhooks".parse::<Scenario>().unwrap_err();
        assert!(error.contains("webhook_noop, latency"), "{error}");
    }
}
