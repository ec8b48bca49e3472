//! A server for tests: the real ports in a temporary folder, and a runner that is never asked.

use async_trait::async_trait;
use attune_api::auth::token::{Claims, Signer, Use};
use attune_api::{ApiConfig, App, ensure_admin, router};
use attune_catalogue::layout;
use attune_domain::catalogue::{Action, Placement, Trigger, Webhook};
use attune_domain::id::{ActionId, PackId, TriggerId};
use attune_domain::reference::{ComponentRef, PackRef};
use attune_domain::runtime::Runtime;
use attune_domain::status::ExecutionStatus;
use attune_local::Local;
use attune_ports::records::{Commit, Kind, Record};
use attune_ports::runner::{Cancelled, Invocation, Outcome};
use attune_ports::{Ports, Runner};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;
use tower::ServiceExt;

pub const PASSWORD: &str = "correct horse battery";
pub const WEBHOOK: &str = "wh_00112233445566778899aabbccddeeff";

struct Nobody;

#[async_trait]
impl Runner for Nobody {
    async fn run(&self, _: Invocation, _: Cancelled) -> Outcome {
        Outcome::new(ExecutionStatus::Failed, Value::Null)
    }

    fn is_pure(&self, _: Runtime, _: &str) -> bool {
        false
    }
}

pub struct Server {
    router: Router,
    pub ports: Ports,
    pub local: Local,
    pub token: String,
    folder: TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Server {
    /// With the action `test.echo`, whose `message` is required, the triggers `test.door` (with a
    /// webhook) and `test.window`, and an admin who is logged in.
    pub async fn start() -> Self {
        Self::with(ApiConfig { max_body_bytes: 64 * 1024, ..ApiConfig::default() }).await
    }

    pub async fn with(config: ApiConfig) -> Self {
        Self::on(attune_local::Config::default(), config).await
    }

    pub async fn on(local: attune_local::Config, config: ApiConfig) -> Self {
        let folder = TempDir::new().unwrap();
        let local = attune_local::open(folder.path(), &local, Arc::new(Nobody)).unwrap();
        let ports = local.ports.clone();
        define(&ports).await;
        let made = ensure_admin(&ports, "admin", Some(PASSWORD.into())).await.unwrap();
        assert_eq!(made.unwrap().login, "admin");
        let app = App { ports: ports.clone(), feed: Arc::clone(&local.feed), config };
        let mut server = Self { router: router(app), ports, local, token: String::new(), folder };
        let login = json!({"login": "admin", "password": PASSWORD});
        let answer = server.post("/auth/login", login).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        server.token = answer.body["data"]["access_token"].as_str().unwrap().to_owned();
        server
    }

    /// Where everything is kept.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// What answers, to be served.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub async fn answer(&self, request: Request<Body>) -> Answer {
        let response = self.send(request).await;
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into())
        };
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// A request with the admin's token and a JSON body.
    pub fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if !self.token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        }
        match body {
            None => request.body(Body::empty()).unwrap(),
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.to_string().into())
                .unwrap(),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.answer(self.request(Method::GET, path, None)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.answer(self.request(Method::POST, path, Some(&body))).await
    }

    pub async fn put_bytes(&self, path: &str, body: impl Into<Body>) -> Answer {
        let mut request = self.request(Method::PUT, path, None);
        *request.body_mut() = body.into();
        self.answer(request).await
    }

    pub async fn execute(&self, message: &str) -> i64 {
        let body = json!({"action_ref": "test.echo", "parameters": {"message": message}});
        let answer = self.post("/api/v1/executions/execute", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.body["data"]["id"].as_i64().unwrap()
    }

    /// A token that the server's own key signed.
    pub async fn sign(&self, claims: &Claims) -> String {
        let key = self.ports.vault.token_key().await.unwrap();
        Signer::new(&key).sign(claims).unwrap()
    }

    /// Claims of a token that lives for an hour.
    pub fn claims(&self, token_type: Use, sub: &str, login: &str) -> Claims {
        let now = self.ports.clock.now().timestamp();
        Claims {
            sub: sub.into(),
            login: login.into(),
            iat: now,
            exp: now + 3600,
            token_type,
            scope: None,
            metadata: None,
        }
    }

    /// What is counted, under every name.
    pub async fn tally(&self) -> Vec<(String, u64)> {
        self.ports.records.settle().await.unwrap();
        let mut tally = self.ports.records.tally("").await.unwrap();
        tally.retain(|(_, count)| *count > 0);
        tally.sort();
        tally
    }
}

async fn define(ports: &Ports) {
    let now = ports.clock.now();
    let action = Action {
        id: ActionId::new(ports.ids.next()),
        reference: ComponentRef::parse("test.echo").unwrap(),
        pack: PackId::new(1),
        pack_ref: PackRef::parse("test").unwrap(),
        label: "Echo".into(),
        description: None,
        entrypoint: "core.echo".into(),
        runtime: Some(Runtime::Native),
        runtime_ref: Some("native".into()),
        runtime_version_constraint: None,
        param_schema: Some(json!({
            "message": {"type": "string", "required": true},
            "password": {"type": "string", "secret": true},
        })),
        out_schema: None,
        parameter_delivery: Default::default(),
        parameter_format: Default::default(),
        output_format: Default::default(),
        default_execution_permission_set_refs: vec![],
        accesses_mcp: false,
        placement: Placement::default(),
        workflow: None,
        workflow_id: None,
        is_adhoc: true,
        created: now,
        updated: now,
    };
    let key = layout::definition(Kind::Action, &action.reference);
    let mut commit = Commit::new().create(Record::new(Kind::Action, key, &action));
    for (name, webhook) in [("test.door", Some(WEBHOOK)), ("test.window", None)] {
        let trigger = Trigger {
            id: TriggerId::new(ports.ids.next()),
            reference: ComponentRef::parse(name).unwrap(),
            pack: None,
            pack_ref: None,
            label: name.into(),
            description: None,
            enabled: true,
            param_schema: None,
            out_schema: None,
            webhook: webhook.map(|key| Webhook { key: key.into() }),
            timer: None,
            cloud_event: None,
            is_adhoc: true,
            created: now,
            updated: now,
        };
        let place = layout::definition(Kind::Trigger, name);
        commit = commit.create(Record::new(Kind::Trigger, place, &trigger));
        if let Some(key) = webhook {
            let mark = Record::new(Kind::Marker, layout::webhook(key), &trigger.reference);
            commit = commit.create(mark);
        }
    }
    ports.records.commit(commit).await.unwrap();
}

/// Replaces what differs from run to run, so that shapes can be compared: ids, moments, cursors.
pub fn steady(mut value: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(map) => map.values_mut().for_each(walk),
            Value::Array(all) => all.iter_mut().for_each(walk),
            Value::Number(n) if n.as_i64().is_some_and(|n| n > 1 << 40) => *value = "<id>".into(),
            Value::String(text) if text.parse::<attune_domain::Timestamp>().is_ok() => {
                *value = if text.ends_with('Z') { "<moment Z>" } else { "<moment +00:00>" }.into();
            }
            _ => {}
        }
    }
    walk(&mut value);
    value
}
