//! Tokens: JSON Web Tokens signed with HS256.

use super::hs256;
use attune_domain::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A token counts for so long after its end, since clocks differ. In seconds.
pub const LEEWAY_SECONDS: i64 = 60;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// Calling the API as an identity.
    Access,
    /// Getting new tokens, and nothing else.
    Refresh,
    /// Emitting events as a sensor.
    Sensor,
    /// Calling the API from within an execution.
    Execution,
    /// The platform's own workers.
    Worker,
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Identity id, as text.
    pub sub: String,
    /// Login name, or `execution:<id>`, `worker:<id>`, a sensor's ref.
    pub login: String,
    /// Issued at, in Unix seconds.
    pub iat: i64,
    /// Ends at, in Unix seconds.
    pub exp: i64,
    /// What it is for.
    pub token_type: Use,
    /// Narrows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// More about it, by kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
}

/// What is wrong with a request's token. The texts are the wire's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is none.
    #[error("Missing authentication token")]
    Missing,
    /// It is none of ours, or not for this use.
    #[error("Invalid authentication token")]
    Invalid,
    /// It was one of ours.
    #[error("Authentication token expired")]
    Expired,
}

/// Signs and verifies tokens with one key.
pub struct Signer {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Signer {
    /// With this key.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        hs256::install();
        let mut validation = Validation::new(Algorithm::HS256);
        // The end is checked here against the port's clock, and not there against the system's.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        Self {
            encoding: EncodingKey::from_secret(key),
            decoding: DecodingKey::from_secret(key),
            validation,
        }
    }

    /// Signs.
    ///
    /// # Errors
    /// Where the claims cannot be written, which these always can.
    pub fn sign(&self, claims: &Claims) -> Result<String, jsonwebtoken::errors::Error> {
        encode(&Header::new(Algorithm::HS256), claims, &self.encoding)
    }

    /// Reads a token that is ours and not over at `now`.
    ///
    /// # Errors
    /// [`Fault::Invalid`] or [`Fault::Expired`].
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, Fault> {
        let claims: Claims =
            decode(token, &self.decoding, &self.validation).map_err(|_| Fault::Invalid)?.claims;
        if claims.exp.saturating_add(LEEWAY_SECONDS) < now.timestamp() {
            return Err(Fault::Expired);
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Duration, Utc};

    fn claims(now: Timestamp) -> Claims {
        Claims {
            sub: "7".into(),
            login: "ann".into(),
            iat: now.timestamp(),
            exp: now.timestamp() + 3600,
            token_type: Use::Access,
            scope: None,
            metadata: None,
        }
    }

    #[test]
    fn a_token_counts_until_a_minute_after_its_end() {
        let signer = Signer::new(&[7; 32]);
        let now = Utc::now();
        let token = signer.sign(&claims(now)).unwrap();
        for (seconds, expected) in [
            (0, None),
            (3600, None),
            (3660, None),
            (3661, Some(Fault::Expired)),
            (1_000_000, Some(Fault::Expired)),
        ] {
            let found = signer.verify(&token, now + Duration::seconds(seconds)).err();
            assert_eq!(found, expected, "after {seconds} s");
        }
    }

    /// The example of RFC 7515, appendix A.1.
    #[test]
    fn signatures_are_those_of_the_standard() {
        hs256::install();
        let key = DecodingKey::from_base64_secret(
            "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ+EstJQLr/T+1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow==",
        );
        let message = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
            eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let (message, key) = (message.as_bytes(), key.unwrap());
        let verify = jsonwebtoken::crypto::verify;
        assert!(verify(signature, message, &key, Algorithm::HS256).unwrap());
        assert!(!verify(signature, &message[1..], &key, Algorithm::HS256).unwrap());
        assert!(verify(signature, message, &key, Algorithm::HS512).is_err());
    }

    #[test]
    fn what_another_key_or_nobody_signed_is_invalid() {
        let now = Utc::now();
        let (ours, theirs) = (Signer::new(&[7; 32]), Signer::new(&[8; 32]));
        let forged = theirs.sign(&claims(now)).unwrap();
        let genuine = ours.sign(&claims(now)).unwrap();
        let (head, rest) = genuine.split_once('.').unwrap();
        let (body, _) = rest.split_once('.').unwrap();
        // {"alg":"none"} in base64url
        let unsigned = format!("eyJhbGciOiJub25lIn0.{body}.");
        for token in [forged, format!("{head}.{body}."), unsigned, "x".into(), String::new()] {
            assert_eq!(ours.verify(&token, now), Err(Fault::Invalid), "{token}");
        }
    }
}
