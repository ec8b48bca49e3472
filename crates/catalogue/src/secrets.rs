//! Secret values of definitions: sealed before anything is stored, opened where they are used.
//!
//! A rule's parameters, a sensor's and a pack's configuration may hold values that a schema calls
//! secret: the action's, the sensor's own, the pack's own. The vault seals them into the definition's field
//! `secrets`, and a mark stands in their place. Who sends the mark back keeps the value. A value that was
//! sealed stays so until another takes its place, even if its schema no longer calls it secret: else
//! whoever may change a schema could read it.

use crate::definition::Definition;
use crate::error::Error;
use crate::links::Links;
use attune_domain::catalogue::{Action, Pack, Rule, Sensor};
use attune_domain::matching::{PreparedRule, marked};
use attune_domain::schema::{Schema, Step, is_redacted, redacted};
use attune_domain::sealed::Sealed;
use attune_domain::template::contains_template;
use attune_ports::{Ports, Unavailable, Vault};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A definition that may have sealed values.
pub trait Holder: Definition {
    /// The values that were taken out of it.
    fn sealed(&self) -> Option<&Sealed>;
}

impl Holder for Pack {
    fn sealed(&self) -> Option<&Sealed> {
        self.secrets.as_ref()
    }
}

impl Holder for Sensor {
    fn sealed(&self) -> Option<&Sealed> {
        self.secrets.as_ref()
    }
}

impl Holder for Rule {
    fn sealed(&self) -> Option<&Sealed> {
        self.secrets.as_ref()
    }
}

/// Puts the sealed values of a definition back where their marks stand in `document`: a rule's
/// parameters, rendered or not, the configuration of a pack or sensor.
///
/// # Errors
/// [`Unavailable`] where the vault cannot open them.
pub async fn restore<T: Holder>(
    vault: &dyn Vault,
    of: &T,
    document: &mut Value,
) -> Result<(), Unavailable> {
    if let Some(sealed) = of.sealed() {
        Values::open(vault, &context::<T>(of.reference()), sealed).await?.restore(document);
    }
    Ok(())
}

/// The paths of what is secret in a pack's configuration: what its schema says, and whatever is sealed.
#[must_use]
pub fn paths(pack: &Pack) -> Vec<Vec<Step>> {
    let sealed = marked(&pack.config).into_iter();
    let mut paths = schema_of(&pack.conf_schema).map_or_else(
        // Nobody knows what is meant to be secret: everything.
        || vec![Vec::new()],
        |schema| schema.secret_paths().to_vec(),
    );
    paths.extend(sealed.map(|place| place.into_iter().map(Step::Member).collect()));
    paths
}

/// Seals what is secret in a pack's configuration; `before` is the pack that is there.
pub(crate) async fn seal_pack(
    ports: &Ports,
    before: Option<&Pack>,
    pack: &mut Pack,
) -> Result<(), Unavailable> {
    let schema = schema_of(&pack.conf_schema);
    let sealing = Sealing {
        vault: &*ports.vault,
        context: context::<Pack>(pack.reference()),
        before: before.and_then(Holder::sealed),
        schema: schema.as_ref(),
        templates: false,
    };
    pack.secrets = sealing.seal(&mut pack.config).await?;
    Ok(())
}

/// Seals what is secret in a sensor's configuration; `before` is the sensor that is there.
pub(crate) async fn seal_sensor(
    ports: &Ports,
    before: Option<&Sensor>,
    sensor: &mut Sensor,
) -> Result<(), Unavailable> {
    let schema = sensor.param_schema.as_ref().map_or_else(|| Some(Schema::any()), schema_of);
    let sealing = Sealing {
        vault: &*ports.vault,
        context: context::<Sensor>(sensor.reference()),
        before: before.and_then(Holder::sealed),
        schema: schema.as_ref(),
        templates: false,
    };
    sensor.secrets = match &mut sensor.config {
        Some(config) => sealing.seal(config).await?,
        None => None,
    };
    Ok(())
}

/// Seals the values in a rule's parameters that its action calls secret, templates excepted; `before`
/// is the rule that is there. While there is no such action, only what was sealed stays so.
pub(crate) async fn seal_rule(
    ports: &Ports,
    before: Option<&Rule>,
    rule: &mut Rule,
    links: &Links,
) -> Result<(), Unavailable> {
    let schema = links.action.as_ref().map_or_else(Schema::any, |found| parameters(&found.value));
    let sealing = Sealing {
        vault: &*ports.vault,
        context: context::<Rule>(rule.reference()),
        before: before.and_then(Holder::sealed),
        schema: Some(&schema),
        templates: true,
    };
    let mut document = Value::Object(std::mem::take(&mut rule.action_params));
    rule.secrets = sealing.seal(&mut document).await?;
    if let Value::Object(map) = document {
        rule.action_params = map;
    }
    Ok(())
}

/// The parameters of an action. One whose schema cannot be used calls nothing secret, as in a run.
pub(crate) fn parameters(action: &Action) -> Schema {
    Schema::parse(action.param_schema.as_ref()).unwrap_or_else(|_| Schema::any())
}

