//! The cloud deployment's chores: an emulator of AWS on this machine, the functions, and the stack they
//! belong to. Everything that is needed beside Rust and Python comes into an environment of the project's
//! own ([`tools`]); nothing is installed elsewhere.

mod emulator;
mod functions;
mod iam;
mod measure;
mod stack;
mod tools;

use std::ffi::OsString;

use anyhow::{Context as _, Result, bail};

use crate::test;
use emulator::Emulator;
use functions::Architecture;
pub use functions::FUNCTIONS;
use stack::Stack;
use tools::Tools;

/// What the chore understands.
pub const USAGE: &str = "\
usage: cargo xtask cloud <what>

  up [--port N] [--optimised]
                   start the emulator of AWS, build the functions and deploy them there
  down [--wipe]    end the emulator; with --wipe, forget what it kept
  password         print the administrator's password on the emulator
  test [FILTER…]   the tests of the cloud deployment, or those whose names contain a word
  build [--x86-64] build the functions for Lambda, into target/lambda
  deploy [--x86-64] [OPTION…]
                   the same, and deploy them where the environment points, with samplconfig.toml; options
                   are those of `sam deploy`
  lint             cfn-lint and `sam validate --lint`
  iam [--check]    write docs/IAM.md from the template, or only compare the two
  cost             count the requests of an execution, and price them
  cold-start [--runs N]
                   size and cold start of each function, beside an empty one";

/// Does what the words say.
pub fn run(words: &[String]) -> Result<()> {
    let Some((what, rest)) = words.split_first() else { bail!("{USAGE}") };
    match what.as_str() {
        "up" => up(rest),
        "down" => down(rest),
        "password" if rest.is_empty() => password(),
        "test" => test::cloud(rest),
        "build" => {
            let (architecture, rest) = architecture(rest);
            no_more(&rest)?;
            functions::build(&Tools::ready()?, architecture).map(drop)
        }
        "deploy" => deploy(rest),
        "lint" if rest.is_empty() => lint(),
        "iam" => iam::run(rest),
        "cost" if rest.is_empty() => measure::cost(),
        "cold-start" => measure::cold_start(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("`{}` is not understood\n{USAGE}", words.join(" ")),
    }
}

/// Prepares what tests of the cloud deployment need besides the functions, the emulator, and answers the variables
/// that name it.
pub fn surroundings() -> Result<Vec<(&'static str, OsString)>> {
    let tools = Tools::ready()?;
    Ok(vec![("ATTUNE_TEST_EMULATOR", tools.program("ministack").into())])
}

fn up(words: &[String]) -> Result<()> {
    let (mut port, mut optimised) = (emulator::PORT, false);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--port" => {
                let number = words.next().context("--port wants a number")?;
                port = number.parse().with_context(|| format!("{number} is no port"))?;
            }
            "--optimised" => optimised = true,
            _ => bail!("`{word}` is not understood\n{USAGE}"),
        }
    }
    let tools = Tools::ready()?;
    let folder = if optimised {
        functions::build(&tools, Architecture::Host)?
    } else {
        functions::build_quickly()?
    };
    let emulator = Emulator::start(&tools, port)?;
    let stack = Stack::new(&tools, Some(&emulator));
    stack.deploy_here(&stack::prepare(&folder)?, &emulator)?;
    stack.make_ready()?;
    let outputs = stack.outputs()?;
    let url = outputs.get("ApiUrl").context("the stack names no ApiUrl")?;
    println!(
        "
Attune runs on the emulator of AWS at {}.

  API        {url}
  login      admin
  password   cargo xtask cloud password

  cargo run -- login admin --profile cloud --url '{url}'
  cargo run -- --profile cloud action execute core.echo message=hello --wait

`cargo xtask cloud down` ends it and keeps what it knows; the emulator's log is {}.",
        emulator.endpoint(),
        emulator::log()?.display(),
    );
    Ok(())
}

fn down(words: &[String]) -> Result<()> {
    let wipe = match words {
        [] => false,
        [word] if word == "--wipe" => true,
        _ => bail!("{USAGE}"),
    };
    emulator::stop()?;
    if wipe {
        emulator::wipe()?;
    }
    Ok(())
}

fn password() -> Result<()> {
    let emulator =
        Emulator::running().context("no emulator runs; `cargo xtask cloud up` starts it")?;
    println!("{}", Stack::new(&Tools::ready()?, Some(&emulator)).password()?);
    Ok(())
}

fn deploy(words: &[String]) -> Result<()> {
    let (architecture, options) = architecture(words);
    let tools = Tools::ready()?;
    let folder = functions::build(&tools, architecture)?;
    let stack = Stack::new(&tools, None);
    stack.deploy(&stack::prepare(&folder)?, architecture, &options)
}

/// Checks the template by the rules of CloudFormation and SAM.
pub fn lint() -> Result<()> {
    let tools = Tools::ready()?;
    crate::step::run(tools.command("cfn-lint").arg(stack::template()))?;
    let mut sam = tools.command("sam");
    // A region decides which resources there are; any will do.
    sam.args(["validate", "--lint", "--region", "us-east-1", "--template"]).arg(stack::template());
    crate::step::run(&mut sam)
}

fn architecture(words: &[String]) -> (Architecture, Vec<String>) {
    let mut rest = words.to_vec();
    let before = rest.len();
    rest.retain(|word| word != "--x86-64");
    (if rest.len() < before { Architecture::X86 } else { Architecture::Arm }, rest)
}

fn no_more(words: &[String]) -> Result<()> {
    match words.first() {
        Some(word) => bail!("`{word}` is not understood\n{USAGE}"),
        None => Ok(()),
    }
}
