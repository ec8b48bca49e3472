//! What an execution has written, at once or as it comes.

use crate::client::{Client, Error};
use anyhow::bail;
use clap::ValueEnum;
use std::io::{self, Write};
use std::time::Duration;

/// How long to leave the server alone after it has ended a stream that is not over.
const PAUSE: Duration = Duration::from_millis(500);
/// How many times a stream may end in a row without a sign of life.
const PATIENCE: u32 = 5;

/// One of the two streams of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stream {
    /// Standard output
    Stdout,
    /// Standard error
    Stderr,
}

impl Stream {
    fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }

    /// Writes to our own stream of the same name; if it is the only one that is wanted, to stdout.
    fn write(self, only: bool, text: &[u8]) -> io::Result<()> {
        fn all(mut out: impl Write, text: &[u8]) -> io::Result<()> {
            out.write_all(text)?;
            out.flush()
        }
        match self {
            Self::Stderr if !only => all(io::stderr().lock(), text),
            Self::Stdout | Self::Stderr => all(io::stdout().lock(), text),
        }
    }
}

/// Prints what there is by now.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn print(client: &Client, id: u64, only: Option<Stream>) -> anyhow::Result<()> {
    let id = id.to_string();
    let streams = only.map_or_else(|| vec![Stream::Stdout, Stream::Stderr], |one| vec![one]);
    for stream in streams {
        let text = client.text(&["executions", &id, "logs", stream.as_str()]).await?;
        stream.write(only.is_some(), &text)?;
    }
    Ok(())
}

/// Prints what there is and what comes, until the execution ends.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn follow(client: &Client, id: u64, only: Option<Stream>) -> anyhow::Result<()> {
    let id = &id.to_string();
    match only {
        Some(stream) => follow_one(client, id, stream, true).await,
        None => {
            tokio::try_join!(
                follow_one(client, id, Stream::Stdout, false),
                follow_one(client, id, Stream::Stderr, false),
            )?;
            Ok(())
        }
    }
}

/// A server may end a stream at any time, and a connection may break: what says that the log is
/// over is the event `done`. Until then we come back and ask for the rest.
async fn follow_one(client: &Client, id: &str, stream: Stream, only: bool) -> anyhow::Result<()> {
    let path = ["executions", id, "logs", stream.as_str(), "stream"];
    let mut after: Option<String> = None;
    let mut silences = 0;
    loop {
        let mut events = client.events(&path, after.as_deref()).await?;
        let broken = loop {
            match events.next().await {
                Err(source) => break Some(source),
                Ok(None) => break None,
                Ok(Some(event)) => match event.name.as_str() {
                    "done" => return Ok(()),
                    "content" | "append" => {
                        stream.write(only, event.data.as_bytes())?;
                        after = event.id.or(after);
                    }
                    _ => {}
                },
            }
        };
        silences = if events.is_silent() { silences + 1 } else { 0 };
        if silences > PATIENCE {
            match broken {
                Some(source) => {
                    return Err(
                        Error::Interrupted { url: client.base().to_string(), source }.into()
                    );
                }
                None => bail!("the server keeps ending the log of execution {id} early"),
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
