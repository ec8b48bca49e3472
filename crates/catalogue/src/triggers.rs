//! Triggers: made, changed and removed; their webhooks opened and closed.

use crate::definition::{Definition, Stored};
use crate::draft::{Draft, settled};
use crate::error::{Error, Failure};
use crate::{check, cloud_events, layout, links, packs, read, timers};
use attune_domain::catalogue::{Pack, Rule, Timer, Trigger, Webhook};
use attune_domain::cloud_event::{self, CloudEventSource};
use attune_domain::id::TriggerId;
use attune_domain::reference::ComponentRef;
use attune_domain::timer::TimerSpec;
use attune_ports::Ports;
use attune_ports::records::{Kind, Record};
use serde_json::Value;

/// A trigger to be made.
#[derive(Clone, Debug)]
pub struct NewTrigger {
    /// Its name, not taken yet.
    pub reference: ComponentRef,
    /// The pack it belongs to, if any.
    pub pack_ref: Option<String>,
    /// For people; 1 to 255 characters.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Whether its timer ticks, or events of the cloud reach it.
    pub enabled: bool,
    /// Schema of a rule's `trigger_params`.
    pub param_schema: Option<Value>,
    /// Schema of the payload.
    pub out_schema: Option<Value>,
    /// A timer of its own, `{"type": "interval", "seconds": 10}` and the like, or events of the cloud,
    /// `{"type": "cloud_event", "event_pattern": {…}}`.
    pub config: Option<Value>,
}

/// What to change about a trigger; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct TriggerChange {
    /// For people; 1 to 255 characters.
    pub label: Option<String>,
    /// For people; `Some(None)` clears it.
    pub description: Option<Option<String>>,
    /// Whether its timer ticks, or events of the cloud reach it.
    pub enabled: Option<bool>,
    /// Another schema of `trigger_params`.
    pub param_schema: Option<Value>,
    /// Another schema of the payload.
    pub out_schema: Option<Value>,
    /// Another timer of its own, or other events of the cloud.
    pub config: Option<Value>,
}

/// The schema of a rule's `trigger_params`: none where the field holds a configuration instead.
pub(crate) fn params_schema(trigger: &Trigger) -> Option<&Value> {
    let schema = trigger.param_schema.as_ref();
    schema.filter(|schema| matches!(Emitter::of(Some(schema)), Ok(None)))
}

/// What emits a trigger's events without anybody's doing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Emitter {
    /// A timer of its own.
    Timer(TimerSpec),
    /// The cloud.
    Cloud(CloudEventSource),
}

impl Emitter {
    /// What a configuration describes, if its `type` says that it is one.
    pub(crate) fn of(config: Option<&Value>) -> Result<Option<Self>, Error> {
        if let Some(config) = config.filter(|config| cloud_event::says_so(config)) {
            let source = CloudEventSource::parse(config)
                .map_err(|error| Error::Invalid(error.to_string()))?;
            return Ok(Some(Self::Cloud(source)));
        }
        Ok(timers::of_trigger(config)?.map(Self::Timer))
    }

    /// The same, of a configuration that must be one. `field` is where it stands.
    pub(crate) fn expected(field: &str, config: &Value) -> Result<Self, Error> {
        Self::of(Some(config))?.ok_or_else(|| {
            Error::Invalid(format!(
                "{field}: type must be interval, cron, one_shot, rrule or cloud_event"
            ))
        })
    }

    /// Gives it to a trigger. A timer goes on where it is the `running` one.
    pub(crate) fn give(
        this: Option<Self>,
        ports: &Ports,
        trigger: &mut Trigger,
        running: Option<&Timer>,
    ) {
        (trigger.timer, trigger.cloud_event) = match this {
            None => (None, None),
            Some(Self::Timer(spec)) => (Some(timers::going_on(ports, running, spec)), None),
            Some(Self::Cloud(source)) => (None, Some(source)),
        };
    }
}

/// What is to emit a trigger's events: the configuration may stand in a field of its own or, as older
/// clients write it, in place of the schema.
fn emitter_of(
    config: Option<&Value>,
    param_schema: Option<&Value>,
) -> Result<Option<Emitter>, Error> {
    if let Some(config) = config {
        return Emitter::expected("config", config).map(Some);
    }
    let emitter = Emitter::of(param_schema)?;
    if emitter.is_none() {
        check::schema("param_schema", param_schema)?;
    }
    Ok(emitter)
}

