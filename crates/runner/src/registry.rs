//! The records of running process groups, by which a restarted server finds what its former
//! self left running.
//!
//! A record is a file named after the execution. It is created before the process is started and
//! filled in right after, so that there is no moment in which a process runs unrecorded: a crash
//! in between leaves an empty record, which says that something of that execution may run.

use crate::procfs;
use attune_domain::id::ExecutionId;
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The folder of the records, within the work folder.
const FOLDER: &str = "processes";

/// The record of one running process group.
pub(crate) struct Record {
    path: PathBuf,
    file: File,
}

impl Record {
    /// Announces that a process of this execution is about to start.
    pub(crate) fn announce(work_dir: &Path, execution: ExecutionId) -> io::Result<Self> {
        let folder = work_dir.join(FOLDER);
        let path = folder.join(execution.to_string());
        let file = match File::create(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&folder)?;
                File::create(&path)?
            }
            other => other?,
        };
        Ok(Self { path, file })
    }

    /// Records the started process, the leader of its group. Its start time tells it from a
    /// later process with the same id.
    pub(crate) fn fill(&mut self, leader: i32, boot_id: &str) -> io::Result<()> {
        let started = procfs::stat(leader).map_or(0, |found| found.started);
        self.file.write_all(format!("{leader} {started} {boot_id}\n").as_bytes())
    }

    /// Removes the record: nothing of the execution is left that must be ended.
    pub(crate) fn close(self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "could not remove a process record");
        }
    }
}

/// A record that was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) execution: ExecutionId,
    /// The group's leader and its start time, if the record was filled in this start of the
    /// machine.
    pub(crate) leader: Option<(i32, u64)>,
}

/// Every record there is.
pub(crate) fn found(work_dir: &Path) -> io::Result<Vec<Found>> {
    let entries = match fs::read_dir(work_dir.join(FOLDER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let boot_id = procfs::boot_id();
    let mut records = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let Some(execution) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
            let text = fs::read_to_string(entry.path())?;
            records.push(Found { path: entry.path(), execution, leader: leader(&text, &boot_id) });
        }
    }
    Ok(records)
}

fn leader(text: &str, boot_id: &str) -> Option<(i32, u64)> {
    let mut fields = text.strip_suffix('\n')?.split(' ');
    let leader = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    (leader.1 > 0 && fields.next()? == boot_id).then_some(leader)
}

/// Whether an execution has a record.
#[cfg(test)]
pub(crate) fn exists(work_dir: &Path, execution: ExecutionId) -> bool {
    work_dir.join(FOLDER).join(execution.to_string()).exists()
}
