//! One step of one thread.

use super::children::{self, Making};
use super::load::{self, Known};
use super::{Limits, ending, items, layout, oversize, start};
use crate::announce::{self, Announcement};
use crate::load::Versioned;
use crate::retry::Attempts;
use crate::{ahead, layout as journey, payload};
use attune_domain::Timestamp;
use attune_domain::execution::Execution;
use attune_domain::workflow::Definition;
use attune_domain::workflow::names::Context;
use attune_domain::workflow::plan::{self, Next, control};
use attune_domain::workflow::run::{Phase, Run, Status, Thread};
use attune_ports::orchestrator::{Then, ThreadStep};
use attune_ports::records::{self, Commit};
use attune_ports::{Ports, Unavailable};
use serde_json::Value;

/// Takes a step. `token` is what its orchestrator waits with for the answer.
///
/// `None`: the thread waits for its children; the token is kept, and whoever sees them end has it told what comes
/// next. Else the token is to be told this, now.
///
/// # Errors
/// [`Unavailable`] where something does not answer: the step is to be taken again.
pub async fn advance(
    ports: &Ports,
    limits: Limits,
    step: ThreadStep,
    token: &str,
) -> Result<Option<Then>, Unavailable> {
    let mut attempts = Attempts::default();
    loop {
        let both = [layout::run(step.run), journey::execution(step.run)];
        let fresh = ahead::together(ports, &both).await;
        let Some(loaded) = load::run(&fresh, step.run).await? else {
            if start::run(ports, step.run).await? {
                continue;
            }
            return Ok(Some(Then::End));
        };
        let taken = match whose_turn(&loaded.body, step)? {
            Turn::This => take(ports, &fresh, limits, loaded, step, token).await,
            Turn::Over => return Ok(Some(Then::End)),
            Turn::Taken => again(ports, loaded, step, token).await,
        };
        match taken {
            Ok(then) => return Ok(then),
            // It would be so every time.
            Err(records::Error::TooLarge(_)) => oversize::give_up(ports, step).await?,
            Err(error) => attempts.again(ports, error).await?,
        }
    }
}

enum Turn {
    /// This step is to be taken.
    This,
    /// It was.
    Taken,
    /// The thread is over, or goes on elsewhere, or not at all for now.
    Over,
}

fn whose_turn(run: &Run, step: ThreadStep) -> Result<Turn, Unavailable> {
    let Some(thread) = run.threads.get(&step.thread) else { return Ok(Turn::Over) };
    if run.status != Status::Running || thread.hop != step.hop {
        return Ok(Turn::Over);
    }
    match step.sequence.cmp(&thread.sequence) {
        std::cmp::Ordering::Less => Ok(Turn::Taken),
        std::cmp::Ordering::Equal => Ok(Turn::This),
        // What was read is older than the answer that named this step.
        std::cmp::Ordering::Greater => {
            Err(Unavailable::new("records", "a run is behind its steps"))
        }
    }
}

/// The answer to a step that was taken before: what the thread waits for now. A new token replaces the old one.
async fn again(
    ports: &Ports,
    loaded: Versioned<Run>,
    step: ThreadStep,
    token: &str,
) -> Result<Option<Then>, records::Error> {
    let mut run = loaded.body;
    let Some(thread) = run.threads.get_mut(&step.thread) else { return Ok(Some(Then::End)) };
    let waits = matches!(&thread.phase, Phase::Working(working) if !working.is_done());
    if waits && thread.parked.is_some() {
        if step.sequence + 1 < thread.sequence {
            // The token was told, or there would be no later step, and it is that one's which waits.
            return Ok(Some(Then::End));
        }
        thread.parked = Some(token.to_owned());
        let now = ports.clock.now();
        let commit = Commit::new().replace(layout::run_record(&run, now), loaded.version);
        return ports.records.commit(commit).await.map(|()| None);
    }
    let next = ThreadStep { sequence: thread.sequence, ..step };
    Ok(Some(match thread.until() {
        Some(until) => Then::Wait { step: next, until },
        None => Then::Step { step: next },
    }))
}

