//! Rehearsing a workflow: running it with scripted results instead of executions, in time that is only counted.
//!
//! What an author uses to see what a workflow would do, and what the planner's own tests are made of.

use super::definition::Definition;
use super::names::Context;
use super::plan::children::{self, Child, Settled};
use super::plan::{self, Ending, Next};
use super::run::{Outcome, Run, Source, Status};
use super::view;
use crate::Timestamp;
use crate::id::ExecutionId;
use crate::reference::ComponentRef;
use crate::status::ExecutionStatus;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Things that happen in one rehearsal, at most: it is to be looked at, and servers run those of strangers' packs.
pub const MOST_HAPPENINGS: usize = 50_000;
/// Bytes of inputs and results in one rehearsal as JSON, at most.
const MOST_BYTES: usize = 64 << 20;

/// What the executions of each task come to, by the task's name. Where a task has several, its executions take them
/// one after the other, by visit, item and try, and the last one serves for all that follow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Script(pub BTreeMap<String, Scripted>);

/// What one task's executions come to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scripted {
    /// Each in turn.
    Several(Vec<End>),
    /// All of them.
    One(End),
}

/// How an execution ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// How.
    #[serde(default = "succeeded")]
    pub outcome: Outcome,
    /// With which result; what an action prints stands under `data`.
    #[serde(default)]
    pub result: Value,
    /// What it prints, as a shorter way to say `result: {data: …}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// After how many seconds.
    #[serde(default = "one")]
    pub seconds: f64,
}

/// Tasks that a rehearsal may enter whose definition says nothing: as many as a server allows that was told nothing.
const STEP_LIMIT: u64 = 10_000;

const fn succeeded() -> Outcome {
    Outcome::Succeeded
}

const fn one() -> f64 {
    1.0
}

impl Default for End {
    fn default() -> Self {
        Self { outcome: Outcome::Succeeded, result: Value::Null, data: None, seconds: 1.0 }
    }
}

impl End {
    fn result(&self) -> Value {
        let mut result = match &self.result {
            Value::Object(members) => members.clone(),
            Value::Null => Map::new(),
            other => Map::from_iter([("data".to_owned(), other.clone())]),
        };
        if let Some(data) = &self.data {
            result.insert("data".into(), data.clone());
        }
        result.entry("succeeded").or_insert(self.outcome.is_success().into());
        if self.outcome.is_failure() {
            result.entry("error").or_insert("scripted failure".into());
        }
        if self.outcome == Outcome::TimedOut {
            result.entry("timed_out").or_insert(true.into());
        }
        result.into()
    }
}

/// Something that happens in a rehearsal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Happening {
    /// Seconds since the beginning.
    pub at: f64,
    /// Which task.
    pub task: String,
    /// Which of its items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// An execution begins.
    Begins {
        /// Of which action.
        action: ComponentRef,
        /// With which parameters.
        input: Value,
        /// Tries before this one.
        #[serde(skip_serializing_if = "is_zero")]
        tries: u32,
    },
    /// An execution ends.
    Ends {
        /// How.
        outcome: Outcome,
    },
    /// The task ends without an execution.
    Passes {
        /// How.
        outcome: Outcome,
        /// Why it failed, where it did.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A rehearsal that is over.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rehearsed {
    /// What happened, in order.
    pub happenings: Vec<Happening>,
    /// Status of the workflow.
    pub status: String,
    /// Its result.
    pub result: Value,
    /// Seconds it took.
    pub seconds: f64,
}

/// Runs a workflow with scripted results. Which of several executions that end at the same time ends first, `choose`
/// says: of so many, this one. One in which too much happens is broken off, and has failed.
#[must_use]
pub fn rehearse(
    definition: &Definition,
    parameters: Value,
    config: Value,
    script: &Script,
    choose: impl FnMut(usize) -> usize,
) -> Rehearsed {
    let mut stage = Stage::new(definition, parameters, config, script, choose);
    stage.play();
    stage.close()
}

