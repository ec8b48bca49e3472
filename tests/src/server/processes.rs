//! Processes on this machine, as `/proc` shows them: those that actions are, told by their environment.

use std::fs;
use std::path::Path;

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub pid: u32,
    /// Its arguments, as `/proc` has them: each ends with a zero.
    pub arguments: Vec<u8>,
    /// Its environment, likewise.
    pub environment: Vec<u8>,
}

/// Processes that actions of the servers of a data folder are, or have started.
#[must_use]
pub fn of_folder(data: &Path) -> Vec<Found> {
    let Ok(instance) = fs::read_to_string(data.join("instance")) else { return Vec::new() };
    with_variable(&format!("ATTUNE_INSTANCE={}", instance.trim()))
}

/// Processes of one execution, whichever deployment runs it.
#[must_use]
pub fn running(execution: i64) -> Vec<Found> {
    with_variable(&format!("ATTUNE_EXEC_ID={execution}"))
}

/// Processes of one execution of a server of this data folder.
#[must_use]
pub fn of_execution(data: &Path, execution: i64) -> Vec<Found> {
    let variable = format!("ATTUNE_EXEC_ID={execution}");
    of_folder(data).into_iter().filter(|found| has(&found.environment, &variable)).collect()
}

fn with_variable(variable: &str) -> Vec<Found> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            // Whoever is gone by now, or is another user's, is none of ours.
            let environment = fs::read(entry.path().join("environ")).ok()?;
            let arguments = fs::read(entry.path().join("cmdline")).ok()?;
            has(&environment, variable).then_some(Found { pid, arguments, environment })
        })
        .collect()
}

fn has(environment: &[u8], variable: &str) -> bool {
    environment.split(|byte| *byte == 0).any(|found| found == variable.as_bytes())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_is_told_by_its_variables() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(of_folder(data.path()), [], "no server has been here");
        fs::write(data.path().join("instance"), "of-this-test\n").unwrap();
        let mut child = Command::new("cat")
            .env("ATTUNE_INSTANCE", "of-this-test")
            .env("ATTUNE_EXEC_ID", "7")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let pids = |found: Vec<Found>| found.iter().map(|found| found.pid).collect::<Vec<_>>();
        assert_eq!(pids(of_folder(data.path())), [child.id()]);
        assert_eq!(pids(of_execution(data.path(), 7)), [child.id()]);
        assert_eq!(of_execution(data.path(), 77), []);
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(of_folder(data.path()), []);
    }
}
