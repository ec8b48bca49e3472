//! Login, tokens, permissions.

use crate::server::{PASSWORD, Server, steady};
use attune_api::auth::identities::{self, NewIdentity};
use attune_api::auth::token::Use;
use attune_api::{ApiConfig, ensure_admin};
use attune_catalogue::layout;
use attune_ports::records::{Commit, Kind, Record};
use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};

#[tokio::test]
async fn an_unknown_login_and_a_wrong_password_look_the_same() {
    let server = Server::start().await;
    let mut answers = Vec::new();
    for (login, password) in [("admin", "wrong"), ("nobody", PASSWORD)] {
        let answer =
            server.post("/auth/login", json!({"login": login, "password": password})).await;
        answers.push((answer.status.as_u16(), answer.body));
    }
    let refusal = json!({"error": "Invalid login or password", "code": "UNAUTHORIZED"});
    assert_eq!(answers, [(401, refusal.clone()), (401, refusal)]);
}

#[tokio::test]
async fn the_admin_is_made_once_and_a_password_is_drawn_where_none_is_given() {
    let server = Server::start().await;
    let again = ensure_admin(&server.ports, "admin", Some("another one".into())).await.unwrap();
    assert!(again.is_none(), "a second start makes no second admin");
    let made = ensure_admin(&server.ports, "root", None).await.unwrap().unwrap();
    assert_eq!(made.password.len(), 32);
    assert!(!format!("{made:?}").contains(&made.password), "it is not printed");
    let login = json!({"login": "root", "password": made.password});
    assert_eq!(server.post("/auth/login", login).await.status, 200);
}

#[tokio::test]
async fn shapes_of_login_refresh_and_me() {
    let server = Server::start().await;
    let strip = |mut body: Value| {
        for token in ["access_token", "refresh_token"] {
            if let Some(text) = body["data"].get_mut(token) {
                assert_eq!(text.as_str().map(|text| text.split('.').count()), Some(3));
                *text = "<token>".into();
            }
        }
        steady(body)
    };
    let login = server.post("/auth/login", json!({"login": "admin", "password": PASSWORD})).await;
    let refresh_token = login.body["data"]["refresh_token"].clone();
    insta::assert_json_snapshot!("login", strip(login.body));
    let refreshed = server.post("/auth/refresh", json!({"refresh_token": refresh_token})).await;
    insta::assert_json_snapshot!("refresh", strip(refreshed.body));
    insta::assert_json_snapshot!("me", steady(server.get("/auth/me").await.body));
    insta::assert_json_snapshot!("settings", server.get("/auth/settings").await.body);
}

#[tokio::test]
async fn a_refresh_by_cookie_sets_cookies() {
    let server = Server::start().await;
    let login = server.post("/auth/login", json!({"login": "admin", "password": PASSWORD})).await;
    let token = login.body["data"]["refresh_token"].as_str().unwrap();
    let request = Request::post("/auth/refresh")
        .header(header::COOKIE, format!("attune_refresh_token={token}"))
        .body(Body::empty())
        .unwrap();
    let answer = server.answer(request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let cookies: Vec<_> =
        answer.headers.get_all(header::SET_COOKIE).iter().map(|c| c.to_str().unwrap()).collect();
    assert_eq!(cookies.len(), 2);
    assert!(cookies.iter().all(|c| c.ends_with("; Path=/; HttpOnly; SameSite=Lax")), "{cookies:?}");
    assert!(answer.body["data"].get("user").is_none());
    let with_access = server.post("/auth/refresh", json!({"refresh_token": server.token})).await;
    assert_eq!(with_access.status, 401, "an access token refreshes nothing");
}

#[tokio::test]
async fn a_new_password_replaces_the_old_one() {
    let server = Server::start().await;
    let change =
        |current: &str| json!({"current_password": current, "new_password": "another password"});
    let wrong = server.post("/auth/change-password", change("wrong")).await;
    assert_eq!((wrong.status.as_u16(), &wrong.body["code"]), (401, &json!("UNAUTHORIZED")));
    let done = server.post("/auth/change-password", change(PASSWORD)).await;
    assert_eq!(done.body["data"]["success"], true, "{}", done.body);
    for (password, status) in [(PASSWORD, 401), ("another password", 200)] {
        let login = json!({"login": "admin", "password": password});
        assert_eq!(server.post("/auth/login", login).await.status, status, "{password}");
    }
}

#[tokio::test]
async fn one_may_rename_oneself() {
    let server = Server::start().await;
    for (sent, expected) in [
        (json!({"display_name": "Ann"}), json!("Ann")),
        (json!({}), json!("Ann")),
        (json!({"display_name": null}), json!("Ann")),
        (json!({"display_name": "  "}), Value::Null),
    ] {
        let answer = server.answer(server.request(Method::PUT, "/auth/me", Some(&sent))).await;
        assert_eq!(answer.body["data"]["display_name"], expected, "{sent}: {}", answer.body);
    }
}

#[tokio::test]
async fn whoever_registers_has_no_permissions() {
    let config = ApiConfig { allow_self_registration: true, ..ApiConfig::default() };
    let mut server = Server::with(config).await;
    for (login, password, status) in [
        ("ab", "long enough", 422),
        ("newcomer", "short", 422),
        ("newcomer", "long enough", 200),
        ("newcomer", "long enough", 409),
    ] {
        let answer =
            server.post("/auth/register", json!({"login": login, "password": password})).await;
        assert_eq!(answer.status, status, "{login}/{password}: {}", answer.body);
        if let Some(token) = answer.body["data"]["access_token"].as_str() {
            server.token = token.to_owned();
        }
    }
    assert_eq!(server.get("/auth/me").await.body["data"]["effective_permissions"], json!([]));
    let execute = json!({"action_ref": "test.echo", "parameters": {"message": "x"}});
    let answer = server.post("/api/v1/executions/execute", execute).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.body["error"], "Insufficient permissions: actions:execute");
    for path in [
        "executions",
        "executions/1",
        "executions/stats",
        "events",
        "events/1",
        "enforcements",
        "dead-letters",
    ] {
        let answer = server.get(&format!("/api/v1/{path}")).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.body);
    }
}

