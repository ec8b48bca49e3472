//! Subscriptions as EventBridge rules: one for each trigger, on its bus, with `ingest-event` as the target.
//!
//! A record names every bus on which a rule may exist before one is made there, and forgets it after the rule is
//! removed; so a crash leaves nothing that nobody knows of. [`CloudEvents::list`] tells what is not made completely
//! without its pattern: so no trigger wants it, and whoever compares makes or removes it.

use crate::{Clients, Timers, failure};
use async_trait::async_trait;
use attune_domain::reference::ComponentRef;
use attune_ports::records::{self, Commit, Kind};
use attune_ports::{CloudEvents, Key, Query, Record, Records, Subscription, Unavailable};
use aws_sdk_eventbridge::error::SdkError;
use aws_sdk_eventbridge::types::{InputTransformer, RetryPolicy, Target};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

const WHAT: &str = "cloud events";
const PARTITION: &str = "cloud_event";
/// Records in one page of a list.
const PAGE: usize = 500;
/// A rule has one target, of this id.
const TARGET: &str = "ingest-event";
/// For so long EventBridge tries to reach its target.
const RETRY_SECONDS: i32 = 86_400;
/// Attempts to change a record that others change, too.
const ATTEMPTS: usize = 8;
/// What EventBridge puts in place of this: the whole event. It must not stand in quotes.
const EVENT: &str = "<aws.events.event.json>";

/// What reaches `ingest-event` for an event of the cloud.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivered {
    /// The trigger whose event it is.
    pub trigger_ref: ComponentRef,
    /// The event: `id`, `source`, `detail-type`, `detail` and the rest.
    pub event: Value,
}

/// A subscription, and where a rule for it may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Stored {
    subscription: Subscription,
    /// Buses on which a rule may exist; `None` is the default one.
    buses: Vec<Option<String>>,
    /// Whether exactly the one rule of this subscription exists.
    made: bool,
}

/// Subscriptions as EventBridge rules.
pub struct EventBridgeSubscriptions {
    records: Arc<dyn Records>,
    clients: Arc<Clients>,
    timers: Option<Timers>,
}

fn failed(error: impl std::fmt::Display) -> Unavailable {
    Unavailable::new(WHAT, error)
}

/// What a rule says to its target.
fn template(trigger_ref: &ComponentRef) -> String {
    let text = json!({"cloud_event": {"trigger_ref": trigger_ref, "event": EVENT}}).to_string();
    text.replace(&format!("\"{EVENT}\""), EVENT)
}

/// Name of a trigger's rule: what the stack's rules begin with, and a hash, in 64 characters.
fn rule_name(prefix: &str, trigger_ref: &ComponentRef) -> String {
    let hash = hex::encode(&Sha256::digest(trigger_ref.as_str())[..10]);
    let prefix: String = prefix.chars().take(63 - hash.len()).collect();
    format!("{prefix}-{hash}")
}

impl EventBridgeSubscriptions {
    /// Subscriptions of a stack; without `timers`, whatever would make one is refused. Nothing is read or
    /// connected.
    #[must_use]
    pub fn new(records: Arc<dyn Records>, clients: Arc<Clients>, timers: Option<Timers>) -> Self {
        Self { records, clients, timers }
    }

    fn timers(&self) -> Result<&Timers, Unavailable> {
        self.timers
            .as_ref()
            .ok_or_else(|| failed("this function has no part in events of the cloud"))
    }

    async fn load(&self, trigger: &ComponentRef) -> Result<Option<(Stored, u64)>, Unavailable> {
        let Some(record) = self.records.get(&key(trigger)).await? else { return Ok(None) };
        let stored = record.decode().map_err(|error| failed(error.source))?;
        Ok(Some((stored, record.version)))
    }