/// What a step changes, and what follows once it is committed.
struct Taking<'a> {
    ports: &'a Ports,
    definition: &'a Definition,
    known: &'a Known,
    run: Run,
    version: u64,
    execution: Versioned<Execution>,
    now: Timestamp,
}

async fn take(
    ports: &Ports,
    fresh: &Ports,
    limits: Limits,
    loaded: Versioned<Run>,
    step: ThreadStep,
    token: &str,
) -> Result<Option<Then>, records::Error> {
    let definition = load::definition_of(ports, &loaded.body).await?;
    let Some(execution) = crate::load::execution_versioned(fresh, step.run).await? else {
        return Ok(Some(Then::End));
    };
    let keys = load::read_by(&definition, &loaded.body, &execution.body, step.thread);
    let ports = &ahead::together(ports, &keys).await;
    let known = Known::of(ports, &execution.body, &loaded.body.vars).await?;
    let now = ports.clock.now();
    let uuid = || load::uuid(&*ports.ids);
    let mut context = known.context(now, load::random(&*ports.ids), &uuid);
    let Versioned { body: run, version, .. } = loaded;
    let mut taking =
        Taking { ports, definition: &definition, known: &known, run, version, execution, now };
    let vars = context.vars.clone();
    let kept = taking.run.vars.clone();
    load::results(ports, &definition, &mut taking.run, &mut context, Some(step.thread)).await?;
    let threads: Vec<u32> = taking.run.threads.keys().copied().collect();
    let (next, making) = taking.plan(&mut context, step.thread, limits.steps).await?;
    if vars != context.vars {
        taking.keep_vars(&context).await?;
    }
    let superseded = layout::own_blob(step.run, &kept).filter(|_| taking.run.vars != kept);
    let fresh: Vec<ThreadStep> = taking
        .run
        .threads
        .keys()
        .filter(|thread| !threads.contains(thread))
        .map(|&thread| ThreadStep { run: step.run, thread, hop: 0, sequence: 0 })
        .collect();
    let more = taking.is_still_making(step.thread);
    let then = taking.then(limits, next, step, (!more).then_some(token));
    taking.commit(context, making).await?;
    if let Some(blob) = superseded {
        ports.blobs.delete(blob).await?;
    }
    for step in fresh {
        ports.orchestrator.start(step).await?;
    }
    if more {
        // Too many for one commit: the rest of them, and then the thread waits.
        return Ok(children::make_rest(ports, step, token).await?);
    }
    if let Some(Then::Step { step: next }) = then
        && next.hop != step.hop
    {
        // Its history would grow too long: it goes on in a fresh one.
        ports.orchestrator.start(next).await?;
        return Ok(Some(Then::End));
    }
    Ok(then)
}

