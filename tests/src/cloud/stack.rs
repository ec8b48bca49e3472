//! What a stack consists of, without its functions: a table, queues, a bucket, secrets and a schedule group,
//! each with a name of its own.

use super::emulator::{ACCOUNT, Emulator, REGION};
use super::machine;
use crate::contract::Options;
use attune_aws::{Clients, Config, Timers};
use attune_ports::Queue;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::types::CreateBucketConfiguration;
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_http_client::Builder;
use serde_json::json;
use std::collections::HashMap;
use std::path::Path;

/// Clients of an emulator.
#[must_use]
pub fn clients(emulator: &Emulator) -> Clients {
    let credentials = Credentials::new("test", "test", None, None, "the tests");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(emulator.endpoint())
        .http_client(Builder::new().build_http())
        .build();
    Clients::of(config)
}

/// Makes everything that the ports need, under fresh names.
///
/// # Panics
/// Where the emulator refuses.
pub async fn create(clients: &Clients, options: Options, scratch: &Path) -> Config {
    let name = format!("test-{}", hex::encode(rand::random::<[u8; 6]>()));
    attune_aws::table::create(clients, &name).await.expect("a table can be made");
    let queues = queues(clients, &name, options).await;
    make_bucket(clients, &name).await;
    let asking = make_queue(clients, &format!("{name}-threads"), HashMap::new()).await;
    Config {
        table: name.clone(),
        bucket: name.clone(),
        root_key_secret: secret(clients, &format!("{name}/root-key")).await,
        token_key_secret: secret(clients, &format!("{name}/token-key")).await,
        referable: format!("{name}/actions/"),
        state_machine: Some(machine::create(clients, &name, &asking).await),
        timers: Some(timers(clients, &name).await),
        queues,
        scratch: scratch.to_owned(),
    }
}

/// Makes a bucket in the region.
pub(super) async fn make_bucket(clients: &Clients, name: &str) {
    let place = CreateBucketConfiguration::builder().location_constraint(REGION.into()).build();
    let request = clients.s3().await.create_bucket().bucket(name);
    let made = request.create_bucket_configuration(place).send().await;
    made.expect("a bucket can be made");
}

/// Makes the queues of the journey; answers what their URLs begin with.
async fn queues(clients: &Clients, stack: &str, options: Options) -> String {
    let mut beginning = None;
    for queue in Queue::ALL {
        let end = if queue.is_ordered() { ".fifo" } else { "" };
        let dead = format!("{stack}-{queue}-dead{end}");
        make_queue(clients, &dead, HashMap::new()).await;
        let redrive = json!({
            "deadLetterTargetArn": arn("sqs", &dead),
            "maxReceiveCount": options.max_receives,
        });
        // Whole seconds, one at least.
        let visibility = options.visibility.as_millis().div_ceil(1000).max(1);
        let attributes = HashMap::from([
            (QueueAttributeName::VisibilityTimeout, visibility.to_string()),
            (QueueAttributeName::RedrivePolicy, redrive.to_string()),
        ]);
        let url = make_queue(clients, &format!("{stack}-{queue}{end}"), attributes).await;
        let own = url.strip_suffix(&format!("{queue}{end}")).expect("a URL ends with the name");
        beginning.get_or_insert_with(|| own.to_owned());
    }
    beginning.expect("there are queues")
}

async fn make_queue(
    clients: &Clients,
    name: &str,
    mut attributes: HashMap<QueueAttributeName, String>,
) -> String {
    if name.ends_with(".fifo") {
        attributes.insert(QueueAttributeName::FifoQueue, "true".into());
        attributes.insert(QueueAttributeName::DeduplicationScope, "messageGroup".into());
        attributes.insert(QueueAttributeName::FifoThroughputLimit, "perMessageGroupId".into());
    }
    let request = clients.sqs().await.create_queue().queue_name(name);
    let made = request.set_attributes(Some(attributes)).send().await;
    made.expect("a queue can be made").queue_url.expect("a queue has a URL")
}

async fn secret(clients: &Clients, name: &str) -> String {
    let value = hex::encode(rand::random::<[u8; 32]>());
    let request = clients.secrets().await.create_secret().name(name).secret_string(value);
    request.send().await.expect("a secret can be made").arn.expect("a secret has an ARN")
}

/// Timers whose ticks go to a queue, where a stack has `ingest-event`.
async fn timers(clients: &Clients, stack: &str) -> Timers {
    let group = clients.scheduler().await.create_schedule_group().name(stack);
    group.send().await.expect("a group can be made");
    // What a fixture had in hand when it was ended comes again soon.
    let brief = || HashMap::from([(QueueAttributeName::VisibilityTimeout, "2".to_owned())]);
    make_queue(clients, &target(stack), brief()).await;
    Timers {
        group: stack.to_owned(),
        target_arn: arn("sqs", &target(stack)),
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/{stack}"),
        ticks: make_queue(clients, &format!("{stack}-ticks"), brief()).await,
        prefix: stack.to_owned(),
    }
}

/// URL of the queue that stands for `ingest-event`.
pub(super) fn ingest(config: &Config) -> String {
    format!("{}ingest", config.queues)
}

/// URL of the queue by which the state machine asks what a thread does next.
pub(super) fn threads(config: &Config) -> String {
    format!("{}threads", config.queues)
}

/// URL of the queue of ticks.
pub(super) fn ticks(config: &Config) -> String {
    format!("{}ticks", config.queues)
}

/// Name of the queue that stands for `ingest-event`.
fn target(stack: &str) -> String {
    format!("{stack}-ingest")
}

fn arn(service: &str, name: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{name}")
}
