//! From what a pack's file says to the definition that is stored, given the one that is there.

use super::Run;
use crate::definition::{Definition, PermissionSet, Stored};
use crate::draft::Draft;
use crate::error::{Error, Failure};
use crate::links::{self, Links};
use crate::policy_document::PolicyDocument;
use crate::triggers::Emitter;
use crate::{check, policies, read, secrets, sensors, timers};
use attune_domain::Timestamp;
use attune_domain::catalogue::{Action, Rule, Sensor, Trigger, Workflow};
use attune_domain::id::{ActionId, PolicyId, RuleId, SensorId, TriggerId};
use attune_domain::policy::{Policy, Scope, Terms};
use attune_packs::{
    ActionDefinition, PermissionSetDefinition, RawDefinition, RuleDefinition, SensorDefinition,
    TriggerDefinition,
};
use attune_ports::records::Kind;

/// A definition that comes with a pack's files.
pub(super) trait Component: Definition {
    /// Whether it came over the API instead.
    fn is_adhoc(&self) -> bool;

    /// Notes when it changed.
    fn touch(&mut self, now: Timestamp);
}

macro_rules! components {
    ($($kind:ident),*) => {$(
        impl Component for $kind {
            fn is_adhoc(&self) -> bool {
                self.is_adhoc
            }
            fn touch(&mut self, now: Timestamp) {
                self.updated = now;
            }
        }
    )*};
}
components!(Action, Workflow, Trigger, Sensor, Rule);

impl Component for PermissionSet {
    fn is_adhoc(&self) -> bool {
        false
    }

    fn touch(&mut self, _: Timestamp) {}
}

pub(super) fn permission_set(
    file: &PermissionSetDefinition,
    old: Option<&PermissionSet>,
    run: &Run<'_>,
) -> Result<PermissionSet, Error> {
    let grants = serde_json::to_value(&file.grants)
        .map_err(|error| Error::Invalid(format!("grants: {error}")))?;
    Ok(PermissionSet {
        id: old.map_or_else(|| run.ports.ids.next(), |old| old.id),
        reference: file.reference.clone(),
        pack_ref: Some(run.pack.reference.clone()),
        label: Some(file.label.clone()),
        description: file.description.clone(),
        grants,
    })
}

pub(super) fn trigger(
    file: &TriggerDefinition,
    old: Option<&Trigger>,
    run: &Run<'_>,
) -> Result<Trigger, Error> {
    check::schema("parameters", file.parameters.as_ref())?;
    check::schema("output", file.output.as_ref())?;
    let emitter = match (&file.cloud_event, &file.timer) {
        (Some(config), _) => Some(Emitter::expected("config", config)?),
        (None, Some(config)) => Some(Emitter::expected("timer", config)?),
        (None, None) => None,
    };
    let running = old.filter(|old| old.enabled || !file.enabled).and_then(|old| old.timer.as_ref());
    let now = run.ports.clock.now();
    let mut trigger = Trigger {
        id: old.map_or_else(|| TriggerId::new(run.ports.ids.next()), |old| old.id),
        reference: file.reference.clone(),
        pack: Some(run.pack.id),
        pack_ref: Some(run.pack.reference.clone()),
        label: file.label.clone(),
        description: file.description.clone(),
        enabled: file.enabled,
        param_schema: file.parameters.clone(),
        out_schema: file.output.clone(),
        webhook: old.and_then(|old| old.webhook.clone()),
        timer: None,
        cloud_event: None,
        is_adhoc: false,
        created: old.map_or(now, |old| old.created),
        updated: old.map_or(now, |old| old.updated),
    };
    Emitter::give(emitter, run.ports, &mut trigger, running);
    Ok(trigger)
}

pub(super) fn action(
    file: &ActionDefinition,
    old: Option<&Action>,
    run: &Run<'_>,
) -> Result<Action, Error> {
    check::schema("parameters", file.parameters.as_ref())?;
    check::schema("output", file.output.as_ref())?;
    let now = run.ports.clock.now();
    // A workflow has no runner of its own; its entry point is its file.
    let workflow = file.workflow_file.as_ref().map(|path| path.display().to_string());
    let runner = Some(&file.runner).filter(|_| workflow.is_none());
    Ok(Action {
        id: old.map_or_else(|| ActionId::new(run.ports.ids.next()), |old| old.id),
        reference: file.reference.clone(),
        pack: run.pack.id,
        pack_ref: run.pack.reference.clone(),
        label: file.label.clone(),
        description: file.description.clone(),
        runtime: runner.and_then(attune_packs::Runner::runtime),
        runtime_ref: runner.map(|runner| runner.as_str().to_owned()),
        entrypoint: workflow.unwrap_or_else(|| file.entry_point.clone()),
        runtime_version_constraint: file.runtime_version.clone(),
        param_schema: file.parameters.clone(),
        out_schema: file.output.clone(),
        parameter_delivery: file.parameter_delivery,
        parameter_format: file.parameter_format,
        output_format: file.output_format,
        default_execution_permission_set_refs: file.default_execution_permission_set_refs.clone(),
        accesses_mcp: file.accesses_mcp,
        placement: file.placement.clone(),
        workflow: None,
        workflow_id: None,
        is_adhoc: false,
        created: old.map_or(now, |old| old.created),
        updated: old.map_or(now, |old| old.updated),
    })
}

