//! Keys of the keystore.

use attune_catalogue::keys::Named;
use attune_domain::keystore::{Key, Owner, OwnerKind};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What a key may belong to, as the OpenAPI document describes it; the words are [`OwnerKind`]'s.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum OwnerType {
    /// Everything.
    System,
    /// A person or machine.
    Identity,
    /// A pack.
    Pack,
    /// An action.
    Action,
    /// A sensor.
    Sensor,
}

/// A key to be made. Unless it is the system's, it names its owner once, by id or by ref.
#[derive(Clone, Deserialize, ToSchema)]
pub struct CreateKeyRequest {
    /// Lower-case parts joined by dots.
    #[serde(rename = "ref")]
    #[schema(example = "ops.db_password")]
    pub reference: String,
    /// What it belongs to.
    #[schema(value_type = OwnerType)]
    pub owner_type: OwnerKind,
    /// The owner's id as text; the server sets it.
    pub owner: Option<String>,
    /// Id of the identity.
    pub owner_identity: Option<i64>,
    /// Id of the pack.
    pub owner_pack: Option<i64>,
    /// Ref of the pack.
    pub owner_pack_ref: Option<String>,
    /// Id of the action.
    pub owner_action: Option<i64>,
    /// Ref of the action.
    pub owner_action_ref: Option<String>,
    /// Id of the sensor.
    pub owner_sensor: Option<i64>,
    /// Ref of the sensor.
    pub owner_sensor_ref: Option<String>,
    /// By which actions and workflows know it.
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    /// The value: any JSON, up to 128 KiB of it.
    #[schema(value_type = Object)]
    pub value: Value,
    /// Whether it takes `keys:decrypt` to see the value; `false` if missing. It is stored encrypted in any case.
    #[serde(default)]
    pub encrypted: bool,
}

impl CreateKeyRequest {
    /// The owner that it names.
    ///
    /// # Errors
    /// A text where it names none, or another besides.
    pub fn owner(&self) -> Result<Named, String> {
        let reference = |of: &Option<String>| of.clone().filter(|text| !text.is_empty());
        let pack = Named::Pack(self.owner_pack, reference(&self.owner_pack_ref));
        let action = Named::Action(self.owner_action, reference(&self.owner_action_ref));
        let sensor = Named::Sensor(self.owner_sensor, reference(&self.owner_sensor_ref));
        let mut named: Vec<Named> = self.owner_identity.map(Named::Identity).into_iter().collect();
        named.extend([pack, action, sensor].into_iter().filter(|named| {
            !matches!(
                named,
                Named::Pack(None, None) | Named::Action(None, None) | Named::Sensor(None, None)
            )
        }));
        let fields = match self.owner_type {
            OwnerKind::System if named.is_empty() => return Ok(Named::System),
            OwnerKind::System => return Err("owner_type 'system' takes no owner".into()),
            OwnerKind::Identity => "owner_identity",
            OwnerKind::Pack => "owner_pack or owner_pack_ref",
            OwnerKind::Action => "owner_action or owner_action_ref",
            OwnerKind::Sensor => "owner_sensor or owner_sensor_ref",
        };
        let fitting = |named: &Named| {
            matches!(
                (self.owner_type, named),
                (OwnerKind::Identity, Named::Identity(_))
                    | (OwnerKind::Pack, Named::Pack(..))
                    | (OwnerKind::Action, Named::Action(..))
                    | (OwnerKind::Sensor, Named::Sensor(..))
            )
        };
        match (named.pop(), named.is_empty()) {
            (Some(named), true) if fitting(&named) => Ok(named),
            _ => {
                let kind = self.owner_type;
                Err(format!("owner_type '{kind}' takes {fields} and no other owner"))
            }
        }
    }
}

