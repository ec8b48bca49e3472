//! Sensors.

use super::placement::{PlacementChange, PlacementRequest, PlacementResponse, runtime_id};

use attune_domain::catalogue::Sensor;
use attune_domain::id::PackId;
use attune_domain::runtime::Runtime;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A sensor to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateSensorRequest {
    /// `pack.name`.
    #[serde(rename = "ref")]
    #[schema(example = "core.door_sensor")]
    pub reference: String,
    /// The pack it belongs to.
    pub pack_ref: String,
    /// For people.
    #[schema(min_length = 1, max_length = 255)]
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// File under the pack's `sensors/`.
    pub entrypoint: String,
    /// Ref or alias of a runtime.
    pub runtime_ref: String,
    /// The trigger it emits for.
    pub trigger_ref: String,
    /// Whether it emits; `true` if missing.
    pub enabled: Option<bool>,
    /// Schema of `config`.
    #[schema(value_type = Option<Object>)]
    pub param_schema: Option<Value>,
    /// Its configuration, never shown; may hold a timer's.
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
    /// Retention and placement.
    #[serde(flatten)]
    pub placement: PlacementRequest,
}

/// Changes of a sensor; `null` or missing, unchanged.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct UpdateSensorRequest {
    /// For people.
    #[schema(min_length = 1, max_length = 255)]
    pub label: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// File under the pack's `sensors/`.
    pub entrypoint: Option<String>,
    /// Whether it emits.
    pub enabled: Option<bool>,
    /// Schema of `config`.
    #[schema(value_type = Option<Object>)]
    pub param_schema: Option<Value>,
    /// Its configuration, never shown; may hold a timer's.
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
    /// Retention and placement.
    #[serde(flatten)]
    pub placement: PlacementChange,
}

/// A sensor.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SensorResponse {
    /// Wire id.
    pub id: i64,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Id of its pack.
    pub pack: Option<i64>,
    /// Its pack.
    pub pack_ref: Option<String>,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// File under the pack's `sensors/`.
    pub entrypoint: String,
    /// Id of the runtime; 0 where it is none of the built-in ones.
    pub runtime: i64,
    /// The runtime as written.
    pub runtime_ref: String,
    /// Whether it emits.
    pub enabled: bool,
    /// Schema of its configuration.
    #[schema(value_type = Option<Object>)]
    pub param_schema: Option<Value>,
    /// Retention and placement.
    #[serde(flatten)]
    pub placement: PlacementResponse,
    /// When it came.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

impl From<Sensor> for SensorResponse {
    fn from(sensor: Sensor) -> Self {
        Self {
            id: sensor.id.get(),
            reference: sensor.reference.to_string(),
            pack: sensor.pack.map(PackId::get),
            pack_ref: sensor.pack_ref.map(|pack| pack.to_string()),
            label: sensor.label,
            description: sensor.description,
            entrypoint: sensor.entrypoint,
            runtime: Runtime::from_name(&sensor.runtime_ref).map_or(0, runtime_id),
            runtime_ref: sensor.runtime_ref,
            enabled: sensor.enabled,
            param_schema: sensor.param_schema,
            placement: sensor.placement.into(),
            created: sensor.created,
            updated: sensor.updated,
        }
    }
}

/// A sensor in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SensorSummary {
    /// Wire id.
    pub id: i64,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its pack.
    pub pack_ref: Option<String>,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Whether it emits.
    pub enabled: bool,
    /// What the limit on logs counts.
    pub log_retention_policy: Option<String>,
    /// How many of those.
    pub log_retention_limit: Option<i32>,
    /// What the limit on artifacts counts.
    pub artifact_retention_policy: Option<String>,
    /// How many of those.
    pub artifact_retention_limit: Option<i32>,
    /// When it came.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

impl From<Sensor> for SensorSummary {
    fn from(sensor: Sensor) -> Self {
        Self {
            id: sensor.id.get(),
            reference: sensor.reference.to_string(),
            pack_ref: sensor.pack_ref.map(|pack| pack.to_string()),
            label: sensor.label,
            description: sensor.description,
            enabled: sensor.enabled,
            log_retention_policy: sensor.placement.log_retention_policy,
            log_retention_limit: sensor.placement.log_retention_limit,
            artifact_retention_policy: sensor.placement.artifact_retention_policy,
            artifact_retention_limit: sensor.placement.artifact_retention_limit,
            created: sensor.created,
            updated: sensor.updated,
        }
    }
}
