//! Packs.

use super::pack_test::PackTestResult;
use super::patch::PackDescriptionPatch;
use attune_catalogue::packs::PackChange;

use attune_domain::catalogue::Pack;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A pack to be made, without files.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreatePackRequest {
    /// Lower case, at least two characters.
    #[serde(rename = "ref")]
    #[schema(example = "deploy")]
    pub reference: String,
    /// For people.
    #[schema(min_length = 1, max_length = 255)]
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Semantic version.
    #[schema(min_length = 1, max_length = 50)]
    pub version: String,
    /// Schema of `config`.
    #[schema(value_type = Option<Object>)]
    pub conf_schema: Option<Value>,
    /// Values that templates read as `pack.config`.
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
    /// Free data of the author.
    #[schema(value_type = Option<Object>)]
    pub meta: Option<Value>,
    /// Search words.
    pub tags: Option<Vec<String>>,
    /// Runtimes it names.
    pub runtime_deps: Option<Vec<String>>,
    /// Refs of packs it needs.
    pub dependencies: Option<Vec<String>>,
    /// Whether it counts as shipped with Attune.
    pub is_standard: Option<bool>,
}

/// Changes of a pack; `null` or missing, unchanged.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct UpdatePackRequest {
    /// For people.
    #[schema(min_length = 1, max_length = 255)]
    pub label: Option<String>,
    /// For people.
    pub description: Option<PackDescriptionPatch>,
    /// Semantic version.
    #[schema(min_length = 1, max_length = 50)]
    pub version: Option<String>,
    /// Schema of `config`.
    #[schema(value_type = Option<Object>)]
    pub conf_schema: Option<Value>,
    /// Values that templates read as `pack.config`, as a whole.
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
    /// Free data of the author.
    #[schema(value_type = Option<Object>)]
    pub meta: Option<Value>,
    /// Search words.
    pub tags: Option<Vec<String>>,
    /// Runtimes it names.
    pub runtime_deps: Option<Vec<String>>,
    /// Refs of packs it needs.
    pub dependencies: Option<Vec<String>>,
    /// Whether it counts as shipped with Attune.
    pub is_standard: Option<bool>,
}

impl From<UpdatePackRequest> for PackChange {
    fn from(request: UpdatePackRequest) -> Self {
        Self {
            label: request.label,
            description: request.description.map(PackDescriptionPatch::value),
            version: request.version,
            conf_schema: request.conf_schema,
            config: request.config,
            meta: request.meta,
            tags: request.tags,
            runtime_deps: request.runtime_deps,
            dependencies: request.dependencies,
            is_standard: request.is_standard,
        }
    }
}

/// A folder on the server's machine to be registered as a pack, in place.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct RegisterPackRequest {
    /// The folder with `pack.yaml`.
    pub path: String,
    /// Whether a pack of the same ref may be replaced.
    #[serde(default)]
    pub force: bool,
    /// Whether the pack's own tests are left out.
    #[serde(default)]
    pub skip_tests: bool,
}

/// A pack.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PackResponse {
    /// Wire id.
    pub id: i64,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: String,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Its version.
    pub version: String,
    /// Schema of `config`.
    #[schema(value_type = Object)]
    pub conf_schema: Value,
    /// Values that templates read as `pack.config`; without those that the schema calls secret.
    #[schema(value_type = Object)]
    pub config: Value,
    /// Free data of the author.
    #[schema(value_type = Object)]
    pub meta: Value,
    /// Search words.
    pub tags: Vec<String>,
    /// Runtimes it names.
    pub runtime_deps: Vec<String>,
    /// Refs of packs it needs.
    pub dependencies: Vec<String>,
    /// Whether it ships with Attune.
    pub is_standard: bool,
    /// When it came.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

impl From<Pack> for PackResponse {
    fn from(mut pack: Pack) -> Self {
        attune_catalogue::packs::redact(&mut pack);
        Self {
            id: pack.id.get(),
            reference: pack.reference.to_string(),
            label: pack.label,
            description: pack.description,
            version: pack.version,
            conf_schema: pack.conf_schema,
            config: pack.config,
            meta: pack.meta,
            tags: pack.tags,
            runtime_deps: pack.runtime_deps,
            dependencies: pack.dependencies,
            is_standard: pack.is_standard,
            created: pack.created,
            updated: pack.updated,
        }
    }
}

/// A pack in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PackSummary {
    /// Wire id.
    pub id: i64,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: String,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Its version.
    pub version: String,
    /// Search words.
    pub tags: Vec<String>,
    /// Whether it ships with Attune.
    pub is_standard: bool,
    /// When it came.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

impl From<Pack> for PackSummary {
    fn from(pack: Pack) -> Self {
        Self {
            id: pack.id.get(),
            reference: pack.reference.to_string(),
            label: pack.label,
            description: pack.description,
            version: pack.version,
            tags: pack.tags,
            is_standard: pack.is_standard,
            created: pack.created,
            updated: pack.updated,
        }
    }
}

/// A pack that was uploaded.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PackInstallResponse {
    /// The pack.
    pub pack: PackResponse,
    /// What its own tests said; `null` where they did not run.
    pub test_result: Option<PackTestResult>,
    /// Whether they did not run: they were not wanted, or there are none.
    pub tests_skipped: bool,
}
