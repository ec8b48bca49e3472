//! Single steps, called by hand: what only happens when messages come in an unlucky batch, or all at once.

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
use attune_ports::Ports;
use attune_tests::contract::{Fixture, Options};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use tokio::task::JoinSet;

fn noop() -> ComponentRef {
    ComponentRef::parse("core.noop").expect("a ref")
}

/// A platform whose messages nobody takes, with so many slots for `core.noop`.
async fn idle<F: Fixture>(limit: u32) -> F {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let folder = tempfile::tempdir().expect("a folder");
    let core = folder.path().join("core");
    attune_packs::builtin::write_to(&core).expect("the core pack can be written");
    let pack = attune_packs::load(&core).expect("the core pack is right");
    install(ports, &pack, core.to_str(), Origin::Startup).await.expect("it is installed");
    let policy = NewPolicy {
        reference: ComponentRef::parse("core.few").expect("a ref"),
        description: None,
        scope: Scope::Action(noop()),
        terms: Terms { limit: Some(limit), ..Terms::default() },
        parameters: vec![],
        priority_parameter: None,
        max_attempts: 1,
        enabled: true,
    };
    policies::create(ports, &policy).await.expect("the policy is right");
    fixture
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

/// A message that comes twice in one batch is dealt with once.
async fn what_stands_twice_in_a_batch_counts_once<F: Fixture>() {
    let fixture = idle::<F>(1).await;
    let ports = fixture.ports();
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

/// What a lane and those who went through it are, without names and times.
#[derive(Debug, PartialEq)]
struct Account {
    active: u64,
    waiting: u64,
    enqueued: u64,
    completed: u64,
    /// Grants and tickets, each in order.
    slots: Vec<u64>,
    tickets: Vec<u64>,
}

async fn account(ports: &Ports, ids: &[ExecutionId]) -> Account {
    let (mut slots, mut tickets) = (Vec::new(), Vec::new());
    for id in ids {
        match look(ports, *id).await.place.map(|place| place.holds) {
            Some(Holds::Slot(grant)) => slots.push(grant),
            Some(Holds::Ticket(ticket)) => tickets.push(ticket.number),
            Some(Holds::Nothing) => {}
            None => panic!("{id} was never admitted"),
        }
    }
    slots.sort_unstable();
    tickets.sort_unstable();
    let stats = queue_stats::of(ports, &noop()).await.expect("the lane answers").expect("a lane");
    Account {
        active: stats.active,
        waiting: stats.queue_length,
        enqueued: stats.total_enqueued,
        completed: stats.total_completed,
        slots,
        tickets,
    }
}

/// Lets a worker of its own deal with each of these, all at once. As often as it comes to nothing, the
/// message comes again.
async fn all_at_once<F: Fixture>(
    fixture: &F,
    ids: &[ExecutionId],
    step: fn(Ports, ExecutionId) -> BoxFuture<'static, bool>,
) {
    let mut works = JoinSet::new();
    for id in ids.iter().copied() {
        let ports = fixture.another().await;
        works.spawn(async move { while !step(ports.clone(), id).await {} });
    }
    while let Some(work) = works.join_next().await {
        work.expect("no worker fails");
    }
}

fn admitted(ports: Ports, id: ExecutionId) -> BoxFuture<'static, bool> {
    async move {
        let (done, result) = admit::handle(&ports, &[Subject::Execution(id)]).await;
        assert_eq!(done == 1, result.is_ok());
        done == 1
    }
    .boxed()
}

fn left(ports: Ports, id: ExecutionId) -> BoxFuture<'static, bool> {
    async move {
        match cancel::execution(&ports, id).await {
            Ok(_) | Err(cancel::Error::Over(_)) => {}
            Err(error) => panic!("{error}"),
        }
        complete::handle(&ports, &[id]).await.1.is_ok()
    }
    .boxed()
}

/// Fifty workers meet at one lane, with nothing that puts them in order: what comes out is what fifty would
/// leave who came one after the other.
async fn a_storm_of_admissions_ends_as_a_queue_would<F: Fixture>() {
    const LIMIT: u32 = 3;
    let mut accounts = Vec::new();
    for at_once in [false, true] {
        let fixture = idle::<F>(LIMIT).await;
        let ports = fixture.ports();
        let mut ids = Vec::new();
        for _ in 0..50 {
            ids.push(ask(ports).await);
        }
        if at_once {
            all_at_once(&fixture, &ids, admitted).await;
        } else {
            for id in &ids {
                assert!(admitted(ports.clone(), *id).await, "nobody is in the way");
            }
        }
        accounts.push(account(ports, &ids).await);
        if at_once {
            drain(&fixture, &ids, LIMIT as usize).await;
        }
    }
    assert_eq!(accounts[1], accounts[0]);
    assert_eq!(accounts[0].slots, [1, 2, 3]);
    assert_eq!(accounts[0].tickets.len(), 47);
}

/// Ends whoever has a slot, all at the same time, until nobody is left.
async fn drain<F: Fixture>(fixture: &F, ids: &[ExecutionId], limit: usize) {
    let ports = fixture.ports();
    let mut over = 0;
    while over < ids.len() {
        let mut holders = Vec::new();
        for id in ids {
            if look(ports, *id).await.status == ExecutionStatus::Scheduled {
                holders.push(*id);
            }
        }
        assert_eq!(holders.len(), limit.min(ids.len() - over), "every slot is taken");
        all_at_once(fixture, &holders, left).await;
        over += holders.len();
    }
    let all = ids.len() as u64;
    let empty = Account {
        active: 0,
        waiting: 0,
        enqueued: all,
        completed: all,
        slots: vec![],
        tickets: vec![],
    };
    assert_eq!(account(ports, ids).await, empty);
}

attune_tests::on_both! {
    what_stands_twice_in_a_batch_counts_once,
    a_storm_of_admissions_ends_as_a_queue_would,
}
