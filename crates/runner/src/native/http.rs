//! The built-in `core.http_request`.
//!
//! Any answer of the server completes the action, whatever its status: `success` says whether
//! the status is 2xx, and a workflow decides what to make of it. No answer fails the action.

use reqwest::{
    Client, Method, RequestBuilder, Response, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a request may take unless it says otherwise, in seconds.
const DEFAULT_TIMEOUT: f64 = 30.0;

/// How many redirects are followed unless the request says otherwise.
const DEFAULT_REDIRECTS: u64 = 10;

/// The most redirects that a request may ask for.
const MOST_REDIRECTS: u64 = 50;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{name} must be {expected}")]
    Parameter { name: &'static str, expected: &'static str },
    #[error("could not set up the HTTP client")]
    Client(#[source] reqwest::Error),
    #[error("request timed out after {0} seconds")]
    TimedOut(f64),
    #[error("request failed")]
    Failed(#[source] reqwest::Error),
}

fn invalid(name: &'static str, expected: &'static str) -> Error {
    Error::Parameter { name, expected }
}

/// HTTP clients with their connections, one for each combination of the settings that a client
/// has as a whole; made when first needed.
#[derive(Default)]
pub(crate) struct Clients {
    made: Mutex<HashMap<Settings, Client>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Settings {
    verify_tls: bool,
    redirects: usize,
}

impl Clients {
    fn get(&self, settings: Settings) -> Result<Client, Error> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made.get(&settings) {
            return Ok(client.clone());
        }
        // Whoever comes first sets the provider for the process; all of ours set the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let redirects = match settings.redirects {
            0 => Policy::none(),
            most => Policy::limited(most),
        };
        let client = Client::builder()
            .user_agent(concat!("attune/", env!("CARGO_PKG_VERSION")))
            .redirect(redirects)
            .tls_danger_accept_invalid_certs(!settings.verify_tls)
            .build()
            .map_err(Error::Client)?;
        made.insert(settings, client.clone());
        Ok(client)
    }
}

/// Makes a request and answers `{status_code, headers, body, json, elapsed_ms, url, success}`:
/// `headers` by lower-case name, `body` as text of at most `max_body` bytes (with
/// `body_truncated: true` where there was more), `json` the parsed body or null, `url` after
/// redirects.
pub(crate) async fn request(
    clients: &Clients,
    parameters: &Map<String, Value>,
    max_body: usize,
) -> Result<Value, Error> {
    let parameters = Parameters(parameters);
    let client = clients.get(Settings {
        verify_tls: parameters.flag("verify_ssl", true)?,
        redirects: match parameters.flag("follow_redirects", true)? {
            true => parameters.redirects()?,
            false => 0,
        },
    })?;
    let timeout = parameters.timeout()?;
    let request = parameters.request(&client)?.timeout(timeout);
    let failed = |error: reqwest::Error| match error.is_timeout() {
        true => Error::TimedOut(timeout.as_secs_f64()),
        // The address may hold secrets in a spelling that redaction does not know.
        false => Error::Failed(error.without_url()),
    };
    let started = Instant::now();
    let response = request.send().await.map_err(failed)?;
    let status = response.status();
    let url = response.url().to_string();
    let headers = headers_of(&response);
    let (body, truncated) = body_of(response, max_body).await.map_err(failed)?;
    let elapsed = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let parsed = if truncated { None } else { serde_json::from_str::<Value>(&body).ok() };
    let mut data = json!({
        "status_code": status.as_u16(),
        "headers": headers,
        "body": body,
        "json": parsed,
        "elapsed_ms": elapsed,
        "url": url,
        "success": status.is_success(),
    });
    if truncated {
        data["body_truncated"] = true.into();
    }
    Ok(data)
}

fn headers_of(response: &Response) -> Value {
    let mut headers = Map::new();
    for name in response.headers().keys() {
        let values = response.headers().get_all(name).iter();
        let values: Vec<_> = values.map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
        headers.insert(name.as_str().into(), values.join(", ").into());
    }
    headers.into()
}

async fn body_of(mut response: Response, max: usize) -> reqwest::Result<(String, bool)> {
    let mut body = Vec::new();
    let mut truncated = false;
    while let Some(piece) = response.chunk().await? {
        let fits = piece.len().min(max - body.len());
        body.extend_from_slice(&piece[..fits]);
        if fits < piece.len() {
            truncated = true;
            break;
        }
    }
    Ok((String::from_utf8_lossy(&body).into_owned(), truncated))
}

/// The parameters of the action; null counts as absent.
struct Parameters<'a>(&'a Map<String, Value>);

