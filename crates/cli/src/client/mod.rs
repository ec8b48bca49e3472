//! The REST API as this binary uses it: requests with a login that renews itself, answers without
//! their envelopes.

mod call;
mod envelope;
mod error;
mod session;
mod sse;
mod uploads;

pub use envelope::{Page, Pagination};
pub use error::{Error, Refusal};
pub use session::Session;
pub use sse::Events;

use crate::base_url::BaseUrl;
use crate::credentials::Tokens;
use call::{Body, Call, STREAM, TEXT};
use reqwest::header::LOCATION;
use reqwest::{Method, Response, StatusCode, Url, redirect};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// How long to try to reach the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long any connection may be silent. Streams send a keep-alive every 15 seconds.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

/// Query parameters.
pub type Query<'a> = &'a [(&'static str, String)];

/// A server, and who we are to it.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base: BaseUrl,
    session: Session,
}

impl Client {
    /// A client of the server at `base`.
    ///
    /// # Errors
    /// [`Error::Setup`] when `base` is `https` and this machine has no usable certificates.
    pub fn new(base: BaseUrl, session: Session) -> Result<Self, Error> {
        // An error only says that a provider is there already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = connector(base.is_https(), Some(SILENCE_TIMEOUT))?;
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
        envelope::page(answer).ok_or_else(|| self.not_attune())
    }

    /// Posts to `/api/v1` and answers the object that comes back.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn post(&self, path: &[&str], body: Option<&Value>) -> Result<Value, Error> {
        self.post_body(path, body.map_or(Body::Nothing, Body::Json)).await
    }

    async fn post_body(&self, path: &[&str], body: Body<'_>) -> Result<Value, Error> {
        self.json(&Call { body, ..Call::api(Method::POST, path) }).await.map(envelope::object)
    }

    /// Changes something of `/api/v1` and answers the object that comes back.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn update(&self, path: &[&str], body: &Value) -> Result<Value, Error> {
        let call = Call { body: Body::Json(body), ..Call::api(Method::PUT, path) };
        self.json(&call).await.map(envelope::object)
    }

    /// Deletes something of `/api/v1` and answers what the server says about it.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn delete(&self, path: &[&str]) -> Result<Value, Error> {
        self.json(&Call::api(Method::DELETE, path)).await.map(envelope::object)
    }

    /// A plain text of `/api/v1`.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn text(&self, path: &[&str]) -> Result<Vec<u8>, Error> {
        let answer = self.send(&Call { accept: TEXT, ..Call::api(Method::GET, path) }).await?;
        answer.bytes().await.map(Vec::from).map_err(|source| transport(&self.base, source))
    }

    /// A stream of server-sent events of `/api/v1`, from its start or from after the event with the id
    /// `after`.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn events(&self, path: &[&str], after: Option<&str>) -> Result<Events, Error> {
        let call = Call { after, accept: STREAM, ..Call::api(Method::GET, path) };
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
        self.tokens(&Call { body: Body::Json(&body), ..Call::auth(Method::POST, "login") }).await
    }

    /// Exchanges the refresh token for a new pair. `None`: the server does not accept it any more.
    async fn refresh(&self, tokens: &Tokens) -> Result<Option<Tokens>, Error> {
        let body = json!({"refresh_token": tokens.refresh_token.reveal()});
        let call = Call { body: Body::Json(&body), ..Call::auth(Method::POST, "refresh") };
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
        Tokens::deserialize(envelope::object(answer)).map_err(|_| self.not_attune())
    }

    async fn json(&self, call: &Call<'_>) -> Result<Value, Error> {
        self.body(self.send(call).await?).await
    }

    async fn body(&self, answer: Response) -> Result<Value, Error> {
        let bytes = answer.bytes().await.map_err(|source| transport(&self.base, source))?;
        serde_json::from_slice(&bytes).map_err(|_| self.not_attune())
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
        let url = self.base.join(&call.path);
        let request = self.http.request(call.method.clone(), url).query(call.query);
        let sent = call.dress(request, authorization).send().await;
        let answer = sent.map_err(|source| transport(&self.base, source))?;
        let Some(url) = self.sent_on(call, &answer) else { return Ok(answer) };
        let http = self.http_for(&url, Some(SILENCE_TIMEOUT))?;
        let request = call.dress(http.request(call.method.clone(), url), authorization);
        request.send().await.map_err(|source| transport(&self.base, source))
    }

    /// Where a stream is served, if the server says that it is elsewhere.
    ///
    /// Redirects are otherwise not followed, since they would carry the token to an address that nobody chose.
    /// Here it must go along, and may: the one who sends us on is the server to whom the token belongs, who
    /// could hand it on itself; it is asked over the connection that the user trusts; the way there is not less
    /// secret than the one here; and whoever answers there cannot send us further.
    fn sent_on(&self, call: &Call<'_>, answer: &Response) -> Option<Url> {
        if call.accept != STREAM || answer.status() != StatusCode::TEMPORARY_REDIRECT {
            return None;
        }
        let location = answer.headers().get(LOCATION)?.to_str().ok()?;
        let url = answer.url().join(location).ok()?;
        self.base.is_matched_by(&url).then_some(url)
    }

    /// A connector for an address of another host, with the certificates that it may need.
    fn http_for(&self, url: &Url, silence: Option<Duration>) -> Result<reqwest::Client, Error> {
        connector(url.scheme() == "https", silence)
    }

    async fn accepted(&self, answer: Response) -> Result<Response, Error> {
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(Error::Refused(Refusal::read(answer).await))
    }

    fn not_attune(&self) -> Error {
        Error::NotAttune { url: self.base.to_string() }
    }
}

fn connector(https: bool, silence: Option<Duration>) -> Result<reqwest::Client, Error> {
    let mut http = reqwest::Client::builder()
        .user_agent(concat!("attune/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        // A redirect would carry the token to an address that nobody chose.
        .redirect(redirect::Policy::none());
    if let Some(silence) = silence {
        http = http.read_timeout(silence);
    }
    if !https {
        // Loading the system's certificates takes longer than most commands, and fails where
        // there are none; without TLS they are not needed.
        http = http.tls_certs_only([]);
    }
    http.build().map_err(|source| Error::Setup { source })
}

fn transport(base: &BaseUrl, source: reqwest::Error) -> Error {
    // The address may be a permission of its own.
    let (url, source) = (base.to_string(), source.without_url());
    // A host that swallows packets times out while connecting; reqwest calls both "connect".
    if source.is_connect() {
        Error::Unreachable { url, source }
    } else {
        Error::Interrupted { url, source }
    }
}
