//! Runs real processes through the runner's public interface.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bench;
mod encodings;
mod endings;
mod entrypoints;
mod environment;
mod http;
mod logs;
mod natives;
mod results;
