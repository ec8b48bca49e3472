//! The messages of one queue, in memory: who is next, who is in flight, who waits for a time.

use attune_domain::Timestamp;
use attune_domain::message::Message;
use attune_ports::Queue;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use tokio::sync::Notify;

/// A message as the store keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub queue: Queue,
    /// Also the order of sending, across all queues.
    pub number: i64,
    pub group: String,
    pub deduplication: String,
    /// `Err`: the text could not be read as a message of this version.
    pub message: Result<Message, Value>,
    pub receives: u32,
    pub sent_at: Timestamp,
    /// Hidden before that moment: delayed, given back, or in flight.
    pub visible_at: Timestamp,
    /// When it was given up; dead letters wait for a person.
    pub died_at: Option<Timestamp>,
    pub reason: Option<String>,
    /// Whether SQLite has, or is about to have, a row of it.
    pub stored: bool,
}

/// One queue.
pub(crate) struct Letterbox {
    ordered: bool,
    letters: HashMap<i64, Letter>,
    deduplication: HashSet<String>,
    ready: VecDeque<i64>,
    groups: HashMap<String, Group>,
    ready_groups: VecDeque<String>,
    /// Hidden messages by the moment they come back.
    hidden: BTreeSet<(Timestamp, i64)>,
    in_flight: HashSet<i64>,
    dead: BTreeSet<i64>,
    pub news: Arc<Notify>,
}

/// The line of one group: numbers in order, and whether its first ones are in somebody's hands.
#[derive(Default)]
struct Group {
    line: VecDeque<i64>,
    in_flight: usize,
    /// A given-back message holds up its group until that moment.
    held_until: Option<Timestamp>,
    listed: bool,
}

impl Letterbox {
    pub(crate) fn new(queue: Queue) -> Self {
        Self {
            ordered: queue.is_ordered(),
            letters: HashMap::new(),
            deduplication: HashSet::new(),
            ready: VecDeque::new(),
            groups: HashMap::new(),
            ready_groups: VecDeque::new(),
            hidden: BTreeSet::new(),
            in_flight: HashSet::new(),
            dead: BTreeSet::new(),
            news: Arc::new(Notify::new()),
        }
    }

    pub(crate) fn depth(&self) -> usize {
        self.letters.len() - self.dead.len()
    }

    pub(crate) fn has(&self, deduplication: &str) -> bool {
        self.deduplication.contains(deduplication)
    }

    /// The letter, to be marked as stored.
    pub(crate) fn get_mut(&mut self, number: i64) -> Option<&mut Letter> {
        self.letters.get_mut(&number)
    }

    /// Takes in a letter that is not here yet: from a sender, or from the disk.
    pub(crate) fn insert(&mut self, letter: Letter, now: Timestamp) {
        let number = letter.number;
        if letter.died_at.is_some() {
            self.dead.insert(number);
        } else {
            self.deduplication.insert(letter.deduplication.clone());
            if self.ordered {
                self.line_up(&letter.group, number);
            } else if letter.visible_at > now {
                self.hidden.insert((letter.visible_at, number));
            } else {
                self.ready.push_back(number);
            }
        }
        self.letters.insert(number, letter);
        self.news.notify_one();
    }

    fn line_up(&mut self, name: &str, number: i64) {
        let group = self.groups.entry(name.to_owned()).or_default();
        let at = group.line.iter().rposition(|other| *other < number).map_or(0, |n| n + 1);
        group.line.insert(at, number);
        self.list(name);
    }

    /// Puts a group among those that can be served, if it can.
    fn list(&mut self, name: &str) {
        if let Some(group) = self.groups.get_mut(name) {
            let servable =
                group.in_flight == 0 && group.held_until.is_none() && !group.line.is_empty();
            if servable && !group.listed {
                group.listed = true;
                self.ready_groups.push_back(name.to_owned());
            }
            if group.line.is_empty() && group.in_flight == 0 {
                self.groups.remove(name);
            }
        }
    }

    /// Brings back what was hidden until now.
    pub(crate) fn surface(&mut self, now: Timestamp) {
        while let Some((at, number)) = self.hidden.first().copied() {
            if at > now {
                break;
            }
            self.hidden.pop_first();
            let Some(letter) = self.letters.get(&number) else { continue };
            if letter.died_at.is_some() {
                continue;
            }
            let name = letter.group.clone();
            let expired = self.in_flight.remove(&number);
            if !self.ordered {
                self.ready.push_back(number);
            } else if expired {
                if let Some(group) = self.groups.get_mut(&name) {
                    group.in_flight = group.in_flight.saturating_sub(1);
                }
                self.line_up(&name, number);
            } else if let Some(group) = self.groups.get_mut(&name)
                && group.held_until.is_some_and(|until| until <= at)
            {
                group.held_until = None;
                self.list(&name);
            }
        }
    }