/// A moment to start counting from; expressions that ask for the time get a time near it.
fn start() -> Timestamp {
    Timestamp::from_timestamp_millis(1_767_225_600_000).unwrap_or_default()
}

fn size(value: &Value) -> usize {
    serde_json::to_vec(value).map_or(0, |text| text.len())
}

/// What is to happen at a moment.
enum Due {
    /// A thread takes a step.
    Step(u32),
    /// A child ends.
    End { thread: u32, child: Box<Child>, execution: ExecutionId, end: End },
}

/// The rehearsal while it goes on.
pub(super) struct Stage<'d, C> {
    definition: &'d Definition,
    pub(super) run: Run,
    context: Context<'static>,
    script: Script,
    choose: C,
    due: BTreeMap<(i64, u64), Due>,
    scheduled: u64,
    ended: BTreeMap<ExecutionId, Value>,
    items: BTreeMap<u32, Vec<Value>>,
    gathered: BTreeMap<(u32, u32), (Outcome, ExecutionId, Value)>,
    executions: i64,
    happenings: Vec<Happening>,
    bytes: usize,
    ending: Option<Ending>,
}

fn no_uuid() -> String {
    "00000000-0000-4000-8000-000000000000".to_owned()
}

impl<'d, C: FnMut(usize) -> usize> Stage<'d, C> {
    pub(super) fn new(
        definition: &'d Definition,
        parameters: Value,
        config: Value,
        script: &Script,
        choose: C,
    ) -> Self {
        let workflow = ComponentRef::parse("rehearsal.workflow").expect("it is a ref");
        let run = Run::new(ExecutionId::new(1), workflow, String::new(), start());
        let context = Context {
            given: parameters.clone(),
            parameters,
            vars: Map::new(),
            results: BTreeMap::new(),
            result: Arc::default(),
            config,
            now: start(),
            random: 0.0,
            uuid: &no_uuid,
        };
        let mut stage = Self {
            definition,
            run,
            context,
            script: script.clone(),
            choose,
            due: BTreeMap::new(),
            scheduled: 0,
            ended: BTreeMap::new(),
            items: BTreeMap::new(),
            gathered: BTreeMap::new(),
            executions: 1,
            happenings: vec![],
            bytes: 0,
            ending: None,
        };
        if let Err(fault) = plan::begin(definition, &mut stage.run, &mut stage.context) {
            stage.run.fault = Some(fault.to_string());
            stage.run.threads.clear();
        }
        stage.start_threads(&[]);
        stage.end_if_over();
        stage
    }

    /// Goes on until nothing is left to happen.
    pub(super) fn play(&mut self) {
        while self.happens() {
            if self.ending.is_none() && self.is_too_long() {
                return self.break_off();
            }
        }
    }

    fn is_too_long(&self) -> bool {
        self.happenings.len() >= MOST_HAPPENINGS || self.bytes > MOST_BYTES
    }

    fn break_off(&mut self) {
        self.due.clear();
        let error = if self.bytes > MOST_BYTES {
            format!(
                "the rehearsal was broken off: its inputs and results are over {MOST_BYTES} bytes"
            )
        } else {
            format!("the rehearsal was broken off after {MOST_HAPPENINGS} happenings")
        };
        let result = json!({"error": error, "succeeded": false});
        self.ending = Some(Ending { status: ExecutionStatus::Failed, result });
    }

    /// Lets the next thing happen; answers whether there was one.
    pub(super) fn happens(&mut self) -> bool {
        let Some(&(moment, _)) = self.due.keys().next() else { return false };
        let together: Vec<_> =
            self.due.range((moment, 0)..(moment + 1, 0)).map(|(k, _)| *k).collect();
        let chosen = together[(self.choose)(together.len()) % together.len()];
        let Some(due) = self.due.remove(&chosen) else { return false };
        self.context.now = start() + TimeDelta::milliseconds(moment);
        match due {
            Due::Step(thread) => self.step(thread),
            Due::End { thread, child, execution, end } => {
                self.end(thread, &child, execution, &end);
            }
        }
        self.end_if_over();
        true
    }