    /// Commits; `false`, something has changed since it was read.
    async fn commit(&self, commit: Commit) -> Result<bool, Unavailable> {
        match self.records.commit(commit).await {
            Ok(()) => Ok(true),
            Err(records::Error::Stale(_)) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    async fn store(&self, stored: &Stored, version: u64) -> Result<bool, Unavailable> {
        let key = key(&stored.subscription.trigger_ref);
        let record = Record::new(Kind::Marker, key, stored);
        self.commit(Commit::new().replace(record, version)).await
    }

    async fn make(&self, subscription: &Subscription) -> Result<(), Unavailable> {
        let timers = self.timers()?;
        let name = rule_name(&timers.prefix, &subscription.trigger_ref);
        let pattern = serde_json::to_string(&subscription.pattern).map_err(failed)?;
        let client = self.clients.eventbridge().await;
        client
            .put_rule()
            .name(&name)
            .set_event_bus_name(subscription.bus.clone())
            .event_pattern(pattern)
            .description(format!("Events of trigger {}", subscription.trigger_ref))
            .send()
            .await
            .map_err(|error| failure::unavailable(WHAT, error))?;
        let transformer = InputTransformer::builder()
            .input_template(template(&subscription.trigger_ref))
            .build()
            .map_err(failed)?;
        let retries = RetryPolicy::builder().maximum_event_age_in_seconds(RETRY_SECONDS).build();
        let target = Target::builder()
            .id(TARGET)
            .arn(&timers.target_arn)
            .input_transformer(transformer)
            .retry_policy(retries)
            .build()
            .map_err(failed)?;
        let put = client
            .put_targets()
            .rule(&name)
            .set_event_bus_name(subscription.bus.clone())
            .targets(target)
            .send()
            .await
            .map_err(|error| failure::unavailable(WHAT, error))?;
        match put.failed_entries().first() {
            None => Ok(()),
            Some(entry) => Err(failed(entry.error_message().unwrap_or("the target was refused"))),
        }
    }

    async fn unmake(&self, trigger: &ComponentRef, bus: Option<&str>) -> Result<(), Unavailable> {
        let name = rule_name(&self.timers()?.prefix, trigger);
        let client = self.clients.eventbridge().await;
        let removed = client
            .remove_targets()
            .rule(&name)
            .set_event_bus_name(bus.map(str::to_owned))
            .ids(TARGET)
            .send()
            .await;
        match removed {
            // A bus that is gone took its rules along.
            Err(SdkError::ServiceError(e)) if e.err().is_resource_not_found_exception() => {
                return Ok(());
            }
            removed => removed.map_err(|error| failure::unavailable(WHAT, error))?,
        };
        let deleted = client
            .delete_rule()
            .name(&name)
            .set_event_bus_name(bus.map(str::to_owned))
            .send()
            .await;
        match deleted {
            Err(SdkError::ServiceError(e)) if e.err().is_resource_not_found_exception() => Ok(()),
            deleted => deleted.map(drop).map_err(|error| failure::unavailable(WHAT, error)),
        }
    }
}

fn key(trigger: &ComponentRef) -> Key {
    Key::new(PARTITION, trigger.as_str())
}

#[async_trait]
impl CloudEvents for EventBridgeSubscriptions {
    async fn subscribe(&self, subscription: &Subscription) -> Result<(), Unavailable> {
        for _ in 0..ATTEMPTS {
            let before = self.load(&subscription.trigger_ref).await?;
            let version = before.as_ref().map_or(0, |(_, version)| *version);
            let mut buses = match before {
                Some((stored, _)) if stored.made && stored.subscription == *subscription => {
                    return Ok(());
                }
                Some((stored, _)) => stored.buses,
                None => vec![],
            };
            if !buses.contains(&subscription.bus) {
                buses.push(subscription.bus.clone());
            }
            let mut stored = Stored { subscription: subscription.clone(), buses, made: false };
            if !self.store(&stored, version).await? {
                continue;
            }
            // The new rule first, so that no event falls in between; one that comes from both is one event.
            self.make(subscription).await?;
            for bus in stored.buses.iter().filter(|bus| **bus != subscription.bus) {
                self.unmake(&subscription.trigger_ref, bus.as_deref()).await?;
            }
            stored.buses = vec![subscription.bus.clone()];
            stored.made = true;
            if self.store(&stored, version + 1).await? {
                return Ok(());
            }
        }
        Err(failed(format!("too many change {} at the same time", subscription.trigger_ref)))
    }

    async fn unsubscribe(&self, trigger_ref: &ComponentRef) -> Result<(), Unavailable> {
        for _ in 0..ATTEMPTS {
            let Some((stored, version)) = self.load(trigger_ref).await? else { return Ok(()) };
            for bus in &stored.buses {
                self.unmake(trigger_ref, bus.as_deref()).await?;
            }
            let expect = records::Expect::Version(version);
            if self.commit(Commit::new().delete(key(trigger_ref), expect)).await? {
                return Ok(());
            }
        }
        Err(failed(format!("too many change {trigger_ref} at the same time")))
    }

    async fn list(&self) -> Result<Vec<Subscription>, Unavailable> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = self.records.query(&Query::partition(PARTITION, PAGE).after(after)).await?;
            for record in &page.records {
                let mut stored: Stored = record.decode().map_err(|error| failed(error.source))?;
                if !stored.made {
                    stored.subscription.pattern.clear();
                }
                found.push(stored.subscription);
            }
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_named_after_its_trigger() {
        let trigger: ComponentRef = ComponentRef::parse("my.trigger").expect("a ref");
        let other: ComponentRef = ComponentRef::parse("my.other").expect("a ref");
        let name = rule_name("attune", &trigger);
        assert!(name.starts_with("attune-") && name.len() == 27, "{name}");
        assert_ne!(name, rule_name("attune", &other));
        assert_eq!(rule_name(&"s".repeat(128), &trigger).len(), 64);
    }

    #[test]
    fn the_event_stands_in_the_template_without_quotes() {
        let trigger: ComponentRef = ComponentRef::parse("my.trigger").expect("a ref");
        let filled = template(&trigger).replace(EVENT, r#"{"id":"7","detail":{"a":"\"b"}}"#);
        let filled: Value = serde_json::from_str(&filled).expect("JSON");
        let delivered: Delivered =
            serde_json::from_value(filled["cloud_event"].clone()).expect("what ingest reads");
        assert_eq!(delivered.trigger_ref, trigger);
        assert_eq!(delivered.event["detail"]["a"], "\"b");
    }
}
