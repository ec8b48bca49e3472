//! Executions as they change, one line per change.

use super::super::Context;
use super::wait;
use crate::output::Column;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

/// How often to look.
const INTERVAL: Duration = Duration::from_millis(500);
/// How many executions to ask for at a time.
const PAGE_SIZE: u64 = 100;
/// How many pages to catch up with at a time; what is older than that is left out.
const PAGES: u64 = 20;
/// How many older executions to look at each time round.
const LOOKS: usize = 50;

/// What a line says.
const LINE: [Column; 4] = [
    Column { heading: "UPDATED", field: "updated" },
    Column { heading: "ID", field: "id" },
    Column { heading: "STATUS", field: "status" },
    Column { heading: "ACTION", field: "action_ref" },
];

/// Shows one execution until it ends.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn one(context: &Context, id: u64) -> anyhow::Result<ExitCode> {
    let changed = |execution: &Value| context.output.line(&LINE, execution);
    let execution = wait::until_over(&context.client, id, changed).await?;
    Ok(wait::exit_code(&execution))
}

/// Shows all executions until the process is stopped. Those that were over before are left out.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn all(context: &Context) -> anyhow::Result<()> {
    let mut known = Known::default();
    known.absorb(newer_than(context, None).await?);
    loop {
        tokio::time::sleep(INTERVAL).await;
        let mut found = newer_than(context, Some(known.newest)).await?;
        for id in known.next_to_look_at(&found) {
            match wait::look(&context.client, id).await {
                Ok(execution) => found.push(execution),
                Err(error) if error.is_not_found() => known.forget(id),
                Err(error) => return Err(error.into()),
            }
        }
        for execution in known.absorb(found) {
            context.output.line(&LINE, &execution)?;
        }
    }
}

/// The latest executions, back to the one called `newest`; without one, the latest page.
async fn newer_than(context: &Context, newest: Option<u64>) -> anyhow::Result<Vec<Value>> {
    let mut found = Vec::new();
    for page in 1..=PAGES {
        let query = [("page", page.to_string()), ("page_size", PAGE_SIZE.to_string())];
        let answer = context.client.list(&["executions"], &query).await?;
        let has_next = answer.pagination.is_some_and(|pagination| pagination.has_next);
        found.extend(answer.items);
        let oldest = found.iter().filter_map(id).min();
        if !has_next || newest.is_none() || oldest <= newest {
            break;
        }
    }
    Ok(found)
}

/// What has been shown so far.
#[derive(Debug, Default)]
struct Known {
    /// Status of every execution that is not over.
    open: BTreeMap<u64, String>,
    /// The highest id seen.
    newest: u64,
    /// The id up to which older executions were looked at in this round.
    looked: u64,
}

impl Known {
    /// Takes note of executions and answers those that are new or have changed, oldest first.
    fn absorb(&mut self, executions: Vec<Value>) -> Vec<Value> {
        let newest = self.newest;
        let by_id: BTreeMap<u64, Value> = executions
            .into_iter()
            .filter_map(|execution| Some((id(&execution)?, execution)))
            .collect();
        let mut changes = Vec::new();
        for (id, execution) in by_id {
            self.newest = self.newest.max(id);
            let status = wait::status(&execution);
            let changed = match self.open.get(&id) {
                Some(before) => before != status,
                None => id > newest,
            };
            if wait::is_over(&execution) {
                self.open.remove(&id);
            } else {
                self.open.insert(id, status.to_owned());
            }
            if changed {
                changes.push(execution);
            }
        }
        changes
    }

    /// Some of the executions that are not over and not among `found`, in turns.
    fn next_to_look_at(&mut self, found: &[Value]) -> Vec<u64> {
        let here = |id: &&u64| !found.iter().any(|execution| self::id(execution) == Some(**id));
        let after = self.open.range(self.looked + 1..).map(|(id, _)| id);
        let turn: Vec<u64> = after.filter(here).take(LOOKS).copied().collect();
        self.looked = if turn.len() < LOOKS { 0 } else { turn[turn.len() - 1] };
        turn
    }

    fn forget(&mut self, id: u64) {
        self.open.remove(&id);
    }
}

fn id(execution: &Value) -> Option<u64> {
    execution["id"].as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn executions(pairs: &[(u64, &str)]) -> Vec<Value> {
        pairs.iter().map(|(id, status)| json!({"id": id, "status": status})).collect()
    }

    fn changes(known: &mut Known, pairs: &[(u64, &str)]) -> Vec<(u64, String)> {
        let changes = known.absorb(executions(pairs));
        changes.iter().map(|one| (id(one).unwrap(), wait::status(one).to_owned())).collect()
    }

    #[test]
    fn every_change_is_told_once_and_in_order() {
        let mut known = Known::default();
        known.absorb(executions(&[(2, "running"), (1, "completed")]));
        for (why, seen, expected) in [
            ("nothing new", vec![(2, "running"), (1, "completed")], vec![]),
            (
                "one has ended, one has come",
                vec![(3, "requested"), (2, "completed")],
                vec![(2, "completed"), (3, "requested")],
            ),
            ("an end is not told twice", vec![(3, "requested"), (2, "completed")], vec![]),
            (
                "one has come and gone",
                vec![(4, "failed"), (3, "running")],
                vec![(3, "running"), (4, "failed")],
            ),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(id, s): (u64, &str)| (id, s.to_owned())).collect();
            assert_eq!(changes(&mut known, &seen), expected, "{why}");
        }
        assert_eq!(known.open.keys().collect::<Vec<_>>(), [&3], "what is over is not kept");
    }

    #[test]
    fn older_executions_are_looked_at_in_turns() {
        let many: Vec<_> = (1..=120).map(|id| (id, "running")).collect();
        let mut known = Known::default();
        known.absorb(executions(&many));
        let found = executions(&[(1, "running")]);
        let turns: Vec<u64> = (0..3).flat_map(|_| known.next_to_look_at(&found)).collect();
        assert_eq!(turns, (2..=120).collect::<Vec<_>>());
        assert_eq!(known.next_to_look_at(&found)[0], 2, "and from the start again");
    }
}
