//! Queues: messages that nobody could deal with.

use super::queues::{NOW, give_back, message, numbers, receive, send, wait};
use super::{Ending, Fixture, Options};
use crate::eventually::eventually;
use attune_domain::message::Message;
use attune_ports::queues::DeadLetter;
use attune_ports::{Outgoing, Ports, Queue};
use serde_json::json;
use std::time::Duration;

const MOST: u32 = 3;

fn options() -> Options {
    Options { max_receives: MOST, ..Options::default() }
}

async fn dead(ports: &Ports, queue: Queue) -> Vec<DeadLetter> {
    ports.queues.dead_letters(queue, None, 100).await.expect("dead letters can be read")
}

/// Numbers of dead letters, as their bodies say.
fn executions(dead: &[DeadLetter]) -> Vec<i64> {
    dead.iter().map(|letter| letter.body["execution"].as_i64().expect("a number")).collect()
}

/// Lets messages die by giving back every delivery.
async fn kill(ports: &Ports, queue: Queue, all: std::ops::Range<i64>) {
    let count = all.clone().count();
    let before = dead(ports, queue).await.len();
    for n in all {
        send(ports, queue, &format!("g{n}"), [n]).await;
    }
    eventually("they are dead", async || {
        for delivery in receive(ports, queue).await {
            give_back(ports, queue, &delivery, NOW).await;
        }
        (dead(ports, queue).await.len() == before + count).then_some(())
    })
    .await;
}

/// The last delivery that may be, and then a dead letter that says why.
pub async fn a_message_delivered_too_often_is_set_aside<F: Fixture>() {
    let fixture = F::fresh(options()).await;
    let ports = fixture.ports();
    for queue in [Queue::Match, Queue::Complete] {
        send(ports, queue, "g", [1]).await;
        for round in 1..=MOST {
            let taken = wait(ports, queue).await;
            assert_eq!(taken[0].receives, round, "{queue}");
            assert!(dead(ports, queue).await.is_empty(), "{queue}: it is alive still");
            give_back(ports, queue, &taken[0], NOW).await;
        }
        assert!(receive(ports, queue).await.is_empty(), "{queue}");
        assert_eq!(ports.queues.depth(queue).await.expect("readable"), 0, "{queue}");
        let letters = dead(ports, queue).await;
        assert_eq!(executions(&letters), [1], "{queue}");
        let letter = &letters[0];
        assert_eq!(letter.body["step"], json!("execution.requested"), "{queue}");
        if F::REMEMBERS_REASONS {
            assert_eq!(letter.reason.as_deref(), Some("not now"), "{queue}");
        }
        assert_eq!(letter.receives, MOST, "{queue}");
        assert!(letter.died_at >= letter.sent_at, "{queue}");
    }
}

/// A worker that dies each time says nothing; its message dies, too, and the group goes on.
pub async fn its_group_goes_on_without_it<F: Fixture>() {
    let visibility = Duration::from_millis(40).max(F::GRAIN);
    let brief = Options { visibility, max_receives: MOST };
    let fixture = F::fresh(brief).await;
    let ports = fixture.ports();
    send(ports, Queue::Admit, "g", [1]).await;
    let group = ports.queues.receive(Queue::Admit, 1, NOW).await.expect("readable");
    assert_eq!(numbers(&group), [1]);
    send(ports, Queue::Admit, "g", [2]).await;
    let mut deliveries = 1;
    let next = eventually("the next of the group", async || {
        let taken = ports.queues.receive(Queue::Admit, 1, NOW).await.expect("readable");
        deliveries += u32::from(numbers(&taken) == [1]);
        (numbers(&taken) == [2]).then_some(taken)
    })
    .await;
    assert_eq!(deliveries, MOST);
    assert_eq!(next[0].receives, 1);
    let letters = dead(ports, Queue::Admit).await;
    assert_eq!(executions(&letters), [1]);
    assert!(letters[0].reason.is_some() || !F::REMEMBERS_REASONS, "it says what is known");
}

/// Oldest first, page by page; an unknown cursor's place is kept, other queues are apart.
pub async fn dead_letters_are_listed_in_pages<F: Fixture>() {
    let fixture = F::fresh(options()).await;
    let ports = fixture.ports();
    kill(ports, Queue::Admit, 0..1).await;
    for n in 1..7 {
        kill(ports, Queue::Wake, n..n + 1).await;
    }
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = ports.queues.dead_letters(Queue::Wake, cursor.as_deref(), 4).await;
        let page = page.expect("dead letters can be read");
        assert!(page.len() <= 4);
        let Some(last) = page.last() else { break };
        cursor = Some(last.id.clone());
        seen.extend(executions(&page));
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6]);
}