impl Taking<'_> {
    /// Plans, and makes the first children, until the thread needs something else.
    async fn plan(
        &mut self,
        context: &mut Context<'_>,
        thread: u32,
        limit: u64,
    ) -> Result<(Next, Making), records::Error> {
        let mut making = Making::default();
        loop {
            let next = plan::step(self.definition, &mut self.run, context, thread, limit);
            oversize::check(&self.run)?;
            let next = match next {
                Next::Items(list) => {
                    self.keep_items(context, thread, list).await?;
                    Next::Children
                }
                other => other,
            };
            if next != Next::Children {
                return Ok((next, making));
            }
            let (definition, known) = (self.definition, self.known);
            let parent = &self.execution.body;
            let made = making
                .make(self.ports, definition, known, &mut self.run, context, parent, thread)
                .await?;
            if made == children::Made::Enough || !self.is_done(thread) {
                return Ok((Next::Nothing, making));
            }
            // None could be made, and that is how the task ended.
            let ports = self.ports;
            load::results(ports, self.definition, &mut self.run, context, Some(thread)).await?;
        }
    }

    fn is_done(&self, thread: u32) -> bool {
        let thread = self.run.threads.get(&thread);
        thread.is_some_and(|thread| thread.working().is_none_or(|working| working.is_done()))
    }

    fn is_still_making(&self, thread: u32) -> bool {
        let working = self.run.threads.get(&thread).and_then(Thread::working);
        self.run.status == Status::Running && working.is_some_and(|working| working.has_room())
    }

    async fn keep_items(
        &mut self,
        context: &mut Context<'_>,
        thread: u32,
        list: Vec<Value>,
    ) -> Result<(), Unavailable> {
        let name = self.run.threads.get(&thread).and_then(Thread::working);
        let Some(name) = name.and_then(|working| working.gathered.clone()) else { return Ok(()) };
        let kept = if list.iter().any(|item| self.known.leaks_into(item)) {
            Err("with_items: an item would hold a secret".to_owned())
        } else {
            items::keep(self.ports, &name, list).await?.map_err(|error| error.to_string())
        };
        match kept {
            Ok(list) => plan::children::kept(&mut self.run, thread, list),
            Err(error) => plan::children::not_kept(&mut self.run, context, thread, error),
        }
        Ok(())
    }

    /// Keeps changed variables, unless they would hold a secret: then the workflow fails.
    async fn keep_vars(&mut self, context: &Context<'_>) -> Result<(), Unavailable> {
        let vars = Value::Object(context.vars.clone());
        if self.known.leaks_into(&vars) {
            self.run.fault.get_or_insert("a published variable would hold a secret".to_owned());
            return Ok(());
        }
        // A name of its own: whoever plans the same step at the same time must not overwrite it.
        let name = layout::vars_blob(self.run.execution, self.ports.ids.next());
        self.run.vars = payload::stash(&*self.ports.blobs, &name, vars).await?;
        Ok(())
    }

    /// Counts the step, and says what comes next. With a token the thread waits, if it has to.
    fn then(
        &mut self,
        limits: Limits,
        next: Next,
        step: ThreadStep,
        token: Option<&str>,
    ) -> Option<Then> {
        let Some(thread) = self.run.threads.get_mut(&step.thread) else { return Some(Then::End) };
        thread.sequence += 1;
        thread.steps_of_hop += 1;
        thread.parked = None;
        match next {
            Next::Nothing => {
                thread.parked = token.map(str::to_owned);
                return None;
            }
            Next::Over => return Some(Then::End),
            Next::Time(until) => {
                let step = ThreadStep { sequence: thread.sequence, ..step };
                return Some(Then::Wait { step, until });
            }
            Next::Items(_) | Next::Children | Next::Again => {}
        }
        if thread.steps_of_hop >= limits.hop {
            control::hand_over(&mut self.run, step.thread);
        }
        let thread = self.run.threads.get(&step.thread)?;
        let step = ThreadStep { sequence: thread.sequence, hop: thread.hop, ..step };
        Some(Then::Step { step })
    }

    async fn commit(self, mut context: Context<'_>, making: Making) -> Result<(), records::Error> {
        let Self { ports, definition, known, mut run, version, execution, now } = self;
        let mut commit = Commit::new();
        let mut announcements: Vec<Announcement> = making.announcements();
        if run.threads.is_empty() {
            // Outputs may read results that no step has read.
            load::results(ports, definition, &mut run, &mut context, None).await?;
        }
        if let Some(ended) = plan::ending(definition, &mut run, &mut context) {
            let mut body = execution.body;
            announcements.extend(ending::apply(ports, known, &mut body, ended, now).await?);
            let due = crate::subject::due(&body, now);
            commit = commit.replace(journey::execution_record(&body, due), execution.version);
        }
        commit = making.commit(commit);
        commit = commit.replace(layout::run_record(&run, now), version);
        ports.records.commit(commit).await?;
        announce::send(ports, announcements).await?;
        Ok(())
    }
}
