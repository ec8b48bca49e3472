//! Starts a process in a group of its own, attends to it, and ends it when it must.

use crate::{capture::Capture, config::Config, outcome::Stop, registry::Record};
use attune_ports::runner::Cancelled;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use std::{io, os::unix::process::CommandExt, process::ExitStatus, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
    time::{Instant, sleep, sleep_until, timeout},
};

/// The pause between two looks at a group that was told to end, or two tries to start one.
const POLL: Duration = Duration::from_millis(20);

/// How often the start of a file is tried that is still open for writing.
const BUSY_TRIES: u32 = 10;

/// How long the last output of a killed group may take to arrive. Only a process that left the
/// group can still hold the pipes open then.
const LAST_OUTPUT: Duration = Duration::from_millis(500);

/// A process may exit without reading its input if it does so with success within this time.
const QUICK_EXIT: Duration = Duration::from_millis(500);

/// Longer waits are cut to this: ten years, which clocks can still add.
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 365 * 86_400);

/// A running process group. Dropped before its end, it is killed; the record stays then, so that
/// the next start of the server makes sure of it.
pub(crate) struct Group {
    leader: Child,
    id: Pid,
    record: Option<Record>,
    over: bool,
}

impl Group {
    /// Starts a process as the leader of a new group.
    ///
    /// A file that is still open for writing cannot be executed. Right after a pack was installed
    /// that may be so for a moment, even though its writer has closed it: another process being
    /// started has inherited the open file and not let go of it yet. So that is tried again.
    pub(crate) async fn start(
        mut command: std::process::Command,
        record: Record,
        boot_id: &str,
    ) -> io::Result<Self> {
        command.process_group(0);
        let mut command = Command::from(command);
        let mut tries = 1;
        let leader = loop {
            match command.spawn() {
                Ok(leader) => break leader,
                Err(error)
                    if error.kind() == io::ErrorKind::ExecutableFileBusy && tries < BUSY_TRIES =>
                {
                    tries += 1;
                    sleep(POLL).await;
                }
                Err(error) => {
                    record.close();
                    return Err(error);
                }
            }
        };
        let id = leader.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let id = id.ok_or_else(|| io::Error::other("the new process has no id"))?;
        let mut group = Self { leader, id, record: None, over: false };
        let mut record = record;
        record.fill(id.as_raw_pid(), boot_id)?;
        group.record = Some(record);
        Ok(group)
    }

    /// Sends a signal to every member. A group that is gone already is no failure.
    fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.id, signal);
    }

    fn has_members(&self) -> bool {
        test_kill_process_group(self.id).is_ok()
    }

    fn close(mut self) {
        self.over = true;
        if let Some(record) = self.record.take() {
            record.close();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.over {
            self.signal(Signal::KILL);
        }
    }
}

/// How a process ended.
pub(crate) struct End {
    /// -1 where a signal ended it.
    pub(crate) exit_code: i32,
    pub(crate) stop: Option<Stop>,
    /// Why its input could not be written, where that matters.
    pub(crate) unfed: Option<String>,
    pub(crate) elapsed: Duration,
}

