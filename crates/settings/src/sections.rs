//! The sections of the settings, with their defaults.

use crate::Secret;
use crate::duration::{days, micros, seconds};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// `[server]`: where the server listens, and what it accepts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address or name of the interface to listen on.
    pub host: String,
    /// TCP port; 0 takes a free one.
    pub port: u16,
    /// Largest request body, in bytes; larger ones are answered 413.
    pub max_body_bytes: u64,
    /// Largest uploaded pack or artifact, in bytes.
    pub upload_max_bytes: u64,
    /// Origins (`http://localhost:3000`) whose pages may call the API with credentials.
    pub cors_origins: Vec<String>,
    /// Address under which people reach the server, for links that are sent to them; without one, links begin as
    /// the request for them did.
    pub public_url: Option<String>,
    /// How long running requests and actions may finish at shutdown. `shutdown_grace_seconds`.
    #[serde(rename = "shutdown_grace_seconds", with = "seconds")]
    pub shutdown_grace: Duration,
}

impl Default for Server {
    fn default() -> Self {
        let origin = |port| ["localhost", "127.0.0.1"].map(|host| format!("http://{host}:{port}"));
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8080,
            max_body_bytes: 2 << 20,
            upload_max_bytes: 100 << 20,
            cors_origins: [3000, 3001, 5173, 8080].into_iter().flat_map(origin).collect(),
            public_url: None,
            shutdown_grace: Duration::from_secs(10),
        }
    }
}

/// `[api]`: shapes of answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Api {
    /// What the array of a list is called.
    pub list_envelope: ListEnvelope,
}

/// What the array of a list is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListEnvelope {
    /// `{"data": […], "pagination": …}`
    #[default]
    Data,
    /// `{"items": […], "pagination": …}`
    Items,
}

/// `[auth]`: logins and tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// Whether anybody may register an identity, which then has no grants.
    pub allow_self_registration: bool,
    /// Life of an access token. `access_token_seconds`.
    #[serde(rename = "access_token_seconds", with = "seconds")]
    pub access_token: Duration,
    /// Life of a refresh token. `refresh_token_seconds`.
    #[serde(rename = "refresh_token_seconds", with = "seconds")]
    pub refresh_token: Duration,
    /// Login of the first administrator.
    pub admin_login: String,
    /// Password of the first administrator; without one, the first start makes one up.
    #[serde(skip_serializing)]
    pub admin_password: Option<Secret>,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            allow_self_registration: false,
            access_token: Duration::from_secs(3_600),
            refresh_token: Duration::from_secs(604_800),
            admin_login: "admin".to_owned(),
            admin_password: None,
        }
    }
}

/// `[storage]`: where records are, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// Folder of records, payloads, logs, artifacts, packs and the key file.
    pub data_dir: PathBuf,
    /// How long a commit waits for others to share its write to disk. `group_commit_linger_us`.
    #[serde(rename = "group_commit_linger_us", with = "micros")]
    pub group_commit_linger: Duration,
    /// Memory for records that were read or written lately, in MiB.
    pub cache_mib: u32,
    /// How long events and enforcements are kept. `event_retention_days`.
    #[serde(rename = "event_retention_days", with = "days")]
    pub event_retention: Duration,
    /// How long ended executions are kept, with logs and results. `execution_retention_days`.
    #[serde(rename = "execution_retention_days", with = "days")]
    pub execution_retention: Duration,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("./attune-data"),
            group_commit_linger: Duration::from_micros(200),
            cache_mib: 16,
            event_retention: Duration::from_secs(30 * 86_400),
            execution_retention: Duration::from_secs(30 * 86_400),
        }
    }
}

