//! What an execution costs: every request that the functions make for it, and what AWS charges.
//!
//! The test holds the number of requests, which does not depend on the machine, to what `docs/COST.md` says. Its
//! output is the table of that page: `cargo xtask cloud cost`.

use crate::server::actions::pack;
use crate::server::kills::policy;
use attune_domain::event::Event;
use attune_domain::execution::{Holds, Place};
use attune_domain::id::{EventId, ExecutionId};
use attune_journey::load;
use attune_ports::Ports;
use attune_tests::cloud::Deployed;
use attune_tests::metering::prices;
use attune_tests::metering::proxy::{Proxy, Request};
use attune_tests::server::{Client, until_within, webhook};
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Events that make everything warm, and events that are counted, one after the other.
const WARM: usize = 5;
const COUNTED: usize = 20;
/// Events that come at once.
const BURST: usize = 120;
const PATIENCE: Duration = Duration::from_secs(60);

/// Requests of one execution without and with a policy, at most.
const PLAIN: f64 = 12.0;
const LIMITED: f64 = 16.0;

/// Functions whose work does not belong to one execution: the sweep runs every minute whatever happens, and the
/// stream's consumer books a batch of changes at a time, of five seconds or a thousand (the emulator does not wait).
const APART: [&str; 2] = ["sweep", "notify"];
/// Seconds of a GB that one invocation takes: 256 MB for 25 ms, which is three requests in the region of a few
/// milliseconds each, and a rounded-up allowance for the rest.
const GB_SECONDS: f64 = 0.25 * 0.025;

/// An alert as monitoring systems send it: 1 KB.
fn alert(n: usize) -> Value {
    let id = || hex::encode(rand::random::<[u8; 8]>());
    json!({
        "id": id(), "fingerprint": id(), "status": "firing", "severity": "warning",
        "host": format!("db-{}.eu-central-1.internal", n % 17),
        "summary": format!("Disk usage of /var/lib/postgresql is at {}%", 80 + n % 20),
        "description": "The volume fills up at its present rate within four hours. Remove old backups or enlarge it; \
                        if neither helps, call the owner of the service before the write-ahead log has no room.",
        "labels": {"team": "storage", "service": "orders", "environment": "production", "zone": id()},
        "annotations": {"runbook": "https://runbooks.example.com/storage/disk-full", "dashboard": id()},
        "values": (0..8).map(|k| json!({"at": 1_767_225_600 + 60 * k, "value": f64::from(k) * 1.37 + n as f64}))
            .collect::<Vec<_>>(),
        "startsAt": "2026-01-01T00:00:00Z", "generator": id(),
    })
}

async fn rule(client: &Client, name: &str, trigger: &str, action: &str) {
    let body = json!({
        "ref": name, "pack_ref": "cost", "label": name, "trigger_ref": trigger, "action_ref": action,
        "action_params": {"host": "{{ event.payload.host }}"},
    });
    let said = client.post("/api/v1/rules", body).await;
    assert_eq!(said.status, 201, "{}", said.text);
}

async fn action(client: &Client, name: &str) {
    let body = json!({
        "ref": name, "pack_ref": "cost", "label": name, "entrypoint": "core.noop", "runtime_ref": "core.native",
        "param_schema": {"host": {"type": "string"}},
    });
    let said = client.post("/api/v1/actions", body).await;
    assert_eq!(said.status, 201, "{}", said.text);
}

/// Posts one event and waits until it is dealt with.
async fn fire(stack: &Deployed, hook: &str, n: usize) {
    let said = Client::stranger(stack.url()).post(hook, json!({"payload": alert(n)})).await;
    ended(stack, EventId::new(said.data()["event_id"].as_i64().expect("an id"))).await;
}

/// Waits, past the functions, until an event's execution is over and has left its lane.
async fn ended(stack: &Deployed, id: EventId) {
    until_within(PATIENCE, "an execution is over", async || {
        let event = load::event(stack.ports(), id).await.expect("readable")?;
        is_over(stack.ports(), &event).await.then_some(())
    })
    .await;
}

