//! Ingest: something happened; store it as an event and have it matched.

use crate::announce::{self, Announcement};
use crate::{layout, payload};
use attune_domain::catalogue::{Rule, Sensor, Trigger};
use attune_domain::event::{Event, Matching};
use attune_domain::id::{EventId, RuleId, SensorId, TriggerId};
use attune_domain::reference::ComponentRef;
use attune_domain::timer::Firing;
use attune_ports::records::{self, Commit, Kind, Record};
use attune_ports::{Ports, Tick, Unavailable};
use serde_json::Value;

/// What happened.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// What kind of event.
    pub trigger_ref: ComponentRef,
    /// The trigger's id, if it exists.
    pub trigger: Option<TriggerId>,
    /// What rules look at.
    pub payload: Option<Value>,
    /// How it came.
    pub config: Option<Value>,
    /// The sensor it came from.
    pub source: Option<SensorId>,
    /// Where it came from, in words.
    pub source_ref: Option<String>,
    /// The only rule it is meant for.
    pub rule: Option<(RuleId, ComponentRef)>,
    /// Identity of the cause, where it has one: a second event with the same is the first.
    pub cause: Option<String>,
}

/// Why an event could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not fit into a record.
    #[error("the event is too large")]
    TooLarge,
    /// Something did not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Stores an event and announces it. Not durable yet: settle before answering.
///
/// # Errors
/// See [`Error`]; nothing was stored.
pub async fn event(ports: &Ports, new: NewEvent) -> Result<Event, Error> {
    let now = ports.clock.now();
    let mut event = Event {
        id: EventId::new(ports.ids.next()),
        trigger: new.trigger,
        trigger_ref: new.trigger_ref,
        payload: None,
        config: new.config,
        source: new.source,
        source_ref: new.source_ref,
        rule: new.rule.as_ref().map(|(id, _)| *id),
        rule_ref: new.rule.map(|(_, reference)| reference),
        created: now,
        matching: Matching::default(),
    };
    if let Some(value) = new.payload {
        let name = format!("events/{}", event.id);
        event.payload = Some(payload::stash(&*ports.blobs, &name, value).await?);
    }
    loop {
        let due = announce::overdue_at(now, now);
        let mut commit = Commit::new().create(layout::event_record(&event, Some(due)));
        if let Some(cause) = &new.cause {
            let mark = Record::new(Kind::Marker, layout::cause(cause), &event.id)
                .until(Some(now + announce::CAUSES_KEPT));
            commit = commit.create(mark);
        }
        match ports.records.commit(commit).await {
            Ok(()) => break,
            Err(records::Error::Stale(_)) => {
                if let Some(known) = known(ports, new.cause.as_deref()).await? {
                    event = known;
                    break;
                }
                // The id was taken by another cause: draw again.
                event.id = EventId::new(ports.ids.next());
            }
            Err(records::Error::Unavailable(error)) => return Err(error.into()),
            Err(records::Error::TooLarge(_) | records::Error::Repeated(_)) => {
                return Err(Error::TooLarge);
            }
        }
    }
    if !event.matching.done {
        announce::send(ports, [Announcement::event(&event)]).await?;
    }
    Ok(event)
}

/// The event that this cause made before.
async fn known(ports: &Ports, cause: Option<&str>) -> Result<Option<Event>, Unavailable> {
    let Some(cause) = cause else { return Ok(None) };
    let Some(mark) = ports.records.get(&layout::cause(cause)).await? else { return Ok(None) };
    let id: EventId = mark.decode().map_err(|e| Unavailable::new("records", e))?;
    crate::load::event(ports, id).await
}

/// Stores the event of a timer's tick, if what carries the timer still exists, is enabled, and has not
/// been set anew since.
///
/// # Errors
/// See [`Error`]; the tick is to be delivered again.
pub async fn tick(ports: &Ports, tick: &Tick) -> Result<Option<Event>, Error> {
    let Some(carrier) = Carrier::load(ports, &tick.name).await? else { return Ok(None) };
    let Some(timer) = carrier.timer.filter(|timer| timer.generation == tick.generation) else {
        return Ok(None);
    };
    let now = ports.clock.now();
    let next = timer.spec.next_after(timer.anchor, tick.scheduled_at.max(now));
    let payload = timer.spec.payload(&Firing {
        tick: tick.scheduled_at,
        fired_at: now,
        execution_count: tick.count,
        next,
        sensor_ref: &carrier.sensor_ref,
        missed_count: tick.missed,
    });
    let cause =
        format!("tick/{}/{}/{}", tick.name, tick.generation, tick.scheduled_at.timestamp_millis());
    let new = NewEvent {
        trigger_ref: carrier.trigger_ref,
        trigger: carrier.trigger,
        payload: Some(payload),
        config: None,
        source: carrier.source,
        source_ref: Some(carrier.sensor_ref),
        rule: carrier.rule,
        cause: Some(cause),
    };
    event(ports, new).await.map(Some)
}

