//! Archives that come in a request of their own.

use crate::auth::as_identity;
use crate::packs::{FILES, archive};
use crate::server::{Answer, Server};
use attune_api::ApiConfig;
use axum::http::{HeaderValue, Method};
use serde_json::json;

async fn ask(server: &Server) -> (String, String) {
    let answer = server.post("/api/v1/uploads", json!(null)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let upload = &answer.body["data"];
    assert_eq!(upload["method"], "PUT");
    let [id, url] = ["id", "url"].map(|key| upload[key].as_str().unwrap().to_owned());
    assert_eq!(url, format!("/api/v1/uploads/{id}"));
    (id, url)
}

/// Its address is a permission, so that no copy of the answer is kept.
#[tokio::test]
async fn no_upload_is_given_out_twice() {
    let server = Server::start().await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut request = server.request(Method::POST, "/api/v1/uploads", None);
        request.headers_mut().insert("idempotency-key", HeaderValue::from_static("k"));
        ids.push(server.answer(request).await.body["data"]["id"].clone());
    }
    assert!(ids[0].is_string() && ids[0] != ids[1], "{ids:?}");
}

async fn install(server: &Server, id: &str) -> Answer {
    server.post("/api/v1/packs/upload", json!({"upload": id, "force": false})).await
}

#[tokio::test]
async fn an_upload_is_used_once() {
    let server = Server::start().await;
    let (id, url) = ask(&server).await;
    let early = install(&server, &id).await;
    assert_eq!(early.status, 400, "nothing is there yet: {}", early.body);
    assert_eq!(server.put_bytes(&url, "first try").await.status, 200);
    assert_eq!(server.put_bytes(&url, archive(&FILES)).await.status, 200, "the last one counts");
    let made = install(&server, &id).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["data"]["pack"]["ref"], "demo");
    assert_eq!(server.get("/api/v1/rules/demo.on").await.status, 200);
    for (what, answer) in [
        ("to use it again", install(&server, &id).await),
        ("to put something there again", server.put_bytes(&url, "x").await),
    ] {
        assert_eq!(answer.status, 404, "{what}: {}", answer.body);
    }
    let blob = server.ports.blobs.get(&format!("uploads/{id}")).await.unwrap();
    assert!(blob.is_none(), "nothing is left of it");
}

#[tokio::test]
async fn a_bad_archive_uses_its_upload_up_and_installs_nothing() {
    let server = Server::start().await;
    let before = server.tally().await;
    for (what, bytes, status) in [
        ("no gzip", b"hello".to_vec(), 400),
        ("a wrong manifest", archive(&[("pack.yaml", "ref: demo\nversion: 1.0\n")]), 422),
    ] {
        let (id, url) = ask(&server).await;
        assert_eq!(server.put_bytes(&url, bytes).await.status, 200);
        let answer = install(&server, &id).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        assert_eq!(install(&server, &id).await.status, 404, "{what}");
    }
    assert_eq!(server.tally().await, before);
}

#[tokio::test]
async fn an_upload_belongs_to_whoever_asked_for_it() {
    let mut server = Server::start().await;
    let (id, url) = ask(&server).await;
    assert_eq!(server.put_bytes(&url, archive(&FILES)).await.status, 200);
    let admin = server.token.clone();
    as_identity(&mut server, "editor", &["core.admin"]).await;
    assert_eq!(server.put_bytes(&url, "mine now").await.status, 404);
    assert_eq!(install(&server, &id).await.status, 404);
    as_identity(&mut server, "viewer", &["core.viewer"]).await;
    assert_eq!(server.post("/api/v1/uploads", json!(null)).await.status, 403);
    assert_eq!(server.put_bytes(&url, "x").await.status, 403);
    server.token.clear();
    assert_eq!(server.put_bytes(&url, "x").await.status, 401);
    server.token = admin;
    assert_eq!(install(&server, &id).await.status, 201, "it is still as it was");
}

#[tokio::test]
async fn what_cannot_be_an_upload_is_none_and_what_is_too_large_is_refused() {
    let server = Server::with(ApiConfig { upload_max_bytes: 1000, ..ApiConfig::default() }).await;
    for id in ["x", "..", "%2e%2e%2fkeys", &"0".repeat(32), &"0".repeat(3000)] {
        assert_eq!(
            server.put_bytes(&format!("/api/v1/uploads/{id}"), "x").await.status,
            404,
            "{id}"
        );
        assert_eq!(install(&server, id).await.status, 404, "{id}");
    }
    let (id, url) = ask(&server).await;
    assert_eq!(server.put_bytes(&url, vec![0; 1001]).await.status, 413);
    // Past this server nobody counts.
    server.ports.blobs.put(&format!("uploads/{id}"), vec![0; 1001].into()).await.unwrap();
    assert_eq!(install(&server, &id).await.status, 413);
}