/// Changes of a key; `null` or missing, unchanged.
#[derive(Clone, Default, Deserialize, ToSchema)]
pub struct UpdateKeyRequest {
    /// By which actions and workflows know it.
    #[schema(min_length = 1, max_length = 255)]
    pub name: Option<String>,
    /// The value.
    #[schema(value_type = Option<Object>)]
    pub value: Option<Value>,
    /// Whether it takes `keys:decrypt` to see the value.
    pub encrypted: Option<bool>,
}

/// A key with its value.
#[derive(Clone, Serialize, ToSchema)]
pub struct KeyResponse {
    /// Wire id.
    pub id: i64,
    /// Its name among all keys.
    #[serde(rename = "ref")]
    pub reference: String,
    /// What it belongs to.
    #[schema(value_type = OwnerType)]
    pub owner_type: OwnerKind,
    /// `system`, or the owner's id as text.
    pub owner: Option<String>,
    /// Id of the identity it belongs to.
    pub owner_identity: Option<i64>,
    /// Id of the pack it belongs to.
    pub owner_pack: Option<i64>,
    /// Ref of the pack it belongs to.
    pub owner_pack_ref: Option<String>,
    /// Id of the action it belongs to.
    pub owner_action: Option<i64>,
    /// Ref of the action it belongs to.
    pub owner_action_ref: Option<String>,
    /// Id of the sensor it belongs to.
    pub owner_sensor: Option<i64>,
    /// Ref of the sensor it belongs to.
    pub owner_sensor_ref: Option<String>,
    /// By which actions and workflows know it.
    pub name: String,
    /// Whether it takes `keys:decrypt` to see the value.
    pub encrypted: bool,
    /// The value; `null` for who may not see it.
    #[schema(value_type = Object)]
    pub value: Value,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

impl KeyResponse {
    /// A key with this value.
    #[must_use]
    pub fn of(key: Key, value: Value) -> Self {
        let of = |wanted: OwnerKind| {
            let fits = key.owner.kind() == wanted;
            let reference = key.owner.reference().map(str::to_owned);
            (key.owner.id().filter(|_| fits), reference.filter(|_| fits))
        };
        let (owner_identity, _) = of(OwnerKind::Identity);
        let (owner_pack, owner_pack_ref) = of(OwnerKind::Pack);
        let (owner_action, owner_action_ref) = of(OwnerKind::Action);
        let (owner_sensor, owner_sensor_ref) = of(OwnerKind::Sensor);
        Self {
            id: key.id.get(),
            owner_type: key.owner.kind(),
            owner: Some(owner(&key.owner)),
            owner_identity,
            owner_pack,
            owner_pack_ref,
            owner_action,
            owner_action_ref,
            owner_sensor,
            owner_sensor_ref,
            reference: key.reference.to_string(),
            name: key.name,
            encrypted: key.encrypted,
            value,
            created: key.created,
            updated: key.updated,
        }
    }
}

/// A row of the list of keys, which shows no value.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeySummary {
    /// Wire id.
    pub id: i64,
    /// Its name among all keys.
    #[serde(rename = "ref")]
    pub reference: String,
    /// What it belongs to.
    #[schema(value_type = OwnerType)]
    pub owner_type: OwnerKind,
    /// `system`, or the owner's id as text.
    pub owner: Option<String>,
    /// By which actions and workflows know it.
    pub name: String,
    /// Whether it takes `keys:decrypt` to see the value.
    pub encrypted: bool,
    /// When it was made.
    pub created: DateTime<Utc>,
}

impl From<Key> for KeySummary {
    fn from(key: Key) -> Self {
        Self {
            id: key.id.get(),
            reference: key.reference.to_string(),
            owner_type: key.owner.kind(),
            owner: Some(owner(&key.owner)),
            name: key.name,
            encrypted: key.encrypted,
            created: key.created,
        }
    }
}

/// An owner in one text, as the wire has it.
#[must_use]
pub fn owner(owner: &Owner) -> String {
    owner.id().map_or_else(|| "system".to_owned(), |id| id.to_string())
}
