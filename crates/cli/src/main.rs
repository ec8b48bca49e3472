//! The `attune` binary: the server, and a client of its REST API.
//!
//! `attune serve`, or `attune` alone, runs the server ([`serve`]). Every other command is a plain
//! client: [`args`] turns the command line into typed values, [`target`] decides which server is
//! meant and as whom (flags, environment, profile), [`client`] speaks HTTP and keeps the login
//! fresh, [`commands`] holds one file per noun, and [`output`] renders tables, JSON or YAML.
//! [`exit`] maps what went wrong to an exit code: 1 for failures, 2 for usage, 3 when no server
//! answers.

mod archive;
mod args;
mod base_url;
mod client;
mod commands;
mod credentials;
mod exit;
mod files;
mod output;
mod profile;
mod serve;
mod target;

use args::{Cli, Command};
use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match dispatch(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}

async fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command.unwrap_or_else(Command::serve) {
        Command::Serve(args) => serve::run(args).await,
        Command::Client(command) => commands::run(command, &cli.global).await,
    }
}