/// Identity of the event that an event of the cloud becomes for a trigger: a redelivery is the same. `None`
/// where it has no `id`.
#[must_use]
pub fn cloud_cause(trigger_ref: &ComponentRef, cloud_event: &Value) -> Option<String> {
    let id = cloud_event.get("id")?.as_str().filter(|id| !id.is_empty())?;
    Some(format!("cloud/{trigger_ref}/{id}"))
}

/// Stores an event of the cloud as an event of the trigger that subscribes to it, if that still exists and is
/// enabled. The payload is the whole of it: `source`, `detail-type`, `detail` and the rest.
///
/// # Errors
/// See [`Error`]; it is to be delivered again.
pub async fn cloud_event(
    ports: &Ports,
    trigger_ref: &ComponentRef,
    cloud_event: Value,
) -> Result<Option<Event>, Error> {
    let found: Option<Trigger> =
        crate::load::definition(ports, Kind::Trigger, trigger_ref.as_str()).await?;
    let subscribed = |trigger: &Trigger| trigger.enabled && trigger.cloud_event.is_some();
    let Some(trigger) = found.filter(subscribed) else { return Ok(None) };
    let new = NewEvent {
        trigger: Some(trigger.id),
        trigger_ref: trigger.reference,
        config: None,
        source: None,
        source_ref: cloud_event.get("source").and_then(Value::as_str).map(str::to_owned),
        rule: None,
        cause: cloud_cause(trigger_ref, &cloud_event),
        payload: Some(cloud_event),
    };
    event(ports, new).await.map(Some)
}

/// What carries a timer, as far as its events are concerned.
struct Carrier {
    timer: Option<attune_domain::catalogue::Timer>,
    trigger_ref: ComponentRef,
    trigger: Option<TriggerId>,
    rule: Option<(RuleId, ComponentRef)>,
    source: Option<SensorId>,
    sensor_ref: String,
}

/// The sensor in whose name timers of rules and triggers fire.
const TIMER_SENSOR: &str = "core.timer_sensor";

impl Carrier {
    async fn load(ports: &Ports, name: &str) -> Result<Option<Self>, Unavailable> {
        let Some((kind, reference)) = name.split_once('/') else { return Ok(None) };
        let own = TIMER_SENSOR.to_owned();
        Ok(match kind {
            "rule" => {
                let rule: Option<Rule> =
                    crate::load::definition(ports, Kind::Rule, reference).await?;
                rule.filter(|rule| rule.enabled).map(|rule| Self {
                    timer: rule.timer,
                    trigger_ref: rule.trigger_ref,
                    trigger: rule.trigger,
                    rule: Some((rule.id, rule.reference)),
                    source: None,
                    sensor_ref: own,
                })
            }
            "sensor" => {
                let sensor: Option<Sensor> =
                    crate::load::definition(ports, Kind::Sensor, reference).await?;
                sensor.filter(|sensor| sensor.enabled).and_then(|sensor| {
                    Some(Self {
                        trigger_ref: sensor.trigger_refs.first()?.clone(),
                        timer: sensor.timer,
                        trigger: None,
                        rule: None,
                        source: Some(sensor.id),
                        sensor_ref: sensor.reference.to_string(),
                    })
                })
            }
            "trigger" => {
                let trigger: Option<Trigger> =
                    crate::load::definition(ports, Kind::Trigger, reference).await?;
                trigger.filter(|trigger| trigger.enabled).map(|trigger| Self {
                    timer: trigger.timer,
                    trigger_ref: trigger.reference,
                    trigger: Some(trigger.id),
                    rule: None,
                    source: None,
                    sensor_ref: own,
                })
            }
            _ => None,
        })
    }
}
