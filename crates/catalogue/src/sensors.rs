//! Sensors: made, changed, enabled, disabled and removed.

use crate::definition::{Definition, Stored};
use crate::draft::{Draft, settled};
use crate::error::{Error, Failure};
use crate::{check, packs, read, secrets, timers};
use attune_domain::catalogue::{Pack, Placement, Sensor, Trigger};
use attune_domain::id::SensorId;
use attune_domain::reference::ComponentRef;
use attune_domain::timer::TimerSpec;
use attune_ports::Ports;
use attune_ports::records::Kind;
use serde_json::Value;

/// A sensor to be made.
#[derive(Clone, Debug)]
pub struct NewSensor {
    /// Its name, not taken yet.
    pub reference: ComponentRef,
    /// The pack it belongs to.
    pub pack_ref: String,
    /// For people; 1 to 255 characters.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Whether it emits.
    pub enabled: bool,
    /// File under the pack's `sensors/`.
    pub entrypoint: String,
    /// The runner's name.
    pub runtime_ref: String,
    /// The trigger it emits for.
    pub trigger_ref: String,
    /// Schema of `config`.
    pub param_schema: Option<Value>,
    /// Its configuration; may hold a timer's.
    pub config: Option<Value>,
    /// Retention and placement.
    pub placement: Placement,
}

/// What to change about a sensor; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct SensorChange {
    /// For people; 1 to 255 characters.
    pub label: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Whether it emits.
    pub enabled: Option<bool>,
    /// Another file.
    pub entrypoint: Option<String>,
    /// Another schema of `config`.
    pub param_schema: Option<Value>,
    /// Another configuration.
    pub config: Option<Value>,
    /// Other retention and placement, as a whole.
    pub placement: Option<Placement>,
}

/// Makes a sensor.
///
/// # Errors
/// [`Error::Conflict`] where the ref is taken, [`Error::NotFound`] for an unknown pack, runtime or trigger,
/// [`Error::Invalid`] for a wrong value.
pub async fn create(ports: &Ports, new: &NewSensor) -> Result<Sensor, Error> {
    check::label(&new.label)?;
    check::entrypoint(&new.entrypoint)?;
    check::schema("param_schema", new.param_schema.as_ref())?;
    let sensor = settled(ports, || create_once(ports, new)).await?;
    timers::apply_sensor(ports, &sensor).await;
    Ok(sensor)
}

async fn create_once(ports: &Ports, new: &NewSensor) -> Result<Sensor, Failure> {
    if read::stored::<Sensor>(ports, new.reference.as_str()).await?.is_some() {
        return Err(Error::taken(Kind::Sensor, &new.reference).into());
    }
    let pack: Stored<Pack> = read::stored_or_missing(ports, &new.pack_ref).await?;
    let trigger: Stored<Trigger> = read::stored_or_missing(ports, &new.trigger_ref).await?;
    let now = ports.clock.now();
    let mut sensor = Sensor {
        id: SensorId::new(ports.ids.next()),
        reference: new.reference.clone(),
        pack: Some(pack.value.id),
        pack_ref: Some(pack.value.reference.clone()),
        label: new.label.clone(),
        description: new.description.clone(),
        enabled: new.enabled,
        entrypoint: new.entrypoint.clone(),
        runtime_ref: new.runtime_ref.clone(),
        trigger_refs: vec![trigger.value.reference.clone()],
        param_schema: new.param_schema.clone(),
        config: new.config.clone(),
        secrets: None,
        timer: None,
        placement: new.placement.clone(),
        is_adhoc: true,
        created: now,
        updated: now,
    };
    let spec = fits(&sensor, sensor.config.as_ref())?;
    sensor.timer = timer(ports, None, &sensor, spec);
    secrets::seal_sensor(ports, None, &mut sensor).await?;
    let mut draft = Draft::new();
    draft.create(&sensor);
    packs::insist(&mut draft, &pack);
    draft.insist(trigger.value.reference(), Some(&trigger));
    draft.commit(ports).await?;
    Ok(sensor)
}

