//! The command line, as clap reads it.

use crate::base_url::BaseUrl;
use crate::commands::{
    action, dead_letter, event, execution, inquiry, key, pack, policy, queue, rule, session,
    trigger, workflow,
};
use crate::output::Format;
use crate::serve::ServeArgs;
use clap::{Args, Parser, Subcommand};

/// Heading of the flags that every command takes.
const CONNECTION: &str = "Connection and output";

/// Event-driven automation: run the server, or talk to one.
#[derive(Debug, Parser)]
#[command(name = "attune", version, after_help = "Without a command, the server is started.")]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do; nothing means `serve`.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags that every client command takes.
#[derive(Args, Clone, Debug)]
pub struct Global {
    /// Base address of the server [default: the profile's, else http://127.0.0.1:8080]
    #[arg(long, global = true, value_name = "URL", env = "ATTUNE_URL", help_heading = CONNECTION)]
    pub url: Option<BaseUrl>,
    /// Profile of the configuration file [default: default]
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "ATTUNE_PROFILE",
        help_heading = CONNECTION
    )]
    pub profile: Option<String>,
    /// How to print results
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        help_heading = CONNECTION
    )]
    pub output: Format,
}

/// The two faces of the binary.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server: API, engine and runners in one process (the default)
    Serve(ServeArgs),
    /// A command that talks to a server.
    #[command(flatten)]
    Client(ClientCommand),
}

impl Command {
    /// `serve` as if it had been typed without flags, so that clap's defaults and environment
    /// variables apply.
    pub fn serve() -> Self {
        Cli::parse_from(["attune", "serve"]).command.expect("a command was given")
    }
}

/// Commands that talk to a server.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Log in and remember the login in the profile
    Login(session::Login),
    /// Forget the login of the profile
    Logout,
    /// Show who the server takes you for, and what you may do
    Whoami,
    /// Actions: what can be run
    #[command(subcommand)]
    Action(action::Command),
    /// Rules: which action answers which trigger
    #[command(subcommand)]
    Rule(rule::Command),
    /// Triggers: what can happen
    #[command(subcommand)]
    Trigger(trigger::Command),
    /// Events: what has happened
    #[command(subcommand)]
    Event(event::Command),
    /// Executions: what was run, and how it went
    #[command(subcommand)]
    Execution(execution::Command),
    /// Workflows: graphs of actions, and how executions of them go
    #[command(subcommand)]
    Workflow(workflow::Command),
    /// Inquiries: what executions ask people
    #[command(subcommand)]
    Inquiry(inquiry::Command),
    /// Keep values for what runs: the keystore
    #[command(subcommand)]
    Key(key::Command),
    /// Lines of executions waiting for an action's slots
    #[command(subcommand)]
    Queue(queue::Command),
    /// Dead letters: messages between steps that were delivered too often
    #[command(subcommand)]
    DeadLetter(dead_letter::Command),
    /// Packs: bundles of actions, triggers, sensors, rules and workflows
    #[command(subcommand)]
    Pack(pack::Command),
    /// Policies: how much may run at a time
    #[command(subcommand)]
    Policy(policy::Command),
}

/// Which part of a list to show.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// Page number, from 1
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub page: u32,
    /// Entries per page [default: the server's]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
}

