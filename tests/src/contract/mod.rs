//! What every implementation of the ports promises, as tests over a [`Fixture`].
//!
//! An implementation runs all of them with one line, `attune_tests::contract!(ItsFixture);`, which
//! makes a test of every function below. Each starts from empty data.

pub mod blobs;
pub mod dead_letters;
pub mod durability;
pub mod feed;
pub mod logs;
pub mod orchestrator;
pub mod queues;
pub mod ranges;
pub mod records;
pub mod schedules;
pub mod vault;

use async_trait::async_trait;
use attune_domain::id::ExecutionId;
use attune_domain::runtime::Runtime;
use attune_domain::status::ExecutionStatus;
use attune_ports::orchestrator::ThreadStep;
use attune_ports::runner::{Cancelled, Invocation, Outcome, Runner};
use attune_ports::{Feed, LogStream, Ports, Queue, Tick, Unavailable};
use std::sync::Arc;
use std::time::Duration;

/// How a deployment is to behave during a test.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long a delivered message stays hidden without an answer; [`Fixture::GRAIN`] at least.
    pub visibility: Duration,
    /// Deliveries of a message before it goes to the dead letters.
    pub max_receives: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { visibility: Duration::from_secs(60), max_receives: 5 }
    }
}

/// How a deployment ends before it is opened again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// In order: nothing is lost.
    Clean,
    /// At once: what was not settled may be lost.
    Crash,
}

/// Where the ticks of a deployment's schedules go; an error makes the tick come again.
pub type TakeTick = Arc<dyn Fn(&Tick) -> Result<(), Unavailable> + Send + Sync>;

/// A deployment with data of its own, which ends with the fixture.
#[async_trait]
pub trait Fixture: Send + Sync + Sized + 'static {
    /// The finest delay that its queues keep; shorter ones are made longer.
    const GRAIN: Duration;

    /// How much dearer a call is than one within this process: tests that do the same over and over do it
    /// less often by this factor.
    const COST: usize;

    /// Whether tallies and the feed have followed when [`attune_ports::Records::settle`] returns, and not
    /// only a moment later.
    const FOLLOWS_AT_ONCE: bool;

    /// Whether its queues remember why a message was given back.
    const REMEMBERS_REASONS: bool;

    /// Whether its timers stand still while it is not open.
    const SLEEPS: bool;

    /// Whether its orchestrator knows which executions of threads it has begun, and not only which steps are due.
    const BEGINS_ONCE: bool;

    /// A deployment over empty data.
    async fn fresh(options: Options) -> Self;

    /// Its ports, as of the last [`Fixture::restart`].
    fn ports(&self) -> &Ports;

    /// Ports of one more worker over the same data.
    async fn another(&self) -> Ports;

    /// Its feed, likewise.
    async fn feed(&self) -> Arc<dyn Feed>;

    /// Ends it, and opens the same data again.
    async fn restart(&mut self, ending: Ending);

    /// Puts a text into a queue that no version of a message reads as, and delivers what is there.
    async fn plant(&mut self, queue: Queue, text: &str);

    /// Does what a runner does while an action prints.
    async fn print(&self, execution: ExecutionId, stream: LogStream, text: &str);

    /// The next step of a thread that is to be taken, and with what the orchestrator waits for the answer.
    async fn next_step(&self) -> (ThreadStep, String);

    /// Delivers ticks until the next restart.
    fn deliver_ticks(&mut self, take: TakeTick);

    /// Looks that nobody but the server can read the keys: neither their files nor, where they do not lie in
    /// files, any other place.
    async fn check_keys_are_private(&self);
}

/// How often a test on `F` does what it does `times` where calls cost nothing.
#[must_use]
pub const fn repetitions<F: Fixture>(times: usize) -> usize {
    times.div_ceil(F::COST)
}

/// A runner for contracts of the other ports: they run no actions.
pub struct Idle;

#[async_trait]
impl Runner for Idle {
    async fn run(&self, _: Invocation, _: Cancelled) -> Outcome {
        Outcome::new(ExecutionStatus::Failed, serde_json::Value::Null)
    }

    fn is_pure(&self, _: Runtime, _: &str) -> bool {
        false
    }
}

