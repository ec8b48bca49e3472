//! Queues: delivery, order and time.

use super::{Ending, Fixture, Options, repetitions};
use crate::eventually::eventually;
use attune_domain::id::ExecutionId;
use attune_domain::message::{Message, Step};
use attune_ports::{Delivery, Outgoing, Ports, Queue};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// Long enough for whatever is to come at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// Nothing is waited for.
pub(super) const NOW: Duration = Duration::ZERO;

/// A message with a number that [`number`] reads again.
pub(super) fn message(number: i64, group: &str) -> Outgoing {
    let step = Step::ExecutionRequested { execution: ExecutionId::new(number) };
    Outgoing::new(step.into(), group, 0)
}

/// The number that a message was made with.
pub(super) fn number(message: &Message) -> i64 {
    match &message.step {
        Step::ExecutionRequested { execution } => execution.get(),
        other => panic!("not one of ours: {other:?}"),
    }
}

pub(super) fn numbers(deliveries: &[Delivery]) -> Vec<i64> {
    deliveries.iter().map(|delivery| number(&delivery.message)).collect()
}

/// Sends messages of one group.
pub(super) async fn send(
    ports: &Ports,
    queue: Queue,
    group: &str,
    all: impl IntoIterator<Item = i64>,
) {
    let messages = all.into_iter().map(|n| message(n, group)).collect();
    ports.queues.send(queue, messages).await.expect("they can be sent");
}

/// The messages that are there, ten at most.
pub(super) async fn receive(ports: &Ports, queue: Queue) -> Vec<Delivery> {
    ports.queues.receive(queue, 10, NOW).await.expect("the queue can be read")
}

/// Messages as soon as there are some.
pub(super) async fn wait(ports: &Ports, queue: Queue) -> Vec<Delivery> {
    let found = ports.queues.receive(queue, 10, PATIENCE).await.expect("the queue can be read");
    assert!(!found.is_empty(), "nothing came");
    found
}

pub(super) async fn acknowledge(ports: &Ports, queue: Queue, deliveries: &[Delivery]) {
    let receipts = deliveries.iter().map(|delivery| delivery.receipt.clone()).collect();
    ports.queues.acknowledge(queue, receipts).await.expect("it can be noted");
}

pub(super) async fn give_back(ports: &Ports, queue: Queue, delivery: &Delivery, delay: Duration) {
    let receipt = delivery.receipt.clone();
    let given = ports.queues.give_back(queue, receipt, delay, "not now").await;
    given.expect("it can be noted");
}

async fn depth(ports: &Ports, queue: Queue) -> u64 {
    ports.queues.depth(queue).await.expect("the queue can be read")
}

/// The simplest life of a message, in every queue.
pub async fn a_message_comes_once_and_is_gone_when_acknowledged<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    for queue in Queue::ALL {
        send(ports, queue, "g", [7]).await;
        assert_eq!(depth(ports, queue).await, 1, "{queue}");
        let taken = wait(ports, queue).await;
        assert_eq!(numbers(&taken), [7], "{queue}");
        assert_eq!((taken[0].receives, taken[0].message.v), (1, 1), "{queue}");
        assert!(receive(ports, queue).await.is_empty(), "{queue}: it is in flight");
        assert_eq!(depth(ports, queue).await, 1, "{queue}: what is in flight counts");
        acknowledge(ports, queue, &taken).await;
        assert_eq!(depth(ports, queue).await, 0, "{queue}");
        assert!(receive(ports, queue).await.is_empty(), "{queue}");
    }
}

/// Messages of a plain queue go to whoever asks; each to one.
pub async fn a_plain_queue_hands_out_to_many<F: Fixture>() {
    let many = repetitions::<F>(500) as i64;
    let fixture = F::fresh(Options::default()).await;
    let mut hands = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let ports = fixture.ports().clone();
        hands.spawn(async move {
            let mut mine = Vec::new();
            while depth(&ports, Queue::Match).await > 0 {
                let taken = receive(&ports, Queue::Match).await;
                mine.extend(numbers(&taken));
                acknowledge(&ports, Queue::Match, &taken).await;
                tokio::task::yield_now().await;
            }
            mine
        });
    }
    let ports = fixture.ports();
    send(ports, Queue::Match, "", 0..many).await;
    let mut seen = Vec::new();
    while let Some(mine) = hands.join_next().await {
        seen.extend(mine.expect("no hand fails"));
    }
    while depth(ports, Queue::Match).await > 0 {
        // Those who looked before anything was sent may all have gone home.
        let taken = wait(ports, Queue::Match).await;
        seen.extend(numbers(&taken));
        acknowledge(ports, Queue::Match, &taken).await;
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..many).collect::<Vec<_>>());
}

