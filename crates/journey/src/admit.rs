//! Admit: may an execution start now, must it wait in line, or is it refused?
//!
//! Messages of one action come in order, and several may come together. Those that go to the same lane are
//! decided one after the other on one copy of the lane and committed together.

use crate::announce::{self, Announcement};
use crate::definitions::PreparedAction;
use crate::retry::{Attempts, Portion};
use crate::subject::{self, Applicant, Found, Subject};
use crate::{ahead, definitions, layout, load, payload};
use attune_domain::Timestamp;
use attune_domain::admission::{Admission, Arrival, Lane, LaneKey};
use attune_domain::execution::{Execution, Holds, Place};
use attune_domain::policy::Policy;
use attune_domain::status::{EnforcementStatus, ExecutionStatus};
use attune_ports::records::Commit;
use attune_ports::{Ports, Unavailable};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Applicants in one commit, at most: four records each and the lane stay within its limits.
const AT_ONCE: usize = 24;

/// Admits, in order, and answers how many of the subjects were dealt with. The rest must come again, in the
/// same order.
///
/// # Errors
/// Never for those dealt with: an error is about the first of the rest.
pub async fn handle(ports: &Ports, subjects: &[Subject]) -> (usize, Result<(), Unavailable>) {
    let mut done = 0;
    while done < subjects.len() {
        match next(ports, &subjects[done..]).await {
            Ok(many) => done += many,
            Err(error) => return (done, Err(error)),
        }
    }
    (done, Ok(()))
}

/// Where an applicant goes.
#[derive(Clone, Debug, PartialEq)]
struct Way {
    lane: Option<LaneKey>,
    policy: Option<Policy>,
}

/// Deals with the first subject, and with those after it that go the same way.
async fn next(ports: &Ports, subjects: &[Subject]) -> Result<usize, Unavailable> {
    let mut attempts = Attempts::default();
    let mut portion = Portion::of(AT_ONCE);
    loop {
        let mut applicants: Vec<Applicant> = Vec::new();
        let mut again: Vec<Announcement> = Vec::new();
        let mut way: Option<Way> = None;
        let mut many = 0;
        for (at, subject) in subjects.iter().take(portion.most()).enumerate() {
            // Announced twice, as after a crash: what comes of the first is true of both.
            if subjects[..at].contains(subject) {
                many += 1;
                continue;
            }
            match subject::find(ports, *subject).await? {
                Found::Nothing => {}
                Found::Before(announcements) => again.extend(announcements),
                Found::Applicant(applicant) => {
                    let mut applicant = *applicant;
                    let action =
                        definitions::action(ports, &applicant.execution.action_ref).await?;
                    let own = way_of(ports, &mut applicant, action.as_ref()).await?;
                    if way.as_ref().is_some_and(|way| way.lane != own.lane) {
                        break;
                    }
                    way.get_or_insert(own);
                    applicants.push(applicant);
                }
            }
            many += 1;
        }
        if let Some(way) = way {
            match decide_and_commit(ports, applicants, &way).await {
                Ok(announcements) => again.extend(announcements),
                Err(error) if portion.halve(many, &error) => continue,
                Err(error) => {
                    attempts.again(ports, error).await?;
                    continue;
                }
            }
        }
        announce::send(ports, again).await?;
        return Ok(many);
    }
}

