//! Tokens of approval links: what one may answer an inquiry with, once, without a login.
//!
//! A token names its inquiry and its end, and is signed with the key of all tokens. What is signed begins with a
//! line that no other token's text begins with, so that neither can be taken for the other. Besides, the inquiry
//! keeps a digest of each token that was given out: one that it does not know is worth nothing.

use attune_domain::Timestamp;
use attune_domain::id::InquiryId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Begins what is signed.
const PURPOSE: &str = "attune approval link 1";
/// Bytes that make a token differ from every other of the same inquiry.
pub const NONCE_BYTES: usize = 16;

/// Signs and verifies tokens of links with one key.
pub struct Approvals(Hmac<Sha256>);

/// What a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The inquiry that it answers.
    pub inquiry: InquiryId,
    /// When it ends, to the second.
    pub expires_at: Timestamp,
}

impl Approvals {
    /// With this key; `None` where it is no key at all.
    #[must_use]
    pub fn new(key: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(key).ok().map(Self)
    }

    /// A token: what it says, the nonce and the signature, in a form that needs no escaping in addresses.
    #[must_use]
    pub fn sign(&self, approval: Approval, nonce: &[u8]) -> String {
        let said = format!(
            "{}-{}-{}",
            approval.inquiry,
            approval.expires_at.timestamp(),
            hex::encode(nonce)
        );
        let signature = self.mac(&said).finalize().into_bytes();
        format!("{said}-{}", hex::encode(signature))
    }

    /// Reads a token that is ours; whether it has ended is another question.
    #[must_use]
    pub fn verify(&self, token: &str) -> Option<Approval> {
        let (said, signature) = token.rsplit_once('-')?;
        self.mac(said).verify_slice(&hex::decode(signature).ok()?).ok()?;
        let mut parts = said.split('-');
        let inquiry = parts.next()?.parse().ok()?;
        let seconds = parts.next()?.parse().ok()?;
        Some(Approval { inquiry, expires_at: Timestamp::from_timestamp(seconds, 0)? })
    }

    fn mac(&self, said: &str) -> Hmac<Sha256> {
        self.0.clone().chain_update(PURPOSE).chain_update("\n").chain_update(said)
    }
}

/// What is kept of a token.
#[must_use]
pub fn digest(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_with_the_key_is_ours() {
        let ours = Approvals::new(&[7; 32]).unwrap();
        let theirs = Approvals::new(&[8; 32]).unwrap();
        let approval = Approval {
            inquiry: InquiryId::new(4711),
            expires_at: Timestamp::from_timestamp(1_800_000_000, 0).unwrap(),
        };
        let token = ours.sign(approval, &[1; NONCE_BYTES]);
        assert_eq!(ours.verify(&token), Some(approval));
        assert_ne!(token, ours.sign(approval, &[2; NONCE_BYTES]));
        for (why, wrong) in [
            ("another key", theirs.sign(approval, &[1; NONCE_BYTES])),
            ("another inquiry", token.replacen("4711", "4712", 1)),
            ("a later end", token.replacen("1800000000", "1900000000", 1)),
            ("half a signature", token[..token.len() - 2].to_owned()),
            ("no hexadecimal", format!("{token}zz")),
            ("nothing", String::new()),
            ("text", "let-me-in".to_owned()),
        ] {
            assert_eq!(ours.verify(&wrong), None, "{why}: {wrong}");
        }
    }
}
