//! The note of what a pack's files said when it was last installed.

use crate::layout;
use attune_ports::records::{Kind, Record};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Grows when the same file comes to mean another definition, so that all are stored anew.
const READING: u32 = 1;

/// Digests of a pack's definitions as its files had them, by kind and ref.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Sources(BTreeMap<String, String>);

impl Sources {
    /// The digest of a definition.
    pub(crate) fn digest(file: &impl Serialize) -> String {
        let text = serde_json::to_vec(file).unwrap_or_default();
        format!("{READING}:{}", hex::encode(&Sha256::digest(text)[..16]))
    }

    /// Whether a definition was stored from a file with this digest.
    pub(crate) fn says(&self, kind: Kind, reference: &str, digest: &str) -> bool {
        self.0.get(&name(kind, reference)).is_some_and(|known| known == digest)
    }

    pub(crate) fn add(&mut self, kind: Kind, reference: &str, digest: String) {
        self.0.insert(name(kind, reference), digest);
    }

    /// Refs of the definitions of one kind.
    pub(crate) fn refs_of(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let prefix = name(kind, "");
        self.0.keys().filter_map(move |name| name.strip_prefix(&prefix))
    }

    /// The note as a record.
    pub(crate) fn record(&self, pack: &str) -> Record {
        Record::new(Kind::Marker, layout::pack_sources(pack), self)
    }
}

fn name(kind: Kind, reference: &str) -> String {
    format!("{}/{reference}", kind.as_str())
}
