use super::*;
use crate::Timestamp;
use crate::id::{ExecutionId, PolicyId};
use crate::policy::{Method, Rate, Terms};
use crate::runtime::Runtime;
use chrono::Duration;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn start() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn lane(terms: Terms) -> Lane {
    let policy = PolicyId::new(1);
    Lane::new(LaneKey::of(policy, None), policy, terms, start(), start())
}

fn arrival(n: i64, priority: u8) -> Arrival {
    Arrival { execution: ExecutionId::new(n), priority, runtime: Runtime::Native }
}

fn limited(limit: u32) -> Terms {
    Terms { limit: Some(limit), ..Terms::default() }
}

#[test]
fn a_lane_answers_by_its_terms() {
    let rate = |limit, burst| Some(Rate { limit, per_seconds: 10, burst });
    let cancel = |terms: Terms| Terms { method: Method::Cancel, ..terms };
    let words = |terms: Terms| {
        let mut lane = lane(terms);
        (1..=4)
            .map(|n| match lane.admit(arrival(n, 5), start()) {
                Admission::Admitted(grant) => format!("slot {grant}"),
                Admission::Waiting(waiter) => format!("ticket {}", waiter.ticket.number),
                Admission::Throttled(waiter, at) => {
                    format!(
                        "ticket {} until +{}",
                        waiter.ticket.number,
                        (at - start()).num_seconds()
                    )
                }
                Admission::Refused(_) => "refused".to_owned(),
            })
            .collect::<Vec<_>>()
            .join(", ")
    };
    for (case, terms, expected) in [
        ("no limit lets all in", Terms::default(), "slot 1, slot 2, slot 3, slot 4"),
        ("who finds no slot waits", limited(2), "slot 1, slot 2, ticket 1, ticket 2"),
        ("or is refused", cancel(limited(2)), "slot 1, slot 2, refused, refused"),
        (
            "a full queue refuses",
            Terms { max_waiting: Some(1), ..limited(2) },
            "slot 1, slot 2, ticket 1, refused",
        ),
        (
            "tokens are spent, then come back",
            Terms { rate: rate(2, None), ..Terms::default() },
            "slot 1, slot 2, ticket 1 until +5, ticket 2 until +5",
        ),
        (
            "a burst is a larger bucket",
            Terms { rate: rate(1, Some(3)), ..Terms::default() },
            "slot 1, slot 2, slot 3, ticket 1 until +10",
        ),
        (
            "throttled and cancelling refuses",
            cancel(Terms { rate: rate(1, None), ..Terms::default() }),
            "slot 1, refused, refused, refused",
        ),
    ] {
        assert_eq!(words(terms), expected, "{case}");
    }
}

#[test]
fn who_comes_stands_behind_those_who_wait_even_if_there_is_room() {
    let mut lane = lane(limited(1));
    assert_eq!(lane.admit(arrival(1, 5), start()), Admission::Admitted(1));
    assert!(matches!(lane.admit(arrival(2, 5), start()), Admission::Waiting(_)));
    lane.adopt(&limited(5), start() + Duration::seconds(1), start());
    assert_eq!(lane.capacity(start()), Capacity::Free);
    let answer = lane.admit(arrival(3, 5), start());
    assert!(matches!(answer, Admission::Throttled(_, at) if at == start()), "{answer:?}");
    assert_eq!(lane.wake_at, Some(start()), "and somebody is to look at once");
}

#[test]
fn tickets_sort_as_text_as_they_do_as_values() {
    let tickets = [(0, 7), (0, 10), (5, 1), (5, 999_999), (9, 0)];
    let texts: Vec<String> = tickets
        .iter()
        .map(|(priority, number)| Ticket { priority: *priority, number: *number }.to_string())
        .collect();
    assert!(texts.is_sorted(), "{texts:?}");
}

/// What may happen to a lane.
#[derive(Clone, Debug)]
enum Happening {
    Comes {
        priority: u8,
    },
    /// The n-th of those who run is over.
    Ends(usize),
    /// The n-th of those who wait is cancelled.
    Leaves(usize),
    Passes {
        seconds: i64,
    },
    Becomes {
        limit: Option<u32>,
    },
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0_u8..=9).prop_map(|priority| Happening::Comes { priority }),
        4 => (0_usize..8).prop_map(Happening::Ends),
        1 => (0_usize..8).prop_map(Happening::Leaves),
        1 => (0_i64..20).prop_map(|seconds| Happening::Passes { seconds }),
        1 => proptest::option::of(1_u32..5).prop_map(|limit| Happening::Becomes { limit }),
    ]
}