/// While messages of a group are in somebody's hands, no other of that group is delivered; other groups are.
pub async fn a_group_comes_in_order_one_batch_at_a_time<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    for queue in [Queue::Admit, Queue::Complete] {
        for n in 0..30 {
            let group = ["a", "b", "c"][n as usize % 3];
            send(ports, queue, group, [n]).await;
        }
        let mut seen: [Vec<i64>; 3] = Default::default();
        let mut in_flight: Vec<Vec<Delivery>> = Vec::new();
        while depth(ports, queue).await > 0 {
            let taken = ports.queues.receive(queue, 3, NOW).await.expect("readable");
            if taken.is_empty() {
                assert!(
                    !in_flight.is_empty(),
                    "something waits, nothing is in flight, nothing comes"
                );
                acknowledge(ports, queue, &in_flight.remove(0)).await;
                continue;
            }
            for delivery in &taken {
                let taken_already = in_flight.iter().flatten().any(|d| d.group == delivery.group);
                assert!(!taken_already, "{queue}: group {} is in flight", delivery.group);
                seen[number(&delivery.message) as usize % 3].push(number(&delivery.message));
            }
            in_flight.push(taken);
        }
        for (n, group) in seen.into_iter().enumerate() {
            let expected: Vec<i64> = (0..30).filter(|m| *m as usize % 3 == n).collect();
            assert_eq!(group, expected, "{queue}");
        }
    }
}

/// The same deduplication id twice is one message, as long as the first is there.
pub async fn a_second_message_of_the_same_id_is_swallowed<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    send(ports, Queue::Admit, "g", [1, 2, 1]).await;
    send(ports, Queue::Admit, "g", [2]).await;
    let taken = wait(ports, Queue::Admit).await;
    assert_eq!(numbers(&taken), [1, 2]);
    send(ports, Queue::Admit, "g", [1]).await;
    assert_eq!(depth(ports, Queue::Admit).await, 2, "the first is in flight still");
    let other = Outgoing { deduplication: "another announcement".into(), ..message(1, "g") };
    ports.queues.send(Queue::Admit, vec![other]).await.expect("it can be sent");
    acknowledge(ports, Queue::Admit, &taken).await;
    assert_eq!(numbers(&wait(ports, Queue::Admit).await), [1], "another id is another message");
}

/// A delay hides a message from all who ask before.
pub async fn a_delayed_message_comes_later<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let delay = Duration::from_millis(150).max(F::GRAIN);
    let sent = Instant::now();
    let both = vec![message(1, "").after(delay), message(2, "")];
    ports.queues.send(Queue::Wake, both).await.expect("they can be sent");
    let first = wait(ports, Queue::Wake).await;
    assert_eq!(numbers(&first), [2]);
    let second = wait(ports, Queue::Wake).await;
    assert_eq!(numbers(&second), [1]);
    assert!(sent.elapsed() >= delay, "it came after {:?}", sent.elapsed());
}

/// A worker that says nothing loses its message to the next, and its receipt is worth nothing then.
pub async fn a_message_without_an_answer_comes_again<F: Fixture>() {
    let visibility = Duration::from_millis(100).max(F::GRAIN);
    let options = Options { visibility, max_receives: 100 };
    let fixture = F::fresh(options).await;
    let ports = fixture.ports();
    for queue in [Queue::Match, Queue::Admit] {
        send(ports, queue, "g", [1, 2]).await;
        let first = wait(ports, queue).await;
        assert_eq!(numbers(&first), [1, 2]);
        let again = wait(ports, queue).await;
        assert_eq!(number(&again[0].message), 1, "{queue}: the first comes first again");
        assert_eq!(again[0].receives, 2, "{queue}");
        eventually("all are dealt with", async || {
            let taken = receive(ports, queue).await;
            acknowledge(ports, queue, &taken).await;
            (depth(ports, queue).await == 0).then_some(())
        })
        .await;
    }
}

