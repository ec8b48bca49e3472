//! A small HTTP client.

use super::answer::Answer;
use super::subject::is_over;
use super::until::until;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::Duration;

/// A server that takes longer than this to answer counts as not answering.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Asks one server, logged in or not.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Client {
    /// Somebody who is not logged in; `url` is the server's, such as `http://127.0.0.1:8080`.
    ///
    /// # Panics
    /// Where this machine cannot do HTTP.
    #[must_use]
    pub fn stranger(url: &str) -> Self {
        // It fails only where another client has chosen one before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .no_proxy()
            // Who is sent elsewhere is to be seen to be.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("this machine can do HTTP");
        Self { http, url: url.to_owned(), token: None }
    }

    /// Logs in.
    ///
    /// # Panics
    /// Where the server does not let it in.
    pub async fn login(&self, login: &str, password: &str) -> Self {
        let said = self.post("/auth/login", json!({"login": login, "password": password})).await;
        let token = said.data()["access_token"].as_str().expect("a token is text").to_owned();
        self.with_token(&token)
    }

    /// The same with this token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The token, where it has one.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A request to be completed, with the token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// A request to an address that an answer named: a path here, or a whole address elsewhere, which does not
    /// get the token.
    pub fn request_at(&self, method: Method, address: &str) -> RequestBuilder {
        if address.starts_with('/') {
            self.request(method, address)
        } else {
            self.http.request(method, address)
        }
    }

    /// Sends a request.
    ///
    /// # Errors
    /// Where nobody answers.
    pub async fn send(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        Answer::read(request.send().await?).await
    }

    async fn answered(&self, request: RequestBuilder) -> Answer {
        self.send(request).await.expect("the server answers")
    }

    /// Reads.
    ///
    /// # Panics
    /// Where nobody answers, as with the other verbs.
    pub async fn get(&self, path: &str) -> Answer {
        self.answered(self.request(Method::GET, path)).await
    }

    /// Posts JSON.
    ///
    /// # Panics
    /// Where nobody answers.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.answered(self.request(Method::POST, path).json(&body)).await
    }

    /// Posts nothing.
    ///
    /// # Panics
    /// Where nobody answers.
    pub async fn poke(&self, path: &str) -> Answer {
        self.answered(self.request(Method::POST, path)).await
    }

    /// Replaces or changes.
    ///
    /// # Panics
    /// Where nobody answers.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.answered(self.request(Method::PUT, path).json(&body)).await
    }

    /// Every row of a list, by its cursor.
    ///
    /// # Panics
    /// Where a page is not one.
    pub async fn rows(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{path}?per_page=100{cursor}")).await;
            assert!(page.is_good(), "{path}: {}: {}", page.status, page.text);
            let mut page = page.json();
            let Value::Array(found) = page["data"].take() else { panic!("no list: {page}") };
            rows.extend(found);
            match page["pagination"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }

    /// Asks for an execution; answers its id.
    ///
    /// # Panics
    /// Where it is refused.
    pub async fn execute(&self, action: &str, parameters: Value) -> i64 {
        let body = json!({"action_ref": action, "parameters": parameters});
        let data = self.post("/api/v1/executions/execute", body).await.data();
        data["id"].as_i64().expect("an id is a number")
    }

    /// An execution as it stands.
    ///
    /// # Panics
    /// Where there is none.
    pub async fn execution(&self, id: i64) -> Value {
        self.get(&format!("/api/v1/executions/{id}")).await.data()
    }

    /// Waits until an execution has this status.
    ///
    /// # Panics
    /// Where it is over without, or takes too long.
    pub async fn reaches(&self, id: i64, status: &str) -> Value {
        until(&format!("execution {id} is {status}"), async || {
            let execution = self.execution(id).await;
            if execution["status"] == status {
                return Some(execution);
            }
            assert!(!is_over(&execution), "it ended otherwise: {execution}");
            None
        })
        .await
    }
}
