//! How a function is linked: the build script of every package in this folder.
#![allow(clippy::print_stdout, reason = "a build script speaks to cargo on its output")]

fn main() {
    println!("cargo::rerun-if-changed=../link.rs");
    // For a fixed address. A program that may lie anywhere carries a list of fifty thousand pointers to correct
    // before `main`, and correcting them was most of what a function took longer to start than an empty one.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