/// Makes a test of every case of the contract, run on `$fixture`.
#[macro_export]
macro_rules! contract {
    ($fixture:ty) => {
        $crate::contract! { @suites $fixture;
            records {
                a_commit_is_seen_by_the_next_read,
                limits_are_enforced,
                expectations_decide,
                a_commit_happens_whole_or_not_at_all,
                an_expired_record_counts_as_none,
                what_a_step_reads_ahead_is_its_own,
                a_step_sees_what_it_writes,
                a_decision_is_made_again_on_fresh_records,
                tallies_count_records_under_their_names,
                increments_at_the_same_time_lose_nothing,
            }
            ranges {
                a_partition_is_read_in_order,
                a_partition_is_consistent_at_once,
                a_partition_shows_what_is_unsettled_over_what_is_settled,
                what_comes_and_goes_before_it_is_written_hides_nothing,
                indexes_follow,
                indexes_are_sparse_and_ranges_of_them_work,
                expired_records_are_not_found,
            }
            durability {
                settled_records_survive_a_crash,
                settling_returns_although_nothing_is_to_be_written,
                what_survives_a_crash_is_a_prefix,
                messages_follow_their_commits,
                tallies_agree_with_the_records_after_a_crash,
            }
            queues {
                a_message_comes_once_and_is_gone_when_acknowledged,
                a_plain_queue_hands_out_to_many,
                a_group_comes_in_order_one_batch_at_a_time,
                a_second_message_of_the_same_id_is_swallowed,
                a_delayed_message_comes_later,
                a_message_without_an_answer_comes_again,
                an_old_receipt_does_nothing,
                a_message_given_back_keeps_its_place,
                a_group_given_back_holds_up_nobody_else,
                a_receiver_waits_for_the_first_message,
                one_receiver_at_work_does_not_keep_a_delayed_message_from_another,
                messages_survive_a_restart,
                a_crash_delivers_again_in_order,
            }
            dead_letters {
                a_message_delivered_too_often_is_set_aside,
                its_group_goes_on_without_it,
                dead_letters_are_listed_in_pages,
                a_dead_letter_can_be_sent_again,
                dead_letters_can_be_removed,
                dead_letters_survive_a_restart,
                an_unreadable_message_is_a_dead_letter,
                a_message_of_another_version_is_delivered_as_it_is,
            }
            blobs {
                a_blob_is_read_as_it_was_put,
                a_blob_is_replaced_and_removed,
                names_cannot_leave_the_place_of_blobs,
                blobs_survive_a_crash,
            }
            vault {
                what_is_sealed_can_be_opened,
                a_sealed_value_opens_nowhere_else,
                a_changed_value_does_not_open,
                keys_survive_a_restart,
                keys_are_private,
            }
            logs {
                what_is_printed_can_be_read_while_more_comes,
                streams_and_executions_are_apart,
                logs_can_be_removed,
            }
            feed {
                changes_come_in_the_order_of_versions,
                only_what_is_durable_is_told,
                bookkeeping_is_not_told,
                a_cursor_goes_on_where_it_stands,
                who_falls_far_behind_is_told_so,
                a_cursor_of_another_life_is_refused,
            }
            orchestrator {
                what_is_begun_is_to_be_taken,
                beginning_twice_begins_once,
                another_hop_begins_anew,
                what_is_told_comes_next,
                a_step_that_waits_comes_at_its_moment,
                threads_go_side_by_side,
                who_does_not_wait_is_passed_over,
            }
            schedules {
                schedules_are_set_replaced_and_removed,
                schedules_survive_a_crash_once_settled,
                an_interval_ticks_on_its_grid,
                a_one_shot_ticks_once_even_over_a_restart,
                a_moment_that_has_passed_never_ticks,
                a_tick_that_was_not_taken_comes_again,
                a_schedule_that_is_removed_or_replaced_stops,
                what_was_missed_ticks_once,
            }
        }
    };
    (@suites $fixture:ty; $($suite:ident { $($case:ident,)* })*) => {
        $(
            mod $suite {
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $case() {
                        $crate::contract::$suite::$case::<super::Deployment>().await;
                    }
                )*
            }
        )*
        type Deployment = $fixture;
    };
}
