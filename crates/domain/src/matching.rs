//! Matching: which rules care about an event, and what do they ask for?

mod taint;

pub use taint::{Leak, marked};

use crate::Timestamp;
use crate::catalogue::Rule;
use crate::condition::{self, Condition, EventView};
use crate::id::EventId;
use crate::reference::ComponentRef;
use crate::schema::{Schema, Step};
use crate::template::{self, Scope, Template};
use chrono::SecondsFormat;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// An event as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence<'a> {
    /// Which event.
    pub id: EventId,
    /// Its trigger.
    pub trigger_ref: &'a ComponentRef,
    /// Its payload, wherever it lay.
    pub payload: Option<&'a Value>,
    /// When it came.
    pub created: Timestamp,
    /// Now, for conditions and templates that ask.
    pub now: Timestamp,
}

/// A rule with its parameters compiled.
#[derive(Debug)]
pub struct PreparedRule {
    /// The definition.
    pub rule: Rule,
    parameters: Template,
    pack_reads: Vec<taint::PackRead>,
    /// Where the rule's own secrets belong.
    kept: Vec<Vec<String>>,
}

impl PreparedRule {
    /// Compiles a rule's parameters.
    #[must_use]
    pub fn new(rule: Rule) -> Self {
        let written = Value::Object(rule.action_params.clone());
        let parameters = Template::parse(&written);
        let pack_reads = taint::pack_reads(&written, &parameters);
        let kept = if rule.secrets.is_some() { marked(&written) } else { Vec::new() };
        Self { rule, parameters, pack_reads, kept }
    }

    /// Whether rendering needs the configuration of the rule's pack.
    #[must_use]
    pub const fn reads_pack_config(&self) -> bool {
        !self.pack_reads.is_empty()
    }

    /// The first parameter that would carry a secret to a place which the parameters of its action,
    /// `action`, do not call secret. `secret` are the paths of what is secret in the pack's configuration.
    #[must_use]
    pub fn leak(&self, secret: &[Vec<Step>], action: &Schema) -> Option<Leak> {
        taint::first_leak(&self.pack_reads, secret, action)
            .or_else(|| taint::first_misplaced(&self.kept, action))
    }

    /// The parameters for an execution: what the event lacks is null, or empty inside a text.
    ///
    /// # Errors
    /// [`template::Error`] where an expression is wrong or beyond its bounds.
    pub fn render(
        &self,
        event: &Occurrence<'_>,
        pack_config: Option<&Value>,
    ) -> Result<Value, template::Error> {
        let created = written(event.created);
        let empty = Value::Null;
        let config = pack_config.unwrap_or(&empty);
        let system = json!({
            "timestamp": written(event.now),
            "rule": {"id": self.rule.id, "ref": self.rule.reference},
        });
        let scope = Scope::lenient()
            .fields(
                "event",
                vec![
                    ("id", std::borrow::Cow::Owned(json!(event.id))),
                    ("trigger", std::borrow::Cow::Owned(json!(event.trigger_ref))),
                    ("trigger_ref", std::borrow::Cow::Owned(json!(event.trigger_ref))),
                    ("created", std::borrow::Cow::Owned(json!(created))),
                    ("payload", std::borrow::Cow::Borrowed(event.payload.unwrap_or(&empty))),
                ],
            )
            .fields("pack", vec![("config", std::borrow::Cow::Borrowed(config))])
            .root("system", &system)
            .now(event.now);
        self.parameters.render(&scope)
    }
}

fn written(moment: Timestamp) -> String {
    moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The enabled rules of one trigger, compiled for matching.
#[derive(Debug, Default)]
pub struct RuleSet {
    index: condition::Index<PreparedRule>,
    actions: BTreeSet<ComponentRef>,
}

impl RuleSet {
    /// Compiles rules. One whose conditions cannot be read never matches.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        let actions = rules.iter().map(|rule| rule.action_ref.clone()).collect();
        let prepared = rules
            .into_iter()
            .map(|rule| (Condition::parse_lenient(&rule.conditions), PreparedRule::new(rule)));
        Self { index: condition::Index::new(prepared), actions }
    }

    /// The actions of the rules, each once.
    pub fn actions(&self) -> impl Iterator<Item = &ComponentRef> {
        self.actions.iter()
    }

    /// The rules whose conditions hold for the event, in the order of their ids.
    #[must_use]
    pub fn matches(&self, event: &Occurrence<'_>) -> Vec<&PreparedRule> {
        let created = written(event.created);
        let view = EventView {
            id: event.id.get(),
            trigger_ref: event.trigger_ref.as_str(),
            payload: event.payload,
            created: &created,
            now: event.now,
        };
        let mut matches: Vec<&PreparedRule> = self.index.matches(&view).collect();
        matches.sort_by_key(|prepared| prepared.rule.id);
        matches
    }
}
