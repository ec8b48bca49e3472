//! Timers of rules, sensors and triggers, and the schedules that make them tick.
//!
//! A definition's commit carries its timer; the schedule is set right after it. A crash may come
//! between the two, and a port may fail: [`reconcile`] compares all definitions with the schedules and
//! repairs both ways. A tick names its timer's generation, so that a leftover schedule does no harm.

use crate::definition::Definition;
use crate::error::Error;
use crate::read;
use attune_domain::catalogue::{Rule, Sensor, Timer, Trigger};
use attune_domain::reference::ComponentRef;
use attune_domain::timer::{self, TimerSpec};
use attune_ports::{Ports, Schedule, Unavailable};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The timer that a rule's `trigger_params` describe, if its trigger is a timer.
pub(crate) fn of_rule(
    trigger_ref: &ComponentRef,
    params: &Map<String, Value>,
) -> Result<Option<TimerSpec>, Error> {
    if timer::Kind::of(trigger_ref.as_str()).is_none() {
        return Ok(None);
    }
    parse(trigger_ref.as_str(), &Value::Object(params.clone())).map(Some)
}

/// The timer that a sensor's configuration describes, if it describes one.
pub(crate) fn of_sensor(
    trigger_refs: &[ComponentRef],
    config: Option<&Value>,
) -> Result<Option<TimerSpec>, Error> {
    let Some(config) =
        config.filter(|config| config.as_object().is_some_and(|map| !map.is_empty()))
    else {
        return Ok(None);
    };
    if let Some(spec) = of_trigger(Some(config))? {
        return Ok(Some(spec));
    }
    let timer = trigger_refs.iter().find(|name| timer::Kind::of(name.as_str()).is_some());
    timer.map(|trigger| parse(trigger.as_str(), config)).transpose()
}

/// The timer that a trigger's configuration describes, if it is one: its `type` says so.
pub(crate) fn of_trigger(config: Option<&Value>) -> Result<Option<TimerSpec>, Error> {
    let Some(config) = config else { return Ok(None) };
    if timer::Kind::of_config(config).is_none() {
        return Ok(None);
    }
    parse(config["type"].as_str().unwrap_or_default(), config).map(Some)
}

fn parse(kind: &str, config: &Value) -> Result<TimerSpec, Error> {
    TimerSpec::parse(kind, config)
        .map_err(|error| Error::Invalid(format!("Invalid timer for '{kind}': {error}")))
}

/// A timer of that setting: the running one where it has the same, else one that starts now.
pub(crate) fn going_on(ports: &Ports, running: Option<&Timer>, spec: TimerSpec) -> Timer {
    match running {
        Some(running) if running.spec == spec => running.clone(),
        _ => Timer { spec, anchor: ports.clock.now(), generation: ports.ids.next() },
    }
}

/// Something that may carry a timer.
trait Carrier: Definition {
    /// The timer that is to tick.
    fn ticking(&self) -> Option<&Timer>;
}

impl Carrier for Rule {
    fn ticking(&self) -> Option<&Timer> {
        self.timer.as_ref()
    }
}

impl Carrier for Sensor {
    fn ticking(&self) -> Option<&Timer> {
        self.timer.as_ref()
    }
}

impl Carrier for Trigger {
    // A disabled trigger keeps its timer: no other field of it holds the setting.
    fn ticking(&self) -> Option<&Timer> {
        self.timer.as_ref().filter(|_| self.enabled)
    }
}

fn name_of<T: Definition>(reference: &str) -> String {
    format!("{}/{reference}", T::KIND.as_str())
}

async fn apply<T: Carrier>(ports: &Ports, reference: &str, timer: Option<&Timer>) {
    let name = name_of::<T>(reference);
    let done = match timer {
        Some(timer) => {
            let schedule = Schedule { name: name.clone(), timer: timer.clone() };
            ports.schedules.set(schedule).await
        }
        None => ports.schedules.remove(&name).await,
    };
    if let Err(error) = done {
        // The definition is stored and says what is wanted; reconciling makes up for this.
        tracing::warn!(schedule = name, %error, "a schedule was not brought up to date");
    }
}

/// Makes the schedule of a stored rule follow it.
pub(crate) async fn apply_rule(ports: &Ports, rule: &Rule) {
    apply::<Rule>(ports, rule.reference(), rule.ticking()).await;
}

/// Makes the schedule of a stored sensor follow it.
pub(crate) async fn apply_sensor(ports: &Ports, sensor: &Sensor) {
    apply::<Sensor>(ports, sensor.reference(), sensor.ticking()).await;
}

/// Makes the schedule of a stored trigger follow it.
pub(crate) async fn apply_trigger(ports: &Ports, trigger: &Trigger) {
    apply::<Trigger>(ports, trigger.reference(), trigger.ticking()).await;
}

/// Takes the schedule of something that is no more.
pub(crate) async fn forget<T: Definition>(ports: &Ports, reference: &str) {
    let name = name_of::<T>(reference);
    if let Err(error) = ports.schedules.remove(&name).await {
        tracing::warn!(schedule = name, %error, "a schedule was not removed");
    }
}

/// Sets every schedule that a definition demands and removes every other; answers how many were wrong.
///
/// # Errors
/// [`Error::Unavailable`] where a port does not answer, [`Error::Unreadable`] where a record is broken.
pub async fn reconcile(ports: &Ports) -> Result<usize, Error> {
    // Schedules first: one that is set meanwhile must not look like a leftover.
    let mut present: BTreeMap<String, i64> = ports.schedules.list().await?.into_iter().collect();
    let repaired = repair::<Rule>(ports, &mut present).await?
        + repair::<Sensor>(ports, &mut present).await?
        + repair::<Trigger>(ports, &mut present).await?;
    Ok(repaired)
}

async fn repair<T: Carrier>(
    ports: &Ports,
    present: &mut BTreeMap<String, i64>,
) -> Result<usize, Error> {
    let mut wrong = Vec::new();
    for definition in read::all::<T>(ports).await? {
        let scheduled = present.remove(&name_of::<T>(definition.reference()));
        if scheduled != definition.ticking().map(|timer| timer.generation) {
            wrong.push(definition.reference().to_owned());
        }
    }
    let prefix = name_of::<T>("");
    wrong.extend(present.keys().filter_map(|name| name.strip_prefix(&prefix)).map(str::to_owned));
    present.retain(|name, _| !name.starts_with(&prefix));
    for reference in &wrong {
        set_as_stored::<T>(ports, reference).await?;
    }
    Ok(wrong.len())
}

/// Reads again before acting: the definition may have changed since the comparison.
async fn set_as_stored<T: Carrier>(ports: &Ports, reference: &str) -> Result<(), Unavailable> {
    match read::get::<T>(ports, reference).await {
        Ok(found) => apply::<T>(ports, reference, found.as_ref().and_then(T::ticking)).await,
        Err(Error::Unavailable(unavailable)) => return Err(unavailable),
        Err(error) => tracing::warn!(%error, reference, "a timer could not be repaired"),
    }
    Ok(())
}
