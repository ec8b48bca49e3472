//! `attune serve`: the whole platform in one process.

use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Where the server listens and keeps its data.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ServeArgs {
    /// Configuration file (TOML)
    #[arg(long, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// Port to listen on
    #[arg(long)]
    pub port: Option<u16>,
    /// Address to listen on
    #[arg(long)]
    pub host: Option<String>,
    /// Folder that holds records, payloads, logs and keys
    #[arg(long, value_name = "PATH")]
    pub data_dir: Option<PathBuf>,
}

/// Runs the server until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub async fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("this build holds no server ({args:?})")
}