/// Which lane an applicant goes through, if any.
async fn way_of(
    ports: &Ports,
    applicant: &mut Applicant,
    action: Option<&Arc<PreparedAction>>,
) -> Result<Way, Unavailable> {
    let execution = &mut applicant.execution;
    let runtime = action.and_then(|prepared| prepared.action.runtime);
    execution.runtime = runtime;
    execution.action = action.map(|prepared| prepared.action.id);
    // What a run starts with is settled here, whatever becomes of the definition meanwhile.
    execution.workflow = action.and_then(|prepared| prepared.action.workflow.clone());
    let inherits =
        applicant.enforcement.as_ref().is_some_and(|e| e.body.permission_set_refs.is_none());
    if let Some(prepared) = action.filter(|_| inherits) {
        execution
            .permission_set_refs
            .clone_from(&prepared.action.default_execution_permission_set_refs);
    }
    // A workflow needs no slot: what it executes does.
    if runtime.is_none() || execution.workflow.is_some() {
        return Ok(Way { lane: None, policy: None });
    }
    let policies = definitions::policies(ports).await?;
    let policy = Policy::in_force(&policies, &execution.action_ref, execution.executor);
    let Some(policy) = policy else { return Ok(Way { lane: None, policy: None }) };
    execution.max_attempts = policy.max_attempts.max(1);
    let mut parameters = Map::new();
    if !policy.parameters.is_empty() || policy.priority_parameter.is_some() {
        if let Some(config) = &execution.config
            && let Value::Object(map) = payload::fetch(&*ports.blobs, config).await?
        {
            parameters = map;
        }
        if let Some(prepared) = action {
            prepared.parameters.defaults(&mut parameters);
        }
    }
    if let Some(priority) = policy.priority(Some(&parameters)) {
        execution.priority = priority;
    }
    let lane = policy.lane(Some(&parameters));
    ahead::remember_lane(&ports.memo, &execution.action_ref, &lane);
    Ok(Way { lane: Some(lane), policy: Some(policy.clone()) })
}

async fn decide_and_commit(
    ports: &Ports,
    applicants: Vec<Applicant>,
    way: &Way,
) -> Result<Vec<Announcement>, attune_ports::records::Error> {
    let now = ports.clock.now();
    let mut lane = match (&way.lane, &way.policy) {
        (Some(key), Some(policy)) => Some(open_lane(ports, key, policy, now).await?),
        _ => None,
    };
    let wake_known = lane.as_ref().and_then(|(lane, _)| lane.wake_at);
    let mut commit = Commit::new();
    let mut announcements = Vec::new();
    for mut applicant in applicants {
        let held = match (&mut lane, applicant.execution.runtime) {
            _ if is_too_large(&applicant.execution, now) => Verdict::TooLarge,
            _ if applicant.execution.workflow.is_some() => Verdict::Workflow,
            (_, None) => Verdict::Unschedulable,
            (None, Some(_)) => Verdict::Free,
            (Some((lane, _)), Some(runtime)) => {
                let arrival = Arrival {
                    execution: applicant.execution.id,
                    priority: applicant.execution.priority,
                    runtime,
                };
                Verdict::Lane(lane.admit(arrival, now))
            }
        };
        announcements.extend(settle(&mut applicant, held, way, now));
        commit = write(commit, applicant, way, now);
    }
    if let Some((lane, version)) = lane {
        commit = commit.replace(layout::lane_record(&lane), version);
        announcements.extend(Announcement::wake_sooner(wake_known, &lane, now));
    }
    ports.records.commit(commit).await?;
    Ok(announcements)
}

async fn open_lane(
    ports: &Ports,
    key: &LaneKey,
    policy: &Policy,
    now: Timestamp,
) -> Result<(Lane, u64), Unavailable> {
    let Some(loaded) = load::lane(ports, key).await? else {
        let lane = Lane::new(key.clone(), policy.id, policy.terms.clone(), policy.updated, now);
        return Ok((lane, 0));
    };
    let mut lane = loaded.body;
    if lane.terms_of != policy.updated {
        lane.adopt(&policy.terms, policy.updated, now);
    }
    Ok((lane, loaded.version))
}

/// What was decided about an applicant.
enum Verdict {
    /// No policy: go.
    Free,
    /// The lane's answer.
    Lane(Admission),
    /// It is a workflow, which has a run in place of a process: go.
    Workflow,
    /// Nothing can run it.
    Unschedulable,
    /// Its record would have no room for what comes of it.
    TooLarge,
}

