//! Steps of threads: begun, told what comes next, waiting.

use super::{Fixture, Options};
use attune_domain::id::ExecutionId;
use attune_ports::Ports;
use attune_ports::orchestrator::{Then, ThreadStep};
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// The first step of a thread of a run of its own.
fn first(ports: &Ports) -> ThreadStep {
    let run = ExecutionId::new(ports.ids.next());
    ThreadStep { run, thread: 0, hop: 0, sequence: 0 }
}

fn after(step: ThreadStep) -> ThreadStep {
    ThreadStep { sequence: step.sequence + 1, ..step }
}

async fn begin(ports: &Ports, step: ThreadStep) {
    ports.orchestrator.start(step).await.expect("a thread can be begun");
}

async fn tell(ports: &Ports, token: &str, then: Then) {
    ports.orchestrator.tell(token, then).await.expect("a thread can be told");
}

/// Begins a thread that nobody has to do with, and sees that nothing comes before it.
async fn nothing_comes<F: Fixture>(fixture: &F) {
    let marker = first(fixture.ports());
    begin(fixture.ports(), marker).await;
    assert_eq!(fixture.next_step().await.0, marker);
}

/// A step is handed out as it was begun, however large its numbers.
pub async fn what_is_begun_is_to_be_taken<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let largest = ThreadStep {
        run: ExecutionId::new((1 << 53) - 1),
        thread: u32::MAX,
        hop: u32::MAX,
        sequence: (1 << 53) - 1,
    };
    begin(fixture.ports(), largest).await;
    assert_eq!(fixture.next_step().await.0, largest);
}

/// There is one execution for each run, thread and hop, also after it has gone on or ended.
pub async fn beginning_twice_begins_once<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let step = first(ports);
    begin(ports, step).await;
    let (taken, token) = fixture.next_step().await;
    assert_eq!(taken, step);
    begin(ports, step).await;
    if !F::BEGINS_ONCE {
        // Then it is taken twice, which is harmless.
        assert_eq!(fixture.next_step().await.0, step);
    }
    tell(ports, &token, Then::Step { step: after(step) }).await;
    let (taken, token) = fixture.next_step().await;
    assert_eq!(taken, after(step));
    if F::BEGINS_ONCE {
        begin(ports, step).await;
        tell(ports, &token, Then::End).await;
        begin(ports, step).await;
    }
    nothing_comes(&fixture).await;
}

/// A thread goes on in another execution while the one before still ends.
pub async fn another_hop_begins_anew<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let step = first(ports);
    begin(ports, step).await;
    let (_, token) = fixture.next_step().await;
    let hop = ThreadStep { hop: 1, ..after(step) };
    begin(ports, hop).await;
    tell(ports, &token, Then::End).await;
    assert_eq!(fixture.next_step().await.0, hop);
    nothing_comes(&fixture).await;
}

/// Whoever is told takes that step next, with another token.
pub async fn what_is_told_comes_next<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let mut step = first(ports);
    begin(ports, step).await;
    for _ in 0..3 {
        let (taken, token) = fixture.next_step().await;
        assert_eq!(taken, step);
        step = after(step);
        tell(ports, &token, Then::Step { step }).await;
    }
    let (taken, token) = fixture.next_step().await;
    assert_eq!(taken, step);
    tell(ports, &token, Then::End).await;
    nothing_comes(&fixture).await;
}

/// A step that waits does not come before its moment, and one whose moment has passed comes at once.
pub async fn a_step_that_waits_comes_at_its_moment<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let step = first(ports);
    begin(ports, step).await;
    let (_, token) = fixture.next_step().await;
    // Finer than a store may keep moments.
    let until = ports.clock.now() + TimeDelta::milliseconds(1500) + TimeDelta::nanoseconds(1);
    tell(ports, &token, Then::Wait { step: after(step), until }).await;
    let (taken, token) = fixture.next_step().await;
    assert!(ports.clock.now() >= until, "its moment has come");
    assert_eq!(taken, after(step));
    let past = until - TimeDelta::days(1);
    tell(ports, &token, Then::Wait { step: after(taken), until: past }).await;
    assert_eq!(fixture.next_step().await.0, after(taken));
}

/// Threads of one run do not wait for each other.
pub async fn threads_go_side_by_side<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let run = first(ports).run;
    let threads: BTreeSet<_> =
        (0..5).map(|thread| ThreadStep { run, thread, hop: 0, sequence: 0 }).collect();
    for step in &threads {
        begin(ports, *step).await;
    }
    let mut taken = BTreeSet::new();
    for _ in &threads {
        let (step, token) = fixture.next_step().await;
        taken.insert(step);
        tell(ports, &token, Then::End).await;
    }
    assert_eq!(taken, threads);
    nothing_comes(&fixture).await;
}

/// Telling who never waited, or does not wait any more, changes nothing.
pub async fn who_does_not_wait_is_passed_over<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    tell(ports, "nobody waits with this", Then::End).await;
    let step = first(ports);
    begin(ports, step).await;
    let (_, token) = fixture.next_step().await;
    tell(ports, &token, Then::Step { step: after(step) }).await;
    assert_eq!(fixture.next_step().await.0, after(step));
    tell(ports, &token, Then::End).await;
    nothing_comes(&fixture).await;
}
