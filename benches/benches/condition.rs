//! What it costs to find the rules that an event concerns, among a thousand of its trigger.

use std::hint::black_box;

use attune_benches::mix;
use attune_domain::Timestamp;
use attune_domain::condition::{Condition, EventView, Index};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::Value;

fn matching(criterion: &mut Criterion) {
    let index = Index::new((0..mix::RULES).map(|rule| {
        let condition = Condition::parse(&mix::conditions(rule)).expect("a condition of the mix");
        (condition, rule)
    }));
    // One round of events, wanted and unwanted ones as they come.
    let payloads: Vec<Value> = (0..mix::RULES).map(mix::payload).collect();
    for (number, payload) in payloads.iter().enumerate() {
        let matched = index.matches(&event(payload)).count();
        assert_eq!(matched, usize::from(mix::wanted(number)), "what is measured works");
    }
    criterion.bench_function("condition_index_1000", |bencher| {
        let mut next = payloads.iter().cycle();
        bencher.iter(|| {
            let payload = next.next().expect("a round without end");
            index.matches(black_box(&event(payload))).count()
        });
    });
}

fn event(payload: &Value) -> EventView<'_> {
    let now = Timestamp::from_timestamp(1_700_000_000, 0).expect("a moment that exists");
    EventView {
        id: 7,
        trigger_ref: "shop.order",
        payload: Some(payload),
        created: "2023-11-14T22:13:20Z",
        now,
    }
}

criterion_group!(benches, matching);
criterion_main!(benches);
