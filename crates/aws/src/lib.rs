//! The ports on AWS: DynamoDB, SQS, Step Functions, EventBridge, S3 and Secrets Manager.
//!
//! Nothing is connected or read before it is needed ([`Clients`]): [`open`] only remembers names. So a
//! function that answers without a service has paid for none.

mod blobs;
mod clients;
pub mod cloud_events;
mod dead_letters;
mod failure;
pub mod feed;
mod logs;
mod orchestrator;
mod pack_files;
pub mod queues;
pub mod records;
mod runner;
pub mod schedules;
mod stack;
pub mod table;
pub mod tally;
mod vault;

pub use blobs::S3Blobs;
pub use clients::Clients;
pub use cloud_events::EventBridgeSubscriptions;
pub use feed::StreamFeed;
pub use logs::S3Logs;
pub use orchestrator::StepFunctions;
pub use pack_files::S3PackFiles;
pub use queues::SqsQueues;
pub use records::DynamoRecords;
pub use runner::CloudRunner;
pub use schedules::EventBridgeSchedules;
pub use stack::{Aws, open, open_with, step, step_with};
pub use vault::SecretsVault;

/// Names of what a stack consists of. None of it is secret.
#[derive(Clone, Debug)]
pub struct Config {
    /// The DynamoDB table that holds every record.
    pub table: String,
    /// The S3 bucket of payloads, logs and packs.
    pub bucket: String,
    /// What every queue's URL begins with, such as `https://sqs.eu-central-1.amazonaws.com/123456789012/attune-`.
    /// The queue's name ([`attune_ports::Queue::as_str`]) follows, then `.fifo` where it is ordered; its dead
    /// letters are in the queue of the same name with `-dead` before `.fifo`.
    pub queues: String,
    /// Name or ARN of the secret from which values are sealed.
    pub root_key_secret: String,
    /// Name or ARN of the secret that signs tokens.
    pub token_key_secret: String,
    /// What names of secrets begin with to which parameters may refer: actions get no others to see.
    pub referable: String,
    /// ARN of the state machine of workflows; `None` where this function has nothing to do with them.
    pub state_machine: Option<String>,
    /// How timers and cloud events reach `ingest-event`; `None` where this function sets none.
    pub timers: Option<Timers>,
    /// Folder for files of this process alone (`/tmp` in a function).
    pub scratch: std::path::PathBuf,
}

/// How timers and cloud events reach `ingest-event`.
#[derive(Clone, Debug)]
pub struct Timers {
    /// The schedule group of the stack.
    pub group: String,
    /// ARN of `ingest-event` (or of a queue, in tests): the target of schedules and event rules.
    pub target_arn: String,
    /// ARN of the role in which Scheduler calls the target.
    pub role_arn: String,
    /// URL of the standard queue of ticks that are due within minutes.
    pub ticks: String,
    /// What names of EventBridge rules begin with: the stack's name.
    pub prefix: String,
}
