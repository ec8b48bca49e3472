//! What must hold across crates, and what every deployment must do alike.
//!
//! [`mod@contract`] holds one suite for each port: functions over a [`contract::Fixture`], so that every
//! implementation is held to the same promises. [`embedded`] is the fixture of the embedded deployment,
//! [`cloud`] that of the cloud, on an emulator.
//! [`harness`] runs the whole journey in this process over real ports, and looks afterwards that nothing
//! is left behind. [`server`] starts the real binary, talks to it over HTTP and kills it. The tests
//! themselves stand in `tests/`. [`metering`] counts and prices what the cloud deployment asks of AWS.

pub mod cloud;
pub mod contract;
mod deployments;
pub mod embedded;
mod eventually;
pub mod harness;
pub mod metering;
pub mod server;
