//! A logged-in client: the server's address, an access token, and one connection for the calls that
//! prepare and observe a measurement.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::http::{Connection, Request, Response};

/// Login and password, as the environment gives them or as a server was started with.
#[derive(Clone)]
pub struct Credentials {
    /// The login.
    pub login: String,
    /// The password.
    pub password: String,
}

impl Credentials {
    /// From `ATTUNE_ADMIN_LOGIN` (`admin` if unset) and `ATTUNE_ADMIN_PASSWORD`.
    pub fn from_environment() -> Result<Self> {
        let login = std::env::var("ATTUNE_ADMIN_LOGIN").unwrap_or_else(|_| "admin".to_owned());
        let password = std::env::var("ATTUNE_ADMIN_PASSWORD")
            .context("set ATTUNE_ADMIN_PASSWORD to the password of the server at --url")?;
        Ok(Self { login, password })
    }
}

/// How executions stand, all in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Executions of any status.
    pub total: u64,
    /// Executions that ended well.
    pub completed: u64,
    /// Executions that ended in any other way.
    pub ended_badly: u64,
}

/// A logged-in client.
pub struct Session {
    authority: String,
    token: String,
    control: Connection,
}

impl Session {
    /// Logs in at `authority` (`host:port`).
    pub async fn login(authority: &str, credentials: &Credentials) -> Result<Self> {
        let mut anonymous = Connection::open(authority, None).await?;
        let body = json!({ "login": credentials.login, "password": credentials.password });
        let answer = anonymous.send(&Request::post("/auth/login", body.to_string())).await?;
        let token = read("log in", &answer)?
            .pointer("/data/access_token")
            .and_then(Value::as_str)
            .context("the login answered no access token")?
            .to_owned();
        let control = Connection::open(authority, Some(&token)).await?;
        Ok(Self { authority: authority.to_owned(), token, control })
    }

    /// Another connection with the same token.
    pub async fn connection(&self) -> Result<Connection> {
        Connection::open(&self.authority, Some(&self.token)).await
    }

    /// Sends one request and reads its JSON; an answer without success is an error that quotes it.
    pub async fn call(&mut self, request: Request) -> Result<Value> {
        let answer = self.control.send(&request).await?;
        read(&format!("{} {}", request.method, request.path), &answer)
    }

    /// Like [`Session::call`], but `None` when there is no such thing.
    pub async fn look_up(&mut self, request: Request) -> Result<Option<Value>> {
        let answer = self.control.send(&request).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        read(&format!("{} {}", request.method, request.path), &answer).map(Some)
    }

    /// How executions stand now.
    pub async fn totals(&mut self) -> Result<Totals> {
        let answer = self.call(Request::get("/api/v1/executions/stats")).await?;
        let count = |name: &str| {
            let count = answer.pointer("/data").and_then(|data| data.get(name));
            count.and_then(Value::as_u64).with_context(|| format!("the statistics lack `{name}`"))
        };
        Ok(Totals {
            total: count("total")?,
            completed: count("completed")?,
            ended_badly: count("failed")?
                + count("cancelled")?
                + count("timeout")?
                + count("abandoned")?,
        })
    }

    /// Waits until `reached` holds of the totals and returns the moment it was seen to hold.
    /// An execution that ends badly, or a minute without any change, ends the wait with an error:
    /// a rate of failures would be a fine number and mean nothing.
    pub async fn wait_until(
        &mut self,
        before: Totals,
        reached: impl Fn(Totals) -> bool,
    ) -> Result<Instant> {
        const PATIENCE: Duration = Duration::from_secs(60);
        const PAUSE: Duration = Duration::from_millis(5);
        let (mut last, mut changed) = (before, Instant::now());
        loop {
            let now = self.totals().await?;
            let seen = Instant::now();
            if now.ended_badly > before.ended_badly {
                bail!("{} executions did not complete", now.ended_badly - before.ended_badly);
            }
            if reached(now) {
                return Ok(seen);
            }
            if now != last {
                (last, changed) = (now, seen);
            } else if changed.elapsed() > PATIENCE {
                bail!(
                    "nothing went on for {} s: {} completed of {} executions",
                    PATIENCE.as_secs(),
                    now.completed - before.completed,
                    now.total - before.total
                );
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits until `count` more executions than `before` have completed.
    pub async fn wait_completed(&mut self, before: Totals, count: u64) -> Result<Instant> {
        self.wait_until(before, |now| now.completed >= before.completed + count).await
    }
}

/// The JSON of a successful answer. What an unsuccessful one says is quoted; `what` names the call.
pub fn read(what: &str, answer: &Response) -> Result<Value> {
    if !answer.ok() {
        let said: String = String::from_utf8_lossy(&answer.body).chars().take(300).collect();
        bail!("{what}: the server answered {}: {said}", answer.status);
    }
    serde_json::from_slice(&answer.body).with_context(|| format!("{what}: the answer is no JSON"))
}
