//! `attune serve`: the whole platform in one process.
//!
//! [`platform`] opens the data folder and brings everything to the state in which an earlier life left it;
//! then the API answers, workers take messages, timers tick, [`upkeep`] repairs, and [`report`] prints a
//! line for each execution that ends. A signal stops the intake, lets what runs finish, and ends with 0.

mod log;
mod platform;
mod report;
mod upkeep;

use anyhow::Context;
use attune_journey::{ingest, workers};
use attune_ports::{Tick, Unavailable};
use attune_settings::Settings;
use clap::Args;
use platform::Platform;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Where the server listens and keeps its data.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ServeArgs {
    /// Settings file (TOML); without it `samplconfig.toml`, if the current folder has one
    #[arg(long, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// Port to listen on; 0 takes a free one
    #[arg(long)]
    pub port: Option<u16>,
    /// Address to listen on
    #[arg(long)]
    pub host: Option<String>,
    /// Folder that holds records, payloads, logs and keys
    #[arg(long, value_name = "PATH")]
    pub data_dir: Option<PathBuf>,
    /// Do not print a line for each execution that ends
    #[arg(long)]
    pub quiet: bool,
}

/// Runs the server until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub async fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let mut settings = Settings::load(args.config.as_deref(), std::env::vars())?;
    if let Some(port) = args.port {
        settings.server.port = port;
    }
    if let Some(host) = args.host {
        settings.server.host = host;
    }
    if let Some(data_dir) = args.data_dir {
        settings.storage.data_dir = data_dir;
    }
    log::start(&settings.log)?;

    let address = (settings.server.host.as_str(), settings.server.port);
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {}:{}", address.0, address.1))?;
    let url = format!("http://{}", listener.local_addr()?);
    let platform = Platform::open(&settings, &url).await?;
    welcome(&platform, &settings, &url)?;
    serve(platform, &settings, listener, args.quiet).await?;
    Ok(ExitCode::SUCCESS)
}

fn welcome(platform: &Platform, settings: &Settings, url: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if let Some(admin) = &platform.created_admin {
        writeln!(out, "admin login:     {}", admin.login)?;
        if settings.auth.admin_password.is_none() {
            writeln!(out, "admin password:  {}   (shown this once)", admin.password)?;
        }
    }
    writeln!(out, "data folder:     {}", settings.storage.data_dir.display())?;
    writeln!(out, "Attune is at     {url}   (API documentation: {url}/docs)")?;
    out.flush()?;
    Ok(())
}

async fn serve(
    platform: Platform,
    settings: &Settings,
    listener: TcpListener,
    quiet: bool,
) -> anyhow::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let ports = platform.local.ports.clone();
    let working =
        tokio::spawn(workers::run(ports.clone(), platform.workers.clone(), stopped.clone()));
    let ticking = tokio::spawn({
        let (ticker, sink) = (platform.local.ticker.clone(), Ingest(ports.clone()));
        async move { ticker.run(&sink).await }
    });
    let upkeep = tokio::spawn(upkeep::run(ports, upkeep::Config::from(settings)));
    let reporting = (!quiet).then(|| tokio::spawn(report::run(platform.local.feed.clone())));

    let mut stopping = stopped.clone();
    let answering = tokio::spawn(
        axum::serve(listener, platform.api)
            .with_graceful_shutdown(async move {
                let _ = stopping.wait_for(|stop| *stop).await;
            })
            .into_future(),
    );

    signalled().await?;
    tracing::info!("stopping: what runs may finish");
    ticking.abort();
    upkeep.abort();
    stop.send_replace(true);
    // Streams and runs beyond the grace are cut off; the next start sees to them.
    let grace = settings.server.shutdown_grace;
    let _ = tokio::time::timeout(grace, async {
        let _ = working.await;
        let _ = answering.await;
    })
    .await;
    platform.local.close();
    if let Some(reporting) = reporting {
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), reporting).await;
    }
    Ok(())
}

/// Returns at the first SIGINT or SIGTERM.
async fn signalled() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Takes ticks into the journey.
struct Ingest(attune_ports::Ports);

#[async_trait::async_trait]
impl attune_local::Sink for Ingest {
    async fn tick(&self, tick: &Tick) -> Result<(), Unavailable> {
        match ingest::tick(&self.0, tick).await {
            Ok(_) => Ok(()),
            Err(ingest::Error::Unavailable(error)) => Err(error),
            Err(error @ ingest::Error::TooLarge) => Err(Unavailable::new("ingest", error)),
        }
    }
}
