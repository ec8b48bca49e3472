//! The shapes on the wire, named as the OpenAPI document names them.

pub mod action;
pub mod auth;
pub mod dead_letter;
pub mod enforcement;
pub mod event;
pub mod execution;
pub mod inquiry;
pub mod key;
pub mod notification;
pub mod pack;
pub mod pack_test;
pub mod patch;
pub mod permission_set;
pub mod placement;
pub mod policy;
pub mod queue_stats;
pub mod rule;
pub mod sensor;
pub mod trigger;
pub mod upload;
pub mod webhook;
pub mod workflow;
pub mod workflow_execution;