/// The lane as the journey drives it: tickets and slots kept beside it, the line served after each change.
struct World {
    lane: Lane,
    now: Timestamp,
    running: Vec<ExecutionId>,
    line: BTreeMap<Ticket, ExecutionId>,
}

impl World {
    fn serve(&mut self) {
        while self.lane.waiting > 0 && self.lane.capacity(self.now) == Capacity::Free {
            let (ticket, execution) =
                self.line.pop_first().expect("the counter says somebody waits");
            let before = self.running.len();
            self.lane.grant_waiting(self.now);
            self.running.push(execution);
            assert!(self.line.keys().all(|other| ticket < *other), "the lowest ticket goes first");
            assert_eq!(self.running.len(), before + 1);
        }
        self.lane.settle(self.now);
    }

    fn step(&mut self, n: usize, happening: &Happening) {
        match happening {
            Happening::Comes { priority } => {
                let execution = ExecutionId::new(i64::try_from(n).unwrap() + 1);
                match self.lane.admit(arrival(execution.get(), *priority), self.now) {
                    Admission::Admitted(_) => self.running.push(execution),
                    Admission::Waiting(waiter) | Admission::Throttled(waiter, _) => {
                        assert!(self.line.insert(waiter.ticket, execution).is_none());
                    }
                    Admission::Refused(refusal) => panic!("nothing refuses here: {refusal}"),
                }
            }
            Happening::Ends(n) if !self.running.is_empty() => {
                self.running.remove(n % self.running.len());
                self.lane.release(self.now);
            }
            Happening::Leaves(n) if !self.line.is_empty() => {
                let ticket = *self.line.keys().nth(n % self.line.len()).unwrap();
                self.line.remove(&ticket);
                self.lane.leave(self.now);
            }
            Happening::Passes { seconds } => self.now += Duration::seconds(*seconds),
            Happening::Becomes { limit } => {
                let terms = Terms { limit: *limit, ..self.lane.terms.clone() };
                self.lane.adopt(&terms, self.now, self.now);
            }
            Happening::Ends(_) | Happening::Leaves(_) => {}
        }
        self.serve();
    }

    fn check(&self) {
        assert_eq!(self.lane.running as usize, self.running.len());
        assert_eq!(self.lane.waiting as usize, self.line.len());
        let free = self.lane.capacity(self.now) == Capacity::Free;
        assert!(self.line.is_empty() || !free, "nobody waits while there is room");
        if self.lane.waiting > 0 && matches!(self.lane.capacity(self.now), Capacity::At(_)) {
            assert!(self.lane.wake_at.is_some(), "somebody will look when time opens the lane");
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_counts_hold_and_nobody_is_overtaken(
        limit in proptest::option::of(1_u32..4),
        rate in proptest::option::of((1_u32..5, 1_u32..10)),
        happenings in proptest::collection::vec(happening(), 1..120),
    ) {
        let rate = rate.map(|(limit, per_seconds)| Rate { limit, per_seconds, burst: None });
        let terms = Terms { limit, rate, ..Terms::default() };
        let mut world =
            World { lane: lane(terms), now: start(), running: vec![], line: BTreeMap::new() };
        for (n, happening) in happenings.iter().enumerate() {
            let before = world.running.len();
            world.step(n, happening);
            world.check();
            if let Some(limit) = world.lane.terms.limit {
                // A lowered limit stops nobody who runs, but lets nobody new in.
                prop_assert!(world.running.len() <= before.max(limit as usize));
            }
        }
    }

    #[test]
    fn no_more_tokens_are_spent_than_were_there(
        limit in 1_u32..5,
        per_seconds in 1_u32..10,
        pauses in proptest::collection::vec(0_i64..3_000, 1..200),
    ) {
        let rate = Rate { limit, per_seconds, burst: None };
        let mut bucket = Bucket::full(&rate, start());
        let (mut now, mut spent) = (start(), 0_u32);
        for pause in pauses {
            now += Duration::milliseconds(pause);
            bucket.refill(&rate, now);
            if bucket.ready_at(&rate).is_none() {
                bucket.take();
                spent += 1;
            }
        }
        let seconds = (now - start()).num_milliseconds() as f64 / 1e3;
        prop_assert!(f64::from(spent) <= f64::from(limit) + seconds * rate.per_second() + 1e-3);
    }
}
