//! Policies: who may run how many of what at once, and how often.

use crate::Timestamp;
use crate::admission::LaneKey;
use crate::id::{IdentityId, PolicyId};
use crate::reference::{ComponentRef, PackRef};
use chrono::{Datelike, Duration, NaiveTime, TimeZone, Utc, Weekday};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// What a policy covers. The narrowest scope wins: action, pack, identity, global.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Executions of one action.
    Action(ComponentRef),
    /// Executions of a pack's actions, together.
    Pack(PackRef),
    /// Executions in one identity's name, together.
    Identity(IdentityId),
    /// All executions, together.
    Global,
}

/// What becomes of an execution that finds no slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// It waits in line.
    #[default]
    Enqueue,
    /// It is cancelled.
    Cancel,
}

/// A rate limit: a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Tokens per period.
    pub limit: u32,
    /// The period, in seconds.
    pub per_seconds: u32,
    /// Size of the bucket; `limit` if not given.
    pub burst: Option<u32>,
}

impl Rate {
    /// How many tokens the bucket holds at most.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        f64::from(self.burst.unwrap_or(self.limit).max(1))
    }

    /// Tokens that come back each second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        f64::from(self.limit) / f64::from(self.per_seconds.max(1))
    }
}

/// A time of the week in which a policy holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Days on which it begins; none named, every day.
    #[serde(default)]
    pub days: Vec<Weekday>,
    /// Local time at which it begins.
    pub from: NaiveTime,
    /// Local time at which it ends; not after `from`, on the next day.
    pub to: NaiveTime,
    /// IANA time zone.
    #[serde(default = "utc")]
    pub timezone: chrono_tz::Tz,
}

fn utc() -> chrono_tz::Tz {
    chrono_tz::Tz::UTC
}

impl Window {
    fn contains(&self, now: Timestamp) -> bool {
        let local = now.with_timezone(&self.timezone);
        let on = |day: Weekday| self.days.is_empty() || self.days.contains(&day);
        let time = local.time();
        if self.from < self.to {
            on(local.weekday()) && time >= self.from && time < self.to
        } else {
            (on(local.weekday()) && time >= self.from)
                || (on(local.weekday().pred()) && time < self.to)
        }
    }

    /// The next moment after `now` at which this window begins or ends.
    fn next_edge(&self, now: Timestamp) -> Option<Timestamp> {
        let today = now.with_timezone(&self.timezone).date_naive();
        (0..=8)
            .flat_map(|days| {
                let date = today + Duration::days(days);
                [self.from, self.to].into_iter().filter_map(move |time| {
                    // A local time that the clock skips has no edge of its own: take the first after.
                    let naive = date.and_time(time);
                    self.timezone
                        .from_local_datetime(&naive)
                        .earliest()
                        .or_else(|| {
                            self.timezone
                                .from_local_datetime(&(naive + Duration::hours(1)))
                                .earliest()
                        })
                        .map(|at| at.with_timezone(&Utc))
                })
            })
            .filter(|edge| *edge > now && self.contains(*edge) != self.contains(now))
            .min()
    }
}

/// What a policy demands, as lanes keep it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// What becomes of those who find no slot.
    pub method: Method,
    /// Slots at once; `None`, any number.
    pub limit: Option<u32>,
    /// Grants over time.
    pub rate: Option<Rate>,
    /// How many may wait; `None`, any number.
    pub max_waiting: Option<u32>,
    /// How long one may wait, in seconds; `None`, for ever.
    pub wait_timeout_seconds: Option<u64>,
    /// When the terms hold; empty, always.
    pub windows: Vec<Window>,
}

impl Terms {
    /// Whether the limits hold at `now`.
    #[must_use]
    pub fn hold(&self, now: Timestamp) -> bool {
        self.windows.is_empty() || self.windows.iter().any(|window| window.contains(now))
    }

    /// When that may next be otherwise; `None` where it never changes.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        self.windows.iter().filter_map(|window| window.next_edge(now)).min()
    }
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Wire id.
    pub id: PolicyId,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: ComponentRef,
    /// For people.
    pub description: Option<String>,
    /// What it covers.
    pub scope: Scope,
    /// What it demands.
    pub terms: Terms,
    /// Dotted paths of parameters: each combination of their values has a lane of its own.
    #[serde(default)]
    pub parameters: Vec<String>,
    /// Dotted path of the parameter that gives the priority (0 first … 9 last).
    #[serde(default)]
    pub priority_parameter: Option<String>,
    /// How often an execution is given to a runner when runners die under it; 1, never again.
    #[serde(default = "one")]
    pub max_attempts: u32,
    /// Whether it is in force.
    pub enabled: bool,
    /// When it was made; among policies of one scope the newest wins.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

const fn one() -> u32 {
    1
}

