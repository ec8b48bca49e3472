//! The writer thread: takes what has gathered and makes it durable, over and over.

use super::batch::Batch;
use super::state::Work;
use super::{Durable, Shared, count, sqlite};
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long changes may gather while nobody waits for them to be durable.
const UNHURRIED: Duration = Duration::from_millis(5);
/// Pause before a failed batch is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// How often expired records are looked for, and how many go at once.
const PURGE: Duration = Duration::from_secs(10);
const PURGED_AT_ONCE: i64 = 500;

pub(super) fn start(shared: &Arc<Shared>, connection: Connection, linger: Duration) {
    let shared = Arc::clone(shared);
    let spawned = std::thread::Builder::new()
        .name("store-writer".into())
        .spawn(move || Writer { shared, connection, linger, purged: Instant::now() }.run());
    if let Err(error) = spawned {
        tracing::error!(%error, "the store's writer could not be started");
    }
}

struct Writer {
    shared: Arc<Shared>,
    connection: Connection,
    linger: Duration,
    purged: Instant,
}

impl Writer {
    fn run(mut self) {
        loop {
            self.gather();
            let work = self.shared.state.lock().next_work();
            match work {
                Work::Nothing => {}
                Work::Stop => break,
                Work::Write(batch) => {
                    if !self.write(&batch) {
                        break;
                    }
                }
            }
            if self.purged.elapsed() >= PURGE {
                self.purged = Instant::now();
                if let Err(error) = self.purge() {
                    tracing::warn!(%error, "expired records could not be removed");
                }
            }
        }
        self.shared.state.lock().set_stopped();
        self.shared.durable.send_modify(|durable| {
            durable.failure.get_or_insert_with(|| "closed".into());
        });
        self.shared.work.notify_all();
    }

    /// Waits until it is time to write.
    fn gather(&self) {
        let mut state = self.shared.state.lock();
        while !state.has_work() {
            if self.shared.work.wait_for(&mut state, PURGE).timed_out() {
                return;
            }
        }
        let since = Instant::now();
        loop {
            let hurried = self.shared.waiting.load(Ordering::Relaxed) > 0 || state.is_crowded();
            let patience = if hurried { self.linger } else { UNHURRIED };
            let Some(left) = patience.checked_sub(since.elapsed()) else { return };
            if state.is_stopping() || left.is_zero() {
                return;
            }
            self.shared.work.wait_for(&mut state, left);
        }
    }

    /// Writes a batch, trying until it succeeds. `false`: told to stop at once.
    fn write(&mut self, batch: &Batch) -> bool {
        loop {
            let done = if batch.has_rows() { self.transact(batch) } else { Ok(()) };
            match done {
                Ok(()) => {
                    self.shared.state.lock().written(batch);
                    count(&self.shared.counting.batches, usize::from(batch.has_rows()));
                    count(&self.shared.counting.rows, batch.len());
                    self.shared.durable.send_replace(Durable { upto: batch.upto, failure: None });
                    return true;
                }
                Err(error) => {
                    tracing::error!(%error, "the store could not write; trying again");
                    let why: Arc<str> = error.to_string().into();
                    let mut state = self.shared.state.lock();
                    state.fail(Arc::clone(&why));
                    self.shared.durable.send_modify(|durable| durable.failure = Some(why));
                    if state.is_stopping() {
                        return false;
                    }
                    self.shared.work.wait_for(&mut state, RETRY);
                }
            }
        }
    }

    fn transact(&mut self, batch: &Batch) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for (key, pending) in &batch.records {
            match &pending.record {
                Some(record) => sqlite::put(&transaction, record)?,
                None => sqlite::delete(&transaction, key)?,
            }
        }
        for (number, letter) in &batch.letters {
            match letter {
                Some(letter) => sqlite::put_letter(&transaction, letter)?,
                None => sqlite::delete_letter(&transaction, *number)?,
            }
        }
        for (name, count) in &batch.tallies {
            sqlite::put_tally(&transaction, name, *count)?;
        }
        transaction.commit()
    }

    /// Removes records that have expired; reads have not shown them since they did.
    fn purge(&mut self) -> rusqlite::Result<()> {
        let expired = sqlite::expired(&self.connection, chrono::Utc::now(), PURGED_AT_ONCE)?;
        if expired.is_empty() {
            return Ok(());
        }
        // Under the lock, so that none of them is written anew meanwhile.
        let mut state = self.shared.state.lock();
        let gone: Vec<_> = expired.into_iter().filter(|(key, _)| !state.is_pending(key)).collect();
        let transaction = self.connection.transaction()?;
        for (key, _) in &gone {
            sqlite::delete(&transaction, key)?;
        }
        transaction.commit()?;
        state.purged(&gone);
        Ok(())
    }
}
