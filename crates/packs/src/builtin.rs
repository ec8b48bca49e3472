//! The `core` pack, inside the binary: a server finds it wherever it is started.

use attune_domain::reference::ComponentRef;
use std::fs;
use std::io;
use std::path::Path;

macro_rules! core_files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../packs/core/", $path)))),*]
    };
}

/// The files of `packs/core`: path relative to the pack's root, and content.
pub const CORE: &[(&str, &str)] = core_files![
    "actions/ask.yaml",
    "actions/echo.yaml",
    "actions/http_request.yaml",
    "actions/noop.yaml",
    "actions/sleep.yaml",
    "pack.yaml",
    "permission_sets/admin.yaml",
    "permission_sets/editor.yaml",
    "permission_sets/executor.yaml",
    "permission_sets/viewer.yaml",
    "rules/timer_10s_echo.yaml",
    "runtimes/native.yaml",
    "runtimes/nodejs.yaml",
    "runtimes/python.yaml",
    "runtimes/shell.yaml",
    "triggers/alert.yaml",
    "triggers/crontimer.yaml",
    "triggers/datetimetimer.yaml",
    "triggers/intervaltimer.yaml",
    "triggers/queue_empty.yaml",
    "triggers/queue_started.yaml",
    "triggers/rruletimer.yaml",
];

/// Whether the core pack has this action.
pub(crate) fn has_action(action: &ComponentRef) -> bool {
    let file = format!("actions/{}.yaml", action.name());
    action.pack() == "core" && CORE.iter().any(|(path, _)| *path == file)
}

/// Writes the core pack, so that folder `root` becomes its root. Files of the same names are
/// overwritten, others stay.
///
/// # Errors
/// Where the disk refuses.
pub fn write_to(root: &Path) -> io::Result<()> {
    for (path, content) in CORE {
        let file = root.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, content)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn files_below(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files_below(root, &path, found);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn the_binary_holds_the_folder() {
        let embedded: BTreeMap<String, String> = CORE
            .iter()
            .map(|(path, content)| ((*path).to_owned(), (*content).to_owned()))
            .collect();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/core");
        let written = tempfile::tempdir().unwrap();
        write_to(written.path()).unwrap();
        for root in [source.as_path(), written.path()] {
            let mut found = BTreeMap::new();
            files_below(root, root, &mut found);
            assert_eq!(found, embedded, "{}", root.display());
        }
    }
}
