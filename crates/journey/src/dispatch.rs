//! Dispatch: hand deliveries to their step, and say which are to come again.
//!
//! [`batch`] takes whatever comes. A process that does one step only calls that step's own function
//! ([`matches()`], [`admissions`], [`runs`], [`completions`], [`wakes`]) and carries no other's code.

use crate::subject::Subject;
use crate::{admit, ahead, complete, inquiry, matching, run, wake};
use attune_domain::message::{Step, VERSION};
use attune_ports::queues::Receipt;
use attune_ports::{Delivery, Ports, Unavailable};
use futures::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A delivery that was not dealt with, and why.
#[derive(Clone, Debug)]
pub struct Failed {
    /// Which.
    pub receipt: Receipt,
    /// How often it was delivered.
    pub receives: u32,
    /// Why.
    pub reason: String,
}

impl Failed {
    /// This delivery, for this reason.
    #[must_use]
    pub fn new(delivery: &Delivery, reason: impl ToString) -> Self {
        Self {
            receipt: delivery.receipt.clone(),
            receives: delivery.receives,
            reason: reason.to_string(),
        }
    }

    /// How long to wait before it is delivered again: the longer, the more often it was.
    #[must_use]
    pub fn pause(&self) -> Duration {
        Duration::from_millis(250) * 2_u32.pow(self.receives.min(7))
    }
}

/// Deals with a batch of any steps. Deliveries of one group are dealt with in order: when one fails, it and
/// the later ones of its group are answered as failed, the others are not.
pub async fn batch(ports: &Ports, terms: &run::Terms, deliveries: Vec<Delivery>) -> Vec<Failed> {
    let [mut events, mut to_admit, mut to_run, mut ended, mut moments] = [const { Vec::new() }; 5];
    for delivery in deliveries {
        let step = match delivery.message.step {
            Step::EventCreated { .. } => &mut events,
            Step::EnforcementCreated { .. } | Step::ExecutionRequested { .. } => &mut to_admit,
            Step::ExecutionScheduled { .. } => &mut to_run,
            Step::ExecutionCompleted { .. } => &mut ended,
            Step::LaneWake { .. } | Step::InquiryDue { .. } => &mut moments,
        };
        step.push(delivery);
    }
    let mut failed = matches(ports, events).await;
    failed.extend(runs(ports, terms, to_run).await);
    failed.extend(wakes(ports, moments).await);
    failed.extend(admissions(ports, to_admit).await);
    failed.extend(completions(ports, ended).await);
    failed
}

/// Matches events, one after the other.
pub async fn matches(ports: &Ports, deliveries: Vec<Delivery>) -> Vec<Failed> {
    let ports = &ahead::of(ports, &deliveries).await;
    let mut failed = Vec::new();
    for delivery in deliveries {
        let done = match known(&delivery) {
            Ok(Step::EventCreated { event }) => {
                matching::handle(ports, *event).await.map_err(|e| e.to_string())
            }
            other => Err(misplaced(other)),
        };
        failed.extend(done.err().map(|reason| Failed::new(&delivery, reason)));
    }
    failed
}

/// Runs executions, all at once.
pub async fn runs(ports: &Ports, terms: &run::Terms, deliveries: Vec<Delivery>) -> Vec<Failed> {
    let ports = &ahead::of(ports, &deliveries).await;
    let runs = deliveries.into_iter().map(async |delivery| {
        let done = match known(&delivery) {
            Ok(Step::ExecutionScheduled { execution, attempt }) => {
                let run = run::handle(ports, terms, *execution, *attempt);
                run.await.map_err(|e| e.to_string())
            }
            other => Err(misplaced(other)),
        };
        done.err().map(|reason| Failed::new(&delivery, reason))
    });
    join_all(runs).await.into_iter().flatten().collect()
}

