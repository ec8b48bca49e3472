//! What schedules need of AWS: EventBridge Scheduler, and the queue of ticks.

use super::entry::{Entry, Input};
use super::stored::{WHAT, failed};
use crate::{Clients, Timers, failure};
use async_trait::async_trait;
use attune_domain::Timestamp;
use attune_ports::queues::MAX_DELAY;
use attune_ports::{Tick, Unavailable};
use aws_sdk_scheduler::error::SdkError;
use aws_sdk_scheduler::primitives::DateTime;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, Target,
};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use chrono::TimeDelta;
use futures::{StreamExt, TryStreamExt, stream};
use std::sync::Arc;

/// Messages in one request, at most.
const BATCH: usize = 10;
/// Requests under way at the same time.
const AT_ONCE: usize = 8;
/// For so long Scheduler tries to reach its target.
const RETRY_SECONDS: i32 = 3_600;

/// Makes and removes schedules, and sends ticks.
#[async_trait]
pub(super) trait Service: Send + Sync {
    /// Makes a schedule exist; one of that name that does already is as good.
    async fn create(&self, entry: &Entry) -> Result<(), Unavailable>;

    /// Makes a schedule not exist.
    async fn delete(&self, name: &str) -> Result<(), Unavailable>;

    /// Sends ticks so that each comes when it is due, within the second after, never before.
    async fn send(&self, ticks: &[Tick], now: Timestamp) -> Result<(), Unavailable>;
}

/// The real thing.
pub(super) struct Aws {
    pub(super) clients: Arc<Clients>,
    pub(super) timers: Option<Timers>,
}

impl Aws {
    fn timers(&self) -> Result<&Timers, Unavailable> {
        self.timers.as_ref().ok_or_else(|| failed("this function has no part in timers"))
    }

    async fn send_batch(&self, ticks: &[Tick], now: Timestamp) -> Result<(), Unavailable> {
        let mut batch =
            self.clients.sqs().await.send_message_batch().queue_url(&self.timers()?.ticks);
        for (n, tick) in ticks.iter().enumerate() {
            let body = serde_json::to_string(&Input::Tick(tick.clone())).map_err(failed)?;
            let entry = SendMessageBatchRequestEntry::builder()
                .id(n.to_string())
                .message_body(body)
                .delay_seconds(delay(tick.scheduled_at, now))
                .build()
                .map_err(failed)?;
            batch = batch.entries(entry);
        }
        let sent = batch.send().await.map_err(|error| failure::unavailable(WHAT, error))?;
        match sent.failed.first() {
            None => Ok(()),
            // All of them are sent again: an event is made once for each tick.
            Some(first) => {
                let (count, code) = (sent.failed.len(), &first.code);
                Err(failed(format!("{count} of {} ticks were not sent: {code}", ticks.len())))
            }
        }
    }
}

/// Whole seconds from now until a moment, rounded up, so that nothing comes before it is due.
fn delay(due: Timestamp, now: Timestamp) -> i32 {
    let most = i64::try_from(MAX_DELAY.as_secs()).unwrap_or(i64::MAX);
    let millis = (due - now).max(TimeDelta::zero()).num_milliseconds();
    let seconds = millis / 1_000 + i64::from(millis % 1_000 > 0);
    i32::try_from(seconds.min(most)).unwrap_or(i32::MAX)
}

#[async_trait]
impl Service for Aws {
    async fn create(&self, entry: &Entry) -> Result<(), Unavailable> {
        let timers = self.timers()?;
        let retries = RetryPolicy::builder().maximum_event_age_in_seconds(RETRY_SECONDS).build();
        let target = Target::builder()
            .arn(&timers.target_arn)
            .role_arn(&timers.role_arn)
            .input(serde_json::to_string(&entry.input).map_err(failed)?)
            .retry_policy(retries)
            .build()
            .map_err(failed)?;
        let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
        let after = match entry.is_once() {
            true => ActionAfterCompletion::Delete,
            false => ActionAfterCompletion::None,
        };
        let made = self
            .clients
            .scheduler()
            .await
            .create_schedule()
            .name(&entry.name)
            .group_name(&timers.group)
            .schedule_expression(&entry.expression)
            .schedule_expression_timezone(entry.timezone)
            .set_start_date(entry.start.map(|start| DateTime::from_secs(start.timestamp())))
            .flexible_time_window(window.map_err(failed)?)
            .action_after_completion(after)
            .target(target)
            .send()
            .await;
        match made {
            Err(SdkError::ServiceError(e)) if e.err().is_conflict_exception() => Ok(()),
            made => made.map(drop).map_err(|error| failure::unavailable(WHAT, error)),
        }
    }

    async fn delete(&self, name: &str) -> Result<(), Unavailable> {
        let group = &self.timers()?.group;
        let client = self.clients.scheduler().await;
        match client.delete_schedule().name(name).group_name(group).send().await {
            Err(SdkError::ServiceError(e)) if e.err().is_resource_not_found_exception() => Ok(()),
            gone => gone.map(drop).map_err(|error| failure::unavailable(WHAT, error)),
        }
    }

    async fn send(&self, ticks: &[Tick], now: Timestamp) -> Result<(), Unavailable> {
        let mut batches = Vec::new();
        for ticks in ticks.chunks(BATCH) {
            batches.push(self.send_batch(ticks, now));
        }
        stream::iter(batches).buffer_unordered(AT_ONCE).try_collect::<()>().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_never_comes_early() {
        let now: Timestamp = "2026-06-01T10:00:00.400Z".parse().expect("a time");
        let rows =
            [(-5_000, 0), (0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (9_999_999, 900)];
        for (millis, seconds) in rows {
            assert_eq!(delay(now + TimeDelta::milliseconds(millis), now), seconds, "{millis} ms");
        }
    }
}
