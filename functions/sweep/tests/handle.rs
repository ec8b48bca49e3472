//! Sweeps, over the embedded ports.

use crate::embedded;
use async_trait::async_trait;
use attune_function::Environment;
use attune_local::Local;
use attune_ports::Unavailable;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use sweep::{Password, Settings};
use tempfile::TempDir;

#[derive(Default)]
struct Known {
    reads: AtomicUsize,
}

#[async_trait]
impl Password for Known {
    async fn read(&self) -> Result<String, Unavailable> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Ok("correct horse battery staple".to_owned())
    }
}

struct Locked;

#[async_trait]
impl Password for Locked {
    async fn read(&self) -> Result<String, Unavailable> {
        Err(Unavailable::new("the admin's password", "AccessDenied"))
    }
}

fn open() -> (TempDir, Local, Settings) {
    let (folder, local) = embedded::open();
    (folder, local, Settings::read(&Environment::of(&[])).expect("every setting has a default"))
}

async fn has_action(local: &Local, reference: &str) -> bool {
    let found: Option<attune_domain::catalogue::Action> =
        attune_catalogue::read::get(&local.ports, reference).await.expect("actions can be read");
    found.is_some()
}

#[tokio::test]
async fn the_first_sweep_sets_up_and_the_second_does_not() {
    let (_folder, local, settings) = open();
    let password = Known::default();
    let first = sweep::handle(&local.ports, &settings, &password, &json!({})).await.unwrap();
    assert!(first.set_up && has_action(&local, "core.echo").await);
    let schedules = local.ports.schedules.list().await.unwrap();
    assert_eq!(schedules.len(), 1, "the demo's timer ticks: {schedules:?}");
    let second = sweep::handle(&local.ports, &settings, &password, &json!({})).await.unwrap();
    assert!(!second.set_up);
    assert_eq!(password.reads.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn two_sweeps_at_once_set_up_without_harm() {
    let (_folder, local, settings) = open();
    let password = Known::default();
    let event = json!({});
    let sweep = || sweep::handle(&local.ports, &settings, &password, &event);
    let (one, other) = tokio::join!(sweep(), sweep());
    // Whoever lost a race says so, and the next sweep finds everything done.
    assert!(one.is_ok() || other.is_ok(), "{one:?} {other:?}");
    assert!(!sweep().await.unwrap().set_up);
    assert!(has_action(&local, "core.echo").await);
}

#[tokio::test]
async fn without_a_password_the_rest_is_done_and_the_next_sweep_sets_up() {
    let (_folder, local, settings) = open();
    let event = json!({"reconcile": true});
    let error = sweep::handle(&local.ports, &settings, &Locked, &event).await.unwrap_err();
    let expected =
        "the sweep could not set the stack up: the admin's password is unavailable: AccessDenied";
    assert_eq!(error.to_string(), expected);
    let swept = sweep::handle(&local.ports, &settings, &Known::default(), &event).await.unwrap();
    assert!(swept.set_up && swept.timers == Some(0), "{swept:?}");
}

#[tokio::test]
async fn the_demo_is_left_out_where_nobody_wants_it() {
    let (_folder, local, _) = open();
    let environment = Environment::of(&[("ATTUNE_LOAD_DEMO", "false")]);
    let settings = Settings::read(&environment).unwrap();
    sweep::handle(&local.ports, &settings, &Known::default(), &json!({})).await.unwrap();
    assert!(local.ports.schedules.list().await.unwrap().is_empty());
}
