//! Schedules as EventBridge Scheduler has them: their names, expressions and what they say when they fire.

use super::expression::Expression;
use attune_domain::Timestamp;
use attune_ports::{Schedule, Tick};
use chrono::{SubsecRound, TimeDelta};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What Scheduler puts in place of this in an input: the moment that it fires for.
const SCHEDULED_TIME: &str = "<aws.scheduler.scheduled-time>";

/// What reaches `ingest-event` for a timer: from Scheduler, or from the queue of ticks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A schedule of its own fires. It brings all that its event needs, which saves reading it.
    Timer {
        /// The schedule.
        schedule: Schedule,
        /// The moment it fires for; any other text means the latest.
        scheduled_at: String,
    },
    /// The minute's plan is to be made.
    Plan {},
    /// A timer that was quiet for long is to be looked at.
    Link {
        /// The schedule's name.
        name: String,
        /// Of which setting.
        generation: i64,
        /// The moment that was agreed on.
        at: Timestamp,
    },
    /// A planned tick is due.
    Tick(Tick),
}

/// A schedule to be made in EventBridge Scheduler.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its name, of at most 64 letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// `rate(…)`, `cron(…)` or `at(…)`.
    pub expression: String,
    /// Whose clock the expression reads.
    pub timezone: &'static str,
    /// Not before.
    pub start: Option<Timestamp>,
    /// What it says.
    pub input: Input,
}

impl Entry {
    /// A timer's own schedule. `first` is its first tick.
    pub(super) fn own(
        schedule: &Schedule,
        expression: String,
        timezone: &'static str,
        first: Timestamp,
    ) -> Self {
        let input =
            Input::Timer { schedule: schedule.clone(), scheduled_at: SCHEDULED_TIME.into() };
        let first = ceiling(first);
        // A rate counts from its start; a cron expression needs to be awake when its time comes.
        let start =
            if expression.starts_with("rate") { first } else { first - TimeDelta::minutes(1) };
        let name = name_of(&schedule.name, schedule.timer.generation, None);
        Self { name, expression, timezone, start: Some(start), input }
    }

    /// A one-time schedule that looks at a timer.
    pub(super) fn link(schedule: &Schedule, at: Timestamp) -> Self {
        let (name, generation) = (&schedule.name, schedule.timer.generation);
        Self {
            name: name_of(name, generation, Some(at)),
            expression: format!("at({})", at.format("%Y-%m-%dT%H:%M:%S")),
            timezone: "UTC",
            start: None,
            input: Input::Link { name: name.clone(), generation, at },
        }
    }

    /// The schedule that makes the plan of every minute.
    pub(super) fn minute() -> Self {
        Self {
            name: "plan".into(),
            expression: "rate(1 minute)".into(),
            timezone: "UTC",
            start: None,
            input: Input::Plan {},
        }
    }

    /// Whether it fires once and is gone.
    #[must_use]
    pub fn is_once(&self) -> bool {
        self.expression.starts_with("at(")
    }
}

/// The whole second at or after a moment.
fn ceiling(moment: Timestamp) -> Timestamp {
    let floor = moment.trunc_subsecs(0);
    if floor < moment { floor + TimeDelta::seconds(1) } else { floor }
}

/// Name of a timer's own schedule, or of its link at a moment: different for every setting, so that the new one
/// exists before the old one is removed.
pub(super) fn name_of(timer: &str, generation: i64, link: Option<Timestamp>) -> String {
    let (kind, moment) = match link {
        None => ("timer", String::new()),
        Some(at) => ("link", at.timestamp().to_string()),
    };
    let cause = format!("{timer}\n{generation}\n{moment}");
    format!("{kind}-{}", hex::encode(&Sha256::digest(cause)[..20]))
}

/// The tick for which a schedule of its own fires at `now`: the latest of its grid.
///
/// Scheduler's moment may lie a little beside the tick, as its start is a whole second.
pub(super) fn due(schedule: &Schedule, scheduled_at: &str, now: Timestamp) -> Option<Tick> {
    let beside = TimeDelta::seconds(30);
    let moment = scheduled_at.parse::<Timestamp>().map_or(now, |at| at + beside);
    let timer = &schedule.timer;
    let tick = timer.spec.latest(timer.anchor, moment)?;
    Some(Tick {
        name: schedule.name.clone(),
        generation: timer.generation,
        scheduled_at: tick,
        missed: 0,
        count: timer.spec.ordinal(timer.anchor, tick),
    })
}

/// The timer's own schedule, where it has one and ticks remain after `planned`.
pub(super) fn own(schedule: &Schedule, planned: Timestamp, now: Timestamp) -> Option<Entry> {
    let Expression::Own { expression, timezone } = super::expression::express(&schedule.timer, now)
    else {
        return None;
    };
    let first = schedule.timer.spec.next_after(schedule.timer.anchor, planned)?;
    Some(Entry::own(schedule, expression, timezone, first))
}
