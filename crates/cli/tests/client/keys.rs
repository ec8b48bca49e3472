//! The keystore.

use crate::server::{Server, data};
use crate::shell::Shell;
use axum::body::Bytes;
use axum::http::Method;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

fn key() -> Value {
    json!({
        "id": 7, "ref": "ops.token", "owner_type": "pack", "owner": "3", "name": "token", "encrypted": true,
        "created": "2026-01-02T03:04:05Z",
    })
}

fn with_value() -> Value {
    let mut key = key();
    key["value"] = "s3cret".into();
    key
}

#[tokio::test]
async fn they_are_listed_shown_and_removed() {
    let list = get(async || Json(json!({"data": [key()], "pagination": {"page": 1}})));
    let one = get(async || data(with_value())).delete(async || {
        Json(json!({"success": true, "message": "Key 'ops.token' deleted successfully"}))
    });
    let routes = Router::new().route("/api/v1/keys", list).route("/api/v1/keys/ops.token", one);
    let server = Server::start(routes).await;
    let shell = Shell::at(&server.url);
    insta::assert_snapshot!(shell.run("key list --owner-type pack --owner 3").await.success(), @r"
    REF        OWNER TYPE  OWNER  NAME   ENCRYPTED
    ops.token  pack        3      token  true
    ");
    let shown = shell.run("key show ops.token -o json").await.success();
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), with_value());
    let removed = shell.run("key delete ops.token").await.success();
    assert!(removed.contains("deleted"), "{removed}");
    assert_eq!(
        server.lines(),
        [
            "GET /api/v1/keys?page=1&owner_type=pack&owner=3",
            "GET /api/v1/keys/ops.token",
            "DELETE /api/v1/keys/ops.token",
        ]
    );
}

#[tokio::test]
async fn their_values_come_from_files_and_stdin_and_are_not_told_again() {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let keep = bodies.clone();
    let take = move |method: Method, body: Bytes| {
        keep.lock().unwrap().push((method, serde_json::from_slice::<Value>(&body).unwrap()));
        async { data(with_value()) }
    };
    let routes = Router::new()
        .route("/api/v1/keys", axum::routing::post(take.clone()))
        .route("/api/v1/keys/ops.token", put(take));
    let server = Server::start(routes).await;
    let shell = Shell::at(&server.url);
    let file = shell.config().with_file_name("value");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "{\"a\": [1]}\n").unwrap();
    let file = file.display();
    for (line, input, method, body) in [
        (
            "key create ops.token".to_owned(),
            "s3cret\n",
            Method::POST,
            json!({"ref": "ops.token", "name": "token", "owner_type": "system", "encrypted": false, "value": "s3cret"}),
        ),
        (
            "key create ops.token --name t --pack ops --encrypted --value-from -".to_owned(),
            "two\nlines\n\n",
            Method::POST,
            json!({
                "ref": "ops.token", "name": "t", "owner_type": "pack", "owner_pack_ref": "ops", "encrypted": true,
                "value": "two\nlines\n",
            }),
        ),
        (
            format!("key create ops.token --identity 5 --json --value-from {file}"),
            "",
            Method::POST,
            json!({
                "ref": "ops.token", "name": "token", "owner_type": "identity", "owner_identity": 5,
                "encrypted": false, "value": {"a": [1]},
            }),
        ),
        ("key update ops.token".to_owned(), "new", Method::PUT, json!({"value": "new"})),
        (
            "key update ops.token --name t --encrypted false".to_owned(),
            "not read",
            Method::PUT,
            json!({"name": "t", "encrypted": false}),
        ),
        (
            format!("key update ops.token --name t --value-from {file}"),
            "",
            Method::PUT,
            json!({"name": "t", "value": "{\"a\": [1]}"}),
        ),
    ] {
        let said = shell.run_with_input(&line, input).await.success();
        assert!(said.contains("ops.token") && !said.contains("s3cret"), "{line}: {said}");
        assert_eq!(bodies.lock().unwrap().pop(), Some((method, body)), "{line}");
    }
    for (line, input, why) in [
        (
            "key create ops.token --json",
            "{\"s3cret\": oops}",
            "not valid JSON at line 1, column 12",
        ),
        ("key create ops.token --pack a --action a.b", "", "cannot be used with"),
    ] {
        let said = shell.run_with_input(line, input).await.failure(2);
        assert!(said.contains(why) && !said.contains("s3cret"), "{line}: {said}");
    }
    let said = shell.run("key create a --value-from /nowhere/at/all").await;
    assert!(said.code != 0 && said.stderr.contains("cannot read /nowhere/at/all"), "{said:?}");
    assert!(bodies.lock().unwrap().is_empty(), "nothing else was sent");
}
