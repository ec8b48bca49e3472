//! Who is calling: identities, passwords, tokens.
//!
//! A login gives an access token and a refresh token ([`token`]); a request's token becomes a
//! [`caller::Caller`] with its grants. Identities are records ([`identities`]), passwords are kept as
//! Argon2id hashes only ([`password`]). Who has no login may still answer an inquiry, by a link ([`approval`]).

pub mod admin;
pub mod approval;
pub mod caller;
mod execution_tokens;
mod hs256;
pub mod identities;
pub mod password;
pub mod token;

pub use caller::Caller;
pub use execution_tokens::ExecutionTokens;
