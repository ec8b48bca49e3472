//! Upkeep: what is done every so often, whatever happens.

use attune_journey::{retention, sweep};
use attune_ports::Ports;
use attune_settings::Settings;
use std::time::Duration;

/// Old records removed in one go, of each kind.
const REMOVED_AT_ONCE: usize = 5_000;

/// How often, and what goes.
pub struct Config {
    every: Duration,
    retention: retention::Retention,
}

impl From<&Settings> for Config {
    fn from(settings: &Settings) -> Self {
        Self {
            every: settings.sweep.interval.max(Duration::from_secs(1)),
            retention: retention::Retention {
                events: settings.storage.event_retention,
                executions: settings.storage.execution_retention,
            },
        }
    }
}

/// Sweeps, compares timers with their schedules, and removes what is old; ends only by being aborted.
pub async fn run(ports: Ports, config: Config) {
    let mut beat = tokio::time::interval(config.every);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The first beat is at once, and the start has just done all that.
    beat.tick().await;
    loop {
        beat.tick().await;
        match sweep::overdue(&ports).await {
            Ok(swept) if swept.looked > 0 => tracing::info!(?swept, "repaired what was overdue"),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the sweep stopped half-way; the next goes on"),
        }
        if let Err(error) = attune_catalogue::links::reconcile(&ports).await {
            tracing::warn!(%error, "rules could not be compared with their triggers and actions");
        }
        if let Err(error) = attune_catalogue::timers::reconcile(&ports).await {
            tracing::warn!(%error, "timers could not be compared with their schedules");
        }
        if let Err(error) = attune_catalogue::cloud_events::reconcile(&ports).await {
            tracing::warn!(%error, "triggers could not be compared with their subscriptions");
        }
        if let Err(error) = retention::apply(&ports, &config.retention, REMOVED_AT_ONCE).await {
            tracing::warn!(%error, "old records could not be removed");
        }
    }
}
