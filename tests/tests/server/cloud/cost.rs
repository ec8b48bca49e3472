//! What an execution costs: every request that the functions make for it, and what AWS charges.
//!
//! The test holds the number of requests, which does not depend on the machine, to what `docs/COST.md` says. Its
//! output is the table of that page: `cargo xtask cloud cost`.

use crate::server::actions::pack;
use crate::server::kills::policy;
use attune_domain::event::Event;
use attune_domain::execution::{Holds, Place};
use attune_domain::id::EventId;
use attune_journey::load;
use attune_ports::Ports;
use attune_tests::cloud::Deployed;
use attune_tests::metering::prices;
use attune_tests::metering::proxy::{Proxy, Request};
use attune_tests::server::{Client, until_within, webhook};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Events that make everything warm, and events that are counted, one after the other.
const WARM: usize = 5;
const COUNTED: usize = 20;
const PATIENCE: Duration = Duration::from_secs(30);

/// Requests of one execution without and with a policy, at most.
const PLAIN: f64 = 12.0;
const LIMITED: f64 = 16.0;

/// Functions whose work does not belong to one execution: the sweep runs every minute whatever happens.
const APART: [&str; 1] = ["sweep"];
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

/// Posts one event and waits, past the functions, until its execution is over and has left its lane.
async fn fire(stack: &Deployed, hook: &str, n: usize) {
    let said = Client::stranger(stack.url()).post(hook, json!({"payload": alert(n)})).await;
    let id = EventId::new(said.data()["event_id"].as_i64().expect("an id"));
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
}

impl Bill {
    fn of(requests: &[Request], executions: usize) -> Self {
        let each = 1.0 / executions as f64;
        let mut bill = Self { lines: BTreeMap::new(), requests: 0.0, dollars: BTreeMap::new() };
        for request in requests {
            let function = request.function.clone().unwrap_or_default();
            let function = function.split_once('-').map_or(function.as_str(), |(_, name)| name);
            if function.is_empty() || APART.contains(&function) {
                continue;
            }
            let line = (function.to_owned(), request.service.clone(), request.operation.clone());
            *bill.lines.entry(line).or_default() += each;
            bill.requests += each;
            bill.charge(request, each);
        }
        let invocations = bill.invocations();
        *bill.dollars.entry("Lambda").or_default() +=
            invocations * (prices::LAMBDA_INVOCATIONS + GB_SECONDS * prices::LAMBDA_GB_SECONDS);
        bill
    }

    fn charge(&mut self, request: &Request, each: f64) {
        let mut add = |what, dollars: f64| *self.dollars.entry(what).or_default() += dollars * each;
        let units = request.units;
        add("DynamoDB writes", units.writes * prices::DYNAMODB_WRITES);
        add("DynamoDB index writes", units.index_writes * prices::DYNAMODB_WRITES);
        add("DynamoDB reads", units.reads * prices::DYNAMODB_READS);
        if request.service == "sqs" {
            let price = if request.ordered { prices::SQS_FIFO } else { prices::SQS_STANDARD };
            add("SQS sends", price);
            if request.operation.starts_with("SendMessage") {
                // One message at a time: the mapping receives it and deletes it, each a request.
                add("SQS receives and deletes", 2.0 * price);
            }
        }
        if request.service == "s3" {
            add(
                "S3",
                if request.operation == "GET" { prices::S3_READS } else { prices::S3_WRITES },
            );
        }
    }

    /// Invocations: one by the webhook, and one by each message.
    fn invocations(&self) -> f64 {
        let messages = self.lines.iter().filter(|((_, service, _), _)| service == "sqs");
        1.0 + messages.map(|(_, times)| times).sum::<f64>()
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
        println!("\nPrices of {}.", prices::REGION);
    }
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
        // The stream's consumer takes batches, and how large those are is a matter of time.
        let of_batches: f64 = bill
            .lines
            .iter()
            .filter(|((function, ..), _)| function == "notify")
            .map(|(_, times)| times)
            .sum();
        let own = bill.requests - of_batches;
        assert!(own <= most + 0.01, "{name}: {own} requests of an execution, {most} at most");
    }
}