    pub(super) fn end_if_over(&mut self) {
        if let Some(ending) = plan::ending(self.definition, &mut self.run, &mut self.context) {
            self.ending = Some(ending);
        }
    }

    pub(super) fn schedule_step(&mut self, thread: u32) {
        self.schedule(self.context.now, Due::Step(thread));
    }

    fn schedule(&mut self, at: Timestamp, due: Due) {
        self.scheduled += 1;
        let moment = (at - start()).num_milliseconds();
        self.due.insert((moment, self.scheduled), due);
    }

    fn start_threads(&mut self, known: &[u32]) {
        let fresh: Vec<u32> =
            self.run.threads.keys().filter(|thread| !known.contains(thread)).copied().collect();
        for thread in fresh {
            self.schedule_step(thread);
        }
    }

    fn step(&mut self, thread: u32) {
        let known: Vec<u32> = self.run.threads.keys().copied().collect();
        self.fetch(thread);
        let before = self.states();
        let next = self.plan(thread);
        self.note_passed(&before);
        match next {
            Next::Items(items) => {
                self.items.insert(thread, items);
                self.make_children(thread);
            }
            Next::Children => self.make_children(thread),
            Next::Time(until) => self.schedule(until, Due::Step(thread)),
            Next::Again => self.schedule_step(thread),
            Next::Nothing | Next::Over => {}
        }
        self.start_threads(&known);
    }

    fn plan(&mut self, thread: u32) -> Next {
        plan::step(self.definition, &mut self.run, &mut self.context, thread, STEP_LIMIT)
    }

    /// Asks for a thread's step without having it carried out.
    #[cfg(test)]
    pub(super) fn replan(&mut self, thread: u32) -> Next {
        self.plan(thread)
    }

    /// How many executions have begun.
    #[cfg(test)]
    pub(super) fn begun(&self) -> usize {
        let begins = |happening: &&Happening| matches!(happening.what, What::Begins { .. });
        self.happenings.iter().filter(begins).count()
    }

    /// Puts the result of the thread's children into the context, if they are done.
    fn fetch(&mut self, thread: u32) {
        let Some(working) = children::done(&self.run, thread) else { return };
        if working.gathered.is_none() {
            let ended = working.child.and_then(|child| self.ended.get(&child));
            let result = ended.cloned().unwrap_or_default();
            self.context.result = Arc::new(view(result, self.definition.dialect));
            return;
        }
        let all: Vec<_> = self
            .gathered
            .range((thread, 0)..=(thread, u32::MAX))
            .map(|(_, ended)| ended.clone())
            .collect();
        children::branches_ended(self.definition, &mut self.run, &mut self.context, thread, &all);
        let ended = all.into_iter().map(|(how, _, view)| (how, view));
        self.context.result = Arc::new(children::gathered(ended, self.definition.dialect));
    }

    fn make_children(&mut self, thread: u32) {
        // All items of a task may begin at once.
        while !self.is_too_long() {
            let Some(working) = self.run.threads.get(&thread).and_then(|at| at.working()) else {
                return;
            };
            let index = working.next;
            let (items, tries) = (working.gathered.is_some(), working.tries);
            if tries == 0 && index == 0 {
                self.gathered.retain(|(of, _), _| *of != thread);
            }
            let before = self.gathered.get(&(thread, index)).map(|(outcome, ..)| *outcome);
            if items && tries > 0 && before.is_some_and(Outcome::is_success) {
                children::passed(&mut self.run, thread);
                continue;
            }
            let item = self.items.get(&thread).and_then(|items| items.get(index as usize)).cloned();
            let next =
                children::next(self.definition, &self.run, &self.context, thread, item.as_ref());
            match next {
                Ok(Some(child)) => self.begin(thread, child),
                Ok(None) => break,
                Err(fault) => {
                    let error = fault.to_string();
                    let result = json!({"error": error, "succeeded": false});
                    let none = ExecutionId::new(0);
                    self.gathered.insert((thread, index), (Outcome::Failed, none, result));
                    let before = self.states();
                    children::failed(&mut self.run, &mut self.context, thread, error);
                    self.note_passed(&before);
                    if !items {
                        return self.schedule_step(thread);
                    }
                }
            }
        }
        if children::done(&self.run, thread).is_some() {
            self.schedule_step(thread);
        }
    }

