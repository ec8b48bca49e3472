//! Rules: made, changed, enabled, disabled and removed.

use crate::definition::{Definition, Stored};
use crate::draft::{Draft, settled};
use crate::error::{Error, Failure};
use crate::links::{self, Links};
use crate::{check, packs, read, secrets, timers, triggers};
use attune_domain::catalogue::{Pack, Rule};
use attune_domain::id::{IdentityId, RuleId};
use attune_domain::reference::ComponentRef;
use attune_ports::Ports;
use attune_ports::records::Kind;
use serde_json::{Map, Value};

/// A rule to be made.
#[derive(Clone, Debug)]
pub struct NewRule {
    /// Its name, not taken yet.
    pub reference: ComponentRef,
    /// The pack it belongs to.
    pub pack_ref: String,
    /// For people; 1 to 255 characters.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Which events it cares about.
    pub trigger_ref: String,
    /// Settings of the trigger.
    pub trigger_params: Map<String, Value>,
    /// What it executes.
    pub action_ref: String,
    /// Parameters with templates.
    pub action_params: Map<String, Value>,
    /// Which of those events.
    pub conditions: Value,
    /// Whether it fires.
    pub enabled: bool,
    /// Permission sets of the execution's token; `None` inherits from the action.
    pub permission_set_refs: Option<Vec<String>>,
    /// Who makes it.
    pub owner_identity: Option<IdentityId>,
}

/// What to change about a rule; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct RuleChange {
    /// For people; 1 to 255 characters.
    pub label: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Another trigger.
    pub trigger_ref: Option<String>,
    /// Other settings of the trigger.
    pub trigger_params: Option<Map<String, Value>>,
    /// Another action.
    pub action_ref: Option<String>,
    /// Other parameters.
    pub action_params: Option<Map<String, Value>>,
    /// Other conditions.
    pub conditions: Option<Value>,
    /// Whether it fires.
    pub enabled: Option<bool>,
    /// Other permission sets; `Some(None)` inherits from the action.
    pub permission_set_refs: Option<Option<Vec<String>>>,
}

/// Makes a rule.
///
/// # Errors
/// [`Error::Conflict`] where the ref is taken, [`Error::NotFound`] for an unknown pack, action or trigger,
/// [`Error::Invalid`] for a wrong value.
pub async fn create(ports: &Ports, new: &NewRule) -> Result<Rule, Error> {
    check::label(&new.label)?;
    check::conditions(&new.conditions)?;
    let rule = settled(ports, || create_once(ports, new)).await?;
    timers::apply_rule(ports, &rule).await;
    Ok(rule)
}

async fn create_once(ports: &Ports, new: &NewRule) -> Result<Rule, Failure> {
    if read::stored::<Rule>(ports, new.reference.as_str()).await?.is_some() {
        return Err(Error::taken(Kind::Rule, &new.reference).into());
    }
    let pack: Stored<Pack> = read::stored_or_missing(ports, &new.pack_ref).await?;
    let links = Links::load(ports, &new.trigger_ref, &new.action_ref).await?;
    let now = ports.clock.now();
    let rule = Rule {
        id: RuleId::new(ports.ids.next()),
        reference: new.reference.clone(),
        pack: pack.value.id,
        pack_ref: pack.value.reference.clone(),
        label: new.label.clone(),
        description: new.description.clone(),
        trigger: None,
        trigger_ref: existing_ref(Kind::Trigger, &new.trigger_ref)?,
        trigger_params: new.trigger_params.clone(),
        action: None,
        action_ref: existing_ref(Kind::Action, &new.action_ref)?,
        action_params: new.action_params.clone(),
        secrets: None,
        conditions: new.conditions.clone(),
        enabled: new.enabled,
        timer: None,
        permission_set_refs: new.permission_set_refs.clone(),
        owner_identity: new.owner_identity,
        is_adhoc: true,
        created: now,
        updated: now,
    };
    fits(&rule, &rule.action_params, &links, true, true)?;
    let mut rule = links::linked(ports, None, rule, &links)?;
    secrets::seal_rule(ports, None, &mut rule, &links).await?;
    secrets::contained(&rule, &pack.value, &links)?;
    let mut draft = Draft::new();
    links::store(ports, &mut draft, None, &rule, &links);
    packs::insist(&mut draft, &pack);
    draft.commit(ports).await?;
    Ok(rule)
}

/// Changes a rule. A timer whose settings stay the same keeps its grid.
///
/// # Errors
/// [`Error::NotFound`] for an unknown rule, action or trigger, [`Error::Invalid`] for a wrong value.
pub async fn update(ports: &Ports, reference: &str, change: &RuleChange) -> Result<Rule, Error> {
    if let Some(label) = &change.label {
        check::label(label)?;
    }
    if let Some(conditions) = &change.conditions {
        check::conditions(conditions)?;
    }
    let rule = settled(ports, || update_once(ports, reference, change)).await?;
    timers::apply_rule(ports, &rule).await;
    Ok(rule)
}