async fn is_over(ports: &Ports, event: &Event) -> bool {
    let [made] = &event.matching.enforcements[..] else { return false };
    let Some(enforcement) = load::enforcement(ports, made.enforcement).await.expect("readable")
    else {
        return false;
    };
    let Some(id) = enforcement.execution else { return false };
    let found = load::execution(ports, id).await.expect("readable");
    found.is_some_and(|found| {
        let holds = matches!(found.place, Some(Place { holds: Holds::Slot(_), .. }));
        found.status.is_terminal() && !holds
    })
}

/// What was asked for one execution, on average.
struct Bill {
    /// Requests by function, service and operation.
    lines: BTreeMap<(String, String, String), f64>,
    requests: f64,
    /// Dollars for a million executions, by what they are for.
    dollars: BTreeMap<&'static str, f64>,
    /// Requests of functions apart.
    apart: f64,
}

impl Bill {
    fn of(requests: &[Request], executions: usize) -> Self {
        let each = 1.0 / executions as f64;
        let mut bill =
            Self { lines: BTreeMap::new(), requests: 0.0, dollars: BTreeMap::new(), apart: 0.0 };
        for request in requests {
            let function = request.function.clone().unwrap_or_default();
            let function = function.split_once('-').map_or(function.as_str(), |(_, name)| name);
            if APART.contains(&function) {
                bill.apart += each;
            } else if !function.is_empty() {
                let line =
                    (function.to_owned(), request.service.clone(), request.operation.clone());
                *bill.lines.entry(line).or_default() += each;
                bill.requests += each;
                bill.charge(request, each);
            }
        }
        bill.charge_calls();
        bill
    }

    fn add(&mut self, what: &'static str, dollars: f64) {
        *self.dollars.entry(what).or_default() += dollars;
    }

    fn charge(&mut self, request: &Request, each: f64) {
        let units = request.units;
        self.add("DynamoDB writes", units.writes * prices::DYNAMODB_WRITES * each);
        self.add("DynamoDB index writes", units.index_writes * prices::DYNAMODB_WRITES * each);
        self.add("DynamoDB reads", units.reads * prices::DYNAMODB_READS * each);
        if request.service == "sqs" {
            self.add("SQS sends", queue_price(request.ordered) * each);
        }
        if request.service == "s3" {
            let price =
                if request.operation == "GET" { prices::S3_READS } else { prices::S3_WRITES };
            self.add("S3", price * each);
        }
    }

    /// Calls of functions. Each step reads ahead once for its batch, so its batches are known; for each, the
    /// mapping asks the queue twice, to receive and to delete.
    fn charge_calls(&mut self) {
        let (mut calls, mut asked) = (0.0, 0.0);
        for ((function, _, operation), times) in &self.lines {
            let ordered = ["admit-execution", "complete-execution"].contains(&function.as_str());
            match (function.as_str(), operation.as_str()) {
                ("api", "PutItem") => calls += times,
                // A step of a workflow reads ahead twice, and comes from no queue.
                ("advance-workflow", "BatchGetItem") => calls += times / 2.0,
                (step, "BatchGetItem") if step != "api" => {
                    calls += times;
                    asked += 2.0 * times * queue_price(ordered);
                }
                _ => {}
            }
        }
        self.add("SQS receives and deletes", asked);
        self.add(
            "Lambda",
            calls * (prices::LAMBDA_INVOCATIONS + GB_SECONDS * prices::LAMBDA_GB_SECONDS),
        );
    }

    #[expect(clippy::print_stdout, reason = "what it prints is a page of the documentation")]
    fn print(&self, title: &str) {
        println!(
            "\n### {title}\n\n| function | service | operation | requests |\n|---|---|---|---|"
        );
        for ((function, service, operation), times) in &self.lines {
            println!("| {function} | {service} | {operation} | {times:.2} |");
        }
        println!("| **all** | | | **{:.2}** |", self.requests);
        println!("\n| for | $ a million |\n|---|---|");
        for (what, dollars) in &self.dollars {
            println!("| {what} | {dollars:.2} |");
        }
        println!("| **all** | **{:.2}** |", self.dollars.values().sum::<f64>());
        println!("\nPrices of {}. Requests apart: {:.2}.", prices::REGION, self.apart);
    }
}

const fn queue_price(ordered: bool) -> f64 {
    if ordered { prices::SQS_FIFO } else { prices::SQS_STANDARD }
}

