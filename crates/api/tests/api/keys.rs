//! The keystore over HTTP.

use crate::definitions::somebody;
use crate::server::{Answer, Server};
use attune_catalogue::layout;
use attune_domain::catalogue::Action;
use attune_ports::records::{Kind, Query};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

const SECRET: &str = "keyed-Parol-3f1c";

/// A key of the system's.
fn key(reference: &str, changes: Value) -> Value {
    let name = reference.rsplit('.').next().unwrap();
    let mut key = json!({"ref": reference, "owner_type": "system", "name": name, "value": SECRET});
    key.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    key
}

/// With pack `ops`.
async fn furnished() -> Server {
    let server = Server::start().await;
    let pack = json!({"ref": "ops", "label": "Ops", "version": "1.0.0"});
    server.make("/api/v1/packs", pack).await;
    server
}

/// Gives the server a permission set, and answers a token of somebody who has it.
async fn holder(server: &Server, name: &str, grants: Value) -> String {
    let reference = attune_domain::reference::ComponentRef::parse(name).unwrap();
    let id = server.ports.ids.next();
    let set = attune_catalogue::PermissionSet {
        id,
        reference,
        pack_ref: None,
        label: None,
        description: None,
        grants,
    };
    use attune_catalogue::Definition;
    let commit = attune_ports::Commit::new().put(set.record());
    server.ports.records.commit(commit).await.unwrap();
    somebody(server, &[name]).await
}

#[tokio::test]
async fn a_key_is_made_shown_changed_and_removed() {
    let server = furnished().await;
    let pack = server.get("/api/v1/packs/ops").await.body["data"]["id"].clone();
    let owned = json!({"owner_type": "pack", "owner_pack_ref": "ops", "encrypted": true, "value": {"a": [1]}});
    let made = server.make("/api/v1/keys", key("ops.db.login", owned)).await;
    assert_eq!(
        (&made["owner"], &made["owner_pack"], &made["owner_pack_ref"], &made["value"]),
        (&json!(pack.to_string()), &pack, &json!("ops"), &json!({"a": [1]}))
    );
    assert_eq!((&made["owner_action"], &made["name"]), (&Value::Null, &json!("login")));
    let path = "/api/v1/keys/ops.db.login";
    assert_eq!(server.get(path).await.body["data"], made);

    let changed = server.put(path, json!({"name": "user", "value": "new"})).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert_eq!(changed.body["data"]["value"], "new");
    let same = server.put(path, json!({})).await.body["data"].take();
    assert_eq!(
        (&same["name"], &same["value"], &same["encrypted"]),
        (&json!("user"), &json!("new"), &json!(true))
    );

    // The old name is free again, the new one is taken.
    let other =
        key("ops.other", json!({"owner_type": "pack", "owner_pack_ref": "ops", "name": "user"}));
    assert_eq!(server.post("/api/v1/keys", other.clone()).await.status, StatusCode::CONFLICT);
    let mut freed = other;
    freed["name"] = "login".into();
    server.make("/api/v1/keys", freed).await;

    let removed = server.delete(path).await;
    assert_eq!(
        removed.body,
        json!({"success": true, "message": "Key 'ops.db.login' deleted successfully"})
    );
    assert_eq!(server.get(path).await.status, StatusCode::NOT_FOUND);
    let again =
        key("ops.db.login", json!({"owner_type": "pack", "owner_pack_ref": "ops", "name": "user"}));
    server.make("/api/v1/keys", again).await;
}

