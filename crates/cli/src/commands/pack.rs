//! `attune pack`.

use super::Context;
use crate::archive;
use crate::args::Paging;
use crate::client::Page;
use crate::exit::FAILED;
use crate::output::{self, PACKS, TESTS};
use clap::Subcommand;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// What to do with packs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List packs
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one pack
    Get {
        /// Reference of the pack
        #[arg(value_name = "REF")]
        pack: String,
    },
    /// Load a pack from a folder that the server can read, and use its files where they are
    Register {
        /// Folder with the pack's `pack.yaml`; a folder of this machine, or else of the server's
        path: PathBuf,
        /// Replace the pack if it is registered already
        #[arg(long)]
        force: bool,
        /// Do not run the pack's tests
        #[arg(long)]
        skip_tests: bool,
    },
    /// Send a pack to the server: a folder of this machine, or an archive
    #[command(visible_alias = "install")]
    Upload {
        /// Folder with the pack's `pack.yaml`, or a `.tar.gz` of one
        path: PathBuf,
        /// Replace the pack if it is there already
        #[arg(long)]
        force: bool,
        /// Do not run the pack's tests
        #[arg(long)]
        skip_tests: bool,
    },
    /// Run the tests of a pack that is there: the rehearsals of its workflows
    Test {
        /// Reference of the pack
        #[arg(value_name = "REF")]
        pack: String,
    },
}

/// Runs the command.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<ExitCode> {
    match command {
        Command::List { paging } => context.show_list(&PACKS, &["packs"], &paging.query()).await?,
        Command::Get { pack } => context.show(&["packs", &pack]).await?,
        Command::Register { path, force, skip_tests } => {
            // The server has a working folder of its own. What does not exist here may exist there.
            let path = path.canonicalize().unwrap_or(path);
            let body = json!({"path": path, "force": force, "skip_tests": skip_tests});
            let pack = context.client.post(&["packs", "register"], Some(&body)).await?;
            context.output.object(&pack)?;
        }
        Command::Upload { path, force, skip_tests } => {
            let archive = archive::of(&path)?;
            let mut answer = context.client.install(&archive, force, skip_tests).await?;
            if let Some(told) = tally(&answer["test_result"]) {
                output::note(&format!("tests: {told}"))?;
            }
            let pack = match answer.get_mut("pack") {
                Some(pack) => Value::take(pack),
                None => answer,
            };
            context.output.object(&pack)?;
        }
        Command::Test { pack } => {
            let result = context.client.post(&["packs", &pack, "test"], None).await?;
            return show(&result, context);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What came of tests, in a few words; `None` where none ran.
fn tally(result: &Value) -> Option<String> {
    let [passed, failed] = ["passed", "failed"].map(|name| result[name].as_u64());
    Some(format!("{} passed, {} failed", passed?, failed?))
}

fn show(result: &Value, context: &Context) -> anyhow::Result<ExitCode> {
    if context.output.is_table() {
        let suites = result["testSuites"].as_array().into_iter().flatten();
        let items = suites.flat_map(|suite| suite["testCases"].as_array()).flatten().cloned();
        context.output.list(&TESTS, &Page { items: items.collect(), pagination: None })?;
        output::note(&tally(result).unwrap_or_default())?;
    } else {
        context.output.object(result)?;
    }
    Ok(if result["failed"] == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}
