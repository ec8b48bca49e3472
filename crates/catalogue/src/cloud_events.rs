//! Subscriptions of triggers to events of the cloud.
//!
//! As with [timers](crate::timers), a trigger's commit says what is wanted and the subscription follows:
//! it exists while the trigger is enabled. [`reconcile`] repairs what a crash left.

use crate::error::Error;
use crate::read;
use attune_domain::catalogue::Trigger;
use attune_domain::reference::ComponentRef;
use attune_ports::{Ports, Subscription};
use std::collections::BTreeMap;

/// The subscription that a trigger demands.
fn wanted(trigger: &Trigger) -> Option<Subscription> {
    let source = trigger.cloud_event.as_ref().filter(|_| trigger.enabled)?;
    Some(Subscription {
        trigger_ref: trigger.reference.clone(),
        pattern: source.event_pattern.clone(),
        bus: source.event_bus.clone(),
    })
}

/// Makes the subscription of a stored trigger follow it.
pub(crate) async fn apply(ports: &Ports, trigger: &Trigger) {
    let done = match wanted(trigger) {
        Some(subscription) => ports.cloud_events.subscribe(&subscription).await,
        None => ports.cloud_events.unsubscribe(&trigger.reference).await,
    };
    if let Err(error) = done {
        // The trigger is stored and says what is wanted; reconciling makes up for this.
        let trigger = trigger.reference.as_str();
        tracing::warn!(trigger, %error, "a subscription was not brought up to date");
    }
}

/// Takes the subscription of a trigger that is no more.
pub(crate) async fn forget(ports: &Ports, trigger: &ComponentRef) {
    if let Err(error) = ports.cloud_events.unsubscribe(trigger).await {
        tracing::warn!(%trigger, %error, "a subscription was not removed");
    }
}

/// Makes every subscription that a trigger demands and removes every other; answers how many were wrong.
///
/// # Errors
/// [`Error::Unavailable`] where a port does not answer, [`Error::Unreadable`] where a record is broken.
pub async fn reconcile(ports: &Ports) -> Result<usize, Error> {
    // Subscriptions first: one that is made meanwhile must not look like a leftover.
    let mut present: BTreeMap<ComponentRef, Subscription> = BTreeMap::new();
    for subscription in ports.cloud_events.list().await? {
        present.insert(subscription.trigger_ref.clone(), subscription);
    }
    let mut wrong = Vec::new();
    for trigger in read::all::<Trigger>(ports).await? {
        if present.remove(&trigger.reference) != wanted(&trigger) {
            wrong.push(trigger.reference);
        }
    }
    wrong.extend(present.into_keys());
    for reference in &wrong {
        // Read again before acting: the trigger may have changed since the comparison. One that cannot be helped,
        // as its bus is gone, does not keep the others from it.
        match read::get::<Trigger>(ports, reference.as_str()).await? {
            Some(trigger) => apply(ports, &trigger).await,
            None => forget(ports, reference).await,
        }
    }
    Ok(wrong.len())
}