pub async fn as_identity(server: &mut Server, login: &str, sets: &[&str]) -> i64 {
    let new = NewIdentity {
        login: login.into(),
        display_name: None,
        password_hash: None,
        permission_set_refs: sets.iter().map(|set| (*set).to_owned()).collect(),
    };
    let id = identities::create(&server.ports, new).await.unwrap().id.get();
    server.token = server.sign(&server.claims(Use::Access, &id.to_string(), login)).await;
    id
}

#[tokio::test]
async fn a_stored_permission_set_counts_and_its_constraints_filter_lists() {
    let mut server = Server::start().await;
    let of_admin = server.execute("by the admin").await;
    let set = json!({
        "ref": "test.own", "label": "Own", "description": null,
        "grants": [
            {"resource": "actions", "actions": ["execute"], "constraints": {"pack_refs": ["test"]}},
            {"resource": "executions", "actions": ["read"], "constraints": {"owner": "self"}},
        ],
    });
    let key = layout::definition(Kind::PermissionSet, "test.own");
    let record = Record::new(Kind::PermissionSet, key, &set);
    server.ports.records.commit(Commit::new().create(record)).await.unwrap();
    let me = as_identity(&mut server, "own", &["test.own"]).await;
    let of_mine = server.execute("by me").await;
    let body = server.get("/api/v1/executions").await.body;
    let ids: Vec<_> =
        body["data"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(ids, [json!(of_mine)], "only one's own");
    assert_eq!(body["pagination"]["total_items"], Value::Null, "the total of all is not told");
    let mine = server.get(&format!("/api/v1/executions/{of_mine}")).await;
    assert_eq!(mine.body["data"]["executor"], me);
    assert_eq!(server.get(&format!("/api/v1/executions/{of_admin}")).await.status, 403);
    let cancel = format!("/api/v1/executions/{of_mine}/cancel");
    assert_eq!(server.post(&cancel, json!({})).await.status, 403);
}

#[tokio::test]
async fn whoever_manages_a_trigger_may_report_its_events() {
    let mut server = Server::start().await;
    let set = json!({"grants": [
        {"resource": "triggers", "actions": ["update"], "constraints": {"refs": ["test.door"]}},
    ]});
    let key = layout::definition(Kind::PermissionSet, "test.porter");
    let record = Record::new(Kind::PermissionSet, key, &set);
    server.ports.records.commit(Commit::new().create(record)).await.unwrap();
    as_identity(&mut server, "porter", &["test.porter"]).await;
    for (trigger_ref, status) in [("test.door", 201), ("test.window", 403)] {
        let answer = server.post("/api/v1/events", json!({"trigger_ref": trigger_ref})).await;
        assert_eq!(answer.status, status, "{trigger_ref}: {}", answer.body);
    }
}

#[tokio::test]
async fn nobody_passes_on_more_than_they_may() {
    let mut server = Server::start().await;
    as_identity(&mut server, "editor", &["core.editor"]).await;
    for (sets, status) in [
        (json!(["core.viewer"]), 201),
        (json!(["standard"]), 201),
        (json!(["core.admin"]), 403),
        (json!([]), 201),
    ] {
        let body = json!({
            "action_ref": "test.echo", "parameters": {"message": "x"}, "permission_set_refs": sets
        });
        let answer = server.post("/api/v1/executions/execute", body).await;
        assert_eq!(answer.status, status, "{sets}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_frozen_identity_gets_no_new_tokens() {
    let server = Server::start().await;
    let login = json!({"login": "admin", "password": PASSWORD});
    let tokens = server.post("/auth/login", login.clone()).await.body;
    let id = tokens["data"]["user"]["id"].as_i64().unwrap();
    identities::update(&server.ports, id, |identity| identity.frozen = true).await.unwrap();
    let refresh = json!({"refresh_token": tokens["data"]["refresh_token"]});
    for (path, body) in [("/auth/login", login), ("/auth/refresh", refresh)] {
        assert_eq!(server.post(path, body).await.status, 403, "{path}");
    }
    assert_eq!(server.get("/auth/me").await.status, 403);
    assert_eq!(server.get("/api/v1/executions").await.status, 200, "issued tokens live on");
}
