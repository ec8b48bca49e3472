//! A catalogue on the embedded ports, in a folder of its own.

#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses a part; a test may panic")]

pub mod failing;

use async_trait::async_trait;
use attune_catalogue::actions::NewAction;
use attune_catalogue::packs::NewPack;
use attune_catalogue::rules::NewRule;
use attune_catalogue::triggers::NewTrigger;
use attune_catalogue::{actions, layout, packs, triggers};
use attune_domain::catalogue::{Action, Pack, Rule, Trigger};
use attune_domain::reference::{ComponentRef, PackRef};
use attune_domain::runtime::Runtime;
use attune_domain::status::ExecutionStatus;
use attune_ports::Ports;
use attune_ports::records::{Key, Query};
use attune_ports::runner::{Cancelled, Invocation, Outcome, Runner};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// Runs nothing: the catalogue only defines.
struct Idle;

#[async_trait]
impl Runner for Idle {
    async fn run(&self, _: Invocation, _: Cancelled) -> Outcome {
        Outcome::new(ExecutionStatus::Failed, json!({}))
    }

    fn is_pure(&self, _: Runtime, _: &str) -> bool {
        false
    }
}

pub struct World {
    pub ports: Ports,
    local: attune_local::Local,
    folder: TempDir,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = attune_local::Config::default();
        let local = attune_local::open(folder.path(), &config, Arc::new(Idle)).unwrap();
        Self { ports: local.ports.clone(), local, folder }
    }

    /// With pack `my`, actions `p.act` and `p.other`, and triggers `p.one`, `p.two` and
    /// `core.intervaltimer`.
    pub async fn furnished() -> Self {
        let world = Self::new();
        world.pack("my").await;
        for action in ["p.act", "p.other"] {
            world.action(action).await;
        }
        for trigger in ["p.one", "p.two", "core.intervaltimer"] {
            world.trigger(trigger).await;
        }
        world
    }

    pub async fn pack(&self, name: &str) -> Pack {
        let new = NewPack {
            reference: PackRef::parse(name).unwrap(),
            label: name.into(),
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
        packs::create(&self.ports, &new).await.unwrap()
    }

    pub async fn action(&self, name: &str) -> Action {
        let new = NewAction {
            reference: reference(name),
            pack_ref: "my".into(),
            label: name.into(),
            description: None,
            entrypoint: "echo".into(),
            runtime_ref: None,
            runtime_version_constraint: None,
            param_schema: Some(json!({"n": {"type": "integer", "required": true}})),
            out_schema: None,
            default_execution_permission_set_refs: vec![],
            accesses_mcp: false,
            placement: Default::default(),
        };
        actions::create(&self.ports, &new).await.unwrap()
    }

    pub async fn trigger(&self, name: &str) -> Trigger {
        triggers::create(&self.ports, &new_trigger(name)).await.unwrap()
    }

    /// Ids of the rules that matching sees for a trigger.
    pub async fn bound(&self, trigger: &str) -> Vec<i64> {
        let query = Query::partition(layout::bindings(trigger), 1000);
        let page = self.ports.records.query(&query).await.unwrap();
        page.records.iter().map(|record| record.decode::<Rule>().unwrap().id.get()).collect()
    }

    /// Version and text of one record; 0 where there is none.
    pub async fn generation(&self, key: &Key) -> (u64, String) {
        let record = self.ports.records.get(key).await.unwrap();
        record.map_or((0, String::new()), |record| {
            (record.version, String::from_utf8(record.body.to_vec()).unwrap())
        })
    }

    /// Whether any file of the data folder holds this text.
    pub async fn has_on_disk(&self, text: &str) -> bool {
        self.ports.records.settle().await.unwrap();
        is_in_folder(self.folder.path(), text.as_bytes())
    }

    /// Names of all schedules, in order.
    pub async fn scheduled(&self) -> Vec<(String, i64)> {
        let mut list = self.ports.schedules.list().await.unwrap();
        list.sort();
        list
    }

    /// Keys and versions of everything the catalogue stores, to see what was written.
    pub async fn everything(&self) -> Vec<(Key, u64)> {
        let mut found = Vec::new();
        for kind in ["pack", "action", "trigger", "sensor", "rule", "policy", "permission_set"] {
            for partition in [kind.to_owned(), format!("{kind}.id")] {
                found.extend(self.partition(&partition).await);
            }
        }
        for partition in ["generation", "webhook", "pack.sources"] {
            found.extend(self.partition(partition).await);
        }
        found
    }

    async fn partition(&self, name: &str) -> Vec<(Key, u64)> {
        let page = self.ports.records.query(&Query::partition(name, 10_000)).await.unwrap();
        page.records.into_iter().map(|record| (record.key, record.version)).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.local.close();
    }
}

fn is_in_folder(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_in_folder(&path, bytes);
        }
        std::fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes)
    })
}

pub fn reference(name: &str) -> ComponentRef {
    ComponentRef::parse(name).unwrap()
}

pub fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

pub fn new_trigger(name: &str) -> NewTrigger {
    NewTrigger {
        reference: reference(name),
        pack_ref: Some("my".into()),
        label: name.into(),
        description: None,
        enabled: true,
        param_schema: None,
        out_schema: None,
        config: None,
    }
}

pub fn new_rule(name: &str) -> NewRule {
    NewRule {
        reference: reference(name),
        pack_ref: "my".into(),
        label: name.into(),
        description: None,
        trigger_ref: "p.one".into(),
        trigger_params: Map::new(),
        action_ref: "p.act".into(),
        action_params: map(json!({"n": 1})),
        conditions: json!({}),
        enabled: true,
        permission_set_refs: None,
        owner_identity: None,
    }
}

/// A rule that every second would fire.
pub fn every(seconds: i64, name: &str) -> NewRule {
    NewRule {
        trigger_ref: "core.intervaltimer".into(),
        trigger_params: map(json!({"interval": seconds, "unit": "seconds"})),
        ..new_rule(name)
    }
}
