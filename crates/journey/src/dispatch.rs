//! Dispatch: hand deliveries of a queue to their step, and say which are to come again.

use crate::subject::Subject;
use crate::{admit, complete, matching, run, wake};
use attune_domain::message::{Step, VERSION};
use attune_ports::queues::Receipt;
use attune_ports::{Delivery, Ports};
use std::collections::BTreeMap;

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

/// Deals with a batch. Deliveries of one group are dealt with in order: when one fails, it and the later
/// ones of its group are answered as failed, the others are not.
pub async fn batch(ports: &Ports, terms: &run::Terms, deliveries: Vec<Delivery>) -> Vec<Failed> {
    let mut failed = Vec::new();
    let mut admissions: BTreeMap<String, Vec<(Delivery, Subject)>> = BTreeMap::new();
    let mut completions = BTreeMap::new();
    for delivery in deliveries {
        if delivery.message.v != VERSION {
            let reason = format!("message version {} is unknown", delivery.message.v);
            failed.push(fail(&delivery, reason));
            continue;
        }
        match delivery.message.step.clone() {
            Step::EnforcementCreated { enforcement, .. } => {
                let subject = Subject::Enforcement(enforcement);
                admissions.entry(delivery.group.clone()).or_default().push((delivery, subject));
            }
            Step::ExecutionRequested { execution } => {
                let subject = Subject::Execution(execution);
                admissions.entry(delivery.group.clone()).or_default().push((delivery, subject));
            }
            Step::ExecutionCompleted { execution } => {
                completions
                    .entry(delivery.group.clone())
                    .or_insert_with(Vec::new)
                    .push((delivery, execution));
            }
            single => {
                if let Err(error) = one(ports, terms, single).await {
                    failed.push(fail(&delivery, error.to_string()));
                }
            }
        }
    }
    for group in admissions.into_values() {
        let (deliveries, subjects): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        let (done, result) = admit::handle(ports, &subjects).await;
        failed.extend(rest(&deliveries[done..], result.err()));
    }
    for group in completions.into_values() {
        let (deliveries, ids): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        let (done, result) = complete::handle(ports, &ids).await;
        failed.extend(rest(&deliveries[done..], result.err()));
    }
    failed
}

async fn one(
    ports: &Ports,
    terms: &run::Terms,
    step: Step,
) -> Result<(), attune_ports::Unavailable> {
    match step {
        Step::EventCreated { event } => matching::handle(ports, event).await,
        Step::ExecutionScheduled { execution, attempt } => {
            run::handle(ports, terms, execution, attempt).await
        }
        Step::LaneWake { lane } => wake::handle(ports, &lane).await,
        // Dealt with together above.
        Step::EnforcementCreated { .. }
        | Step::ExecutionRequested { .. }
        | Step::ExecutionCompleted { .. } => Ok(()),
    }
}

fn fail(delivery: &Delivery, reason: String) -> Failed {
    Failed { receipt: delivery.receipt.clone(), receives: delivery.receives, reason }
}

fn rest<'a>(
    deliveries: &'a [Delivery],
    error: Option<attune_ports::Unavailable>,
) -> impl Iterator<Item = Failed> + 'a {
    let reason = error.map(|error| error.to_string()).unwrap_or_default();
    deliveries.iter().map(move |delivery| fail(delivery, reason.clone()))
}