async fn measure(stack: &Deployed, proxy: &Proxy, hook: &str) -> Bill {
    for n in 0..WARM {
        fire(stack, hook, n).await;
    }
    drop(proxy.take());
    for n in WARM..WARM + COUNTED {
        fire(stack, hook, n).await;
    }
    Bill::of(&proxy.take(), COUNTED)
}

/// The same, as many at once as the machine takes.
async fn burst(stack: &Deployed, proxy: &Proxy, hook: &str) -> Bill {
    let stranger = Client::stranger(stack.url());
    let events = join_all((0..BURST).map(async |n| {
        let said = stranger.post(hook, json!({"payload": alert(n)})).await;
        EventId::new(said.data()["event_id"].as_i64().expect("an id"))
    }))
    .await;
    for id in events {
        ended(stack, id).await;
    }
    Bill::of(&proxy.take(), BURST)
}

/// A webhook, one rule, a built-in action: without a policy, and with one that leaves room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_execution_takes_few_requests() {
    assert!((900..1100).contains(&alert(7).to_string().len()), "{}", alert(7).to_string().len());
    let proxy = Proxy::start().await;
    let stack = Deployed::behind(&proxy).await;
    let client = stack.client().await;
    pack(&client, "cost").await;
    for (name, most) in [("plain", PLAIN), ("limited", LIMITED)] {
        let (trigger, own) = (format!("cost.{name}_called"), format!("cost.{name}"));
        action(&client, &own).await;
        if name == "limited" {
            policy(&client, &own, json!({"threshold": 3})).await;
        }
        let hook = webhook(&client, &trigger).await;
        rule(&client, &format!("cost.on_{name}"), &trigger, &own).await;
        let bill = measure(&stack, &proxy, &hook).await;
        bill.print(name);
        assert!(bill.requests <= most + 0.01, "{name}: {} requests, {most} at most", bill.requests);
        if name == "plain" {
            let bill = burst(&stack, &proxy, &hook).await;
            bill.print("plain, many at once");
            assert!(bill.requests < most, "batches share requests: {}", bill.requests);
        }
    }
}

/// Tasks of the workflow that is counted.
const TASKS: usize = 10;
/// Requests of one task, at most, the execution of its action included.
const TASK: f64 = 16.0;
/// State transitions of a run of so many tasks, as [`super::workflows`] counts them: two for each task and for the
/// step that finds the end, and the last state.
const TRANSITIONS: usize = 2 * (TASKS + 1) + 1;

/// Ten tasks of a built-in action, one after the other: an eleventh of what the run asks for is its own beginning
/// and end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_of_a_workflow_takes_few_requests() {
    let proxy = Proxy::start().await;
    let stack = Deployed::behind(&proxy).await;
    let client = stack.client().await;
    pack(&client, "cost").await;
    action(&client, "cost.plain").await;
    let task = |n: usize| {
        let mut task = json!({"name": format!("t{n}"), "action": "cost.plain", "input": {}});
        if n + 1 < TASKS {
            task["on_success"] = format!("t{}", n + 1).into();
        }
        task
    };
    let tasks: Vec<Value> = (0..TASKS).map(task).collect();
    let body = json!({
        "ref": "cost.flow", "pack_ref": "cost", "label": "Flow", "version": "1.0.0",
        "definition": {"version": "1.0", "tasks": tasks},
    });
    let said = client.post("/api/v1/workflows", body).await;
    assert_eq!(said.status, 201, "{}", said.text);
    let mut counted = vec![];
    // The first one makes everything warm.
    for _ in 0..2 {
        drop(proxy.take());
        let id = ExecutionId::new(client.execute("cost.flow", json!({})).await);
        until_within(PATIENCE, "the workflow is over", async || {
            let found = load::execution(stack.ports(), id).await.expect("readable")?;
            found.status.is_terminal().then_some(())
        })
        .await;
        counted = proxy.take();
    }
    let mut bill = Bill::of(&counted, TASKS);
    let transitions = TRANSITIONS as f64 / TASKS as f64;
    bill.add("Step Functions", transitions * prices::STATE_TRANSITIONS);
    bill.print("a task of a workflow of ten");
    assert!(bill.requests <= TASK, "{} requests, {TASK} at most", bill.requests);
}
