//! What every deployment takes from the system it runs on: the time ([`SystemClock`]), fresh ids
//! ([`SystemIds`]), and a cipher for secrets at rest ([`Cipher`]). Where the keys come from is each
//! deployment's own matter.

mod cipher;
mod clock;
mod ids;

pub use cipher::Cipher;
pub use clock::SystemClock;
pub use ids::SystemIds;
