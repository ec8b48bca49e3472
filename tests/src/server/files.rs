//! What lies in the files of a folder.

use std::path::{Path, PathBuf};

/// Every file under `folder` that holds these bytes.
///
/// # Panics
/// Where a file cannot be read.
#[must_use]
pub fn holding(folder: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).expect("a folder can be listed");
    for entry in entries {
        let entry = entry.expect("a folder can be listed");
        let path = entry.path();
        let kind = entry.file_type().expect("a file has a type");
        if kind.is_dir() {
            found.extend(holding(&path, bytes));
        } else if kind.is_file() {
            let content = std::fs::read(&path).expect("a file can be read");
            if content.windows(bytes.len()).any(|window| window == bytes) {
                found.push(path);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_found_wherever_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("hit"), b"\xff\0needle\0").unwrap();
        std::fs::write(folder.path().join("miss"), b"need le").unwrap();
        assert_eq!(holding(folder.path(), b"needle"), [deep.join("hit")]);
    }
}