/// What an old delivery says counts for nothing: the message is in other hands.
pub async fn an_old_receipt_does_nothing<F: Fixture>() {
    let visibility = Duration::from_millis(100).max(F::GRAIN);
    let options = Options { visibility, max_receives: 100 };
    let fixture = F::fresh(options).await;
    let ports = fixture.ports();
    send(ports, Queue::Match, "", [1]).await;
    let old = wait(ports, Queue::Match).await;
    let mut current = wait(ports, Queue::Match).await;
    acknowledge(ports, Queue::Match, &old).await;
    give_back(ports, Queue::Match, &old[0], NOW).await;
    assert_eq!(depth(ports, Queue::Match).await, 1);
    // The present delivery may have run out meanwhile; whoever has it next ends it.
    eventually("the message is done", async || {
        acknowledge(ports, Queue::Match, &current).await;
        if depth(ports, Queue::Match).await == 0 {
            return Some(());
        }
        current = wait(ports, Queue::Match).await;
        None
    })
    .await;
    acknowledge(ports, Queue::Match, &old).await;
    assert!(receive(ports, Queue::Match).await.is_empty());
}

/// Messages given back, in whatever order, come again in the order of sending, before later ones.
pub async fn a_message_given_back_keeps_its_place<F: Fixture>() {
    let options = Options { max_receives: 100, ..Options::default() };
    let fixture = F::fresh(options).await;
    let ports = fixture.ports();
    let queue = Queue::Admit;
    send(ports, queue, "g", 0..10).await;
    let taken = ports.queues.receive(queue, 5, NOW).await.expect("readable");
    acknowledge(ports, queue, &taken[..2]).await;
    give_back(ports, queue, &taken[4], NOW).await;
    assert!(receive(ports, queue).await.is_empty(), "others of the group are in flight");
    give_back(ports, queue, &taken[2], NOW).await;
    give_back(ports, queue, &taken[3], NOW).await;
    let again = receive(ports, queue).await;
    assert_eq!(numbers(&again), (2..10).collect::<Vec<_>>());
    let receives: Vec<u32> = again.iter().map(|delivery| delivery.receives).collect();
    assert_eq!(receives, [2, 2, 2, 1, 1, 1, 1, 1]);

    // Given back with delays that end at different times: the group waits for the last.
    for (delivery, millis) in again.iter().zip([40, 120, 5, 80, 1, 0, 60, 10]) {
        give_back(ports, queue, delivery, Duration::from_millis(millis)).await;
    }
    let since = Instant::now();
    let all = wait(ports, queue).await;
    assert_eq!(numbers(&all), (2..10).collect::<Vec<_>>());
    assert!(since.elapsed() >= Duration::from_millis(90), "after {:?}", since.elapsed());
    assert!(receive(ports, queue).await.is_empty(), "no delivery of the group is there twice");
    acknowledge(ports, queue, &all).await;
    assert_eq!(depth(ports, queue).await, 0);
}

/// A group that has to wait is passed by the others.
pub async fn a_group_given_back_holds_up_nobody_else<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    send(ports, Queue::Admit, "slow", [1, 2]).await;
    let slow = wait(ports, Queue::Admit).await;
    for delivery in &slow {
        give_back(ports, Queue::Admit, delivery, Duration::from_secs(600)).await;
    }
    send(ports, Queue::Admit, "slow", [3]).await;
    send(ports, Queue::Admit, "fast", [4]).await;
    assert_eq!(numbers(&wait(ports, Queue::Admit).await), [4]);
    assert!(receive(ports, Queue::Admit).await.is_empty(), "the later one of the group waits, too");
}

