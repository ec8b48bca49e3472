//! Runs one invocation from start to outcome.

use crate::{
    capture::Capture,
    config::Config,
    environment, launch,
    log::{self, Log},
    native::{self, Builtin, http},
    outcome::{self, Ending, Stop},
    procfs,
    redaction::Redaction,
    registry::Record,
    supervision::{self, Group},
};
use async_trait::async_trait;
use attune_domain::runtime::Runtime;
use attune_ports::{
    LogStream,
    runner::{Cancelled, Invocation, Outcome},
};
use std::{collections::BTreeMap, ffi::OsString, future::poll_fn, io, task::Poll};
use tokio::time::{Instant, sleep};

/// Runs actions. One runner serves a whole server: it may run any number of them at once.
pub struct Runner {
    config: Config,
    inherited: BTreeMap<String, OsString>,
    boot_id: String,
    http: http::Clients,
}

/// Why a process could not be started.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Launch(#[from] launch::Error),
    #[error("could not record the process before its start")]
    Record(#[source] io::Error),
    #[error("could not start {program}")]
    Start { program: String, source: io::Error },
    #[error("could not learn how the process ended")]
    Wait(#[source] io::Error),
}

impl Runner {
    /// A runner with these settings. Folders are made when they are first needed.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            inherited: environment::inherited(&config.environment),
            boot_id: procfs::boot_id(),
            http: http::Clients::default(),
            config,
        }
    }

    fn capture<'a>(
        &self,
        invocation: &Invocation,
        stream: LogStream,
        redaction: &'a Redaction,
        logged: bool,
    ) -> Capture<'a> {
        let log = logged.then(|| Log::new(&self.config.logs_dir, invocation.execution, stream));
        let parsed = stream == LogStream::Stdout && outcome::parses(invocation);
        Capture::new(stream, redaction, log, self.config.max_output_bytes, parsed)
    }

    async fn process(
        &self,
        invocation: &Invocation,
        captures: (&mut Capture<'_>, &mut Capture<'_>),
        redaction: &Redaction,
        cancelled: &mut Cancelled,
    ) -> Result<Ending, Error> {
        let launch = launch::prepare(&self.config, &self.inherited, invocation, redaction)?;
        let record =
            Record::announce(&self.config.work_dir, invocation.execution).map_err(Error::Record)?;
        let program = launch.command.get_program().to_string_lossy().into_owned();
        let group = Group::start(launch.command, record, &self.boot_id)
            .await
            .map_err(|source| Error::Start { program, source })?;
        let limits = (&self.config, invocation.timeout);
        let end = supervision::attend(group, launch.input, captures, limits, cancelled)
            .await
            .map_err(Error::Wait)?;
        drop(launch.scratch);
        Ok(Ending {
            exit_code: end.exit_code,
            stop: end.stop,
            fault: end.unfed,
            elapsed: end.elapsed,
            data: None,
        })
    }

    async fn perform(
        &self,
        builtin: Builtin,
        invocation: &Invocation,
        stdout: &mut Capture<'_>,
        cancelled: &mut Cancelled,
    ) -> Ending {
        let started = Instant::now();
        let max = self.config.max_output_bytes;
        let work = native::perform(builtin, &invocation.parameters, stdout, (&self.http, max));
        let ending = tokio::select! {
            biased;
            reply = work => Ending {
                exit_code: reply.exit_code,
                fault: reply.error,
                data: reply.data,
                ..not_run()
            },
            () = cancelled => Ending { stop: Some(Stop::Cancelled), ..not_run() },
            () = sleep(invocation.timeout) => Ending { stop: Some(Stop::TimedOut), ..not_run() },
        };
        Ending { elapsed: started.elapsed(), ..ending }
    }
}

#[async_trait]
impl attune_ports::Runner for Runner {
    async fn run(&self, invocation: Invocation, mut cancelled: Cancelled) -> Outcome {
        let secrets = invocation.secrets.iter().chain(&invocation.api_token);
        let redaction = Redaction::new(secrets.map(String::as_str));
        if invocation.attempt > 1 {
            log::discard(&self.config.logs_dir, invocation.execution);
        }
        let builtin = native::built_in(&invocation);
        // What is pure text and over at once is in the result; a file would only cost time.
        let logged = builtin.is_none_or(|builtin| builtin == Builtin::Sleep);
        let mut stdout = self.capture(&invocation, LogStream::Stdout, &redaction, logged);
        let mut stderr = self.capture(&invocation, LogStream::Stderr, &redaction, logged);

        let unwanted =
            poll_fn(|context| Poll::Ready(cancelled.as_mut().poll(context).is_ready())).await;
        let ending = if unwanted {
            Ok(Ending { stop: Some(Stop::Cancelled), ..not_run() })
        } else if let Some(builtin) = builtin {
            Ok(self.perform(builtin, &invocation, &mut stdout, &mut cancelled).await)
        } else {
            let captures = (&mut stdout, &mut stderr);
            self.process(&invocation, captures, &redaction, &mut cancelled).await
        };
        let (stdout, stderr) = (stdout.finish(), stderr.finish());
        match ending {
            Ok(ending) => outcome::of(&invocation, ending, &stdout, &stderr, &redaction),
            Err(error) => outcome::early(&chain(&error), &redaction),
        }
    }

    fn is_pure(&self, runtime: Runtime, entrypoint: &str) -> bool {
        native::is_pure(runtime, entrypoint)
    }
}

/// An ending without a process to speak of.
fn not_run() -> Ending {
    Ending {
        exit_code: -1,
        stop: None,
        fault: None,
        elapsed: std::time::Duration::ZERO,
        data: None,
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