impl<'a> Parameters<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &'static str) -> Result<Option<&'a str>, Error> {
        self.get(name).map(|v| v.as_str().ok_or(invalid(name, "a text"))).transpose()
    }

    fn flag(&self, name: &'static str, default: bool) -> Result<bool, Error> {
        self.get(name).map_or(Ok(default), |v| v.as_bool().ok_or(invalid(name, "a boolean")))
    }

    fn members(
        &self,
        name: &'static str,
    ) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, Error> {
        let object = self.get(name).map(|v| v.as_object().ok_or(invalid(name, "an object")));
        Ok(object.transpose()?.into_iter().flatten())
    }

    fn redirects(&self) -> Result<usize, Error> {
        let most = self.get("max_redirects").map_or(Some(DEFAULT_REDIRECTS), Value::as_u64);
        let most = most.ok_or(invalid("max_redirects", "an integer of at least 0"))?;
        Ok(usize::try_from(most.min(MOST_REDIRECTS)).unwrap_or(0))
    }

    fn timeout(&self) -> Result<Duration, Error> {
        let seconds = self.get("timeout").map_or(Some(DEFAULT_TIMEOUT), Value::as_f64);
        seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .filter(|duration| !duration.is_zero())
            .ok_or(invalid("timeout", "a number of seconds above 0"))
    }

    fn request(&self, client: &Client) -> Result<RequestBuilder, Error> {
        let url = self.text("url")?.ok_or(invalid("url", "given"))?;
        let url = Url::parse(url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or(invalid("url", "an absolute http or https URL"))?;
        let method = self.text("method")?.unwrap_or("GET").to_ascii_uppercase();
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| invalid("method", "an HTTP method"))?;
        let headers = self.headers()?;
        let typed = headers.contains_key(CONTENT_TYPE);
        let mut request = client.request(method, url).headers(headers).query(&self.query()?);
        match (self.get("json"), self.get("body")) {
            (Some(_), Some(_)) => return Err(invalid("body", "absent where json is given")),
            (None, Some(Value::String(text))) => request = request.body(text.clone()),
            (Some(value), None) | (None, Some(value)) => {
                if !typed {
                    request = request.header(CONTENT_TYPE, "application/json");
                }
                request = request.body(value.to_string());
            }
            (None, None) => {}
        }
        self.authenticated(request)
    }

    fn authenticated(&self, request: RequestBuilder) -> Result<RequestBuilder, Error> {
        match self.text("auth_type")?.unwrap_or("none") {
            "none" => Ok(request),
            "basic" => {
                let user = self.text("auth_username")?;
                let user =
                    user.ok_or(invalid("auth_username", "given for basic authentication"))?;
                Ok(request.basic_auth(user, self.text("auth_password")?))
            }
            "bearer" => {
                let token = self.text("auth_token")?;
                let token =
                    token.ok_or(invalid("auth_token", "given for bearer authentication"))?;
                Ok(request.bearer_auth(token))
            }
            _ => Err(invalid("auth_type", "none, basic or bearer")),
        }
    }

    fn headers(&self) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        for (name, value) in self.members("headers")? {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| invalid("headers", "an object with header names as keys"))?;
            let value = scalar(value).and_then(|text| HeaderValue::from_str(&text).ok());
            headers.insert(name, value.ok_or(invalid("headers", "an object with texts"))?);
        }
        Ok(headers)
    }

    /// A list repeats its parameter.
    fn query(&self) -> Result<Vec<(&'a str, String)>, Error> {
        let mut query = Vec::new();
        for (name, value) in self.members("query_params")? {
            let values = match value {
                Value::Array(items) => items.as_slice(),
                Value::Null => &[],
                single => std::slice::from_ref(single),
            };
            for value in values {
                let expected = "an object with texts, numbers, booleans or lists of them";
                query
                    .push((name.as_str(), scalar(value).ok_or(invalid("query_params", expected))?));
            }
        }
        Ok(query)
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn invalid_parameters_are_named() {
        let rows = [
            (json!({}), "url must be given"),
            (json!({"url": "ftp://x"}), "url must be an absolute http or https URL"),
            (json!({"url": "http://x", "method": "A B"}), "method must be an HTTP method"),
            (
                json!({"url": "http://x", "headers": {"a b": "c"}}),
                "headers must be an object with header names as keys",
            ),
            (
                json!({"url": "http://x", "headers": {"a": ["c"]}}),
                "headers must be an object with texts",
            ),
            (json!({"url": "http://x", "query_params": [1]}), "query_params must be an object"),
            (
                json!({"url": "http://x", "timeout": 0}),
                "timeout must be a number of seconds above 0",
            ),
            (json!({"url": "http://x", "verify_ssl": "no"}), "verify_ssl must be a boolean"),
            (
                json!({"url": "http://x", "auth_type": "magic"}),
                "auth_type must be none, basic or bearer",
            ),
            (
                json!({"url": "http://x", "auth_type": "bearer"}),
                "auth_token must be given for bearer authentication",
            ),
            (
                json!({"url": "http://x", "body": 1, "json": 2}),
                "body must be absent where json is given",
            ),
        ];
        let clients = Clients::default();
        for (parameters, expected) in rows {
            let answer = request(&clients, parameters.as_object().unwrap(), 10).await;
            assert_eq!(answer.unwrap_err().to_string(), expected, "{parameters}");
        }
    }

    #[test]
    fn clients_are_shared_by_requests_with_the_same_settings() {
        let clients = Clients::default();
        for verify_tls in [true, false, true, false] {
            clients.get(Settings { verify_tls, redirects: 3 }).unwrap();
        }
        assert_eq!(clients.made.lock().unwrap().len(), 2);
    }
}
