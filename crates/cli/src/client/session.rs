//! Who we are to the server, and how a login that has expired is renewed.

use super::Error;
use crate::credentials::{Store, Token, Tokens};
use tokio::sync::Mutex;

/// Who we are to the server.
#[derive(Debug)]
pub struct Session(Kind);

#[derive(Debug)]
enum Kind {
    Anonymous,
    Fixed(Token),
    Login { tokens: Mutex<Tokens>, store: Store },
}

/// What came of trying to renew a login.
#[derive(Debug)]
pub enum Renewal {
    /// The value of the header to try again with.
    Fresh(String),
    /// There was no login.
    Anonymous,
    /// The refresh token is not accepted either.
    Over,
    /// The token was given to us from outside; nothing can be done.
    Impossible,
}

impl Session {
    /// Nobody.
    pub fn anonymous() -> Self {
        Self(Kind::Anonymous)
    }

    /// The bearer of a token that we cannot renew.
    pub fn fixed(token: Token) -> Self {
        Self(Kind::Fixed(token))
    }

    /// Somebody who logged in; renewed tokens go back to `store`.
    pub fn login(tokens: Tokens, store: Store) -> Self {
        Self(Kind::Login { tokens: Mutex::new(tokens), store })
    }

    /// The value of the `Authorization` header, if we have one to send.
    pub async fn authorization(&self) -> Option<String> {
        match &self.0 {
            Kind::Anonymous => None,
            Kind::Fixed(token) => Some(bearer(token)),
            Kind::Login { tokens, .. } => Some(bearer(&tokens.lock().await.access_token)),
        }
    }

    /// A header value other than `tried`, which the server has refused. Of several requests that were
    /// refused together the first one renews the login, and the others share the result.
    ///
    /// # Errors
    /// Those of `refresh`, and when the new tokens cannot be stored.
    pub async fn renewed(
        &self,
        tried: Option<&str>,
        refresh: impl AsyncFnOnce(&Tokens) -> Result<Option<Tokens>, Error>,
    ) -> Result<Renewal, Error> {
        let (tokens, store) = match &self.0 {
            Kind::Anonymous => return Ok(Renewal::Anonymous),
            Kind::Fixed(_) => return Ok(Renewal::Impossible),
            Kind::Login { tokens, store } => (tokens, store),
        };
        let mut tokens = tokens.lock().await;
        let current = bearer(&tokens.access_token);
        if tried != Some(&current) {
            return Ok(Renewal::Fresh(current));
        }
        let Some(fresh) = refresh(&tokens).await? else { return Ok(Renewal::Over) };
        store.save(&fresh)?;
        *tokens = fresh;
        Ok(Renewal::Fresh(bearer(&tokens.access_token)))
    }
}

fn bearer(token: &Token) -> String {
    format!("Bearer {}", token.reveal())
}