    /// When something hidden comes back.
    pub(crate) fn next_surface(&self) -> Option<Timestamp> {
        self.hidden.first().map(|(at, _)| *at)
    }

    /// Hands out up to `max` letters, hidden until `until`.
    pub(crate) fn take(&mut self, max: usize, until: Timestamp) -> Vec<Letter> {
        let mut numbers = Vec::new();
        if self.ordered {
            // One group a batch: other groups go to other hands.
            while let Some(name) = self.ready_groups.pop_front() {
                let Some(group) = self.groups.get_mut(&name) else { continue };
                group.listed = false;
                if group.in_flight > 0 || group.held_until.is_some() || group.line.is_empty() {
                    continue;
                }
                let many = max.min(group.line.len());
                numbers.extend(group.line.drain(..many));
                group.in_flight = many;
                break;
            }
        } else {
            let many = max.min(self.ready.len());
            numbers.extend(self.ready.drain(..many));
        }
        if !self.ready.is_empty() || !self.ready_groups.is_empty() {
            self.news.notify_one();
        }
        numbers
            .into_iter()
            .filter_map(|number| {
                let letter = self.letters.get_mut(&number)?;
                letter.receives += 1;
                letter.visible_at = until;
                self.in_flight.insert(number);
                self.hidden.insert((until, number));
                Some(letter.clone())
            })
            .collect()
    }

    fn land(&mut self, number: i64) -> bool {
        if !self.in_flight.remove(&number) {
            return false;
        }
        let Some(letter) = self.letters.get(&number) else { return false };
        self.hidden.remove(&(letter.visible_at, number));
        if self.ordered {
            let name = letter.group.clone();
            if let Some(group) = self.groups.get_mut(&name) {
                group.in_flight = group.in_flight.saturating_sub(1);
            }
        }
        true
    }

    /// Done with a letter: it is gone. `None` where the delivery is not current any more.
    pub(crate) fn finish(&mut self, number: i64, receives: u32) -> Option<Letter> {
        if self.letters.get(&number).is_none_or(|letter| letter.receives != receives)
            || !self.land(number)
        {
            return None;
        }
        let letter = self.letters.remove(&number)?;
        self.deduplication.remove(&letter.deduplication);
        self.list(&letter.group);
        if !self.ready_groups.is_empty() {
            self.news.notify_one();
        }
        Some(letter)
    }

    /// Not done with a letter: it comes back at `at`, or is dead.
    pub(crate) fn give_back(
        &mut self,
        number: i64,
        receives: u32,
        at: Timestamp,
        now: Timestamp,
        died: bool,
        reason: &str,
    ) -> Option<Letter> {
        if self.letters.get(&number).is_none_or(|letter| letter.receives != receives)
            || !self.land(number)
        {
            return None;
        }
        let letter = self.letters.get_mut(&number)?;
        letter.reason = Some(reason.to_owned());
        letter.visible_at = at;
        let copy = if died {
            letter.died_at = Some(now);
            let copy = letter.clone();
            self.dead.insert(number);
            self.deduplication.remove(&copy.deduplication);
            self.list(&copy.group);
            copy
        } else {
            let copy = letter.clone();
            self.hold(&copy, at, now);
            copy
        };
        self.news.notify_one();
        Some(copy)
    }

    fn hold(&mut self, letter: &Letter, at: Timestamp, now: Timestamp) {
        let later = at > now;
        if self.ordered {
            let group = self.groups.entry(letter.group.clone()).or_default();
            if later {
                group.held_until = Some(group.held_until.map_or(at, |until| until.max(at)));
            }
            self.line_up(&letter.group.clone(), letter.number);
        } else if !later {
            self.ready.push_back(letter.number);
        }
        if later {
            self.hidden.insert((at, letter.number));
        }
    }

    pub(crate) fn dead_letters(&self, after: Option<i64>, limit: usize) -> Vec<&Letter> {
        let from = after.map_or(i64::MIN, |number| number + 1);
        self.dead.range(from..).take(limit).filter_map(|n| self.letters.get(n)).collect()
    }

    /// Takes dead letters out: one, or all.
    pub(crate) fn exhume(&mut self, number: Option<i64>) -> Vec<Letter> {
        let numbers: Vec<i64> = match number {
            Some(number) => self.dead.take(&number).into_iter().collect(),
            None => std::mem::take(&mut self.dead).into_iter().collect(),
        };
        numbers.into_iter().filter_map(|number| self.letters.remove(&number)).collect()
    }
}