#[tokio::test]
async fn keys_are_listed_without_their_values() {
    let server = furnished().await;
    for (reference, changes) in [
        ("b.key", json!({})),
        ("a.key", json!({"name": "other"})),
        ("c.key", json!({"owner_type": "pack", "owner_pack_ref": "ops"})),
        ("d.key", json!({"owner_type": "action", "owner_action_ref": "test.echo"})),
    ] {
        server.make("/api/v1/keys", key(reference, changes)).await;
    }
    let action: Action = attune_catalogue::read::require(&server.ports, "test.echo").await.unwrap();
    for (query, wanted) in [
        ("".to_owned(), &["a.key", "b.key", "c.key", "d.key"][..]),
        ("?owner_type=system".to_owned(), &["a.key", "b.key"]),
        ("?owner=system".to_owned(), &["a.key", "b.key"]),
        (format!("?owner={}", action.id), &["d.key"]),
        ("?owner_type=pack&owner=system".to_owned(), &[]),
        ("?per_page=1&page=3".to_owned(), &["c.key"]),
    ] {
        let found = server.get(&format!("/api/v1/keys{query}")).await.body;
        let rows = found["data"].as_array().unwrap();
        let refs: Vec<_> = rows.iter().map(|row| row["ref"].as_str().unwrap()).collect();
        assert_eq!(refs, wanted, "{query}");
        assert!(rows.iter().all(|row| row.get("value").is_none()), "{found}");
    }
    assert_eq!(server.get("/api/v1/keys?owner_type=moon").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let server = furnished().await;
    server.make("/api/v1/keys", key("taken", json!({}))).await;
    for (why, body, status) in [
        ("the ref is taken", key("taken", json!({"name": "x"})), 409),
        ("so is the name", key("free", json!({"name": "taken"})), 409),
        ("no ref", key("Upper.Case", json!({})), 422),
        ("an empty part", key("a..b", json!({"name": "x"})), 422),
        ("no name", key("a", json!({"name": ""})), 422),
        ("a long name", key("a", json!({"name": "n".repeat(256)})), 422),
        ("no value", json!({"ref": "a", "owner_type": "system", "name": "a"}), 422),
        ("no such kind", key("a", json!({"owner_type": "moon"})), 422),
        ("no owner", key("a", json!({"owner_type": "pack"})), 400),
        ("an owner too many", key("a", json!({"owner_pack_ref": "ops"})), 400),
        (
            "two owners",
            key("a", json!({"owner_type": "pack", "owner_pack_ref": "ops", "owner_identity": 1})),
            400,
        ),
        (
            "another's owner",
            key("a", json!({"owner_type": "action", "owner_pack_ref": "ops"})),
            400,
        ),
        ("no such pack", key("a", json!({"owner_type": "pack", "owner_pack_ref": "moon"})), 400),
        ("no such id", key("a", json!({"owner_type": "sensor", "owner_sensor": 7})), 400),
        ("no such person", key("a", json!({"owner_type": "identity", "owner_identity": 7})), 400),
    ] {
        let answer = server.post("/api/v1/keys", body).await;
        assert_eq!(answer.status.as_u16(), status, "{why}: {}", answer.body);
        assert!(!answer.body.to_string().contains(SECRET), "{why}: {}", answer.body);
    }
    let large = Server::with(attune_api::ApiConfig::default()).await;
    for (bytes, status) in [(128 * 1024 - 2, 201), (128 * 1024 - 1, 422)] {
        let answer =
            large.post("/api/v1/keys", key("large", json!({"value": "v".repeat(bytes)}))).await;
        assert_eq!(answer.status.as_u16(), status, "{bytes} bytes: {}", answer.body["error"]);
    }
}

/// What a caller gets of a key: the status, and the value where there is one.
async fn seen(server: &mut Server, token: &str, path: &str) -> (u16, Value) {
    let admin = std::mem::replace(&mut server.token, token.to_owned());
    let Answer { status, mut body, .. } = server.get(path).await;
    server.token = admin;
    (status.as_u16(), body["data"]["value"].take())
}

#[tokio::test]
async fn an_encrypted_value_takes_a_permission_of_its_own() {
    let mut server = furnished().await;
    for (reference, encrypted) in [("open", false), ("locked", true)] {
        server.make("/api/v1/keys", key(reference, json!({"encrypted": encrypted}))).await;
    }
    let viewer = somebody(&server, &["core.viewer"]).await;
    let editor = somebody(&server, &["core.editor"]).await;
    let updates = json!([{"resource": "keys", "actions": ["read", "update"]}]);
    let updater = holder(&server, "ops.updater", updates).await;
    for (who, token, open, locked) in [
        ("a viewer", &viewer, json!(SECRET), json!(null)),
        ("an editor", &editor, json!(SECRET), json!(SECRET)),
        ("one who may only change it", &updater, json!(SECRET), json!(null)),
    ] {
        assert_eq!(seen(&mut server, token, "/api/v1/keys/open").await, (200, open), "{who}");
        assert_eq!(seen(&mut server, token, "/api/v1/keys/locked").await, (200, locked), "{who}");
    }
    // Neither an answer nor taking the protection away is a way around it.
    let admin = std::mem::replace(&mut server.token, updater);
    let renamed = server.put("/api/v1/keys/locked", json!({"name": "renamed"})).await;
    assert_eq!((renamed.status.as_u16(), &renamed.body["data"]["value"]), (200, &Value::Null));
    let opened = server.put("/api/v1/keys/locked", json!({"encrypted": false})).await;
    assert_eq!(opened.status, StatusCode::FORBIDDEN);
    let replaced =
        server.put("/api/v1/keys/locked", json!({"encrypted": false, "value": "own"})).await;
    assert_eq!((replaced.status.as_u16(), &replaced.body["data"]["value"]), (200, &json!("own")));
    server.token = admin;
}

#[tokio::test]
async fn keys_are_for_those_whom_grants_name() {
    let mut server = furnished().await;
    let me = server.get("/auth/me").await.body["data"]["id"].clone();
    for (reference, changes) in [
        ("systems", json!({})),
        ("packs", json!({"owner_type": "pack", "owner_pack_ref": "ops"})),
        ("actions", json!({"owner_type": "action", "owner_action_ref": "test.echo"})),
        ("mine", json!({"owner_type": "identity", "owner_identity": me})),
    ] {
        server.make("/api/v1/keys", key(reference, changes)).await;
    }
    let all = ["actions", "mine", "packs", "systems"];
    let granted = |constraints: Value| json!([{"resource": "keys", "actions": ["read"], "constraints": constraints}]);
    let others = json!([{"resource": "rules", "actions": ["read"]}]);
    let rows = [
        ("the admin", server.token.clone(), &all[..]),
        ("a viewer", somebody(&server, &["core.viewer"]).await, &["actions", "packs", "systems"]),
        (
            "by ref",
            holder(&server, "ops.a", granted(json!({"refs": ["mine", "packs"]}))).await,
            &["mine", "packs"],
        ),
        (
            "by kind",
            holder(&server, "ops.b", granted(json!({"owner_types": ["identity", "system"]}))).await,
            &["mine", "systems"],
        ),
        (
            "by owner",
            holder(&server, "ops.c", granted(json!({"owner_refs": ["ops"]}))).await,
            &["packs"],
        ),
        (
            "by pack",
            holder(&server, "ops.d", granted(json!({"pack_refs": ["ops", "test"]}))).await,
            &["actions", "packs"],
        ),
        (
            "nobody's",
            holder(&server, "ops.e", granted(json!({"owner": "none"}))).await,
            &["systems"],
        ),
        (
            "one's own, having none",
            holder(&server, "ops.f", granted(json!({"owner": "self"}))).await,
            &[],
        ),
    ];
    for (who, token, wanted) in rows {
        let admin = std::mem::replace(&mut server.token, token);
        let found = server.get("/api/v1/keys").await.body;
        let refs: Vec<_> = found["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["ref"].as_str().unwrap())
            .collect();
        assert_eq!(refs, wanted, "{who}");
        for reference in all {
            let status = server.get(&format!("/api/v1/keys/{reference}")).await.status.as_u16();
            assert_eq!(
                status,
                if wanted.contains(&reference) { 200 } else { 404 },
                "{who}: {reference}"
            );
        }
        server.token = admin;
    }
    let nothing = holder(&server, "ops.g", others).await;
    let admin = std::mem::replace(&mut server.token, nothing);
    for (method, path, status) in [
        (Method::GET, "/api/v1/keys", 403),
        (Method::GET, "/api/v1/keys/systems", 404),
        (Method::DELETE, "/api/v1/keys/systems", 403),
    ] {
        let answer = server.answer(server.request(method.clone(), path, None)).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
    }
    assert_eq!(
        server.post("/api/v1/keys", key("new", json!({}))).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(server.put("/api/v1/keys/systems", json!({})).await.status, StatusCode::FORBIDDEN);
    server.token = admin;
}

#[tokio::test]
async fn an_execution_with_the_standard_set_sees_what_its_action_and_pack_keep() {
    use attune_api::auth::token::Use;
    let mut server = furnished().await;
    for (reference, changes) in [
        ("systems", json!({})),
        ("packs", json!({"owner_type": "pack", "owner_pack_ref": "ops"})),
        (
            "actions",
            json!({"owner_type": "action", "owner_action_ref": "test.echo", "encrypted": true}),
        ),
    ] {
        server.make("/api/v1/keys", key(reference, changes)).await;
    }
    for (sets, wanted) in [(json!(["standard"]), [404, 200, 404]), (json!([]), [404, 404, 404])] {
        let metadata = json!({
            "execution_id": 1, "permission_set_refs": sets,
            "standard_access_action_refs": ["test.echo"], "standard_access_pack_refs": ["test"],
        });
        let mut claims = server.claims(Use::Execution, "1", "execution:1");
        claims.metadata = metadata.as_object().cloned();
        let token = server.sign(&claims).await;
        for (reference, status) in ["packs", "actions", "systems"].into_iter().zip(wanted) {
            let (found, value) =
                seen(&mut server, &token, &format!("/api/v1/keys/{reference}")).await;
            assert_eq!(found, status, "{sets}: {reference}");
            assert_eq!(value == json!(SECRET), status == 200, "{sets}: {reference}");
        }
    }
}

/// Nothing that is stored shows a value: neither the key nor what is kept of a request with an `Idempotency-Key`.
#[tokio::test]
async fn values_are_sealed_wherever_they_are_kept() {
    let server = furnished().await;
    let send = async |body: &Value| {
        let mut request = server.request(Method::POST, "/api/v1/keys", Some(body));
        request.headers_mut().insert("idempotency-key", "once".parse().unwrap());
        server.answer(request).await
    };
    let body = key("once", json!({}));
    let first = send(&body).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    let again = send(&body).await;
    assert_eq!((again.status, again.body), (first.status, first.body), "it is the same answer");
    assert_eq!(send(&key("other", json!({}))).await.status, StatusCode::UNPROCESSABLE_ENTITY);

    server.ports.records.settle().await.unwrap();
    let record = server.ports.records.get(&layout::definition(Kind::Key, "once")).await.unwrap();
    assert!(!String::from_utf8_lossy(&record.unwrap().body).contains(SECRET));
    let names = server.ports.records.query(&Query::partition("keys/system", 10)).await.unwrap();
    assert_eq!(names.records.len(), 1);
    let folder = server.folder();
    for file in std::fs::read_dir(folder).unwrap().flatten().filter(|file| file.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        let shows = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        assert!(!shows, "{}", file.path().display());
    }
}
