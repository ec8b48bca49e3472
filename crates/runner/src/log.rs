//! The log files of executions: one for each output stream, written while the action runs.

use attune_domain::id::ExecutionId;
use attune_ports::LogStream;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Where the log of an execution's stream is; the file appears with the stream's first byte.
#[must_use]
pub fn log_path(logs_dir: &Path, execution: ExecutionId, stream: LogStream) -> PathBuf {
    logs_dir.join(relative_path(execution, stream))
}

/// The path of a log within the logs folder. Executions are spread over 256 folders, because
/// a folder with millions of files is slow to list and to clean.
pub(crate) fn relative_path(execution: ExecutionId, stream: LogStream) -> String {
    let shard = execution.get().cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56;
    format!("{shard:02x}/{execution}.{}", stream.as_str())
}

/// Reads at most `max` bytes of a log from `offset` on, while the action runs or later.
///
/// `None` where the stream has had no output; an empty answer where there is none beyond the
/// offset yet. A log that is there but cannot be read is reported in the server's own log.
pub async fn read_log(
    logs_dir: &Path,
    execution: ExecutionId,
    stream: LogStream,
    offset: u64,
    max: u64,
) -> Option<Vec<u8>> {
    let path = log_path(logs_dir, execution, stream);
    let shown = path.clone();
    let read = tokio::task::spawn_blocking(move || {
        let mut file = File::open(&path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(max).read_to_end(&mut bytes)?;
        io::Result::Ok(bytes)
    });
    match read.await.unwrap_or_else(|panic| Err(io::Error::other(panic))) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!(path = %shown.display(), %error, "could not read a log");
            None
        }
    }
}

/// Removes the logs of an earlier attempt: one that printed more must not show through.
pub(crate) fn discard(logs_dir: &Path, execution: ExecutionId) {
    for stream in [LogStream::Stdout, LogStream::Stderr] {
        let path = log_path(logs_dir, execution, stream);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "could not remove an old log");
        }
    }
}

/// A log being written. The action outlives a failing disk: the first failure is reported and
/// ends the log, nothing else.
pub(crate) struct Log {
    path: PathBuf,
    state: State,
}

enum State {
    Untouched,
    Open(File),
    Broken,
}

impl Log {
    pub(crate) fn new(logs_dir: &Path, execution: ExecutionId, stream: LogStream) -> Self {
        Self { path: log_path(logs_dir, execution, stream), state: State::Untouched }
    }

    /// Appends bytes. Written in place rather than on a thread pool: these are short appends to
    /// the page cache, cheaper than the hand-over.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if let Err(error) = self.write(bytes) {
            tracing::warn!(path = %self.path.display(), %error, "could not write a log");
            self.state = State::Broken;
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let State::Untouched = self.state {
            self.state = State::Open(create(&self.path)?);
        }
        match &mut self.state {
            State::Open(file) => file.write_all(bytes),
            State::Untouched | State::Broken => Ok(()),
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o640);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            options.open(path)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: ExecutionId = ExecutionId::new(7);

    #[tokio::test]
    async fn a_log_is_read_in_pieces_while_it_grows() {
        let dir = tempfile::tempdir().unwrap();
        let read = |offset, max| read_log(dir.path(), ID, LogStream::Stdout, offset, max);
        assert_eq!(read(0, 10).await, None, "no file before the first byte");
        let mut log = Log::new(dir.path(), ID, LogStream::Stdout);
        log.append(b"");
        assert_eq!(read(0, 10).await, None, "nothing printed is no first byte");
        log.append(b"one ");
        assert_eq!(read(0, 10).await.as_deref(), Some(&b"one "[..]));
        log.append(b"two");
        assert_eq!(read(4, 10).await.as_deref(), Some(&b"two"[..]));
        assert_eq!(read(0, 2).await.as_deref(), Some(&b"on"[..]));
        assert_eq!(read(99, 10).await.as_deref(), Some(&b""[..]), "beyond the end");
        discard(dir.path(), ID);
        assert_eq!(read(0, 10).await, None);
    }

    #[test]
    fn executions_spread_over_folders() {
        let folders: std::collections::BTreeSet<_> = (1..=2000)
            .map(|id| {
                relative_path(ExecutionId::new(id), LogStream::Stderr)
                    .split('/')
                    .next()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        assert_eq!(folders.len(), 256);
        assert!(relative_path(ExecutionId::new(12), LogStream::Stderr).ends_with("/12.stderr"));
    }

    #[test]
    fn a_log_that_cannot_be_written_is_given_up_quietly() {
        let dir = tempfile::tempdir().unwrap();
        let blocked = dir.path().join("file");
        fs::write(&blocked, "").unwrap();
        let mut log = Log::new(&blocked, ID, LogStream::Stdout);
        log.append(b"lost");
        log.append(b"lost too");
        assert!(matches!(log.state, State::Broken));
    }
}