/// Makes the schedule and the subscription of a stored trigger follow it.
pub(crate) async fn apply(ports: &Ports, trigger: &Trigger) {
    timers::apply_trigger(ports, trigger).await;
    cloud_events::apply(ports, trigger).await;
}

/// Makes a trigger. Rules that named it before it existed fire from now on.
///
/// # Errors
/// [`Error::Conflict`] where the ref is taken, [`Error::NotFound`] for an unknown pack, [`Error::Invalid`]
/// for a wrong value.
pub async fn create(ports: &Ports, new: &NewTrigger) -> Result<Trigger, Error> {
    check::label(&new.label)?;
    check::schema("out_schema", new.out_schema.as_ref())?;
    let trigger = settled(ports, || create_once(ports, new)).await?;
    apply(ports, &trigger).await;
    welcome(ports, &trigger).await?;
    Ok(trigger)
}

async fn create_once(ports: &Ports, new: &NewTrigger) -> Result<Trigger, Failure> {
    let emitter = emitter_of(new.config.as_ref(), new.param_schema.as_ref())?;
    if read::stored::<Trigger>(ports, new.reference.as_str()).await?.is_some() {
        return Err(Error::taken(Kind::Trigger, &new.reference).into());
    }
    let pack = match &new.pack_ref {
        Some(pack_ref) => Some(read::stored_or_missing::<Pack>(ports, pack_ref).await?),
        None => None,
    };
    let now = ports.clock.now();
    let mut trigger = Trigger {
        id: TriggerId::new(ports.ids.next()),
        reference: new.reference.clone(),
        pack: pack.as_ref().map(|pack| pack.value.id),
        pack_ref: pack.as_ref().map(|pack| pack.value.reference.clone()),
        label: new.label.clone(),
        description: new.description.clone(),
        enabled: new.enabled,
        param_schema: new.param_schema.clone(),
        out_schema: new.out_schema.clone(),
        webhook: None,
        timer: None,
        cloud_event: None,
        is_adhoc: true,
        created: now,
        updated: now,
    };
    Emitter::give(emitter, ports, &mut trigger, None);
    let mut draft = Draft::new();
    draft.create(&trigger);
    if let Some(pack) = &pack {
        packs::insist(&mut draft, pack);
    }
    draft.commit(ports).await?;
    Ok(trigger)
}

/// Links rules that name the trigger but do not know it yet. Those have stood in their index for long; what
/// it does not show yet is left to [`links::reconcile`].
pub(crate) async fn welcome(ports: &Ports, trigger: &Trigger) -> Result<(), Error> {
    ports.records.settle().await?;
    let stranger = |rule: &Rule| rule.trigger != Some(trigger.id);
    let found =
        read::rules_of_trigger(ports, trigger.reference.as_str(), &read::Part::ALL, stranger)
            .await?;
    links::refresh(ports, &links::refs(&found.items)).await
}

/// Changes a trigger. Its own timer starts anew when it is enabled or its setting changes.
///
/// # Errors
/// [`Error::NotFound`] where there is no such trigger, [`Error::Invalid`] for a wrong value.
pub async fn update(
    ports: &Ports,
    reference: &str,
    change: &TriggerChange,
) -> Result<Trigger, Error> {
    if let Some(label) = &change.label {
        check::label(label)?;
    }
    check::schema("out_schema", change.out_schema.as_ref())?;
    let emitter = emitter_of(change.config.as_ref(), change.param_schema.as_ref())?;
    let trigger = settled(ports, || {
        alter(ports, reference, |trigger| {
            let change = change.clone();
            let was_enabled = trigger.enabled;
            trigger.label = change.label.unwrap_or(std::mem::take(&mut trigger.label));
            trigger.description = change.description.unwrap_or(trigger.description.take());
            trigger.enabled = change.enabled.unwrap_or(trigger.enabled);
            trigger.param_schema = change.param_schema.or(trigger.param_schema.take());
            trigger.out_schema = change.out_schema.or(trigger.out_schema.take());
            if let Some(emitter) = emitter.clone().or_else(|| own_emitter(trigger)) {
                let running = trigger.timer.take().filter(|_| was_enabled || !trigger.enabled);
                Emitter::give(Some(emitter), ports, trigger, running.as_ref());
            }
            Ok(())
        })
    })
    .await?;
    apply(ports, &trigger).await;
    Ok(trigger)
}

fn own_emitter(trigger: &Trigger) -> Option<Emitter> {
    let timer = trigger.timer.as_ref().map(|timer| Emitter::Timer(timer.spec.clone()));
    timer.or_else(|| trigger.cloud_event.clone().map(Emitter::Cloud))
}

