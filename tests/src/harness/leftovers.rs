//! What a journey must not leave behind.

use attune_domain::admission::Lane;
use attune_domain::enforcement::Enforcement;
use attune_domain::execution::{Execution, Holds};
use attune_domain::policy::Policy;
use attune_domain::status::EnforcementStatus;
use attune_journey::{definitions, layout};
use attune_ports::records::{Index, Kind};
use attune_ports::{Ports, Query, Queue, Record};

/// Everything that is not over, in words.
pub(crate) async fn find(ports: &Ports) -> Vec<String> {
    let mut left = Vec::new();
    for queue in Queue::ALL {
        let depth = ports.queues.depth(queue).await.expect("queues can be read");
        if depth > 0 {
            left.push(format!("{depth} messages in {queue}"));
        }
        let dead = ports.queues.dead_letters(queue, None, 5).await.expect("queues can be read");
        left.extend(dead.into_iter().map(|letter| format!("a dead letter in {queue}: {letter:?}")));
    }
    // The indexes must know what happened a moment ago.
    ports.records.settle().await.expect("it settles");
    for due in all(ports, Query::index(Index::Due, layout::DUE, 500)).await {
        left.push(format!("{} is due", due.key));
    }
    for record in all(ports, Query::index(Index::List, Kind::Enforcement.as_str(), 500)).await {
        let enforcement: Enforcement = read(&record);
        if enforcement.status == EnforcementStatus::Created {
            left.push(format!("enforcement {} is not decided", enforcement.id));
        }
    }
    for execution in executions(ports).await {
        if !execution.status.is_terminal() {
            left.push(format!("execution {} is {}", execution.id, execution.status));
        }
        if execution.place.as_ref().is_some_and(|place| place.holds != Holds::Nothing) {
            left.push(format!("execution {} has {:?}", execution.id, execution.place));
        }
    }
    for policy in definitions::policies(ports).await.expect("policies can be read").iter() {
        lanes(ports, policy, &mut left).await;
    }
    left
}

/// Every execution there is.
pub(super) async fn executions(ports: &Ports) -> Vec<Execution> {
    let found = all(ports, Query::index(Index::List, Kind::Execution.as_str(), 500)).await;
    found.iter().map(read).collect()
}

async fn lanes(ports: &Ports, policy: &Policy, left: &mut Vec<String>) {
    for record in all(ports, Query::index(Index::Of, layout::lanes_of_policy(policy.id), 500)).await
    {
        let lane: Lane = read(&record);
        if (lane.running, lane.waiting, lane.wake_at) != (0, 0, None) {
            left.push(format!(
                "lane {}: {} running, {} waiting, wake at {:?}",
                lane.key, lane.running, lane.waiting, lane.wake_at
            ));
        }
        let within = Query::partition(record.key.partition, 500);
        for within in all(ports, within).await.iter().filter(|within| within.kind != Kind::Lane) {
            left.push(format!("{} is kept", within.key));
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(record: &Record) -> T {
    record.decode().expect("records can be read")
}

async fn all(ports: &Ports, query: Query) -> Vec<Record> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = ports.records.query(&query.clone().after(after)).await;
        let page = page.expect("records can be queried");
        found.extend(page.records);
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}
