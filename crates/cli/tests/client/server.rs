//! A small server that answers what a test tells it to, and remembers what it was asked.

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A running server. It stops with the test's runtime.
pub struct Server {
    /// Its base address.
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A request that has come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Method, path and query.
    pub line: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
}

impl Server {
    /// Serves `routes` on a free port.
    pub async fn start(routes: Router) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let app = routes.layer(middleware::from_fn_with_state(asked.clone(), remember));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, asked }
    }

    /// What it was asked, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Method, path and query of what it was asked, in order.
    pub fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

async fn remember(
    State(asked): State<Arc<Mutex<Vec<Asked>>>>,
    request: Request,
    next: Next,
) -> Response {
    let header = request.headers().get(AUTHORIZATION);
    let authorization = header.map(|value| value.to_str().unwrap().to_owned());
    let line = format!("{} {}", request.method(), target(request.uri()));
    asked.lock().unwrap().push(Asked { line, authorization });
    next.run(request).await
}

fn target(uri: &Uri) -> String {
    uri.path_and_query().map(ToString::to_string).unwrap_or_default()
}

/// An error in the standard shape.
pub fn error(status: u16, code: &str, text: &str) -> Response {
    let body = Json(json!({"error": text, "code": code}));
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

/// An object in its envelope.
pub fn data(value: Value) -> Json<Value> {
    Json(json!({"data": value}))
}

/// The generation of tokens that a [`logins`] server accepts now.
pub type Generation = Arc<Mutex<u32>>;

/// A server with one user, `ada` with password `lovelace`. Of its tokens `access-<n>` and
/// `refresh-<n>` only those of the current generation are good, and a refresh starts the next.
/// `routes` are protected.
pub fn logins(generation: &Generation, routes: Router) -> Router {
    let protected = routes.layer(middleware::from_fn_with_state(generation.clone(), protect));
    Router::new()
        .route("/auth/login", post(log_in))
        .route("/auth/refresh", post(refresh))
        .with_state(generation.clone())
        .merge(protected)
}

async fn protect(State(generation): State<Generation>, request: Request, next: Next) -> Response {
    let expected = format!("Bearer access-{}", generation.lock().unwrap());
    let given = request.headers().get(AUTHORIZATION);
    if given.is_some_and(|given| given == expected.as_str()) {
        return next.run(request).await;
    }
    let body = json!({"error": {"code": 401, "message": "Authentication token expired"}});
    (StatusCode::UNAUTHORIZED, Json(body)).into_response()
}

async fn log_in(State(generation): State<Generation>, Json(body): Json<Value>) -> Response {
    if body != json!({"login": "ada", "password": "lovelace"}) {
        return error(401, "UNAUTHORIZED", "Invalid login or password");
    }
    tokens(*generation.lock().unwrap())
}

async fn refresh(State(generation): State<Generation>, Json(body): Json<Value>) -> Response {
    let mut generation = generation.lock().unwrap();
    // The access token has expired; the refresh token that came with it has not.
    if body["refresh_token"] != format!("refresh-{}", *generation - 1) {
        return error(401, "UNAUTHORIZED", "Invalid refresh token");
    }
    *generation += 1;
    tokens(*generation)
}

fn tokens(generation: u32) -> Response {
    data(json!({
        "access_token": format!("access-{generation}"),
        "refresh_token": format!("refresh-{generation}"),
        "token_type": "Bearer",
        "expires_in": 3600,
    }))
    .into_response()
}
