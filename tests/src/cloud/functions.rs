//! The functions of the stack: where their programs are, how the emulator gets them, and how they die.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::{HashMap, HashSet};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Where the template expects the programs.
const PLACE: &str = "CodeUri: ../target/lambda/";

/// Names of the functions' programs, as a template names them.
pub(super) fn named_in(template: &str) -> HashSet<String> {
    let name = |rest: &str| rest.lines().next().unwrap_or_default().trim().to_owned();
    template.split(PLACE).skip(1).map(name).collect()
}

/// The template with the archives of a bucket in place of the programs.
pub(super) fn from_bucket(template: &str, bucket: &str) -> String {
    let place = |line: &str| match line.trim_start().strip_prefix(PLACE) {
        Some(name) => {
            line.replace(&format!("{PLACE}{name}"), &format!("CodeUri: s3://{bucket}/{name}"))
        }
        None => line.to_owned(),
    };
    template.lines().map(place).collect::<Vec<_>>().join("\n")
}

/// An archive of a function that starts `program` where it lies: the emulator runs functions on this machine,
/// and a program as tests are built is large.
pub(super) fn archive(program: &Path) -> Vec<u8> {
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .unix_permissions(0o755);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let program = program.to_str().expect("the path is text");
    archive.start_file("bootstrap", options).expect("there is room in memory");
    write!(archive, "#!/bin/sh\nexec '{program}' \"$@\"\n").expect("there is room in memory");
    archive.finish().expect("there is room in memory").into_inner()
}

/// The program of a function, which was built together with this test; it is built now if it is not there. A
/// stale one is not noticed: `cargo xtask test` builds all of them first.
pub(super) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    let profile = test.ancestors().nth(2).expect("tests lie in a folder of their profile");
    let program = profile.join(name);
    if !program.is_file() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--package", name]).current_dir(env!("CARGO_MANIFEST_DIR"));
        if let Some(target) = profile.parent() {
            command.arg("--target-dir").arg(target);
        }
        if profile.ends_with("release") {
            command.arg("--release");
        }
        let status = command.status().expect("cargo starts");
        assert!(status.success(), "the function {name} cannot be built: {status}");
    }
    assert!(program.is_file(), "cargo built no {}", program.display());
    program
}

/// Ends every process of a function that descends from `root`, without a word; answers how many there were.
#[must_use]
pub(super) fn kill(root: u32, name: &str) -> usize {
    let program = program(name);
    let parents = parents();
    let descends = |mut pid: u32| {
        while let Some(parent) = parents.get(&pid) {
            if *parent == root {
                return true;
            }
            pid = *parent;
        }
        false
    };
    let mut killed = 0;
    for pid in parents.keys().copied().filter(|pid| descends(*pid)) {
        let is_it = std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == program);
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        if is_it && pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok()) {
            killed += 1;
        }
    }
    killed
}

/// Every process's parent.
fn parents() -> HashMap<u32, u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // After the name, which may hold anything: the state, the parent.
            let (_, rest) = stat.rsplit_once(')')?;
            Some((pid, rest.split_whitespace().nth(1)?.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "A:\n  CodeUri: ../target/lambda/api\n  Role: x\nB:\n    CodeUri: ../target/lambda/match-rules\nC:\n  CodeUri: ../target/lambda/api\n";

    #[test]
    fn programs_are_replaced_by_archives() {
        let names = HashSet::from(["api".to_owned(), "match-rules".to_owned()]);
        assert_eq!(named_in(TEMPLATE), names);
        let expected = "A:\n  CodeUri: s3://b/api\n  Role: x\nB:\n    CodeUri: s3://b/match-rules\nC:\n  CodeUri: s3://b/api";
        assert_eq!(from_bucket(TEMPLATE, "b"), expected);
    }
}
