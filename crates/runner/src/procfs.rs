//! What `/proc` tells of processes. Where there is no `/proc`, there are no answers, and nothing
//! can be proved about a process that this server did not start itself.

use std::fs;

/// The state of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) pid: i32,
    pub(crate) group: i32,
    /// When it started, in clock ticks since the machine did.
    pub(crate) started: u64,
    /// Whether it has ended and only waits for its parent to notice.
    pub(crate) ended: bool,
}

/// The state of one process.
pub(crate) fn stat(pid: i32) -> Option<Stat> {
    parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// A program's name, in parentheses, may itself hold parentheses and spaces: the fields are
/// counted from the last one.
fn parse(pid: i32, line: &str) -> Option<Stat> {
    let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
    Some(Stat {
        pid,
        ended: matches!(*fields.first()?, "Z" | "X" | "x"),
        group: fields.get(2)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

/// Every process that has not ended.
pub(crate) fn running() -> Vec<Stat> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| stat(entry.ok()?.file_name().to_str()?.parse().ok()?))
        .filter(|found| !found.ended)
        .collect()
}

/// Whether a process was started with all of these variables; false where we may not look.
pub(crate) fn has_variables(pid: i32, variables: &[String]) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
    let found: Vec<&[u8]> = environment.split(|byte| *byte == 0).collect();
    variables.iter().all(|variable| found.contains(&variable.as_bytes()))
}

/// Tells one start of the machine from another; empty where the system does not say.
pub(crate) fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let line = "42 (a) b) S 1 40 39 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0";
        let expected = Stat { pid: 42, group: 40, started: 777, ended: false };
        assert_eq!(parse(42, line), Some(expected));
        assert_eq!(parse(42, "42 (cut) S 1"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_running() {
        let pid = i32::try_from(std::process::id()).unwrap();
        assert!(running().iter().any(|found| found.pid == pid));
        assert!(!boot_id().is_empty());
    }
}
