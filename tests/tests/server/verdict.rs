//! What must hold after a server was killed again and again, read back over its API and from the file in
//! which its actions left their marks.

use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Everything the server says happened.
pub struct History {
    pub executions: BTreeMap<i64, Execution>,
    /// Enforcements: id to event and rule.
    pub enforcements: BTreeMap<i64, (i64, String)>,
}

/// An execution as the list shows it.
#[derive(Clone, Debug)]
pub struct Execution {
    pub action: String,
    pub status: String,
    pub enforcement: Option<i64>,
    pub started: Option<DateTime<Utc>>,
}

fn text(row: &Value, field: &str) -> String {
    row[field].as_str().unwrap_or_else(|| panic!("{field} is text: {row}")).to_owned()
}

fn number(row: &Value, field: &str) -> i64 {
    row[field].as_i64().unwrap_or_else(|| panic!("{field} is a number: {row}"))
}

impl History {
    pub fn of(executions: &[Value], enforcements: &[Value]) -> Self {
        let execution = |row: &Value| Execution {
            action: text(row, "action_ref"),
            status: text(row, "status"),
            enforcement: row["enforcement"].as_i64(),
            started: row["started_at"].as_str().map(|at| at.parse().expect("a moment")),
        };
        let found = Self {
            executions: executions.iter().map(|row| (number(row, "id"), execution(row))).collect(),
            enforcements: enforcements
                .iter()
                .map(|row| (number(row, "id"), (number(row, "event"), text(row, "rule_ref"))))
                .collect(),
        };
        assert_eq!(found.executions.len(), executions.len(), "an execution is listed twice");
        assert_eq!(found.enforcements.len(), enforcements.len(), "an enforcement is listed twice");
        found
    }

    /// Executions of an action, by id.
    pub fn of_action<'a>(&'a self, action: &'a str) -> impl Iterator<Item = (i64, &'a Execution)> {
        self.executions
            .iter()
            .filter(move |(_, execution)| execution.action == action)
            .map(|(id, execution)| (*id, execution))
    }

    /// How many executions of an action were given up.
    pub fn abandoned(&self, action: &str) -> usize {
        self.of_action(action).filter(|(_, execution)| execution.status == "abandoned").count()
    }

    /// Every event has one enforcement for each of these rules, and each enforcement one execution.
    pub fn check_events(&self, events: &[i64], rules: &[&str]) {
        let mut enforced: BTreeMap<i64, Vec<(&str, i64)>> = BTreeMap::new();
        for (id, (event, rule)) in &self.enforcements {
            enforced.entry(*event).or_default().push((rule, *id));
        }
        let mut executed: BTreeMap<i64, usize> = BTreeMap::new();
        for execution in self.executions.values() {
            *executed.entry(execution.enforcement.unwrap_or(0)).or_default() += 1;
        }
        for event in events {
            let mut found = enforced.get(event).cloned().unwrap_or_default();
            found.sort_unstable();
            let names: Vec<&str> = found.iter().map(|(rule, _)| *rule).collect();
            assert_eq!(names, rules, "the rules that answered event {event}");
            for (rule, enforcement) in found {
                let times = executed.get(&enforcement).copied().unwrap_or(0);
                assert_eq!(times, 1, "executions of {rule} for event {event}");
            }
        }
    }
}

/// The marks that runs of an action left: `+id` when one began, `-id` when it ended.
#[derive(Debug)]
pub struct Marks(Vec<(bool, i64)>);

impl Marks {
    pub fn read(file: &str) -> Self {
        let mark = |line: &str| {
            let began = line.starts_with('+');
            assert!(began || line.starts_with('-'), "half a mark: '{line}'");
            (began, line[1..].parse().expect("a mark names an execution"))
        };
        Self(file.lines().map(mark).collect())
    }

    fn count(&self, mark: (bool, i64)) -> usize {
        self.0.iter().filter(|found| **found == mark).count()
    }

    /// Nothing ran that nobody knows of, nothing more often than its policy allows, and what completed
    /// ran to its end, once.
    pub fn check_runs(&self, history: &History, action: &str, attempts: usize) {
        let known: BTreeSet<i64> = history.of_action(action).map(|(id, _)| id).collect();
        for (_, id) in &self.0 {
            assert!(known.contains(id), "{action}: {id} ran, and the server does not know it");
        }
        for (id, execution) in history.of_action(action) {
            let (began, ended) = (self.count((true, id)), self.count((false, id)));
            assert!(began <= attempts, "{action}: {id} ran {began} times");
            match execution.status.as_str() {
                "completed" if attempts == 1 => {
                    assert_eq!((began, ended), (1, 1), "{action}: {id} is completed");
                }
                "completed" => assert!(began >= 1 && ended >= 1, "{action}: {id} is completed"),
                "abandoned" => {}
                other => panic!("{action}: {id} is {other}"),
            }
        }
    }

    /// Of the runs that came to their end, never more than `limit` were under way at once. When one that
    /// did not was killed, nobody knows.
    pub fn check_limit(&self, limit: usize) {
        let mut running: Vec<i64> = Vec::new();
        for (at, (began, id)) in self.0.iter().enumerate() {
            let next = self.0[at + 1..].iter().find(|(_, other)| other == id);
            if *began && next.is_some_and(|(began, _)| !began) {
                running.push(*id);
            } else if !began {
                running.retain(|other| other != id);
            }
            assert!(running.len() <= limit, "at once: {running:?}");
        }
    }

    /// With one slot, runs do not overlap, not even with one that was killed, and begin in the order in
    /// which each client asked.
    pub fn check_order(&self, history: &History, asked: &[i64]) {
        for pair in self.0.windows(2) {
            let [(_, before), (began, id)] = pair else { continue };
            assert!(*began || before == id, "{before} and {id} ran at once");
        }
        let position = |id: &i64| self.0.iter().position(|mark| *mark == (true, *id));
        let begun: Vec<usize> = asked.iter().filter_map(position).collect();
        assert!(begun.is_sorted(), "runs began out of order: {:?}", self.0);
        let started: Vec<_> = asked.iter().map(|id| history.executions[id].started).collect();
        assert!(started.iter().all(Option::is_some), "one never started");
        assert!(started.is_sorted(), "slots were granted out of order: {asked:?} {started:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_runs_are_noticed() {
        for (marks, limit, fits) in [
            ("+1\n-1\n+2\n-2\n", 1, true),
            ("+1\n+2\n-1\n-2\n", 1, false),
            ("+1\n+2\n-1\n-2\n", 2, true),
            ("+1\n+2\n-2\n", 1, true),
            ("+1\n-1\n+1\n+2\n-2\n", 1, true),
            ("+1\n+1\n+2\n-1\n-2\n", 1, false),
        ] {
            let checked = std::panic::catch_unwind(|| Marks::read(marks).check_limit(limit));
            assert_eq!(checked.is_ok(), fits, "{marks:?} within {limit}");
        }
    }
}
