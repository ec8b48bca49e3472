//! Items of a task, in parts that fit into records, and what became of each.

use super::layout;
use crate::retry::Attempts;
use crate::{load, payload};
use attune_domain::execution::Execution;
use attune_domain::id::ExecutionId;
use attune_domain::payload::Payload;
use attune_domain::status::ExecutionStatus;
use attune_domain::workflow::definition::Dialect;
use attune_domain::workflow::plan::children;
use attune_domain::workflow::run::{List, Outcome, Run, Source, Thread, Working};
use attune_domain::workflow::{self, Definition, view};
use attune_ports::records::{Commit, Kind};
use attune_ports::{Key, Ports, Record, Unavailable};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// Items in a part, at most: so that a page of children is a page of their records.
const MOST: u32 = 100;
/// Bytes of a part, at most, with room for what becomes of the items.
const BYTES: usize = 256 * 1024;
/// Parts written together.
const PARTS: usize = 12;

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Part {
    /// The items.
    pub items: Vec<Value>,
    /// What became of each that something has become of.
    pub made: Vec<Made>,
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Made {
    /// Its execution; in a later try another.
    Execution(ExecutionId),
    /// Nothing, for this reason.
    Error(String),
}

impl Part {
    /// Where the executions of its items are.
    fn keys(&self) -> Vec<Key> {
        let id = |made: &Made| match made {
            Made::Execution(id) => Some(crate::layout::execution(*id)),
            Made::Error(_) => None,
        };
        self.made.iter().filter_map(id).collect()
    }
}

/// An item is larger than a record may be.
#[derive(Debug, thiserror::Error)]
#[error("an item has {0} bytes, more than fit into a record")]
pub(super) struct TooLarge(usize);

/// Keeps a list, before anything refers to it.
pub(super) async fn keep(
    ports: &Ports,
    name: &str,
    items: Vec<Value>,
) -> Result<Result<List, TooLarge>, Unavailable> {
    let largest = items.iter().map(|item| item.to_string().len()).max().unwrap_or(0);
    if largest > BYTES {
        return Ok(Err(TooLarge(largest)));
    }
    let fitting = u32::try_from(BYTES / largest.max(1)).unwrap_or(MOST);
    let list = List { id: ports.ids.next(), part: fitting.clamp(1, MOST) };
    let mut commit = Commit::new();
    for (number, items) in (0..).zip(items.chunks(list.part as usize)) {
        let part = Part { items: items.to_vec(), made: vec![] };
        let key = layout::part(name, list.id, number);
        commit = commit.create(Record::new(Kind::Items, key, &part));
        if commit.writes.len() == PARTS {
            write(ports, std::mem::take(&mut commit)).await?;
        }
    }
    write(ports, commit).await?;
    Ok(Ok(list))
}

async fn write(ports: &Ports, commit: Commit) -> Result<(), Unavailable> {
    if commit.writes.is_empty() {
        return Ok(());
    }
    // The list's id is fresh, so nobody else writes there.
    ports.records.commit(commit).await.map_err(|error| Unavailable::new("records", error))
}

/// The part that a thread's next item is in, while children are made one after the other.
#[derive(Default)]
pub(super) struct Cursor {
    at: Option<(u32, load::Versioned<Part>)>,
    changed: bool,
}

impl Cursor {
    /// The next item of a thread, and what became of it so far.
    pub(super) async fn item(
        &mut self,
        ports: &Ports,
        working: &Working,
    ) -> Result<Option<(Value, Option<Made>)>, Unavailable> {
        let (Some(name), Some(list)) = (&working.gathered, working.list) else { return Ok(None) };
        let (number, place) = (working.next / list.part, working.next % list.part);
        if self.at.as_ref().is_none_or(|(at, _)| *at != number) {
            let key = layout::part(name, list.id, number);
            let part = load::versioned(ports, &key).await?;
            let part = part.ok_or_else(|| Unavailable::new("records", format!("no {key}")))?;
            self.at = Some((number, part));
        }
        let part = self.at.as_ref().map(|(_, part)| &part.body);
        Ok(part.map(|part| {
            let item = part.items.get(place as usize).cloned().unwrap_or_default();
            (item, part.made.get(place as usize).cloned())
        }))
    }

    /// Whether the next item is in another part than the ones before, that are still to be written.
    pub(super) fn turns(&self, working: &Working) -> bool {
        let number = working.list.map(|list| working.next / list.part);
        self.changed && self.at.as_ref().map(|(at, _)| *at) != number
    }

    /// Notes what became of the item at `index`.
    pub(super) fn note(&mut self, working: &Working, index: u32, made: Made) {
        let (Some(list), Some((_, part))) = (working.list, &mut self.at) else { return };
        let place = (index % list.part) as usize;
        // Made one after the other, so there are no gaps.
        match part.body.made.get_mut(place) {
            Some(known) => *known = made,
            None => part.body.made.push(made),
        }
        self.changed = true;
    }

    /// Adds what was noted to a commit.
    pub(super) fn commit(&self, commit: Commit, name: Option<&str>, list: Option<List>) -> Commit {
        match (&self.at, name, list) {
            (Some((number, part)), Some(name), Some(list)) if self.changed => {
                let key = layout::part(name, list.id, *number);
                commit.replace(Record::new(Kind::Items, key, &part.body), part.version)
            }
            _ => commit,
        }
    }
}

/// What a task's children came to, by item.
async fn ends(
    ports: &Ports,
    working: &Working,
    dialect: Dialect,
) -> Result<Vec<(Outcome, ExecutionId, Value)>, Unavailable> {
    let (Some(name), Some(list)) = (&working.gathered, working.list) else { return Ok(vec![]) };
    let mut ends = Vec::with_capacity(working.total as usize);
    for number in 0..working.total.div_ceil(list.part.max(1)) {
        let key = layout::part(name, list.id, number);
        let Some(part) = load::versioned::<Part>(ports, &key).await? else { continue };
        let mut records = ports.records.get_all(&part.body.keys()).await?.into_iter();
        for made in &part.body.made {
            ends.push(match made {
                Made::Execution(id) => match records.next().flatten() {
                    Some(record) => end(ports, &record, dialect).await?,
                    None => lost(*id),
                },
                Made::Error(error) => {
                    let result = json!({"error": error, "succeeded": false});
                    (Outcome::Failed, ExecutionId::new(0), result)
                }
            });
        }
    }
    Ok(ends)
}

/// The executions of a thread's items.
pub(super) async fn made(ports: &Ports, working: &Working) -> Result<Vec<Execution>, Unavailable> {
    let (Some(name), Some(list)) = (&working.gathered, working.list) else { return Ok(vec![]) };
    let mut executions = vec![];
    for number in 0..working.next.div_ceil(list.part.max(1)) {
        let key = layout::part(name, list.id, number);
        let Some(part) = load::versioned::<Part>(ports, &key).await? else { continue };
        for record in ports.records.get_all(&part.body.keys()).await?.into_iter().flatten() {
            let execution = record.decode();
            executions.push(execution.map_err(|error| Unavailable::new("records", error.source))?);
        }
    }
    Ok(executions)
}

async fn end(
    ports: &Ports,
    record: &Record,
    dialect: Dialect,
) -> Result<(Outcome, ExecutionId, Value), Unavailable> {
    let execution: Execution =
        record.decode().map_err(|error| Unavailable::new("records", error.source))?;
    let result = result_of(ports, &execution).await?;
    Ok((outcome(&execution, &result), execution.id, view(result, dialect)))
}

fn lost(id: ExecutionId) -> (Outcome, ExecutionId, Value) {
    let error = format!("execution {id} is not there any more");
    (Outcome::Failed, id, json!({"error": error, "succeeded": false}))
}

/// The result of an execution; null while it has none.
pub(super) async fn result_of(ports: &Ports, execution: &Execution) -> Result<Value, Unavailable> {
    match &execution.result {
        Some(result) => payload::fetch(&*ports.blobs, result).await,
        None => Ok(Value::Null),
    }
}

/// How an execution ended, for its task.
pub(super) fn outcome(execution: &Execution, result: &Value) -> Outcome {
    match execution.status {
        ExecutionStatus::Completed => Outcome::Succeeded,
        ExecutionStatus::Timeout => Outcome::TimedOut,
        ExecutionStatus::Cancelled => Outcome::Cancelled,
        _ if result.get("timed_out") == Some(&Value::Bool(true)) => Outcome::TimedOut,
        _ => Outcome::Failed,
    }
}

/// Gathers what the children of a thread came to into the planner's context, keeps it for later readers, and takes
/// note of branches.
pub(super) async fn gather(
    ports: &Ports,
    definition: &Definition,
    run: &mut Run,
    context: &mut workflow::names::Context<'_>,
    thread: u32,
) -> Result<(), Unavailable> {
    let Some(working) = run.threads.get(&thread).and_then(Thread::working).cloned() else {
        return Ok(());
    };
    let Some(name) = &working.gathered else { return Ok(()) };
    let ends = ends(ports, &working, definition.dialect).await?;
    children::branches_ended(definition, run, context, thread, &ends);
    let ended = ends.into_iter().map(|(how, _, view)| (how, view));
    let gathered = children::gathered(ended, definition.dialect);
    let blob = format!("runs/{name}.{}.result", working.tries);
    let kept = payload::stash_copy(&*ports.blobs, &blob, &gathered).await?;
    let record = Record::new(Kind::Items, layout::result(name), &kept);
    let mut attempts = Attempts::default();
    while let Err(error) = ports.records.commit(Commit::new().put(record.clone())).await {
        attempts.again(ports, error).await?;
    }
    context.result = Arc::new(gathered);
    Ok(())
}

/// Whether a record of a task's items is that of their result.
pub(super) fn is_result(record: &Record) -> bool {
    record.key.sort == "result"
}

/// The result of a task, as expressions see it.
pub(super) async fn result(
    ports: &Ports,
    source: &Source,
    dialect: Dialect,
) -> Result<Value, Unavailable> {
    Ok(match source {
        Source::Nothing => json!({"succeeded": true}),
        Source::NoItems => children::gathered([], dialect),
        Source::Error(error) => json!({"error": error, "succeeded": false}),
        Source::Execution(id) => match load::execution(ports, *id).await? {
            Some(execution) => view(result_of(ports, &execution).await?, dialect),
            None => lost(*id).2,
        },
        Source::Gathered(name) => {
            match load::versioned::<Payload>(ports, &layout::result(name)).await? {
                Some(kept) => payload::fetch(&*ports.blobs, &kept.body).await?,
                None => json!({"error": "its result is not there any more", "succeeded": false}),
            }
        }
    })
}
