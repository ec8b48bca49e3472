//! Ports for servers that come back to the same one.

use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;

/// Below the ports that systems give to outgoing connections: nobody takes one of these by accident while
/// the server is down.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// A free port that stays free between two lives of a server.
///
/// # Panics
/// Where none is free.
#[must_use]
pub fn lasting_port() -> u16 {
    let random = RandomState::new().hash_one(std::process::id());
    let start = u16::try_from(random % u64::from(COUNT)).unwrap_or(0);
    (0..COUNT)
        .map(|step| FIRST + (start + step) % COUNT)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a port is free")
}
