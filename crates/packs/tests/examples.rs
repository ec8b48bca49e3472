//! The pack of examples: it loads without a word, and its workflows do what their rehearsals say.

// Clippy takes only `#[test]` functions for tests, not what they share.
#![allow(clippy::unwrap_used)]

use attune_packs::{load, rehearsal};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/examples")
}

/// The workflows' refs.
fn workflows() -> BTreeSet<String> {
    let pack = load(&folder()).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(pack.warnings, []);
    pack.workflows.iter().map(|workflow| workflow.reference.to_string()).collect()
}

#[test]
fn every_workflow_has_rehearsals_and_they_go_as_they_say() {
    let verdicts = rehearsal::rehearse_all(&folder()).unwrap_or_else(|errors| panic!("{errors}"));
    for verdict in &verdicts {
        assert_eq!(verdict.differences, [""; 0], "{}", verdict.file.display());
    }
    let rehearsed = verdicts.into_iter().filter_map(|it| Some(it.workflow?.to_string()));
    assert_eq!(rehearsed.collect::<BTreeSet<_>>(), workflows());
}

#[test]
fn every_workflow_stands_in_the_readme() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    for workflow in workflows() {
        assert!(readme.contains(&format!("| `{workflow}` |")), "{workflow}");
    }
}
