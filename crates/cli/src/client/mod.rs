//! The REST API as this binary uses it: requests with a login that renews itself, answers without
//! their envelopes.

mod envelope;
mod error;
mod session;
mod sse;

pub use envelope::{Page, Pagination};
pub use error::{Error, Refusal};
pub use session::Session;
pub use sse::Events;

use crate::base_url::BaseUrl;
use crate::credentials::Tokens;
use reqwest::header::{ACCEPT, AUTHORIZATION};
use reqwest::{Method, RequestBuilder, Response, StatusCode, redirect};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// How long to try to reach the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request may take in all. Streams have no such limit.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
/// How long any connection may be silent. Streams send a keep-alive every 15 seconds.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

const JSON: &str = "application/json";
const TEXT: &str = "text/plain";
const STREAM: &str = "text/event-stream";

/// Query parameters.
pub type Query<'a> = &'a [(&'static str, String)];

/// A server, and who we are to it.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base: BaseUrl,
    session: Session,
}

/// A request that can be sent again with a fresh token.
struct Call<'a> {
    method: Method,
    path: Vec<&'a str>,
    query: Query<'a>,
    body: Option<&'a Value>,
    accept: &'static str,
}

impl<'a> Call<'a> {
    fn api(method: Method, path: &[&'a str]) -> Self {
        let path = ["api", "v1"].into_iter().chain(path.iter().copied()).collect();
        Self { method, path, query: &[], body: None, accept: JSON }
    }

    fn auth(method: Method, path: &'a str) -> Self {
        Self { method, path: vec!["auth", path], query: &[], body: None, accept: JSON }
    }
}

impl Client {
    /// A client of the server at `base`.
    ///
    /// # Errors
    /// [`Error::Setup`] when `base` is `https` and this machine has no usable certificates.
    pub fn new(base: BaseUrl, session: Session) -> Result<Self, Error> {
        // An error only says that a provider is there already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("attune/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE_TIMEOUT)
            // A redirect would carry the token to an address that nobody chose.
            .redirect(redirect::Policy::none());
        if !base.is_https() {
            // Loading the system's certificates takes longer than most commands, and fails where
            // there are none; without TLS they are not needed.
            http = http.tls_certs_only([]);
        }
        let http = http.build().map_err(|source| Error::Setup { source })?;
        Ok(Self { http, base, session })
    }

    /// The server's address.
    pub fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// One object of `/api/v1`.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn get(&self, path: &[&str]) -> Result<Value, Error> {
        self.json(&Call::api(Method::GET, path)).await.map(envelope::object)
    }

    /// One page of a list of `/api/v1`.
    ///
    /// # Errors
    /// When the server does not answer, or refuses, or what it answers is no list.
    pub async fn list(&self, path: &[&str], query: Query<'_>) -> Result<Page, Error> {
        let answer = self.json(&Call { query, ..Call::api(Method::GET, path) }).await?;
        envelope::page(answer).ok_or_else(|| Error::NotAttune { url: self.base.to_string() })
    }

    /// Posts to `/api/v1` and answers the object that comes back.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn post(&self, path: &[&str], body: Option<&Value>) -> Result<Value, Error> {
        self.json(&Call { body, ..Call::api(Method::POST, path) }).await.map(envelope::object)
    }

    /// A plain text of `/api/v1`.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn text(&self, path: &[&str]) -> Result<Vec<u8>, Error> {
        let answer = self.send(&Call { accept: TEXT, ..Call::api(Method::GET, path) }).await?;
        answer.bytes().await.map(Vec::from).map_err(|source| self.transport(source))
    }

    /// A stream of server-sent events of `/api/v1`.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn events(&self, path: &[&str], query: Query<'_>) -> Result<Events, Error> {
        let call = Call { query, accept: STREAM, ..Call::api(Method::GET, path) };
        self.send(&call).await.map(Events::new)
    }

    /// Who the server takes us for.
    ///
    /// # Errors
    /// When the server does not answer, or knows no such login.
    pub async fn whoami(&self) -> Result<Value, Error> {
        self.json(&Call::auth(Method::GET, "me")).await.map(envelope::object)
    }

    /// Exchanges a password for tokens.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn log_in(&self, login: &str, password: &str) -> Result<Tokens, Error> {
        let body = json!({"login": login, "password": password});
        self.tokens(&Call { body: Some(&body), ..Call::auth(Method::POST, "login") }).await
    }

    /// Exchanges the refresh token for a new pair. `None`: the server does not accept it any more.
    async fn refresh(&self, tokens: &Tokens) -> Result<Option<Tokens>, Error> {
        let body = json!({"refresh_token": tokens.refresh_token.reveal()});
        let call = Call { body: Some(&body), ..Call::auth(Method::POST, "refresh") };
        match self.tokens(&call).await {
            Ok(tokens) => Ok(Some(tokens)),
            Err(Error::Refused(refusal)) if refusal.is_about_the_login() => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Sends a call without token and reads the tokens of its answer.
    async fn tokens(&self, call: &Call<'_>) -> Result<Tokens, Error> {
        let answer = self.attempt(call, None).await?;
        let answer = self.body(self.accepted(answer).await?).await?;
        // What does not fit is not quoted: it may hold half a token.
        Tokens::deserialize(envelope::object(answer))
            .map_err(|_| Error::NotAttune { url: self.base.to_string() })
    }

    async fn json(&self, call: &Call<'_>) -> Result<Value, Error> {
        self.body(self.send(call).await?).await
    }

    async fn body(&self, answer: Response) -> Result<Value, Error> {
        let bytes = answer.bytes().await.map_err(|source| self.transport(source))?;
        serde_json::from_slice(&bytes).map_err(|_| Error::NotAttune { url: self.base.to_string() })
    }

    /// Sends a call as whoever we are. An expired login is renewed once.
    async fn send(&self, call: &Call<'_>) -> Result<Response, Error> {
        let tried = self.session.authorization().await;
        let answer = self.attempt(call, tried.as_deref()).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return self.accepted(answer).await;
        }
        match self
            .session
            .renewed(tried.as_deref(), async |tokens| self.refresh(tokens).await)
            .await?
        {
            session::Renewal::Fresh(fresh) => {
                let answer = self.attempt(call, Some(&fresh)).await?;
                self.accepted(answer).await
            }
            session::Renewal::Anonymous => Err(Error::NotLoggedIn { url: self.base.to_string() }),
            session::Renewal::Over => Err(Error::LoginOver { url: self.base.to_string() }),
            session::Renewal::Impossible => self.accepted(answer).await,
        }
    }

    async fn attempt(
        &self,
        call: &Call<'_>,
        authorization: Option<&str>,
    ) -> Result<Response, Error> {
        let request = self.request(call, authorization);
        request.send().await.map_err(|source| self.transport(source))
    }

    fn request(&self, call: &Call<'_>, authorization: Option<&str>) -> RequestBuilder {
        let mut request = self
            .http
            .request(call.method.clone(), self.base.join(&call.path))
            .query(call.query)
            .header(ACCEPT, call.accept);
        if call.accept != STREAM {
            request = request.timeout(REQUEST_TIMEOUT);
        }
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        match call.body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    async fn accepted(&self, answer: Response) -> Result<Response, Error> {
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(Error::Refused(Refusal::read(answer).await))
    }

    fn transport(&self, source: reqwest::Error) -> Error {
        let url = self.base.to_string();
        // A host that swallows packets times out while connecting; reqwest calls both "connect".
        if source.is_connect() {
            Error::Unreachable { url, source }
        } else {
            Error::Interrupted { url, source }
        }
    }
}