/// Enables or disables a trigger. Neither webhooks nor matching heed it; its own timer and its
/// subscription to events of the cloud do.
///
/// # Errors
/// [`Error::NotFound`] where there is no such trigger.
pub async fn set_enabled(ports: &Ports, reference: &str, enabled: bool) -> Result<Trigger, Error> {
    update(ports, reference, &TriggerChange { enabled: Some(enabled), ..Default::default() }).await
}

/// Opens a trigger's webhook; an open one keeps its key.
///
/// # Errors
/// [`Error::NotFound`] where there is no such trigger.
pub async fn enable_webhook(ports: &Ports, reference: &str) -> Result<Trigger, Error> {
    settled(ports, || {
        alter(ports, reference, |trigger| {
            trigger.webhook.get_or_insert_with(|| fresh_webhook(ports));
            Ok(())
        })
    })
    .await
}

/// Closes a trigger's webhook; its key is gone for good.
///
/// # Errors
/// [`Error::NotFound`] where there is no such trigger.
pub async fn disable_webhook(ports: &Ports, reference: &str) -> Result<Trigger, Error> {
    settled(ports, || {
        alter(ports, reference, |trigger| {
            trigger.webhook = None;
            Ok(())
        })
    })
    .await
}

/// Gives an open webhook a new key; the old one is gone for good.
///
/// # Errors
/// [`Error::NotFound`] where there is no such trigger, [`Error::Refused`] where its webhook is closed.
pub async fn regenerate_webhook(ports: &Ports, reference: &str) -> Result<Trigger, Error> {
    settled(ports, || {
        alter(ports, reference, |trigger| {
            if trigger.webhook.is_none() {
                let text = format!("Webhooks are not enabled for trigger '{}'", trigger.reference);
                return Err(Error::Refused(text));
            }
            trigger.webhook = Some(fresh_webhook(ports));
            Ok(())
        })
    })
    .await
}

fn fresh_webhook(ports: &Ports) -> Webhook {
    Webhook { key: format!("wh_{}", hex::encode(ports.ids.random(16))) }
}

async fn alter(
    ports: &Ports,
    reference: &str,
    change: impl FnOnce(&mut Trigger) -> Result<(), Error>,
) -> Result<Trigger, Failure> {
    let before: Stored<Trigger> = read::stored_or_missing(ports, reference).await?;
    let mut trigger = before.value.clone();
    change(&mut trigger)?;
    if trigger == before.value {
        return Ok(trigger);
    }
    trigger.updated = ports.clock.now();
    let mut draft = Draft::new();
    draft.replace(&trigger, before.version);
    if trigger.webhook != before.value.webhook {
        if let Some(closed) = &before.value.webhook {
            draft.delete(layout::webhook(&closed.key));
        }
        if let Some(open) = &trigger.webhook {
            let key = layout::webhook(&open.key);
            draft.claim(Record::new(Kind::Marker, key, &trigger.reference));
        }
    }
    draft.commit(ports).await?;
    Ok(trigger)
}

/// Removes a trigger and its webhook. Its rules keep its ref and do not fire while it is missing.
///
/// # Errors
/// [`Error::NotFound`] where there is no such trigger.
pub async fn delete(ports: &Ports, reference: &str) -> Result<Trigger, Error> {
    let (trigger, rules) = settled(ports, || delete_once(ports, reference)).await?;
    timers::forget::<Trigger>(ports, trigger.reference()).await;
    cloud_events::forget(ports, &trigger.reference).await;
    for rule in &rules {
        timers::apply_rule(ports, rule).await;
    }
    let id = trigger.id;
    let rest = links::rules_where(ports, move |rule| rule.trigger == Some(id)).await?;
    links::refresh(ports, &rest).await?;
    Ok(trigger)
}

async fn delete_once(ports: &Ports, reference: &str) -> Result<(Trigger, Vec<Rule>), Failure> {
    let before: Stored<Trigger> = read::stored_or_missing(ports, reference).await?;
    let id = before.value.id;
    let rules = links::rules_where(ports, move |rule| rule.trigger == Some(id)).await?;
    let mut draft = Draft::new();
    draft.remove(&before);
    if let Some(webhook) = &before.value.webhook {
        draft.delete(layout::webhook(&webhook.key));
    }
    let rules = links::remove_linked(ports, draft, rules, |rule| {
        rule.trigger.take_if(|trigger| *trigger == id).is_some()
    })
    .await?;
    Ok((before.value, rules))
}