/// Looks at lanes and inquiries whose moment has come, one after the other.
pub async fn wakes(ports: &Ports, deliveries: Vec<Delivery>) -> Vec<Failed> {
    let ports = &ahead::of(ports, &deliveries).await;
    let mut failed = Vec::new();
    for delivery in deliveries {
        let done = match known(&delivery) {
            Ok(Step::LaneWake { lane }) => {
                wake::handle(ports, lane).await.map_err(|e| e.to_string())
            }
            Ok(Step::InquiryDue { inquiry }) => {
                inquiry::deadline(ports, *inquiry).await.map_err(|e| e.to_string())
            }
            other => Err(misplaced(other)),
        };
        failed.extend(done.err().map(|reason| Failed::new(&delivery, reason)));
    }
    failed
}

/// Admits, each group in order.
pub async fn admissions(ports: &Ports, deliveries: Vec<Delivery>) -> Vec<Failed> {
    let ports = &ahead::of(ports, &deliveries).await;
    let (groups, mut failed) = grouped(deliveries, |step| match step {
        Step::EnforcementCreated { enforcement, .. } => Some(Subject::Enforcement(*enforcement)),
        Step::ExecutionRequested { execution } => Some(Subject::Execution(*execution)),
        _ => None,
    });
    for Group { deliveries, subjects } in groups {
        let (done, result) = admit::handle(ports, &subjects).await;
        failed.extend(rest(&deliveries[done..], result.err()));
    }
    failed
}

/// Frees the slots of ended executions, each group in order.
pub async fn completions(ports: &Ports, deliveries: Vec<Delivery>) -> Vec<Failed> {
    let ports = &ahead::of(ports, &deliveries).await;
    let (groups, mut failed) = grouped(deliveries, |step| match step {
        Step::ExecutionCompleted { execution } => Some(*execution),
        _ => None,
    });
    for Group { deliveries, subjects } in groups {
        let (done, result) = complete::handle(ports, &subjects).await;
        failed.extend(rest(&deliveries[done..], result.err()));
    }
    failed
}

/// The step of a message whose format is known.
fn known(delivery: &Delivery) -> Result<&Step, String> {
    match delivery.message.v {
        VERSION => Ok(&delivery.message.step),
        version => Err(format!("message version {version} is unknown")),
    }
}

/// Why a delivery is none of this step's.
fn misplaced(step: Result<&Step, String>) -> String {
    step.map_or_else(|reason| reason, |step| format!("'{}' is not for this step", step.subject()))
}

/// Deliveries of one group, in order, and whom they are about.
struct Group<T> {
    deliveries: Vec<Delivery>,
    subjects: Vec<T>,
}

/// Sorts deliveries by group. What cannot be dealt with fails, with the later ones of its group.
fn grouped<T>(
    deliveries: Vec<Delivery>,
    subject: impl Fn(&Step) -> Option<T>,
) -> (impl Iterator<Item = Group<T>>, Vec<Failed>) {
    let mut groups = BTreeMap::<String, Group<T>>::new();
    let mut failed = Vec::new();
    let mut blocked = BTreeSet::new();
    for delivery in deliveries {
        if blocked.contains(&delivery.group) {
            failed.push(Failed::new(&delivery, "one before it in its group failed"));
            continue;
        }
        let step = known(&delivery);
        match step.as_ref().ok().and_then(|step| subject(step)) {
            Some(subject) => {
                let group = groups
                    .entry(delivery.group.clone())
                    .or_insert_with(|| Group { deliveries: Vec::new(), subjects: Vec::new() });
                group.subjects.push(subject);
                group.deliveries.push(delivery);
            }
            None => {
                failed.push(Failed::new(&delivery, misplaced(step)));
                blocked.insert(delivery.group);
            }
        }
    }
    (groups.into_values(), failed)
}

fn rest(deliveries: &[Delivery], error: Option<Unavailable>) -> impl Iterator<Item = Failed> {
    let reason = error.map(|error| error.to_string()).unwrap_or_default();
    deliveries.iter().map(move |delivery| Failed::new(delivery, &reason))
}