async fn update_once(ports: &Ports, reference: &str, change: &RuleChange) -> Result<Rule, Failure> {
    let before: Stored<Rule> = read::stored_or_missing(ports, reference).await?;
    let mut rule = before.value.clone();
    let RuleChange {
        label,
        description,
        trigger_ref,
        trigger_params,
        action_ref,
        action_params,
        conditions,
        enabled,
        permission_set_refs,
    } = change.clone();
    let of_trigger = trigger_ref.is_some() || trigger_params.is_some();
    let of_action = action_ref.is_some() || action_params.is_some();
    rule.label = label.unwrap_or(rule.label);
    rule.description = description.or(rule.description);
    if let Some(other) = trigger_ref {
        rule.trigger_ref = existing_ref(Kind::Trigger, &other)?;
    }
    if let Some(other) = action_ref {
        rule.action_ref = existing_ref(Kind::Action, &other)?;
    }
    rule.trigger_params = trigger_params.unwrap_or(rule.trigger_params);
    rule.action_params = action_params.unwrap_or(rule.action_params);
    rule.conditions = conditions.unwrap_or(rule.conditions);
    rule.enabled = enabled.unwrap_or(rule.enabled);
    rule.permission_set_refs = permission_set_refs.unwrap_or(rule.permission_set_refs);

    let links = Links::load(ports, rule.trigger_ref.as_str(), rule.action_ref.as_str()).await?;
    let mut opened = Value::Object(rule.action_params.clone());
    if of_action {
        secrets::restore(&*ports.vault, &rule, &mut opened).await?;
    }
    let opened = opened.as_object().unwrap_or(&rule.action_params);
    fits(&rule, opened, &links, of_trigger, of_action)?;
    let mut rule = links::linked(ports, Some(&before.value), rule, &links)?;
    secrets::seal_rule(ports, Some(&before.value), &mut rule, &links).await?;
    if of_action && let Some(pack) = read::get::<Pack>(ports, rule.pack_ref.as_str()).await? {
        secrets::contained(&rule, &pack, &links)?;
    }
    if rule == before.value {
        return Ok(rule);
    }
    rule.updated = ports.clock.now();
    let mut draft = Draft::new();
    links::store(ports, &mut draft, Some(&before), &rule, &links);
    draft.commit(ports).await?;
    Ok(rule)
}

/// Enables or disables a rule; a timer starts anew with every enabling.
///
/// # Errors
/// [`Error::NotFound`] where there is no such rule.
pub async fn set_enabled(ports: &Ports, reference: &str, enabled: bool) -> Result<Rule, Error> {
    update(ports, reference, &RuleChange { enabled: Some(enabled), ..RuleChange::default() }).await
}

/// Removes a rule: no event makes it fire any more.
///
/// # Errors
/// [`Error::NotFound`] where there is no such rule.
pub async fn delete(ports: &Ports, reference: &str) -> Result<Rule, Error> {
    let rule = settled(ports, || delete_once(ports, reference)).await?;
    timers::forget::<Rule>(ports, rule.reference()).await;
    Ok(rule)
}

async fn delete_once(ports: &Ports, reference: &str) -> Result<Rule, Failure> {
    let before: Stored<Rule> = read::stored_or_missing(ports, reference).await?;
    let mut draft = Draft::new();
    links::remove(ports, &mut draft, &before);
    draft.commit(ports).await?;
    Ok(before.value)
}

/// The ref of something that should exist: where it has not even the form of one, it does not.
fn existing_ref(kind: Kind, text: &str) -> Result<ComponentRef, Error> {
    ComponentRef::parse(text).map_err(|_| Error::not_found(kind, text))
}

/// Checks what a rule says against its trigger and action, where a person just said it: `of_trigger`,
/// `of_action`. Both must exist then. `parameters` are the rule's for its action, secrets and all.
fn fits(
    rule: &Rule,
    parameters: &Map<String, Value>,
    links: &Links,
    of_trigger: bool,
    of_action: bool,
) -> Result<(), Error> {
    if of_trigger {
        let trigger = links
            .trigger
            .as_ref()
            .ok_or_else(|| Error::not_found(Kind::Trigger, &rule.trigger_ref))?;
        let schema = triggers::params_schema(&trigger.value);
        let reference = rule.trigger_ref.as_str();
        check::parameters(Kind::Trigger, reference, schema, &rule.trigger_params)?;
        timers::of_rule(&rule.trigger_ref, &rule.trigger_params)?;
    }
    if of_action {
        let action = links
            .action
            .as_ref()
            .ok_or_else(|| Error::not_found(Kind::Action, &rule.action_ref))?;
        let schema = action.value.param_schema.as_ref();
        secrets::whole("action_params", &Value::Object(parameters.clone()))?;
        check::parameters(Kind::Action, rule.action_ref.as_str(), schema, parameters)?;
    }
    Ok(())
}