impl Paging {
    /// The query parameters that ask for this page.
    pub fn query(self) -> Vec<(&'static str, String)> {
        let mut query = vec![("page", self.page.to_string())];
        query.extend(self.limit.map(|limit| ("page_size", limit.to_string())));
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn nothing_at_all_means_serve() {
        assert!(Cli::parse_from(["attune"]).command.is_none());
        assert!(matches!(Command::serve(), Command::Serve(_)));
    }

    #[test]
    fn every_documented_command_is_understood() {
        for line in [
            "serve --port 9000",
            "login",
            "login someone@example.org --password-stdin",
            "logout",
            "whoami",
            "action list --page 2 --limit 10 --pack core",
            "action get core.echo",
            "action execute core.echo message=hi count=3 --wait",
            "action execute core.echo --params {\"message\":\"hi\"}",
            "rule list --trigger core.webhook",
            "rule get demo.rule",
            "rule enable demo.rule",
            "rule disable demo.rule",
            "trigger list",
            "trigger get core.webhook",
            "event list --trigger core.webhook --rule demo.rule",
            "event get 7",
            "execution list --status failed --action core.echo --rule a.b --trigger c.d",
            "execution get 7",
            "execution logs 7 --follow --stream stderr",
            "execution cancel 7",
            "execution watch",
            "execution watch 7",
            "workflow list --pack demo --page 2",
            "workflow show demo.flow",
            "workflow validate ./flow.yaml",
            "workflow run demo.flow host=db1 --wait",
            "workflow graph demo.flow --format svg",
            "workflow graph 7",
            "workflow watch 7",
            "workflow tasks 7",
            "workflow pause 7",
            "workflow resume 7",
            "workflow cancel 7",
            "workflow retry 7 --from build host=db2",
            "workflow rehearse ./flow.yaml --results results.yaml host=db1 --expect failed",
            "inquiry list --status pending --execution 7 --assignee 3",
            "inquiry show 7",
            "inquiry respond 7 --approve",
            "inquiry respond 7 --reject reason=late",
            "inquiry respond 7 size=3 reason=late",
            "inquiry respond 7 --response {\"size\":3}",
            "inquiry cancel 7",
            "inquiry link 7 --until 2030-01-01T00:00:00Z",
            "key list --owner-type pack --owner 7",
            "key show ops.token",
            "key create ops.token --pack ops --encrypted",
            "key create ops.limits --name limits --json --value-from limits.json",
            "key update ops.token --value-from -",
            "key update ops.token --name token --encrypted false",
            "key delete ops.token",
            "queue stats core.echo",
            "pack list",
            "pack get core",
            "pack register ./packs/demo --force",
            "pack upload ./packs/demo --force",
            "pack install demo.tar.gz",
            "dead-letter list --queue run-shell --page 2",
            "dead-letter show match 7",
            "dead-letter redrive match",
            "dead-letter redrive match 7",
            "dead-letter purge match --yes",
            "dead-letter purge match 7",
            "policy list",
            "policy get demo.one_at_a_time",
            "--url http://example.org/attune -o json whoami",
            "whoami --profile work --output yaml",
        ] {
            let words = std::iter::once("attune").chain(line.split(' '));
            let parsed = Cli::try_parse_from(words);
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn wrong_command_lines_are_refused() {
        for (why, line, kind) in [
            ("an unknown noun", "robot list", ErrorKind::InvalidSubcommand),
            ("a reference is missing", "action get", ErrorKind::MissingRequiredArgument),
            ("ids are numbers", "execution get x", ErrorKind::ValueValidation),
            ("a parameter needs =", "action execute core.echo hi", ErrorKind::ValueValidation),
            ("no such status", "execution list --status done", ErrorKind::ValueValidation),
            ("no such stream", "execution logs 7 --stream log", ErrorKind::InvalidValue),
            ("no such drawing", "workflow graph 7 --format png", ErrorKind::ValueValidation),
            ("a workflow is not followed", "workflow watch demo.flow", ErrorKind::ValueValidation),
            ("no such end", "workflow rehearse x --expect good", ErrorKind::ValueValidation),
            ("no such queue", "dead-letter show nowhere 7", ErrorKind::ValueValidation),
            ("one or all", "dead-letter purge match 7 --yes", ErrorKind::ArgumentConflict),
            ("two owners", "key create a --pack ops --action ops.run", ErrorKind::ArgumentConflict),
            ("yes or no", "inquiry respond 7 --approve --reject", ErrorKind::ArgumentConflict),
            ("no such status", "inquiry list --status open", ErrorKind::ValueValidation),
            ("no moment", "inquiry link 7 --until tomorrow", ErrorKind::ValueValidation),
            ("pages start at 1", "rule list --page 0", ErrorKind::ValueValidation),
            ("no such format", "whoami -o xml", ErrorKind::InvalidValue),
            ("ftp is not spoken here", "--url ftp://host whoami", ErrorKind::ValueValidation),
            ("a password is no argument", "login me --password x", ErrorKind::UnknownArgument),
            (
                "two filters at once",
                "rule list --action a.b --trigger c.d",
                ErrorKind::ArgumentConflict,
            ),
        ] {
            let words = std::iter::once("attune").chain(line.split(' '));
            let error = Cli::try_parse_from(words).expect_err(why);
            assert_eq!(error.kind(), kind, "{why}: {error}");
            assert_eq!(error.exit_code(), 2, "{why}");
        }
    }
}
