//! Policies: made, changed and removed. Every change renews the policies' generation, so that admission
//! notices; waking the lanes of a changed policy is the caller's part.

use crate::definition::Stored;
use crate::draft::{Draft, settled};
use crate::error::{Error, Failure};
use crate::{layout, read};
use attune_domain::catalogue::{Action, Pack};
use attune_domain::id::PolicyId;
use attune_domain::policy::{Policy, Scope, Terms};
use attune_domain::reference::ComponentRef;
use attune_ports::Ports;
use attune_ports::records::Kind;

/// Attempts of one execution, at most.
const MOST_ATTEMPTS: u32 = 100;

/// A policy to be made.
#[derive(Clone, Debug)]
pub struct NewPolicy {
    /// Its name, not taken yet.
    pub reference: ComponentRef,
    /// For people.
    pub description: Option<String>,
    /// What it covers; the action, pack or identity must exist.
    pub scope: Scope,
    /// What it demands.
    pub terms: Terms,
    /// Dotted paths of parameters: each combination of their values has a lane of its own.
    pub parameters: Vec<String>,
    /// Dotted path of the parameter that gives the priority.
    pub priority_parameter: Option<String>,
    /// How often an execution is given to a runner; 1 to 100.
    pub max_attempts: u32,
    /// Whether it is in force.
    pub enabled: bool,
}

/// Makes a policy.
///
/// # Errors
/// [`Error::Conflict`] where the ref is taken, [`Error::NotFound`] where what it covers does not exist,
/// [`Error::Invalid`] for a wrong value.
pub async fn create(ports: &Ports, new: &NewPolicy) -> Result<Policy, Error> {
    settled(ports, || create_once(ports, new)).await
}

async fn create_once(ports: &Ports, new: &NewPolicy) -> Result<Policy, Failure> {
    if read::stored::<Policy>(ports, new.reference.as_str()).await?.is_some() {
        return Err(Error::taken(Kind::Policy, &new.reference).into());
    }
    let now = ports.clock.now();
    let policy = Policy {
        id: PolicyId::new(ports.ids.next()),
        reference: new.reference.clone(),
        description: new.description.clone(),
        scope: new.scope.clone(),
        terms: new.terms.clone(),
        parameters: new.parameters.clone(),
        priority_parameter: new.priority_parameter.clone(),
        max_attempts: new.max_attempts,
        enabled: new.enabled,
        created: now,
        updated: now,
    };
    fits(&policy)?;
    covers_something(ports, &policy.scope).await?;
    store(ports, None, &policy).await?;
    Ok(policy)
}

/// Changes a policy by `change`, which may be called more than once.
///
/// # Errors
/// [`Error::NotFound`] where there is no such policy or what it is to cover, [`Error::Invalid`] for a wrong
/// value, and whatever `change` says.
pub async fn update(
    ports: &Ports,
    reference: &str,
    change: impl Fn(&mut Policy) -> Result<(), Error> + Send + Sync,
) -> Result<Policy, Error> {
    settled(ports, || update_once(ports, reference, &change)).await
}

async fn update_once(
    ports: &Ports,
    reference: &str,
    change: &(impl Fn(&mut Policy) -> Result<(), Error> + Send + Sync),
) -> Result<Policy, Failure> {
    let before: Stored<Policy> = read::stored_or_missing(ports, reference).await?;
    let mut policy = before.value.clone();
    change(&mut policy)?;
    fits(&policy)?;
    if policy.scope != before.value.scope {
        covers_something(ports, &policy.scope).await?;
    }
    if policy != before.value {
        policy.updated = ports.clock.now();
        store(ports, Some(&before), &policy).await?;
    }
    Ok(policy)
}

/// Removes a policy.
///
/// # Errors
/// [`Error::NotFound`] where there is no such policy.
pub async fn delete(ports: &Ports, reference: &str) -> Result<Policy, Error> {
    settled(ports, || delete_once(ports, reference)).await
}

async fn delete_once(ports: &Ports, reference: &str) -> Result<Policy, Failure> {
    let before: Stored<Policy> = read::stored_or_missing(ports, reference).await?;
    let mut draft = Draft::new();
    draft.remove(&before);
    draft.renew(layout::policies_generation(), ports.ids.next());
    draft.commit(ports).await?;
    Ok(before.value)
}

pub(crate) async fn store(
    ports: &Ports,
    before: Option<&Stored<Policy>>,
    after: &Policy,
) -> Result<(), Failure> {
    let mut draft = Draft::new();
    draft.store(before, after);
    draft.renew(layout::policies_generation(), ports.ids.next());
    draft.commit(ports).await
}

/// Checks a policy's numbers.
pub(crate) fn fits(policy: &Policy) -> Result<(), Error> {
    let terms = &policy.terms;
    let zero = |field: &str| Err(Error::Invalid(format!("{field}: must be greater than 0")));
    if terms.limit == Some(0) {
        return zero("threshold");
    }
    if let Some(rate) = &terms.rate {
        for (field, value) in [
            ("rate_limit.limit", rate.limit),
            ("rate_limit.per_seconds", rate.per_seconds),
            ("rate_limit.burst", rate.burst.unwrap_or(1)),
        ] {
            if value == 0 {
                return zero(field);
            }
        }
    }
    if terms.wait_timeout_seconds == Some(0) {
        return zero("wait_timeout_seconds");
    }
    if policy.max_attempts == 0 || policy.max_attempts > MOST_ATTEMPTS {
        return Err(Error::Invalid(format!("max_attempts: must be 1 to {MOST_ATTEMPTS}")));
    }
    let paths = policy.parameters.iter().chain(&policy.priority_parameter);
    for path in paths {
        if path.split('.').any(str::is_empty) {
            return Err(Error::Invalid(format!("'{path}' is not a dotted path of a parameter")));
        }
    }
    Ok(())
}

async fn covers_something(ports: &Ports, scope: &Scope) -> Result<(), Error> {
    match scope {
        Scope::Action(action) => read::require::<Action>(ports, action.as_str()).await.map(drop),
        Scope::Pack(pack) => read::require::<Pack>(ports, pack.as_str()).await.map(drop),
        Scope::Identity(id) => {
            let found = ports.records.get(&layout::identity(id.get())).await?;
            found.map(drop).ok_or_else(|| Error::not_found(Kind::Identity, id))
        }
        Scope::Global => Ok(()),
    }
}