/// One by its id, then all the others; each is delivered as if sent now.
pub async fn a_dead_letter_can_be_sent_again<F: Fixture>() {
    let fixture = F::fresh(options()).await;
    let ports = fixture.ports();
    let queue = Queue::Match;
    kill(ports, queue, 0..4).await;
    let id = dead(ports, queue).await[1].id.clone();
    assert_eq!(ports.queues.redrive(queue, Some("no such letter")).await.expect("readable"), 0);
    assert_eq!(ports.queues.redrive(Queue::Wake, Some(&id)).await.expect("readable"), 0);
    assert_eq!(ports.queues.redrive(queue, Some(&id)).await.expect("readable"), 1);
    let taken = wait(ports, queue).await;
    assert_eq!(numbers(&taken), [1]);
    assert_eq!(taken[0].receives, 1);
    assert_eq!(executions(&dead(ports, queue).await), [0, 2, 3]);

    assert_eq!(ports.queues.redrive(queue, None).await.expect("readable"), 3);
    let mut again = numbers(&receive(ports, queue).await);
    again.sort_unstable();
    assert_eq!(again, [0, 2, 3]);
    assert!(dead(ports, queue).await.is_empty());
}

/// One by its id, then all the others.
pub async fn dead_letters_can_be_removed<F: Fixture>() {
    let mut fixture = F::fresh(options()).await;
    let queue = Queue::Match;
    kill(fixture.ports(), queue, 0..4).await;
    kill(fixture.ports(), Queue::Wake, 0..1).await;
    let queues = &fixture.ports().queues;
    let id = dead(fixture.ports(), queue).await[2].id.clone();
    assert_eq!(queues.purge(queue, Some("no such letter")).await.expect("readable"), 0);
    assert_eq!(queues.purge(queue, Some(&id)).await.expect("readable"), 1);
    assert_eq!(queues.purge(queue, Some(&id)).await.expect("readable"), 0, "it is gone");
    assert_eq!(executions(&dead(fixture.ports(), queue).await), [0, 1, 3]);
    assert_eq!(queues.purge(queue, None).await.expect("readable"), 3);
    fixture.restart(Ending::Clean).await;
    assert!(dead(fixture.ports(), queue).await.is_empty());
    assert!(receive(fixture.ports(), queue).await.is_empty());
    assert_eq!(dead(fixture.ports(), Queue::Wake).await.len(), 1, "other queues keep theirs");
}

/// Dead letters wait for a person, over restarts and crashes.
pub async fn dead_letters_survive_a_restart<F: Fixture>() {
    let mut fixture = F::fresh(options()).await;
    kill(fixture.ports(), Queue::Admit, 0..2).await;
    let before = dead(fixture.ports(), Queue::Admit).await;
    fixture.ports().records.settle().await.expect("it settles");
    for ending in [Ending::Crash, Ending::Clean] {
        fixture.restart(ending).await;
        let ports = fixture.ports();
        let after = dead(ports, Queue::Admit).await;
        let shown = |letters: &[DeadLetter]| -> Vec<_> {
            letters.iter().map(|l| (l.id.clone(), l.reason.clone(), l.receives)).collect()
        };
        assert_eq!(shown(&after), shown(&before), "{ending:?}");
        assert!(receive(ports, Queue::Admit).await.is_empty(), "{ending:?}");
    }
    assert_eq!(fixture.ports().queues.redrive(Queue::Admit, None).await.expect("readable"), 2);
    fixture.restart(Ending::Clean).await;
    assert_eq!(fixture.ports().queues.depth(Queue::Admit).await.expect("readable"), 2);
}

/// A text that is no message of this version stops nothing: it is set aside as it is.
pub async fn an_unreadable_message_is_a_dead_letter<F: Fixture>() {
    let mut fixture = F::fresh(options()).await;
    send(fixture.ports(), Queue::Match, "", [1]).await;
    for text in [r#"{"v": 9, "step": "moon.landed", "moon": 1}"#, "not even JSON"] {
        fixture.plant(Queue::Match, text).await;
        let ports = fixture.ports();
        let letters = eventually("it is set aside", async || {
            for delivery in receive(ports, Queue::Match).await {
                assert_eq!(numbers(std::slice::from_ref(&delivery)), [1]);
                give_back(ports, Queue::Match, &delivery, NOW).await;
            }
            let letters = dead(ports, Queue::Match).await;
            let found = letters.into_iter().find(|letter| {
                letter.body.get("moon").is_some() || letter.body.as_str() == Some("not even JSON")
            });
            found.map(|letter| vec![letter])
        })
        .await;
        assert!(letters[0].reason.is_some(), "{text}");
        let id = letters[0].id.clone();
        let purged = ports.queues.purge(Queue::Match, Some(&id)).await;
        assert_eq!(purged.expect("readable"), 1, "{text}");
    }
}

/// The port carries versions; whether one is known is the receiver's matter.
pub async fn a_message_of_another_version_is_delivered_as_it_is<F: Fixture>() {
    let fixture = F::fresh(options()).await;
    let ports = fixture.ports();
    let known = message(1, "g");
    let newer = Outgoing { message: Message { v: 99, ..known.message.clone() }, ..known };
    ports.queues.send(Queue::Admit, vec![newer.clone()]).await.expect("it can be sent");
    let taken = wait(ports, Queue::Admit).await;
    assert_eq!(taken[0].message, newer.message);
}