/// Checks the configuration as its author wrote it, secrets and all, and reads the timer in it.
pub(crate) fn fits(sensor: &Sensor, config: Option<&Value>) -> Result<Option<TimerSpec>, Error> {
    if let Some(config) = config {
        secrets::whole("config", config)?;
    }
    if let Some(Value::Object(config)) = config {
        let schema = sensor.param_schema.as_ref();
        check::parameters(Kind::Sensor, sensor.reference.as_str(), schema, config)?;
    }
    timers::of_sensor(&sensor.trigger_refs, config)
}

/// The timer of a sensor, going on with that of `before` where nothing about it changes.
pub(crate) fn timer(
    ports: &Ports,
    before: Option<&Sensor>,
    sensor: &Sensor,
    spec: Option<TimerSpec>,
) -> Option<attune_domain::catalogue::Timer> {
    let running = before.and_then(|before| before.timer.as_ref());
    spec.filter(|_| sensor.enabled).map(|spec| timers::going_on(ports, running, spec))
}

/// Changes a sensor. A timer whose setting stays the same keeps its grid.
///
/// # Errors
/// [`Error::NotFound`] where there is no such sensor, [`Error::Invalid`] for a wrong value.
pub async fn update(
    ports: &Ports,
    reference: &str,
    change: &SensorChange,
) -> Result<Sensor, Error> {
    if let Some(label) = &change.label {
        check::label(label)?;
    }
    if let Some(entrypoint) = &change.entrypoint {
        check::entrypoint(entrypoint)?;
    }
    check::schema("param_schema", change.param_schema.as_ref())?;
    let sensor = settled(ports, || update_once(ports, reference, change)).await?;
    timers::apply_sensor(ports, &sensor).await;
    Ok(sensor)
}

async fn update_once(
    ports: &Ports,
    reference: &str,
    change: &SensorChange,
) -> Result<Sensor, Failure> {
    let before: Stored<Sensor> = read::stored_or_missing(ports, reference).await?;
    let mut sensor = before.value.clone();
    let SensorChange { label, description, enabled, entrypoint, param_schema, config, placement } =
        change.clone();
    let configured = config.is_some() || param_schema.is_some();
    sensor.label = label.unwrap_or(sensor.label);
    sensor.description = description.or(sensor.description);
    sensor.enabled = enabled.unwrap_or(sensor.enabled);
    sensor.entrypoint = entrypoint.unwrap_or(sensor.entrypoint);
    sensor.param_schema = param_schema.or(sensor.param_schema);
    sensor.config = config.or(sensor.config);
    sensor.placement = placement.unwrap_or(sensor.placement);
    let mut opened = sensor.config.clone();
    if let Some(config) = &mut opened {
        secrets::restore(&*ports.vault, &sensor, config).await?;
    }
    let spec = if configured {
        fits(&sensor, opened.as_ref())?
    } else {
        timers::of_sensor(&sensor.trigger_refs, opened.as_ref())?
    };
    sensor.timer = timer(ports, Some(&before.value), &sensor, spec);
    secrets::seal_sensor(ports, Some(&before.value), &mut sensor).await?;
    if sensor != before.value {
        sensor.updated = ports.clock.now();
        let mut draft = Draft::new();
        draft.replace(&sensor, before.version);
        draft.commit(ports).await?;
    }
    Ok(sensor)
}

/// Enables or disables a sensor; a timer starts anew with every enabling.
///
/// # Errors
/// [`Error::NotFound`] where there is no such sensor.
pub async fn set_enabled(ports: &Ports, reference: &str, enabled: bool) -> Result<Sensor, Error> {
    update(ports, reference, &SensorChange { enabled: Some(enabled), ..Default::default() }).await
}

/// Removes a sensor.
///
/// # Errors
/// [`Error::NotFound`] where there is no such sensor.
pub async fn delete(ports: &Ports, reference: &str) -> Result<Sensor, Error> {
    let sensor = settled(ports, || delete_once(ports, reference)).await?;
    timers::forget::<Sensor>(ports, sensor.reference()).await;
    Ok(sensor)
}

async fn delete_once(ports: &Ports, reference: &str) -> Result<Sensor, Failure> {
    let before: Stored<Sensor> = read::stored_or_missing(ports, reference).await?;
    let mut draft = Draft::new();
    draft.remove(&before);
    draft.commit(ports).await?;
    Ok(before.value)
}