/// Attends to a process until it has ended: writes its input, captures its output, and ends the
/// whole group at the time limit or when `cancelled` is done, first by request and after the grace
/// period by force.
///
/// # Errors
///
/// When the system does not tell how the process ended.
pub(crate) async fn attend(
    mut group: Group,
    input: Option<String>,
    (stdout, stderr): (&mut Capture<'_>, &mut Capture<'_>),
    (config, limit): (&Config, Duration),
    cancelled: &mut Cancelled,
) -> io::Result<End> {
    let started = Instant::now();
    let grace = config.term_grace.min(LONGEST_WAIT);
    let mut stop = None;
    let mut forced = false;
    let mut fed: Option<io::Result<()>> = None;
    let elapsed;
    let status = {
        let pipes =
            (group.leader.stdin.take(), group.leader.stdout.take(), group.leader.stderr.take());
        let feed = async {
            fed = Some(match (pipes.0, input) {
                (Some(mut pipe), Some(input)) => pipe.write_all(input.as_bytes()).await,
                _ => Ok(()),
            });
        };
        let read_stdout = async {
            if let Some(pipe) = pipes.1 {
                stdout.follow(pipe).await;
            }
        };
        let read_stderr = async {
            if let Some(pipe) = pipes.2 {
                stderr.follow(pipe).await;
            }
        };
        let mut traffic = std::pin::pin!(async {
            tokio::join!(feed, read_stdout, read_stderr);
        });
        let mut flowing = true;
        let mut alarm = std::pin::pin!(sleep_until(started + limit.min(LONGEST_WAIT)));

        // In this order: a process that prints without end must not keep us from its time limit.
        let status = loop {
            tokio::select! {
                biased;
                status = group.leader.wait() => break status?,
                () = cancelled.as_mut(), if stop.is_none() => {
                    stop = Some(Stop::Cancelled);
                    group.signal(Signal::TERM);
                    alarm.as_mut().reset(Instant::now() + grace);
                }
                () = &mut alarm => {
                    if stop.is_none() {
                        stop = Some(Stop::TimedOut);
                        group.signal(Signal::TERM);
                    } else {
                        group.signal(Signal::KILL);
                        forced = true;
                    }
                    alarm.as_mut().reset(Instant::now() + grace.max(POLL));
                }
                () = &mut traffic, if flowing => flowing = false,
            }
        };
        elapsed = started.elapsed();

        // The rest of a group that was told to end has the rest of the grace period.
        while stop.is_some() && !forced && group.has_members() {
            tokio::select! {
                biased;
                () = &mut alarm => {
                    group.signal(Signal::KILL);
                    forced = true;
                }
                () = sleep(POLL) => {}
                () = &mut traffic, if flowing => flowing = false,
            }
        }
        // What a process left behind may have a last word, but not hold up the outcome.
        if flowing && timeout(config.drain_grace.min(LONGEST_WAIT), &mut traffic).await.is_err() {
            group.signal(Signal::KILL);
            let _ = timeout(LAST_OUTPUT, &mut traffic).await;
        }
        status
    };
    group.close();
    let unfed = unfed(fed, status, elapsed);
    Ok(End { exit_code: status.code().unwrap_or(-1), stop, unfed, elapsed })
}

/// Why the input could not be written, unless the process plainly did not care.
fn unfed(fed: Option<io::Result<()>>, status: ExitStatus, elapsed: Duration) -> Option<String> {
    let error = match fed {
        Some(Ok(())) => return None,
        Some(Err(error)) => error,
        None => return Some("Could not write the parameters to stdin: nobody read them".into()),
    };
    let careless = error.kind() == io::ErrorKind::BrokenPipe && status.success();
    let tolerated = careless && elapsed < QUICK_EXIT;
    (!tolerated).then(|| format!("Could not write the parameters to stdin: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn unread_input() {
        let broken = || Some(Err(io::Error::from(io::ErrorKind::BrokenPipe)));
        let other = Some(Err(io::Error::from(io::ErrorKind::Other)));
        let (fine, bad) = (ExitStatus::from_raw(0), ExitStatus::from_raw(1 << 8));
        let (quick, slow) = (Duration::from_millis(499), Duration::from_millis(500));
        let rows = [
            ("written", Some(Ok(())), fine, slow, true),
            ("unread by a quick success", broken(), fine, quick, true),
            ("unread by a slow success", broken(), fine, slow, false),
            ("unread by a failure", broken(), bad, quick, false),
            ("another error", other, fine, quick, false),
            ("still unread at the end", None, fine, quick, false),
        ];
        for (case, fed, status, elapsed, tolerated) in rows {
            assert_eq!(unfed(fed, status, elapsed).is_none(), tolerated, "{case}");
        }
    }
}