impl Policy {
    /// The policy in force for an execution of `action` in the name of `executor`.
    #[must_use]
    pub fn in_force<'a>(
        policies: &'a [Self],
        action: &ComponentRef,
        executor: Option<IdentityId>,
    ) -> Option<&'a Self> {
        let rank = |policy: &Self| match &policy.scope {
            Scope::Action(scope) if scope == action => Some(3),
            Scope::Pack(scope) if scope.as_str() == action.pack() => Some(2),
            Scope::Identity(scope) if Some(*scope) == executor => Some(1),
            Scope::Global => Some(0),
            _ => None,
        };
        policies
            .iter()
            .filter(|policy| policy.enabled)
            .filter_map(|policy| Some((rank(policy)?, policy.id, policy)))
            .max_by_key(|(rank, id, _)| (*rank, *id))
            .map(|(_, _, policy)| policy)
    }

    /// The lane in which an execution with these parameters goes.
    #[must_use]
    pub fn lane(&self, parameters: Option<&Map<String, Value>>) -> LaneKey {
        if self.parameters.is_empty() {
            return LaneKey::of(self.id, None);
        }
        let values: Vec<&Value> = self.parameters.iter().map(|path| at(parameters, path)).collect();
        let text = serde_json::to_vec(&values).unwrap_or_default();
        LaneKey::of(self.id, Some(&hex::encode(&Sha256::digest(text)[..10])))
    }

    /// The priority that the parameters ask for.
    #[must_use]
    pub fn priority(&self, parameters: Option<&Map<String, Value>>) -> Option<u8> {
        let path = self.priority_parameter.as_deref()?;
        at(parameters, path).as_u64().map(|n| u8::try_from(n.min(9)).unwrap_or(9))
    }
}

fn at<'a>(parameters: Option<&'a Map<String, Value>>, path: &str) -> &'a Value {
    let mut steps = path.split('.');
    let mut found = parameters.and_then(|map| map.get(steps.next().unwrap_or_default()));
    for step in steps {
        found = found.and_then(|value| value.get(step));
    }
    found.unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn policy(id: i64, scope: Scope) -> Policy {
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        Policy {
            id: PolicyId::new(id),
            reference: ComponentRef::parse("p.one").unwrap(),
            description: None,
            scope,
            terms: Terms::default(),
            parameters: vec![],
            priority_parameter: None,
            max_attempts: 1,
            enabled: true,
            created: at,
            updated: at,
        }
    }

    #[test]
    fn the_narrowest_scope_wins_and_the_newest_within_it() {
        let echo = ComponentRef::parse("core.echo").unwrap();
        let me = Some(IdentityId::new(7));
        let all = [
            policy(1, Scope::Global),
            policy(2, Scope::Identity(IdentityId::new(7))),
            policy(3, Scope::Pack(PackRef::parse("core").unwrap())),
            policy(4, Scope::Action(echo.clone())),
            policy(5, Scope::Action(echo.clone())),
            Policy { enabled: false, ..policy(6, Scope::Action(echo.clone())) },
        ];
        for (count, expected) in [(0, None), (1, Some(1)), (2, Some(2)), (3, Some(3)), (6, Some(5))]
        {
            let found = Policy::in_force(&all[..count], &echo, me).map(|p| p.id.get());
            assert_eq!(found, expected, "among the first {count}");
        }
        assert!(Policy::in_force(&all[1..2], &echo, None).is_none());
    }

    #[test]
    fn grouping_gives_each_value_a_lane_of_its_own() {
        let grouped = Policy { parameters: vec!["host.name".into()], ..policy(1, Scope::Global) };
        let lane = |value: Value| grouped.lane(value.as_object());
        assert_eq!(
            lane(json!({"host": {"name": "a"}, "x": 1})),
            lane(json!({"host": {"name": "a"}}))
        );
        assert_ne!(lane(json!({"host": {"name": "a"}})), lane(json!({"host": {"name": "b"}})));
        assert_eq!(lane(json!({})), grouped.lane(None));
    }

    #[test]
    fn windows_follow_local_time() {
        let night = Window {
            days: vec![Weekday::Fri],
            from: NaiveTime::from_hms_opt(22, 0, 0).unwrap(),
            to: NaiveTime::from_hms_opt(6, 0, 0).unwrap(),
            timezone: chrono_tz::Europe::Berlin,
        };
        let terms = Terms { windows: vec![night], ..Terms::default() };
        for (moment, holds) in [
            ("2026-11-20T20:59:59Z", false),
            ("2026-11-20T21:00:00Z", true),
            ("2026-11-21T04:59:59Z", true),
            ("2026-11-21T05:00:00Z", false),
            ("2026-11-21T21:30:00Z", false),
        ] {
            assert_eq!(terms.hold(moment.parse().unwrap()), holds, "{moment}");
        }
        let edge = |moment: &str| terms.next_change(moment.parse().unwrap()).unwrap();
        assert_eq!(
            edge("2026-11-20T12:00:00Z"),
            "2026-11-20T21:00:00Z".parse::<Timestamp>().unwrap()
        );
        assert_eq!(
            edge("2026-11-20T23:00:00Z"),
            "2026-11-21T05:00:00Z".parse::<Timestamp>().unwrap()
        );
    }
}
