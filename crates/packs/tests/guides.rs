//! The guides show nothing that does not work: their snippets of YAML are parts of files that are tested.

// Clippy takes only `#[test]` functions for tests, not what they share.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The blocks of YAML in a document.
fn snippets(document: &str) -> Vec<Vec<String>> {
    let mut snippets = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if line == "```yaml" {
            let block = lines.by_ref().take_while(|line| *line != "```");
            snippets.push(block.map(str::to_owned).collect());
        }
    }
    snippets
}

fn files(folder: &Path) -> Vec<Vec<String>> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|end| end == "yaml"));
    let lines = |file: PathBuf| {
        let text = fs::read_to_string(file).unwrap();
        text.lines().map(str::to_owned).collect()
    };
    files.map(lines).collect()
}

#[test]
fn snippets_stand_in_the_examples() {
    let examples = root().join("packs/examples/workflows");
    let files = [files(&examples), files(&examples.join("tests"))].concat();
    for (guide, least) in [("WORKFLOWS.md", 10), ("ORQUESTA.md", 1)] {
        let document = fs::read_to_string(root().join("docs").join(guide)).unwrap();
        let snippets = snippets(&document);
        assert!(snippets.len() >= least, "{guide}");
        for snippet in snippets {
            let stands = |file: &Vec<String>| file.windows(snippet.len()).any(|it| it == snippet);
            assert!(
                files.iter().any(stands),
                "{guide}: not in the examples:\n{}",
                snippet.join("\n")
            );
        }
    }
}

#[test]
fn examples_named_in_the_guides_are_there() {
    for guide in ["WORKFLOWS.md", "ORQUESTA.md"] {
        let document = fs::read_to_string(root().join("docs").join(guide)).unwrap();
        for part in document.split("examples.").skip(1) {
            let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let name = &part[..end.unwrap_or(part.len())];
            let file = |folder: &str| root().join(format!("packs/examples/{folder}/{name}.yaml"));
            assert!(file("workflows").is_file() || file("actions").is_file(), "{guide}: {name}");
        }
    }
}
