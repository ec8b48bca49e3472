//! The state machine of workflows: where its definition lies, and one of its kind that asks the test instead of
//! a function.

use super::emulator::{ACCOUNT, REGION};
use attune_aws::Clients;
use attune_ports::orchestrator::ThreadStep;
use serde::Deserialize;
use serde_json::{Value, json};

/// Name of the file that defines it.
pub(super) const FILE: &str = "workflow.asl.json";
/// Where the template expects that file.
const PLACE: &str = "DefinitionS3Location: ../statemachines/workflow.asl.json";
/// How often the test looks whether it was asked, in seconds: SQS waits itself.
const LOOK: i32 = 1;

/// What a step asks with.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    /// The step that is to be taken.
    pub(super) step: ThreadStep,
    /// What is to be answered.
    pub(super) token: String,
}

/// The ARN of a state machine.
pub(super) fn arn(name: &str) -> String {
    format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}")
}

/// The template with the definition of a bucket in place of the file.
pub(super) fn from_bucket(template: &str, bucket: &str) -> String {
    assert!(template.contains(PLACE), "the template has the state machine");
    let place = format!("DefinitionS3Location: {{Bucket: {bucket}, Key: {FILE}}}");
    template.replace(PLACE, &place)
}

/// The definition with steps that are taken again after so many seconds without an answer.
pub(super) fn impatient(seconds: u32) -> String {
    let mut definition = definition();
    definition["States"]["Step"]["TimeoutSeconds"] = seconds.into();
    definition.to_string()
}

/// Makes a state machine that differs from the real one in whom its steps ask: the queue of this URL, and no function.
/// Answers its ARN.
pub(super) async fn create(clients: &Clients, name: &str, queue: &str) -> String {
    let mut definition = definition();
    let step = &mut definition["States"]["Step"];
    let payload = step["Parameters"]["Payload"].take();
    step["Resource"] = json!("arn:aws:states:::sqs:sendMessage.waitForTaskToken");
    step["Parameters"] = json!({"QueueUrl": queue, "MessageBody": payload});
    let request = clients.sfn().await.create_state_machine().name(name);
    let role = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let made = request.role_arn(role).definition(definition.to_string()).send().await;
    made.expect("a state machine can be made").state_machine_arn
}

/// What a state machine asks next by the queue of this URL.
pub(super) async fn asked(clients: &Clients, queue: &str) -> Asked {
    let sqs = clients.sqs().await;
    loop {
        let request = sqs.receive_message().queue_url(queue).wait_time_seconds(LOOK);
        let found = request.send().await.expect("a queue answers").messages.unwrap_or_default();
        let Some(message) = found.into_iter().next() else { continue };
        let receipt = message.receipt_handle.unwrap_or_default();
        let done = sqs.delete_message().queue_url(queue).receipt_handle(receipt).send().await;
        done.expect("a message can be removed");
        let body = message.body.expect("a message has a body");
        return serde_json::from_str(&body).expect("a step asks with itself and a token");
    }
}

fn definition() -> Value {
    let text = include_str!("../../../statemachines/workflow.asl.json");
    serde_json::from_str(text).expect("the definition is JSON")
}

#[cfg(test)]
mod tests {
    use crate::cloud::Cloud;
    use crate::contract::{Fixture, Options};
    use attune_domain::id::ExecutionId;
    use attune_ports::orchestrator::{Then, ThreadStep};

    /// Ends every execution that runs, as when its state machine gives it up.
    async fn abort(fixture: &Cloud) {
        let sfn = fixture.clients.sfn().await;
        let machine = fixture.config.state_machine.as_ref().expect("there is one");
        let list = sfn.list_executions().state_machine_arn(machine);
        let list = list.status_filter("RUNNING".into()).send().await;
        for execution in list.expect("executions can be listed").executions {
            let stop = sfn.stop_execution().execution_arn(execution.execution_arn);
            stop.send().await.expect("an execution can be stopped");
        }
    }

    #[tokio::test]
    async fn an_execution_that_failed_is_begun_again() {
        let fixture = Cloud::fresh(Options::default()).await;
        let ports = fixture.ports();
        let run = ExecutionId::new(ports.ids.next());
        let step = ThreadStep { run, thread: 0, hop: 0, sequence: 0 };
        for _ in 0..2 {
            ports.orchestrator.start(step).await.expect("a thread can be begun");
            assert_eq!(fixture.next_step().await.0, step);
            abort(&fixture).await;
        }
        ports.orchestrator.start(step).await.expect("a thread can be begun");
        let (taken, token) = fixture.next_step().await;
        assert_eq!(taken, step);
        // The third runs, so there is nothing to begin.
        ports.orchestrator.start(step).await.expect("it is there");
        let next = ThreadStep { sequence: 1, ..step };
        ports.orchestrator.tell(&token, Then::Step { step: next }).await.expect("it waits");
        assert_eq!(fixture.next_step().await.0, next);
    }
}
