//! What the disk itself can do. A server that loses nothing cannot commit more often than its disk
//! makes things durable, so every rate of this program is to be read beside this one.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// Durable 4 KiB writes per second into a file under `folder`, over `time`.
///
/// The file is laid out first and then overwritten in turn, as a write-ahead log in use is: a file
/// that grows would measure the file system's book-keeping too.
pub fn durable_writes_per_second(folder: &Path, time: Duration) -> Result<f64> {
    const BLOCK: usize = 4096;
    const BLOCKS: u64 = 1024;
    let mut file = tempfile::tempfile_in(folder)
        .with_context(|| format!("cannot write into {}", folder.display()))?;
    file.write_all(&vec![0; BLOCK * BLOCKS as usize])?;
    file.sync_all()?;
    let block = [0x5a; BLOCK];
    let start = Instant::now();
    let mut written = 0_u64;
    while start.elapsed() < time {
        file.seek(SeekFrom::Start(written % BLOCKS * BLOCK as u64))?;
        file.write_all(&block)?;
        file.sync_data()?;
        written += 1;
    }
    Ok(written as f64 / start.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_does_something() {
        let folder = tempfile::tempdir().unwrap();
        let rate = durable_writes_per_second(folder.path(), Duration::from_millis(20)).unwrap();
        assert!(rate > 0.0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }
}