/// Who waits for a message gets it as soon as it is sent.
pub async fn a_receiver_waits_for_the_first_message<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    for queue in [Queue::Match, Queue::Admit] {
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let ports = fixture.ports().clone();
            waiting.spawn(async move {
                let taken = ports.queues.receive(queue, 1, PATIENCE).await.expect("readable");
                numbers(&taken)
            });
        }
        tokio::task::yield_now().await;
        for (group, n) in [("a", 1), ("b", 2), ("c", 3)] {
            send(fixture.ports(), queue, group, [n]).await;
        }
        let mut seen = HashSet::new();
        while let Some(taken) = waiting.join_next().await {
            seen.extend(taken.expect("no receiver fails"));
        }
        assert_eq!(seen, HashSet::from([1, 2, 3]), "{queue}");
    }
}

/// A receiver that took something and is busy with it may have been the one that knew of a delayed message;
/// the other hears of it all the same.
pub async fn one_receiver_at_work_does_not_keep_a_delayed_message_from_another<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports().clone();
    for round in 0..repetitions::<F>(10) as i64 {
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..2 {
            let ports = ports.clone();
            waiting.spawn(async move {
                let taken = ports.queues.receive(Queue::Wake, 1, PATIENCE).await.expect("readable");
                acknowledge(&ports, Queue::Wake, &taken).await;
                numbers(&taken)
            });
        }
        tokio::task::yield_now().await;
        let delayed = message(2 * round, "").after(Duration::from_millis(30));
        ports.queues.send(Queue::Wake, vec![delayed]).await.expect("it can be sent");
        tokio::task::yield_now().await;
        send(&ports, Queue::Wake, "", [2 * round + 1]).await;
        let since = Instant::now();
        let mut seen = HashSet::new();
        while let Some(taken) = waiting.join_next().await {
            seen.extend(taken.expect("no receiver fails"));
        }
        assert_eq!(seen, HashSet::from([2 * round, 2 * round + 1]));
        assert!(since.elapsed() < PATIENCE / 2, "it came only after {:?}", since.elapsed());
    }
}

/// A clean end loses no message, and nothing of its order, group or delay.
pub async fn messages_survive_a_restart<F: Fixture>() {
    let mut fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    send(ports, Queue::Admit, "g", 0..5).await;
    send(ports, Queue::Match, "", [10]).await;
    let late = message(20, "").after(Duration::from_secs(600));
    ports.queues.send(Queue::Wake, vec![late]).await.expect("it can be sent");
    let taken = ports.queues.receive(Queue::Admit, 2, NOW).await.expect("readable");
    acknowledge(ports, Queue::Admit, &taken).await;
    fixture.restart(Ending::Clean).await;
    let ports = fixture.ports();
    assert_eq!(numbers(&wait(ports, Queue::Admit).await), [2, 3, 4]);
    assert_eq!(numbers(&wait(ports, Queue::Match).await), [10]);
    assert_eq!(depth(ports, Queue::Wake).await, 1);
    assert!(receive(ports, Queue::Wake).await.is_empty(), "it is delayed still");
    send(ports, Queue::Admit, "g", [4]).await;
    assert_eq!(depth(ports, Queue::Admit).await, 3, "it is known by its id");
}

/// After a crash whatever had settled and was not acknowledged comes again, in order.
pub async fn a_crash_delivers_again_in_order<F: Fixture>() {
    // Where others could still be alive, what a dead worker has is hidden for this long.
    let visibility = Duration::from_secs(if F::SLEEPS { 60 } else { 3 });
    let mut fixture = F::fresh(Options { visibility, ..Options::default() }).await;
    let ports = fixture.ports();
    send(ports, Queue::Admit, "g", 0..6).await;
    let taken = ports.queues.receive(Queue::Admit, 4, NOW).await.expect("readable");
    acknowledge(ports, Queue::Admit, &taken[..1]).await;
    ports.records.settle().await.expect("it settles");
    fixture.restart(Ending::Crash).await;
    let ports = fixture.ports();
    let again = eventually("the deliveries of the dead worker come again", async || {
        let again = receive(ports, Queue::Admit).await;
        (!again.is_empty()).then_some(again)
    })
    .await;
    assert_eq!(numbers(&again), [1, 2, 3, 4, 5]);
    let receives: Vec<u32> = again.iter().map(|delivery| delivery.receives).collect();
    assert_eq!(receives, [2, 2, 2, 1, 1], "the deliveries of before count");
}