/// Stores a sensor as its file has it.
pub(super) async fn store_sensor(
    file: &SensorDefinition,
    run: &Run<'_>,
) -> Result<Sensor, Failure> {
    let ports = run.ports;
    check::schema("parameters", file.parameters.as_ref())?;
    let before: Option<Stored<Sensor>> = read::stored(ports, file.reference.as_str()).await?;
    let old = before.as_ref().map(|before| &before.value);
    let now = ports.clock.now();
    let mut sensor = Sensor {
        id: old.map_or_else(|| SensorId::new(ports.ids.next()), |old| old.id),
        reference: file.reference.clone(),
        pack: Some(run.pack.id),
        pack_ref: Some(run.pack.reference.clone()),
        label: file.label.clone(),
        description: file.description.clone(),
        enabled: file.enabled,
        entrypoint: file.entry_point.clone(),
        runtime_ref: file.runner.as_str().to_owned(),
        trigger_refs: file.trigger_refs.clone(),
        param_schema: file.parameters.clone(),
        config: file.config.clone(),
        secrets: None,
        timer: None,
        placement: file.placement.clone(),
        is_adhoc: false,
        created: old.map_or(now, |old| old.created),
        updated: old.map_or(now, |old| old.updated),
    };
    let spec = sensors::fits(&sensor, sensor.config.as_ref())?;
    sensor.timer = sensors::timer(ports, old, &sensor, spec);
    secrets::seal_sensor(ports, old, &mut sensor).await?;
    if old != Some(&sensor) {
        sensor.touch(now);
        let mut draft = Draft::new();
        draft.store(before.as_ref(), &sensor);
        draft.commit(ports).await?;
    }
    Ok(sensor)
}

/// Stores a rule: its trigger and action must exist. Its parameters are not held against their schemas;
/// the runner will.
pub(super) async fn store_rule(file: &RuleDefinition, run: &Run<'_>) -> Result<Rule, Failure> {
    let ports = run.ports;
    let before: Option<Stored<Rule>> = read::stored(ports, file.reference.as_str()).await?;
    let old = before.as_ref().map(|before| &before.value);
    let links = Links::load(ports, file.trigger_ref.as_str(), file.action_ref.as_str()).await?;
    if links.trigger.is_none() {
        return Err(Error::not_found(Kind::Trigger, &file.trigger_ref).into());
    }
    if links.action.is_none() {
        return Err(Error::not_found(Kind::Action, &file.action_ref).into());
    }
    check::conditions(&file.conditions)?;
    timers::of_rule(&file.trigger_ref, &file.trigger_params)?;
    let now = ports.clock.now();
    let rule = Rule {
        id: old.map_or_else(|| RuleId::new(ports.ids.next()), |old| old.id),
        reference: file.reference.clone(),
        pack: run.pack.id,
        pack_ref: run.pack.reference.clone(),
        label: file.label.clone(),
        description: file.description.clone(),
        trigger: None,
        trigger_ref: file.trigger_ref.clone(),
        trigger_params: file.trigger_params.clone(),
        action: None,
        action_ref: file.action_ref.clone(),
        action_params: file.action_params.clone(),
        secrets: None,
        conditions: file.conditions.clone(),
        enabled: file.enabled,
        timer: None,
        permission_set_refs: file.permission_set_refs.clone(),
        owner_identity: old.and_then(|old| old.owner_identity),
        is_adhoc: false,
        created: old.map_or(now, |old| old.created),
        updated: old.map_or(now, |old| old.updated),
    };
    let mut rule = links::linked(ports, old, rule, &links)?;
    secrets::seal_rule(ports, old, &mut rule, &links).await?;
    if old != Some(&rule) {
        rule.touch(now);
        let mut draft = Draft::new();
        links::store(ports, &mut draft, before.as_ref(), &rule, &links);
        draft.commit(ports).await?;
    }
    Ok(rule)
}

/// Stores a policy as its file has it.
pub(super) async fn store_policy(file: &RawDefinition, run: &Run<'_>) -> Result<(), Failure> {
    let ports = run.ports;
    let document: PolicyDocument = serde_json::from_value(file.content.clone())
        .map_err(|error| Error::Invalid(error.to_string()))?;
    let before: Option<Stored<Policy>> = read::stored(ports, file.reference.as_str()).await?;
    let old = before.as_ref().map(|before| &before.value);
    let now = ports.clock.now();
    let mut policy = Policy {
        id: old.map_or_else(|| PolicyId::new(ports.ids.next()), |old| old.id),
        reference: file.reference.clone(),
        description: None,
        scope: Scope::Global,
        terms: Terms::default(),
        parameters: vec![],
        priority_parameter: None,
        max_attempts: 1,
        enabled: true,
        created: old.map_or(now, |old| old.created),
        updated: old.map_or(now, |old| old.updated),
    };
    document.write_to(&mut policy)?;
    policies::fits(&policy)?;
    if old != Some(&policy) {
        policy.updated = now;
        policies::store(ports, before.as_ref(), &policy).await?;
    }
    Ok(())
}
