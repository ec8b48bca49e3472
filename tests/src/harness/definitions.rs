//! Definitions for journeys, brought in as a person would, and durable before anything happens.

use super::Harness;
use crate::contract::Fixture;
use attune_catalogue::actions::NewAction;
use attune_catalogue::keys::{Named, NewKey};
use attune_catalogue::packs::NewPack;
use attune_catalogue::policies::NewPolicy;
use attune_catalogue::rules::NewRule;
use attune_catalogue::triggers::NewTrigger;
use attune_catalogue::workflows::NewWorkflow;
use attune_catalogue::{actions, keys, packs, policies, rules, triggers, workflows};
use attune_domain::catalogue::{Placement, Rule};
use attune_domain::policy::{Policy, Scope, Terms};
use attune_domain::reference::{ComponentRef, KeyRef, PackRef};
use attune_journey::wake;
use serde_json::{Map, Value, json};

/// The pack that everything belongs to.
pub(super) const PACK: &str = "test";

/// What a rule says beside its trigger and action.
#[derive(Clone, Debug)]
pub struct RuleTerms {
    /// Which events.
    pub conditions: Value,
    /// With what; templates.
    pub parameters: Value,
}

impl Default for RuleTerms {
    fn default() -> Self {
        Self { conditions: json!({}), parameters: json!({}) }
    }
}

/// What a policy on an action says.
#[derive(Clone, Debug, Default)]
pub struct PolicyTerms {
    /// What it demands.
    pub terms: Terms,
    /// Parameters whose values have lanes of their own.
    pub parameters: Vec<String>,
    /// Parameter that gives the priority.
    pub priority_parameter: Option<String>,
    /// Attempts when runners die; 0 means 1.
    pub max_attempts: u32,
}

/// `name` in the pack of the tests.
pub(super) fn reference(name: &str) -> ComponentRef {
    ComponentRef::parse(&format!("{PACK}.{name}")).expect("names in tests are right")
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().expect("parameters are an object")
}

impl<F: Fixture> Harness<F> {
    async fn settle_definitions(&self) {
        self.ports().records.settle().await.expect("it settles");
    }

    /// Makes the pack, unless it is there.
    async fn pack(&self) {
        let new = NewPack {
            reference: PackRef::parse(PACK).expect("the name is right"),
            label: "Test".into(),
            description: None,
            version: "1.0.0".into(),
            conf_schema: json!({}),
            config: json!({}),
            meta: json!({}),
            tags: vec![],
            runtime_deps: vec![],
            dependencies: vec![],
            is_standard: false,
        };
        match packs::create(self.ports(), &new).await {
            Ok(_) | Err(attune_catalogue::Error::Conflict(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Makes a workflow, and answers the action that executes it.
    pub async fn workflow(&self, name: &str, definition: Value) -> ComponentRef {
        self.pack().await;
        let new = NewWorkflow {
            reference: reference(name),
            pack_ref: PACK.into(),
            label: name.into(),
            description: None,
            version: "1.0.0".into(),
            param_schema: None,
            out_schema: None,
            definition,
            tags: vec![],
        };
        workflows::create(self.ports(), &new).await.expect("the workflow is right");
        self.settle_definitions().await;
        new.reference
    }

    /// Makes an action; one whose entry point begins with [`super::scripted::PURE`] may run again.
    pub async fn action(&self, name: &str, entrypoint: &str) -> ComponentRef {
        self.action_on("core.shell", name, entrypoint).await
    }

    /// Makes an action that asks people what its parameters say.
    pub async fn question(&self, name: &str) -> ComponentRef {
        self.action_on("core.native", name, "core.ask").await
    }

    async fn action_on(&self, runtime: &str, name: &str, entrypoint: &str) -> ComponentRef {
        self.pack().await;
        let new = NewAction {
            reference: reference(name),
            pack_ref: PACK.into(),
            label: name.into(),
            description: None,
            entrypoint: entrypoint.into(),
            runtime_ref: Some(runtime.into()),
            runtime_version_constraint: None,
            param_schema: None,
            out_schema: None,
            default_execution_permission_set_refs: vec![],
            accesses_mcp: false,
            placement: Placement::default(),
        };
        let action = actions::create(self.ports(), &new).await.expect("the action is right");
        self.settle_definitions().await;
        action.reference
    }

    /// Makes a key; whose it is, `holder` says: nothing, the system's; a name with a dot, an action's; else a pack's.
    pub async fn key(&self, holder: &str, name: &str, value: Value) {
        self.pack().await;
        let named = match holder {
            "" => Named::System,
            action if action.contains('.') => Named::Action(None, Some(action.into())),
            pack => Named::Pack(None, Some(pack.into())),
        };
        let owner = keys::owner(self.ports(), &named).await.expect("the owner is there");
        let reference = format!("of.{}.{name}", owner.holder().to_string().replace('/', "."));
        let new = NewKey {
            reference: KeyRef::parse(&reference).expect("the name is right"),
            owner,
            name: name.into(),
            encrypted: true,
            value,
        };
        keys::create(self.ports(), &new).await.expect("the key is right");
        self.settle_definitions().await;
    }

    /// Makes a trigger.
    pub async fn trigger(&self, name: &str) -> ComponentRef {
        self.pack().await;
        let new = NewTrigger {
            reference: reference(name),
            pack_ref: Some(PACK.into()),
            label: name.into(),
            description: None,
            enabled: true,
            param_schema: None,
            out_schema: None,
            config: None,
        };
        let trigger = triggers::create(self.ports(), &new).await.expect("the trigger is right");
        self.settle_definitions().await;
        trigger.reference
    }

    /// Makes a rule.
    pub async fn rule(
        &self,
        name: &str,
        trigger: &ComponentRef,
        action: &ComponentRef,
        terms: RuleTerms,
    ) -> Rule {
        let new = NewRule {
            reference: reference(name),
            pack_ref: PACK.into(),
            label: name.into(),
            description: None,
            trigger_ref: trigger.to_string(),
            trigger_params: Map::new(),
            action_ref: action.to_string(),
            action_params: object(&terms.parameters),
            conditions: terms.conditions,
            enabled: true,
            permission_set_refs: None,
            owner_identity: None,
        };
        let rule = rules::create(self.ports(), &new).await.expect("the rule is right");
        self.settle_definitions().await;
        rule
    }

    /// Makes a policy on an action.
    pub async fn policy(&self, action: &ComponentRef, terms: PolicyTerms) -> Policy {
        let new = NewPolicy {
            reference: reference(&format!("{}_policy", action.name())),
            description: None,
            scope: Scope::Action(action.clone()),
            terms: terms.terms,
            parameters: terms.parameters,
            priority_parameter: terms.priority_parameter,
            max_attempts: terms.max_attempts.max(1),
            enabled: true,
        };
        let policy = policies::create(self.ports(), &new).await.expect("the policy is right");
        self.settle_definitions().await;
        policy
    }

    /// Makes a policy that lets so many run at once.
    pub async fn limit(&self, action: &ComponentRef, limit: u32) -> Policy {
        let terms = Terms { limit: Some(limit), ..Terms::default() };
        self.policy(action, PolicyTerms { terms, ..PolicyTerms::default() }).await
    }

    /// Changes a policy, and wakes whom that concerns, as the API does.
    pub async fn change_policy(&self, policy: &Policy, change: impl Fn(&mut Policy) + Send + Sync) {
        let changed = policies::update(self.ports(), policy.reference.as_str(), |policy| {
            change(policy);
            Ok(())
        });
        changed.await.expect("the change is right");
        wake::lanes_of(self.hard_ports(), policy.id).await.expect("lanes can be woken");
    }
}