/// Whether a rule has values in the clear which an action with these parameters calls secret.
pub(crate) fn is_exposed(rule: &Rule, parameters: &Schema) -> bool {
    if parameters.secret_paths().is_empty() {
        return false;
    }
    let mut document = Value::Object(rule.action_params.clone());
    let places = places(Some(parameters), &document);
    !Values::take(&mut document, &places, true).0.is_empty()
}

/// Insists that `document` has no mark: every one that was sent should have found its value.
pub(crate) fn whole(field: &str, document: &Value) -> Result<(), Error> {
    let Some(mut place) = marked(document).into_iter().next() else { return Ok(()) };
    place.insert(0, field.to_owned());
    let place = place.join(".");
    Err(Error::Invalid(format!("{place}: stands for a secret value, but none is stored there")))
}

/// Insists that a sealed rule carries no secret of its own or of its pack to where its action has none.
pub(crate) fn contained(rule: &Rule, pack: &Pack, links: &Links) -> Result<(), Error> {
    let Some(action) = &links.action else { return Ok(()) };
    let prepared = PreparedRule::new(rule.clone());
    match prepared.leak(&paths(pack), &parameters(&action.value)) {
        None => Ok(()),
        Some(leak) => Err(Error::Invalid(format!("action_params: {leak}"))),
    }
}

/// What the values of a definition are sealed in the name of.
fn context<T: Definition>(reference: &str) -> String {
    format!("{}/{reference}", T::KIND.as_str())
}

fn schema_of(schema: &Value) -> Option<Schema> {
    Schema::parse(Some(schema)).ok()
}

/// JSON pointers to what a schema calls secret in `document`, whole where there is no usable schema.
fn places(schema: Option<&Schema>, document: &Value) -> BTreeSet<String> {
    match schema {
        Some(schema) => {
            let found = schema.redact(&mut document.clone());
            found.places().map(str::to_owned).collect()
        }
        None if document.as_object().is_some_and(serde_json::Map::is_empty) => BTreeSet::new(),
        None => BTreeSet::from([String::new()]),
    }
}

/// Sealing of one document.
struct Sealing<'a> {
    vault: &'a dyn Vault,
    context: String,
    /// What was sealed before.
    before: Option<&'a Sealed>,
    /// What is secret; `None`, everything.
    schema: Option<&'a Schema>,
    /// Whether strings with templates stay: they are no values yet.
    templates: bool,
}

impl Sealing<'_> {
    /// Takes the secrets out of `document`. Where they are the same as before, so is what is sealed.
    async fn seal(self, document: &mut Value) -> Result<Option<Sealed>, Unavailable> {
        if self.before.is_none() && self.schema.is_some_and(|it| it.secret_paths().is_empty()) {
            return Ok(None);
        }
        let before = match self.before {
            Some(sealed) => Values::open(self.vault, &self.context, sealed).await?,
            None => Values::default(),
        };
        let mut secret = before.restore(document);
        secret.append(&mut places(self.schema, document));
        let values = Values::take(document, &secret, self.templates);
        if values.0.is_empty() {
            return Ok(None);
        }
        if values == before {
            return Ok(self.before.cloned());
        }
        values.seal(self.vault, &self.context).await.map(Some)
    }
}

/// Secret values, each by the JSON pointer to its place. Has no `Debug`: a log is no place for them.
#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Values(BTreeMap<String, Value>);

impl Values {
    async fn open(vault: &dyn Vault, context: &str, sealed: &Sealed) -> Result<Self, Unavailable> {
        let plain = vault.open(context, sealed).await?;
        // What serde says may quote the text.
        serde_json::from_slice(&plain)
            .map_err(|_| Unavailable::new("vault", format!("{context} holds no secret values")))
    }

    async fn seal(&self, vault: &dyn Vault, context: &str) -> Result<Sealed, Unavailable> {
        let plain = serde_json::to_vec(self).map_err(|e| Unavailable::new("vault", e))?;
        vault.seal(context, &plain).await
    }

    /// Puts the values back where marks stand; answers where that was.
    fn restore(&self, document: &mut Value) -> BTreeSet<String> {
        let mut restored = BTreeSet::new();
        for (at, value) in &self.0 {
            if let Some(place) = document.pointer_mut(at).filter(|place| is_redacted(place)) {
                place.clone_from(value);
                restored.insert(at.clone());
            }
        }
        restored
    }

    /// Takes out the values at these places, outer ones first.
    fn take(document: &mut Value, places: &BTreeSet<String>, templates: bool) -> Self {
        let mut values = Self::default();
        for at in places {
            if let Some(place) = document.pointer_mut(at) {
                values.take_at(at, place, templates);
            }
        }
        values
    }

    fn take_at(&mut self, at: &str, place: &mut Value, templates: bool) {
        if place.is_null() || is_redacted(place) {
            return;
        }
        if !(templates && holds_template(place)) {
            self.0.insert(at.to_owned(), std::mem::replace(place, redacted()));
            return;
        }
        match place {
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.take_at(&format!("{at}/{index}"), item, templates);
                }
            }
            Value::Object(map) => {
                for (key, item) in map {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    self.take_at(&format!("{at}/{key}"), item, templates);
                }
            }
            _ => {}
        }
    }
}

fn holds_template(value: &Value) -> bool {
    match value {
        Value::String(text) => contains_template(text),
        Value::Array(items) => items.iter().any(holds_template),
        Value::Object(map) => map.values().any(holds_template),
        _ => false,
    }
}