/// `[runner]`: processes of actions and sensors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Runner {
    /// Processes at a time; 0 means twice the processors. See [`Runner::processes`].
    pub max_processes: usize,
    /// Built-in actions, which need no process, at a time.
    pub native_concurrency: usize,
    /// Timeout of actions that name none. `default_timeout_seconds`.
    #[serde(rename = "default_timeout_seconds", with = "seconds")]
    pub default_timeout: Duration,
    /// Time between SIGTERM and SIGKILL. `term_grace_seconds`.
    #[serde(rename = "term_grace_seconds", with = "seconds")]
    pub term_grace: Duration,
    /// What is kept of each of a process's outputs, in bytes.
    pub max_output_bytes: u64,
    /// Interpreter of Python actions: a name on the PATH, or a path.
    pub python: String,
    /// Interpreter of JavaScript actions: a name on the PATH, or a path.
    pub node: String,
    /// Shell of shell actions and inline code.
    pub shell: String,
}

impl Default for Runner {
    fn default() -> Self {
        Self {
            max_processes: 0,
            native_concurrency: 256,
            default_timeout: Duration::from_secs(300),
            term_grace: Duration::from_secs(5),
            max_output_bytes: 10 << 20,
            python: "python3".to_owned(),
            node: "node".to_owned(),
            shell: "/bin/sh".to_owned(),
        }
    }
}

impl Runner {
    /// Processes at a time, with 0 resolved to twice the processors of this machine.
    #[must_use]
    pub fn processes(&self) -> usize {
        match self.max_processes {
            0 => 2 * std::thread::available_parallelism().map_or(1, usize::from),
            given => given,
        }
    }
}

/// `[queues]`: delivery of messages between the steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Queues {
    /// Deliveries of a message that keeps failing before it is set aside as a dead letter.
    pub max_receives: u32,
    /// How long a message taken by a step is hidden from others. `visibility_seconds`.
    #[serde(rename = "visibility_seconds", with = "seconds")]
    pub visibility: Duration,
}

impl Default for Queues {
    fn default() -> Self {
        Self { max_receives: 5, visibility: Duration::from_secs(60) }
    }
}

/// `[sweep]`: repair of what a crash left between two steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sweep {
    /// Time between two sweeps. `interval_seconds`.
    #[serde(rename = "interval_seconds", with = "seconds")]
    pub interval: Duration,
}

impl Default for Sweep {
    fn default() -> Self {
        Self { interval: Duration::from_secs(60) }
    }
}

/// `[workflows]`: bounds of workflows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Workflows {
    /// Tasks that a run may enter, each time counted, where its definition says nothing.
    pub step_limit: u64,
}

impl Default for Workflows {
    fn default() -> Self {
        Self { step_limit: 10_000 }
    }
}

/// `[inquiries]`: questions to people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inquiries {
    /// Time for an answer where neither the question nor its task says. `default_timeout_days`.
    #[serde(rename = "default_timeout_days", with = "days")]
    pub default_timeout: Duration,
}

impl Default for Inquiries {
    fn default() -> Self {
        Self { default_timeout: Duration::from_secs(30 * 86_400) }
    }
}

/// `[timers]`: timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timers {
    /// Whether ticks missed while the server was down fire once when it is back.
    pub catch_up: bool,
}

impl Default for Timers {
    fn default() -> Self {
        Self { catch_up: true }
    }
}

/// `[packs]`: where packs come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Packs {
    /// Folders whose subfolders are packs, registered at start, in this order.
    pub dirs: Vec<PathBuf>,
    /// Folder that installed packs are unpacked to, within the data folder unless absolute. See
    /// [`crate::Settings::packs_dir`].
    pub packs_dir: PathBuf,
    /// Whether the core pack's demo rule, a timer that says hello every 10 s, is registered.
    pub load_demo: bool,
}

impl Default for Packs {
    fn default() -> Self {
        Self {
            dirs: vec![PathBuf::from("packs")],
            packs_dir: PathBuf::from("packs"),
            load_demo: true,
        }
    }
}

/// `[log]`: what the server writes about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// The least level written, or a filter by module (`info,attune_journey=debug`).
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line, for machines.
    Json,
}
