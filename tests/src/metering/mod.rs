//! What the cloud deployment asks of AWS, counted and priced.
//!
//! [`proxy::Proxy`] stands between the functions and the emulator and remembers every request
//! ([`proxy::Request`]); [`capacity::Meter`] works out what DynamoDB would charge for one, by the rules of
//! its documentation and not by the emulator's word; [`prices`] holds the list prices.

pub mod capacity;
pub mod prices;
pub mod proxy;
