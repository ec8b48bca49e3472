//! The client commands, one file per noun.

pub mod action;
pub mod dead_letter;
pub mod event;
pub mod execution;
pub mod inquiry;
pub mod key;
pub mod pack;
pub mod policy;
pub mod queue;
pub mod rule;
pub mod session;
pub mod trigger;
pub mod workflow;

use crate::args::{ClientCommand, Global};
use crate::client::Client;
use crate::output::{Noun, Output};
use crate::target::Target;
use std::process::ExitCode;

/// What every command that talks to the server needs.
#[derive(Debug)]
pub struct Context {
    /// The server.
    pub client: Client,
    /// Where results go.
    pub output: Output,
}

/// Runs a client command.
///
/// # Errors
/// When it is not done: see [`crate::exit`] for what becomes of which error.
pub async fn run(command: ClientCommand, global: &Global) -> anyhow::Result<ExitCode> {
    let target = Target::resolve(global)?;
    let output = Output::new(global.output);
    match command {
        ClientCommand::Login(args) => session::log_in(&target, args).await?,
        ClientCommand::Logout => session::log_out(&target)?,
        command => return talk(command, &Context { client: target.client()?, output }).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn talk(command: ClientCommand, context: &Context) -> anyhow::Result<ExitCode> {
    match command {
        ClientCommand::Login(_) | ClientCommand::Logout => {}
        ClientCommand::Whoami => context.output.object(&context.client.whoami().await?)?,
        ClientCommand::Action(command) => return action::run(command, context).await,
        ClientCommand::Rule(command) => rule::run(command, context).await?,
        ClientCommand::Trigger(command) => trigger::run(command, context).await?,
        ClientCommand::Event(command) => event::run(command, context).await?,
        ClientCommand::Execution(command) => return execution::run(command, context).await,
        ClientCommand::Workflow(command) => return workflow::run(command, context).await,
        ClientCommand::Inquiry(command) => inquiry::run(command, context).await?,
        ClientCommand::Key(command) => key::run(command, context).await?,
        ClientCommand::Queue(command) => queue::run(command, context).await?,
        ClientCommand::DeadLetter(command) => dead_letter::run(command, context).await?,
        ClientCommand::Pack(command) => return pack::run(command, context).await,
        ClientCommand::Policy(command) => policy::run(command, context).await?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Context {
    /// Prints one object of the API.
    async fn show(&self, path: &[&str]) -> anyhow::Result<()> {
        Ok(self.output.object(&self.client.get(path).await?)?)
    }

    /// Prints one page of a list of the API.
    async fn show_list(
        &self,
        noun: &Noun,
        path: &[&str],
        query: &[(&'static str, String)],
    ) -> anyhow::Result<()> {
        Ok(self.output.list(noun, &self.client.list(path, query).await?)?)
    }
}

/// Adds a filter to a query if it was given.
fn filter(
    query: &mut Vec<(&'static str, String)>,
    name: &'static str,
    value: Option<impl ToString>,
) {
    query.extend(value.map(|value| (name, value.to_string())));
}
