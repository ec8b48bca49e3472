//! From a folder of YAML files to a validated pack.
//!
//! A pack is a folder with a manifest, `pack.yaml`, and one file for each definition: `triggers/`,
//! `actions/`, `rules/`, `sensors/`, `permission_sets/`, `runtimes/`, `policies/`, `queues/` and
//! `workflows/`. [`load`] reads them all and answers with a [`Pack`] of plain definitions, or with
//! [`Errors`] that name every problem by file, line, column and field. Nothing is stored here: who
//! registers the pack decides what becomes of its definitions.
//!
//! Packs come to the server as archives ([`archive::extract`]), move into the folder of installed
//! packs in one step ([`place()`]), and one of them, `core`, is inside the binary ([`builtin`]).

pub mod action;
pub mod archive;
pub mod builtin;
pub mod manifest;
pub mod pack;
pub mod permission_set;
pub mod place;
pub mod problem;
pub mod raw;
pub mod rehearsal;
pub mod rule;
pub mod runner;
pub mod runtime;
pub mod schemas;
pub mod sensor;
pub mod trigger;
pub mod workflow;
pub mod workflow_files;

mod fields;
mod label;
mod node;
mod placement;
mod schema;
mod timer;

pub use action::ActionDefinition;
pub use manifest::ManifestDefinition;
pub use pack::{Pack, load};
pub use permission_set::PermissionSetDefinition;
pub use place::place;
pub use problem::{Errors, Problem, Severity};
pub use raw::RawDefinition;
pub use rehearsal::{Rehearsal, Verdict};
pub use rule::RuleDefinition;
pub use runner::Runner;
pub use runtime::RuntimeDefinition;
pub use sensor::SensorDefinition;
pub use trigger::TriggerDefinition;
pub use workflow::WorkflowDefinition;
pub use workflow_files::{WorkflowFile, WorkflowFiles, read_workflow, read_workflows};
