//! `pack.yaml`, the manifest.

use crate::fields::Fields;
use crate::node::Node;
use crate::problem::Report;
use attune_domain::reference::PackRef;
use serde::Serialize;
use serde_json::{Map, Value};

/// Characters in a version at most.
const MAX_VERSION: usize = 50;

/// What a manifest says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ManifestDefinition {
    /// The pack's name.
    #[serde(rename = "ref")]
    pub reference: PackRef,
    /// For people: `label`, else `name`, else the ref.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// 1 to 50 characters; semver advised.
    pub version: String,
    /// Schema of the pack's configuration: `conf_schema`, else `config_schema`, else `{}`.
    pub conf_schema: Value,
    /// First values of the configuration.
    pub config: Map<String, Value>,
    /// Free data of the author: `meta`, else `metadata`.
    pub meta: Map<String, Value>,
    /// Search words: `tags`, else `keywords`.
    pub tags: Vec<String>,
    /// Runtimes it names, for information.
    pub runtime_deps: Vec<String>,
    /// Refs of packs it needs.
    pub dependencies: Vec<String>,
    /// Least version of Python.
    pub python: Option<String>,
    /// Least version of Node.js.
    pub nodejs: Option<String>,
    /// Whether it ships with Attune: `system`, else `is_standard`. Who registers a pack decides
    /// whether to believe it.
    pub system: bool,
    /// How the pack tests itself, as written.
    pub testing: Option<Value>,
}

impl ManifestDefinition {
    pub(crate) fn read(node: &Node, report: Report<'_>) -> Option<Self> {
        let fields = Fields::of(node, "", report)?;
        let reference = read_ref(&fields);
        let version = read_version(&fields);
        let dependencies = fields.texts(&["dependencies"]);
        if let Some((name, node)) = fields.find(&["dependencies"]) {
            for wrong in dependencies.iter().filter(|text| PackRef::parse(text).is_err()) {
                fields.warning(node.at, name, format!("'{wrong}' is not the ref of a pack"));
            }
        }
        // What is required comes last, so that the other fields have been looked at before.
        Some(Self {
            label: fields
                .text(&["label", "name"])
                .or_else(|| reference.as_ref().map(ToString::to_string))
                .unwrap_or_default(),
            description: fields.text(&["description"]),
            conf_schema: fields
                .schema(&["conf_schema", "config_schema"])
                .unwrap_or_else(|| Value::Object(Map::new())),
            config: fields.object(&["config"]),
            meta: fields.object(&["meta", "metadata"]),
            tags: fields.texts(&["tags", "keywords"]),
            runtime_deps: fields.texts(&["runtime_deps"]),
            dependencies,
            python: fields.text(&["python"]),
            nodejs: fields.text(&["nodejs"]),
            system: fields.flag(&["system", "is_standard"], false),
            testing: fields.mapping("testing"),
            reference: reference?,
            version: version?,
        })
    }
}

fn read_ref(fields: &Fields<'_>) -> Option<PackRef> {
    fields.require(&["ref"]);
    let text = fields.text(&["ref"])?;
    match PackRef::parse(&text) {
        Ok(reference) => Some(reference),
        Err(error) => {
            fields.error(fields.place("ref"), "ref", error.to_string());
            None
        }
    }
}

fn read_version(fields: &Fields<'_>) -> Option<String> {
    fields.require(&["version"]);
    let (name, node) = fields.find(&["version"])?;
    let Some(version) = node.as_text() else {
        let message = format!(
            "expected text, found {}: put the version in quotes, as in version: \"1.0.0\"",
            node.describe()
        );
        fields.error(node.at, name, message);
        return None;
    };
    if version.is_empty() || version.chars().count() > MAX_VERSION {
        fields.error(node.at, name, format!("expected 1 to {MAX_VERSION} characters"));
        return None;
    }
    if semver::Version::parse(version).is_err() {
        let message = format!("'{version}' is not a semantic version such as 1.0.0");
        fields.warning(node.at, name, message);
    }
    Some(version.to_owned())
}
