//! Files of which only the ref is read here: policies and queues.

use crate::fields::{Context, Fields};
use crate::node::Node;
use crate::problem::Report;
use attune_domain::reference::ComponentRef;
use serde::Serialize;
use serde_json::Value;
use std::path::PathBuf;

/// A file and what it names; its content is for those who know its kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RawDefinition {
    /// The file, relative to the pack's root.
    pub file: PathBuf,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: ComponentRef,
    /// The whole mapping, as written.
    pub content: Value,
}

impl RawDefinition {
    /// A policy or a queue, which names itself.
    pub(crate) fn read(node: &Node, context: Context<'_>, report: Report<'_>) -> Option<Self> {
        let fields = Fields::of(node, "", report)?;
        if fields.nameless() {
            return None;
        }
        Some(Self {
            file: report.file.to_owned(),
            reference: fields.own_ref(context, false)?,
            content: node.to_value(),
        })
    }
}