/// Whether the secrets that a rule gave an execution are too large for its record. One that was requested was looked
/// at before.
fn is_too_large(execution: &Execution, now: Timestamp) -> bool {
    let fits = || {
        layout::check_asked(&layout::execution_record(execution, subject::due(execution, now)))
            .is_ok()
    };
    execution.enforcement.is_some() && execution.secrets.is_some() && !fits()
}

/// Writes the verdict into the execution, and says whom to tell.
fn settle(
    applicant: &mut Applicant,
    verdict: Verdict,
    way: &Way,
    now: Timestamp,
) -> Option<Announcement> {
    let execution = &mut applicant.execution;
    let place = |holds| way.lane.clone().map(|lane| Place { lane, holds });
    match verdict {
        Verdict::Free | Verdict::Lane(Admission::Admitted(_)) => {
            if let Verdict::Lane(Admission::Admitted(grant)) = verdict {
                execution.place = place(Holds::Slot(grant));
            }
            execution.attempt = 1;
            execution.status = ExecutionStatus::Scheduled;
        }
        Verdict::Lane(Admission::Waiting(waiter) | Admission::Throttled(waiter, _)) => {
            execution.place = place(Holds::Ticket(waiter.ticket));
            applicant.waiter = Some(waiter);
        }
        Verdict::Lane(Admission::Refused(refusal)) => {
            execution.status = ExecutionStatus::Cancelled;
            execution.result = Some(ended("cancelled", execution, &refusal.to_string(), now));
        }
        Verdict::Workflow => {
            execution.runtime = None;
            execution.status = ExecutionStatus::Running;
        }
        Verdict::TooLarge => {
            // Without them there is room to say so.
            execution.secrets = None;
            execution.status = ExecutionStatus::Failed;
            execution.result = Some(ended("failed", execution, "Its secrets are too large", now));
        }
        Verdict::Unschedulable => {
            let why = match execution.action {
                None => format!("Action '{}' not found", execution.action_ref),
                Some(_) => format!(
                    "Action '{}' has no runtime that this server knows",
                    execution.action_ref
                ),
            };
            execution.status = ExecutionStatus::Failed;
            execution.result = Some(ended("failed", execution, &why, now));
        }
    }
    execution.updated = now;
    if let Some(enforcement) = &mut applicant.enforcement {
        let unknown = execution.action.is_none();
        enforcement.body.status =
            if unknown { EnforcementStatus::Disabled } else { EnforcementStatus::Processed };
        enforcement.body.execution = (!unknown).then_some(execution.id);
        enforcement.body.resolved_at = Some(now);
    }
    Announcement::next(execution)
}

/// The result of an execution that never ran.
fn ended(
    how: &str,
    execution: &Execution,
    why: &str,
    now: Timestamp,
) -> attune_domain::payload::Payload {
    json!({
        "succeeded": false,
        "error": why,
        "message": why,
        "action_ref": execution.action_ref,
        (format!("{how}_by")): "execution_scheduler",
        (format!("{how}_at")): now,
    })
    .into()
}

fn write(mut commit: Commit, applicant: Applicant, way: &Way, now: Timestamp) -> Commit {
    let execution = &applicant.execution;
    let refused = applicant
        .enforcement
        .as_ref()
        .is_some_and(|enforcement| enforcement.body.status == EnforcementStatus::Disabled);
    if !refused {
        let record = layout::execution_record(execution, subject::due(execution, now));
        commit = commit.replace(record, applicant.version);
    }
    if let (Some(key), Some(waiter)) = (&way.lane, &applicant.waiter) {
        commit = commit.create(layout::ticket_record(key, waiter));
    }
    if let Some(enforcement) = applicant.enforcement {
        let record = layout::enforcement_record(&enforcement.body, None);
        commit = commit.replace(record, enforcement.version);
    }
    commit
}
