//! Single steps, called by hand: what only happens when messages come in an unlucky batch.

use attune_catalogue::policies::{self, NewPolicy};
use attune_catalogue::{Origin, install};
use attune_domain::catalogue::Placement;
use attune_domain::execution::{Execution, Holds, Place};
use attune_domain::id::ExecutionId;
use attune_domain::policy::{Scope, Terms};
use attune_domain::reference::ComponentRef;
use attune_domain::status::ExecutionStatus;
use attune_journey::request::{self, NewExecution};
use attune_journey::{Subject, admit, cancel, complete, load, queue_stats};
use attune_local::{Config, Local};
use attune_ports::Ports;
use attune_runner::Runner;
use std::collections::BTreeMap;
use std::sync::Arc;

fn noop() -> ComponentRef {
    ComponentRef::parse("core.noop").expect("a ref")
}

/// A platform whose messages nobody takes, with one slot for `core.noop`.
async fn idle(folder: &std::path::Path) -> Local {
    let runner = Runner::new(attune_runner::Config::new(folder, "steps", "http://127.0.0.1"));
    let local = attune_local::open(folder, &Config::default(), Arc::new(runner))
        .expect("the folder can be opened");
    let core = folder.join("core");
    attune_packs::builtin::write_to(&core).expect("the core pack can be written");
    let pack = attune_packs::load(&core).expect("the core pack is right");
    install(&local.ports, &pack, core.to_str(), Origin::Startup).await.expect("it is installed");
    let policy = NewPolicy {
        reference: ComponentRef::parse("core.one").expect("a ref"),
        description: None,
        scope: Scope::Action(noop()),
        terms: Terms { limit: Some(1), ..Terms::default() },
        parameters: vec![],
        priority_parameter: None,
        max_attempts: 1,
        enabled: true,
    };
    policies::create(&local.ports, &policy).await.expect("the policy is right");
    local
}

async fn ask(ports: &Ports) -> ExecutionId {
    let new = NewExecution {
        action_ref: noop(),
        parameters: None,
        env_vars: BTreeMap::new(),
        permission_set_refs: vec![],
        placement: Placement::default(),
        executor: None,
        parent: None,
        priority: None,
        idempotency: None,
    };
    request::execution(ports, new).await.expect("the request is right").id
}

async fn look(ports: &Ports, id: ExecutionId) -> Execution {
    load::execution(ports, id).await.expect("records answer").expect("it exists")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_twice_in_a_batch_counts_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let local = idle(folder.path()).await;
    let ports = &local.ports;
    let (first, second) = (ask(ports).await, ask(ports).await);

    let batch = [first, first, second, first, second].map(Subject::Execution);
    let (done, result) = admit::handle(ports, &batch).await;
    result.expect("a repetition is no failure");
    assert_eq!(done, batch.len());
    let (running, waiting) = (look(ports, first).await, look(ports, second).await);
    assert_eq!(running.status, ExecutionStatus::Scheduled);
    assert!(matches!(waiting.place, Some(Place { holds: Holds::Ticket(_), .. })));
    let stats = queue_stats::of(ports, &noop()).await.expect("the lane answers").expect("a lane");
    assert_eq!((stats.active, stats.queue_length, stats.total_enqueued), (1, 1, 2));

    cancel::execution(ports, first).await.expect("what is scheduled can be cancelled");
    let (done, result) = complete::handle(ports, &[first, first]).await;
    result.expect("a repetition is no failure");
    assert_eq!(done, 2);
    assert_eq!(look(ports, second).await.status, ExecutionStatus::Scheduled);
    let stats = queue_stats::of(ports, &noop()).await.expect("the lane answers").expect("a lane");
    assert_eq!((stats.active, stats.queue_length, stats.total_completed), (1, 0, 1));
}
