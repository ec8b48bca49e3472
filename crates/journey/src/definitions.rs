//! Definitions in the form that the steps use: parsed and compiled once, then remembered.

use crate::load;
use attune_catalogue::{layout, secrets};
use attune_domain::catalogue::{Action, Pack, Rule};
use attune_domain::matching::RuleSet;
use attune_domain::policy::Policy;
use attune_domain::reference::ComponentRef;
use attune_domain::schema::{Schema, Step};
use attune_ports::records::{Kind, Query};
use attune_ports::{Ports, Unavailable};
use std::sync::Arc;

/// An action and its compiled parameter schema.
pub struct PreparedAction {
    /// The definition.
    pub action: Action,
    /// Its parameters.
    pub parameters: Schema,
    /// Its output, for redaction.
    pub output: Schema,
}

/// An action by ref.
///
/// # Errors
/// [`Unavailable`] where it cannot be read.
pub async fn action(
    ports: &Ports,
    reference: &ComponentRef,
) -> Result<Option<Arc<PreparedAction>>, Unavailable> {
    let key = layout::definition(Kind::Action, reference);
    let Some(record) = ports.records.get(&key).await? else { return Ok(None) };
    if let Some(known) = ports.memo.get(reference.as_str(), &record.body) {
        return Ok(Some(known));
    }
    let action: Action = record.decode().map_err(|e| Unavailable::new("records", e.source))?;
    let schema = |of: &Option<serde_json::Value>| {
        Schema::parse(of.as_ref()).unwrap_or_else(|error| {
            tracing::warn!(action = %reference, %error, "a schema cannot be used and is passed over");
            Schema::any()
        })
    };
    let prepared = Arc::new(PreparedAction {
        parameters: schema(&action.param_schema),
        output: schema(&action.out_schema),
        action,
    });
    ports.memo.put(reference.as_str(), record.body.clone(), Arc::clone(&prepared));
    Ok(Some(prepared))
}

/// The enabled rules of a trigger, compiled. What it reads does not depend on other triggers' rules: one
/// small record while nothing has changed.
///
/// # Errors
/// [`Unavailable`] where they cannot be read.
pub async fn rules(ports: &Ports, trigger: &ComponentRef) -> Result<Arc<RuleSet>, Unavailable> {
    let generation = ports.records.get(&layout::bindings_generation(trigger)).await?;
    let Some(generation) = generation else { return Ok(Arc::new(RuleSet::default())) };
    if let Some(known) = ports.memo.get(trigger.as_str(), &generation.body) {
        return Ok(known);
    }
    let mut rules: Vec<Rule> = Vec::new();
    let mut after = None;
    loop {
        let query = Query::partition(layout::bindings(trigger), 500).after(after);
        let page = ports.records.query(&query).await?;
        for record in &page.records {
            rules.push(record.decode().map_err(|e| Unavailable::new("records", e.source))?);
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let set = Arc::new(RuleSet::new(rules));
    ports.memo.put(trigger.as_str(), generation.body.clone(), Arc::clone(&set));
    Ok(set)
}

/// Every policy.
///
/// # Errors
/// [`Unavailable`] where they cannot be read.
pub async fn policies(ports: &Ports) -> Result<Arc<Vec<Policy>>, Unavailable> {
    let generation = ports.records.get(&layout::policies_generation()).await?;
    let Some(generation) = generation else { return Ok(Arc::default()) };
    if let Some(known) = ports.memo.get("policies", &generation.body) {
        return Ok(known);
    }
    let mut policies: Vec<Policy> = Vec::new();
    let mut after = None;
    loop {
        let query = Query::partition(Kind::Policy.as_str(), 500).after(after);
        let page = ports.records.query(&query).await?;
        for record in &page.records {
            policies.push(record.decode().map_err(|e| Unavailable::new("records", e.source))?);
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let policies = Arc::new(policies);
    ports.memo.put("policies", generation.body.clone(), Arc::clone(&policies));
    Ok(policies)
}

/// A pack and what is secret in its configuration.
pub struct PreparedPack {
    /// The definition; marks stand for the secrets.
    pub pack: Pack,
    /// Paths of the secrets in its configuration.
    pub secret: Vec<Vec<Step>>,
}

/// A pack by ref, for those who read its configuration.
///
/// # Errors
/// [`Unavailable`] where it cannot be read.
pub async fn configuration(
    ports: &Ports,
    reference: &str,
) -> Result<Option<Arc<PreparedPack>>, Unavailable> {
    let key = layout::definition(Kind::Pack, reference);
    let Some(record) = ports.records.get(&key).await? else { return Ok(None) };
    if let Some(known) = ports.memo.get(reference, &record.body) {
        return Ok(Some(known));
    }
    let pack: Pack = record.decode().map_err(|e| Unavailable::new("records", e.source))?;
    let prepared = Arc::new(PreparedPack { secret: secrets::paths(&pack), pack });
    ports.memo.put(reference, record.body.clone(), Arc::clone(&prepared));
    Ok(Some(prepared))
}

/// A pack by ref.
///
/// # Errors
/// [`Unavailable`] where it cannot be read.
pub async fn pack(ports: &Ports, reference: &str) -> Result<Option<Pack>, Unavailable> {
    load::definition(ports, Kind::Pack, reference).await
}