    fn begin(&mut self, thread: u32, child: Child) {
        self.executions += 1;
        let execution = ExecutionId::new(self.executions);
        children::made(&mut self.run, thread, execution);
        let end = self.scripted(&child.task);
        let (action, input, tries) = (child.action.clone(), child.input.clone(), child.tries);
        self.bytes += size(&input) + size(&end.result) + end.data.as_ref().map_or(0, size);
        self.happened(&child.task, child.index, What::Begins { action, input, tries });
        // The cast saturates; a rehearsal need not outlast a century.
        #[expect(clippy::cast_possible_truncation, reason = "saturates")]
        let millis = (end.seconds.clamp(0.0, 3.2e9) * 1000.0) as i64;
        let at = self.context.now + TimeDelta::milliseconds(millis);
        self.schedule(at, Due::End { thread, child: Box::new(child), execution, end });
    }

    fn scripted(&mut self, task: &str) -> End {
        match self.script.0.get_mut(task) {
            None => End::default(),
            Some(Scripted::One(end)) => end.clone(),
            Some(Scripted::Several(ends)) if ends.len() > 1 => ends.remove(0),
            Some(Scripted::Several(ends)) => ends.first().cloned().unwrap_or_default(),
        }
    }

    fn end(&mut self, thread: u32, child: &Child, execution: ExecutionId, end: &End) {
        self.happened(&child.task, child.index, What::Ends { outcome: end.outcome });
        let result = end.result();
        if let Some(index) = child.index {
            let view = view(result.clone(), self.definition.dialect);
            self.gathered.insert((thread, index), (end.outcome, execution, view));
        }
        self.ended.insert(execution, result);
        match children::settle(&mut self.run, thread, end.outcome) {
            Settled::Room => self.make_children(thread),
            Settled::Done => self.schedule_step(thread),
            Settled::Nothing | Settled::Over => {}
        }
    }

    fn states(&self) -> BTreeMap<String, (u32, Option<Outcome>)> {
        let states = self.run.tasks.iter();
        states.map(|(name, state)| (name.clone(), (state.visits, state.outcome))).collect()
    }

    /// Tells of tasks that have ended without an execution.
    fn note_passed(&mut self, before: &BTreeMap<String, (u32, Option<Outcome>)>) {
        let passed: Vec<_> = self
            .run
            .tasks
            .iter()
            .filter(|(name, state)| before.get(*name) != Some(&(state.visits, state.outcome)))
            .filter_map(|(name, state)| Some((name.clone(), state.outcome?, state.result.clone())))
            .collect();
        for (task, outcome, result) in passed {
            let error = match result {
                Source::Nothing | Source::NoItems => None,
                Source::Error(error) => Some(error),
                Source::Execution(_) | Source::Gathered(_) => continue,
            };
            self.happened(&task, None, What::Passes { outcome, error });
        }
    }

    fn happened(&mut self, task: &str, item: Option<u32>, what: What) {
        let at = self.seconds();
        self.happenings.push(Happening { at, task: task.to_owned(), item, what });
    }

    fn seconds(&self) -> f64 {
        (self.context.now - start()).as_seconds_f64()
    }

    /// What came of it.
    pub(super) fn close(self) -> Rehearsed {
        let seconds = self.seconds();
        let (status, result) = match self.ending {
            Some(ending) => (ending.status.to_string(), ending.result),
            None if self.run.status == Status::Paused => ("paused".to_owned(), Value::Null),
            None => ("running".to_owned(), Value::Null),
        };
        Rehearsed { happenings: self.happenings, status, result, seconds }
    }
}
