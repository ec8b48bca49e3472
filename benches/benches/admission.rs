//! What one admission costs apart from reading and committing: the decision on the lane record.

use std::hint::black_box;

use attune_domain::Timestamp;
use attune_domain::admission::{Admission, Arrival, Lane, LaneKey};
use attune_domain::id::{ExecutionId, PolicyId};
use attune_domain::policy::Terms;
use attune_domain::runtime::Runtime;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

fn decide(criterion: &mut Criterion) {
    let now = Timestamp::from_timestamp(1_700_000_000, 0).expect("a moment that exists");
    let arrival = Arrival { execution: ExecutionId::new(7), priority: 5, runtime: Runtime::Native };
    let mut lane = lane(now);
    // The slot goes to the first, and a long line is waiting: what is decided is a place in it.
    for _ in 0..100_000 {
        lane.admit(arrival, now);
    }
    assert!(matches!(lane.admit(arrival, now), Admission::Waiting(_)), "the lane is full");
    criterion.bench_function("admission_decide", |bencher| {
        bencher.iter_batched_ref(
            || lane.clone(),
            |lane| black_box(lane.admit(black_box(arrival), black_box(now))),
            BatchSize::SmallInput,
        );
    });
}

fn lane(now: Timestamp) -> Lane {
    let policy = PolicyId::new(1);
    let terms = Terms { limit: Some(1), ..Terms::default() };
    Lane::new(LaneKey::of(policy, None), policy, terms, now, now)
}

criterion_group!(benches, decide);
criterion_main!(benches);
