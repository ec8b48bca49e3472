//! Where the `attune` binary is.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Names another binary to be tested.
pub const VARIABLE: &str = "ATTUNE_TEST_BINARY";

/// The binary that [`VARIABLE`] names; else the one that was built together with this test, which is built
/// now if it is not there. A stale one is not noticed: `cargo xtask test` builds it first.
///
/// # Panics
/// Where it is missing and cannot be built.
#[must_use]
pub fn path() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| match std::env::var_os(VARIABLE) {
        Some(named) => {
            let named = PathBuf::from(named);
            assert!(named.is_file(), "{VARIABLE} names {}, which is no file", named.display());
            named
        }
        None => beside_this_test(),
    })
}

/// Tests lie in `target/<profile>/deps`, binaries in `target/<profile>`.
fn beside_this_test() -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    let profile = test.ancestors().nth(2).expect("tests lie in a folder of their profile");
    let binary = profile.join(format!("attune{}", std::env::consts::EXE_SUFFIX));
    if !binary.is_file() {
        build(profile);
    }
    assert!(binary.is_file(), "cargo built no {}", binary.display());
    binary
}

fn build(profile: &Path) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--package", "attune-cli"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if let Some(target) = profile.parent() {
        command.arg("--target-dir").arg(target);
    }
    if profile.ends_with("release") {
        command.arg("--release");
    }
    let status = command.status().expect("cargo starts");
    assert!(status.success(), "the server cannot be built: {status}");
}
