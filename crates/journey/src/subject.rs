//! Whom admission is about: an enforcement that has no execution yet, or an execution asked for directly.

use crate::announce::{self, Announcement};
use crate::layout;
use crate::load::{self, Versioned};
use attune_domain::Timestamp;
use attune_domain::admission::Waiter;
use attune_domain::catalogue::Rule;
use attune_domain::enforcement::Enforcement;
use attune_domain::execution::{Execution, Holds, Place};
use attune_domain::id::{EnforcementId, ExecutionId};
use attune_domain::status::{EnforcementStatus, ExecutionStatus};
use attune_ports::records::{Commit, Kind};
use attune_ports::{Ports, Unavailable};

/// What a message to `admit` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A rule's decision.
    Enforcement(EnforcementId),
    /// A request.
    Execution(ExecutionId),
}

/// An execution that is to be admitted, and what is committed with it.
pub(crate) struct Applicant {
    pub execution: Execution,
    /// 0 where the execution is made by this admission.
    pub version: u64,
    pub enforcement: Option<Versioned<Enforcement>>,
    /// Its ticket, once it waits.
    pub waiter: Option<Waiter>,
}

/// What became of a subject so far.
pub(crate) enum Found {
    /// It is to be admitted.
    Applicant(Box<Applicant>),
    /// It was: perhaps that was not announced.
    Before(Vec<Announcement>),
    /// It is gone, or not to be admitted any more.
    Nothing,
}

/// Looks a subject up.
pub(crate) async fn find(ports: &Ports, subject: Subject) -> Result<Found, Unavailable> {
    match subject {
        Subject::Execution(id) => {
            let Some(loaded) = load::execution_versioned(ports, id).await? else {
                return Ok(Found::Nothing);
            };
            let execution = loaded.body;
            if execution.status == ExecutionStatus::Requested && execution.place.is_none() {
                return Ok(Found::Applicant(Box::new(Applicant {
                    execution,
                    version: loaded.version,
                    enforcement: None,
                    waiter: None,
                })));
            }
            Ok(Found::Before(announced_before(&execution)))
        }
        Subject::Enforcement(id) => {
            let key = layout::enforcement(id);
            let Some(loaded) = load::versioned::<Enforcement>(ports, &key).await? else {
                return Ok(Found::Nothing);
            };
            if let Some(execution) = loaded.body.execution {
                let execution = load::execution(ports, execution).await?;
                return Ok(execution
                    .map_or(Found::Nothing, |found| Found::Before(announced_before(&found))));
            }
            if loaded.body.status != EnforcementStatus::Created {
                return Ok(Found::Nothing);
            }
            let rule = loaded.body.rule_ref.as_str();
            let rule: Option<Rule> = load::definition(ports, Kind::Rule, rule).await?;
            if !rule.is_some_and(|rule| rule.enabled && Some(rule.id) == loaded.body.rule) {
                return disable(ports, loaded).await;
            }
            let execution = execution_of(ports, &loaded.body);
            Ok(Found::Applicant(Box::new(Applicant {
                execution,
                version: 0,
                enforcement: Some(loaded),
                waiter: None,
            })))
        }
    }
}

/// The rule was disabled or removed since it matched: no execution.
async fn disable(ports: &Ports, mut loaded: Versioned<Enforcement>) -> Result<Found, Unavailable> {
    loaded.body.status = EnforcementStatus::Disabled;
    loaded.body.resolved_at = Some(ports.clock.now());
    let record = layout::enforcement_record(&loaded.body, None);
    let commit = Commit::new().replace(record, loaded.version);
    // Whoever was faster decided it; the sweep looks again if that was not for good.
    match ports.records.commit(commit).await {
        Ok(()) | Err(attune_ports::records::Error::Stale(_)) => Ok(Found::Nothing),
        Err(error) => Err(Unavailable::new("records", error)),
    }
}

fn announced_before(execution: &Execution) -> Vec<Announcement> {
    Announcement::next(execution).into_iter().collect()
}

fn execution_of(ports: &Ports, enforcement: &Enforcement) -> Execution {
    let now = ports.clock.now();
    Execution {
        config: enforcement.config.clone(),
        secrets: enforcement.secrets.clone(),
        permission_set_refs: enforcement.permission_set_refs.clone().unwrap_or_default(),
        executor: enforcement.executor,
        enforcement: Some(enforcement.id),
        event: Some(enforcement.event),
        rule: enforcement.rule,
        rule_ref: Some(enforcement.rule_ref.clone()),
        trigger_ref: Some(enforcement.trigger_ref.clone()),
        ..Execution::new(ExecutionId::new(ports.ids.next()), enforcement.action_ref.clone(), now)
    }
}

/// When the next step of an execution is overdue; `None` where nothing is undone, or where a lane wakes it.
pub(crate) fn due(execution: &Execution, now: Timestamp) -> Option<Timestamp> {
    let overdue = announce::overdue_at(execution.created, now);
    match execution.status {
        ExecutionStatus::Requested | ExecutionStatus::Scheduling => match &execution.place {
            Some(Place { holds: Holds::Ticket(_), .. }) => None,
            _ => Some(overdue),
        },
        ExecutionStatus::Scheduled => Some(overdue),
        // Its inquiry stands in the due index instead, once its slot is given back.
        ExecutionStatus::Running if execution.waits_for().is_some() => match &execution.place {
            Some(Place { holds: Holds::Slot(_), .. }) => Some(overdue),
            _ => None,
        },
        ExecutionStatus::Running | ExecutionStatus::Canceling => {
            Some(execution.claim.as_ref().map_or(overdue, |claim| claim.deadline))
        }
        status if status.is_terminal() && execution.is_awaited() => Some(overdue),
        _ => None,
    }
}
