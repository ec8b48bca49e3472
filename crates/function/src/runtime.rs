//! From a process to invocations: what every function's `main` calls.

use crate::environment::Environment;
use crate::logging;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

/// What is known of an invocation besides its event.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// When the function is ended, finished or not.
    pub deadline: SystemTime,
}

impl Invocation {
    /// How long it may still take.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.duration_since(SystemTime::now()).unwrap_or_default()
    }
}

impl From<&lambda_runtime::Context> for Invocation {
    fn from(context: &lambda_runtime::Context) -> Self {
        Self { deadline: context.deadline() }
    }
}

/// Serves invocations until the process is ended: `open` makes the handler from the environment, once, and
/// should do no more than remember names, since every cold start waits for it.
pub fn serve<Event, Answer, Handler>(
    open: impl FnOnce(&Environment) -> Result<Handler, crate::environment::Error>,
) -> ExitCode
where
    Event: DeserializeOwned,
    Answer: Serialize,
    Handler: AsyncFn(Event, Invocation) -> Result<Answer, Error>,
{
    start(open, async |handler| {
        let handler = &handler;
        lambda_runtime::run(service_fn(async move |event: LambdaEvent<Event>| {
            let invocation = Invocation::from(&event.context);
            handler(event.payload, invocation).await
        }))
        .await
    })
}

/// Starts logging, makes what `open` makes, and hands it to `run`, which serves invocations with it.
///
/// One thread does: a function has one invocation at a time, and waits for the network most of it.
pub fn start<T>(
    open: impl FnOnce(&Environment) -> Result<T, crate::environment::Error>,
    run: impl AsyncFnOnce(T) -> Result<(), Error>,
) -> ExitCode {
    let environment = Environment::of_process();
    let opened = logging::start(&environment).and_then(|()| open(&environment));
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => return failed(&error),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(run(opened)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&*error),
    }
}

/// The last line of a function that cannot go on.
fn failed(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    tracing::error!(error, "the function ends");
    ExitCode::FAILURE
}
