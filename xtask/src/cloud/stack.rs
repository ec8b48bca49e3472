//! The stack: the template made ready for a build, deployed by `sam`, and asked what it consists of.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::emulator::Emulator;
use super::functions::Architecture;
use super::tools::Tools;
use crate::step;

/// What the stack is called, here as in `samplconfig.toml`.
const NAME: &str = "attune";
/// Where the template expects the functions, relative to its own folder.
const BUILT: &str = "../target/lambda/";
/// And the definitions of state machines.
const MACHINES: &str = "../statemachines/";
/// Reads the administrator's password; `sam` has no word for it.
const READ_SECRET: &str = "\
import boto3, sys
print(boto3.client('secretsmanager').get_secret_value(SecretId=sys.argv[1])['SecretString'])";

/// The template.
pub fn template() -> PathBuf {
    step::root().join("infra").join("template.yaml")
}

/// The template with the functions of `folder`, as a file of its own. Parameters cannot name code, and
/// unoptimised builds should not lie where somebody deploys from. What else it refers to is named as it is from there.
pub fn prepare(folder: &Path) -> Result<PathBuf> {
    let template = template();
    let text = std::fs::read_to_string(&template)
        .with_context(|| format!("cannot read {}", template.display()))?;
    if !text.contains(BUILT) {
        bail!("{} takes no function from {BUILT}", template.display());
    }
    let name = folder.file_name().context("the functions lie in no folder")?;
    let prepared = super::emulator::home()?.join(name).with_extension("yaml");
    let machines = step::root().join("statemachines");
    let text = text
        .replace(BUILT, &format!("{}/", folder.display()))
        .replace(MACHINES, &format!("{}/", machines.display()));
    std::fs::write(&prepared, text)
        .with_context(|| format!("cannot write {}", prepared.display()))?;
    Ok(prepared)
}

/// One deployment of the template.
pub struct Stack<'a> {
    tools: &'a Tools,
    /// `None`, it is where the environment points.
    emulator: Option<&'a Emulator>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    output_key: String,
    output_value: String,
}

impl<'a> Stack<'a> {
    /// The one on `emulator`, or where the environment points.
    pub const fn new(tools: &'a Tools, emulator: Option<&'a Emulator>) -> Self {
        Self { tools, emulator }
    }

    /// Deploys to the emulator, without a question.
    pub fn deploy_here(&self, template: &Path, emulator: &Emulator) -> Result<()> {
        let mut sam = self.command("sam");
        sam.args(["deploy", "--stack-name", NAME, "--resolve-s3", "--no-progressbar"])
            .args(["--capabilities", "CAPABILITY_IAM"])
            .args(["--no-confirm-changeset", "--no-fail-on-empty-changeset"])
            .arg("--template-file")
            .arg(template)
            .arg("--parameter-overrides")
            .arg(format!("LocalEndpoint={}", emulator.endpoint()))
            .arg(format!("Architecture={}", Architecture::Host.as_str()))
            // The interpreters are this machine's; and the emulator passes a stream on when it ends.
            .args(["ActionRuntimes=host", "StreamSeconds=20", "LoadDemo=true"]);
        step::run(&mut sam)
    }

    /// Deploys as `samplconfig.toml` says, and as `options` say otherwise.
    pub fn deploy(
        &self,
        template: &Path,
        architecture: Architecture,
        options: &[String],
    ) -> Result<()> {
        let mut sam = self.command("sam");
        sam.arg("deploy").arg("--template-file").arg(template);
        sam.arg("--config-file").arg(step::root().join("samplconfig.toml"));
        if !options.iter().any(|option| option == "--parameter-overrides") {
            sam.arg("--parameter-overrides").args(overrides(architecture)?);
        }
        step::run(sam.args(options))
    }

    /// Calls the sweep once, which installs what a new stack lacks, instead of waiting a minute for it.
    pub fn make_ready(&self) -> Result<()> {
        let mut sam = self.command("sam");
        sam.args(["remote", "invoke", "Sweep", "--stack-name", NAME, "--event", "{}"]);
        step::run(&mut sam)
    }

    /// What the stack says about itself, by name.
    pub fn outputs(&self) -> Result<BTreeMap<String, String>> {
        let mut sam = self.command("sam");
        sam.args(["list", "stack-outputs", "--stack-name", NAME, "--output", "json"]);
        let text = said(&mut sam)?;
        let outputs: Vec<Output> =
            serde_json::from_str(&text).context("`sam list stack-outputs` says no JSON")?;
        Ok(outputs.into_iter().map(|output| (output.output_key, output.output_value)).collect())
    }

    /// The administrator's first password.
    pub fn password(&self) -> Result<String> {
        let outputs = self.outputs()?;
        let secret = outputs.get("AdminSecret").context("the stack names no AdminSecret")?;
        let mut python = self.command("python");
        python.args(["-c", READ_SECRET, secret]);
        Ok(said(&mut python)?.trim().to_owned())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = self.tools.command(program);
        if let Some(emulator) = self.emulator {
            emulator.point(&mut command);
        }
        command
    }
}

/// The parameters that `samplconfig.toml` sets, for this architecture: on the command line they replace the
/// file's altogether.
fn overrides(architecture: Architecture) -> Result<Vec<String>> {
    let file = step::root().join("samplconfig.toml");
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("parameter_overrides = "));
    let line = line.with_context(|| format!("{} has no parameter_overrides", file.display()))?;
    let mut all: Vec<String> = line
        .trim_matches('"')
        .split_whitespace()
        .filter(|one| !one.starts_with("Architecture="))
        .map(str::to_owned)
        .collect();
    all.push(format!("Architecture={}", architecture.as_str()));
    Ok(all)
}

/// What a command writes, without announcing it.
fn said(command: &mut Command) -> Result<String> {
    let heard = command.output().context("cannot start a program of the cloud tools")?;
    if !heard.status.success() {
        bail!("{}", String::from_utf8_lossy(&heard.stderr).trim());
    }
    String::from_utf8(heard.stdout).context("what it said is no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_architecture_replaces_that_of_the_file_and_the_rest_stays() {
        let all = overrides(Architecture::X86).unwrap();
        assert_eq!(all.iter().filter(|one| one.starts_with("Architecture=")).count(), 1);
        assert!(all.contains(&"Architecture=x86_64".to_owned()), "{all:?}");
        assert!(all.iter().any(|one| one.starts_with("ListEnvelope=")), "{all:?}");
    }

    #[test]
    fn every_function_of_the_template_is_one_that_is_built() {
        let text = std::fs::read_to_string(template()).unwrap();
        let mut taken: Vec<&str> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("CodeUri: ../target/lambda/"))
            .collect();
        taken.sort_unstable();
        taken.dedup();
        let mut built = super::super::functions::FUNCTIONS.to_vec();
        built.sort_unstable();
        assert_eq!(taken, built);
    }
}
