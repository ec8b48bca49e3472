//! Ends what a killed server left running.

use crate::{
    launch::SCRATCH,
    procfs,
    registry::{self, Found},
};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// How long killed processes may take to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often they are looked at meanwhile.
const INTERVAL: Duration = Duration::from_millis(10);

/// Why it is not certain that everything has ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The process records or leftover files could not be read or removed.
    #[error("could not work through the process records in {path}")]
    Records {
        /// The work folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Killed processes are still there.
    #[error("{count} processes of an earlier run could not be ended")]
    StillRunning {
        /// How many there are.
        count: usize,
    },
}

/// Ends every process that an earlier server with this work folder and instance name left
/// running, and waits until it is gone; answers how many there were. To be called at start,
/// before anything runs and before executions that were running are given up. Blocks for a few
/// milliseconds if there is nothing to wait for.
///
/// Killed are processes of executions that have a record, and only those that are provably ours:
/// the recorded group while its leader has the recorded start time or one of its members has our
/// environment, and, for a crash before the record was filled or a process that left its group,
/// whatever has `ATTUNE_EXEC_ID` and `ATTUNE_INSTANCE` of such an execution in its environment. A
/// daemon that a finished action started on purpose has no record any more and stays.
///
/// # Errors
///
/// When the records cannot be read or a process cannot be ended: then no execution may be given
/// up as dead.
pub fn reap(work_dir: &Path, instance: &str) -> Result<usize, Error> {
    let unreadable = |source| Error::Records { path: work_dir.to_owned(), source };
    let records = registry::found(work_dir).map_err(unreadable)?;
    let mut seen = BTreeSet::new();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = leftovers(&records, instance);
        if left.pids.is_empty() {
            break;
        }
        if Instant::now() > deadline {
            return Err(Error::StillRunning { count: left.pids.len() });
        }
        // Groups first, in one stroke: a process alone could start another meanwhile. Whoever is
        // gone by now is gone, so the answers do not matter; the next round looks again.
        for group in left.groups.iter().filter_map(|id| Pid::from_raw(*id)) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        for process in left.pids.iter().filter_map(|id| Pid::from_raw(*id)) {
            let _ = kill_process(process, Signal::KILL);
        }
        seen.extend(left.pids);
        thread::sleep(INTERVAL);
    }
    for record in &records {
        gone(fs::remove_file(&record.path)).map_err(unreadable)?;
    }
    gone(fs::remove_dir_all(work_dir.join(SCRATCH))).map_err(unreadable)?;
    Ok(seen.len())
}

/// What is not there need not be removed.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[derive(Default)]
struct Leftovers {
    groups: BTreeSet<i32>,
    pids: BTreeSet<i32>,
}

fn leftovers(records: &[Found], instance: &str) -> Leftovers {
    let mut left = Leftovers::default();
    if records.is_empty() {
        return left;
    }
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let running: Vec<_> = procfs::running().into_iter().filter(|p| p.pid != own).collect();
    for record in records {
        let marks =
            [format!("ATTUNE_EXEC_ID={}", record.execution), format!("ATTUNE_INSTANCE={instance}")];
        let marked: Vec<_> =
            running.iter().filter(|p| procfs::has_variables(p.pid, &marks)).collect();
        left.pids.extend(marked.iter().map(|p| p.pid));
        let Some((leader, started)) = record.leader else { continue };
        let ours = procfs::stat(leader).is_some_and(|p| p.started == started)
            || marked.iter().any(|p| p.group == leader);
        if ours {
            left.groups.insert(leader);
            left.pids.extend(running.iter().filter(|p| p.group == leader).map(|p| p.pid));
        }
    }
    left
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::registry::Record;
    use attune_domain::id::ExecutionId;
    use std::{
        os::unix::process::CommandExt,
        process::{Child, Command, Stdio},
    };

    /// What an earlier server would have started.
    fn leftover(execution: i64, instance: &str, marked: bool) -> Child {
        let mut command = Command::new("/bin/sleep");
        command.arg("300").env_clear().stdin(Stdio::null()).process_group(0);
        if marked {
            command.env("ATTUNE_EXEC_ID", execution.to_string()).env("ATTUNE_INSTANCE", instance);
        }
        command.spawn().unwrap()
    }

    fn record(work: &Path, execution: i64, child: &Child) {
        let mut record = Record::announce(work, ExecutionId::new(execution)).unwrap();
        record.fill(child.id().cast_signed(), &procfs::boot_id()).unwrap();
    }

    fn is_running(child: &mut Child) -> bool {
        child.try_wait().unwrap().is_none()
    }

    #[test]
    fn nothing_recorded_is_nothing_to_do() {
        let work = tempfile::tempdir().unwrap();
        assert_eq!(reap(work.path(), "a").unwrap(), 0);
    }

    #[test]
    fn a_recorded_group_is_ended_whatever_its_environment() {
        let work = tempfile::tempdir().unwrap();
        let mut child = leftover(1, "reap-1", false);
        record(work.path(), 1, &child);
        fs::create_dir(work.path().join(SCRATCH)).unwrap();
        assert_eq!(reap(work.path(), "reap-1").unwrap(), 1);
        assert!(!is_running(&mut child));
        assert!(!registry::exists(work.path(), ExecutionId::new(1)), "its record is gone");
        assert!(!work.path().join(SCRATCH).exists(), "so are leftover files");
        assert_eq!(reap(work.path(), "reap-1").unwrap(), 0);
    }

    #[test]
    fn a_crash_between_start_and_record_is_covered() {
        let work = tempfile::tempdir().unwrap();
        let mut ours = leftover(2, "reap-2", true);
        let mut of_another_server = leftover(2, "reap-2-other", true);
        let mut of_another_execution = leftover(3, "reap-2", true);
        drop(Record::announce(work.path(), ExecutionId::new(2)).unwrap());
        // The marks are there only once the child has replaced its parent's environment.
        while !procfs::has_variables(ours.id().cast_signed(), &["ATTUNE_EXEC_ID=2".into()]) {
            thread::yield_now();
        }
        assert_eq!(reap(work.path(), "reap-2").unwrap(), 1);
        assert!(!is_running(&mut ours));
        for other in [&mut of_another_server, &mut of_another_execution] {
            assert!(is_running(other), "only what is provably ours is ended");
            other.kill().unwrap();
            other.wait().unwrap();
        }
    }

    #[test]
    fn a_reused_process_id_is_left_alone() {
        let work = tempfile::tempdir().unwrap();
        let mut stranger = leftover(4, "", false);
        let folder = work.path().join("processes");
        fs::create_dir(&folder).unwrap();
        let boot = procfs::boot_id();
        let started = procfs::stat(stranger.id().cast_signed()).unwrap().started;
        let rows = [
            ("another start time", format!("{} {} {boot}\n", stranger.id(), started + 1)),
            ("another start of the machine", format!("{} {started} other\n", stranger.id())),
            ("a record cut short", format!("{} {started}", stranger.id())),
            ("no record to speak of", "nonsense\n".to_owned()),
        ];
        for (case, text) in rows {
            fs::write(folder.join("4"), text).unwrap();
            assert_eq!(reap(work.path(), "reap-4").unwrap(), 0, "{case}");
            assert!(is_running(&mut stranger), "{case}");
        }
        stranger.kill().unwrap();
        stranger.wait().unwrap();
    }
}
