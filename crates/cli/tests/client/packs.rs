//! Packs on their way to a server.

use crate::server::{Asked, Server, data, error};
use crate::shell::Shell;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{post, put};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

fn installed() -> Json<Value> {
    data(json!({"pack": {"ref": "demo", "version": "1.0.0"}, "tests_skipped": true}))
}

#[tokio::test]
async fn a_small_pack_goes_along_with_the_request() {
    let got = Arc::new(Mutex::new(String::new()));
    let keep = got.clone();
    let upload = post(move |headers: HeaderMap, body: Bytes| {
        let kind = headers["content-type"].to_str().unwrap().to_owned();
        *keep.lock().unwrap() = format!("{kind}\n{}", String::from_utf8_lossy(&body));
        async { installed() }
    });
    let server = Server::start(Router::new().route("/api/v1/packs/upload", upload)).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pack.yaml"), "ref: demo\n").unwrap();
    let line = format!("pack upload {} --force -o json", folder.path().display());
    let shown: Value =
        serde_json::from_str(&Shell::at(&server.url).run(&line).await.success()).unwrap();
    assert_eq!(shown, json!({"ref": "demo", "version": "1.0.0"}));
    let got = got.lock().unwrap();
    assert!(got.starts_with("multipart/form-data"), "{got}");
    for part in ["name=\"pack\"", "name=\"force\"\r\n\r\ntrue", "name=\"skip_tests\"\r\n\r\nfalse"]
    {
        assert!(got.contains(part), "{part} in {got}");
    }
}

/// A file that counts as large. What is in it only the server would look at.
fn large(folder: &Path) -> String {
    let file = folder.join("demo.tar.gz");
    fs::write(&file, vec![7; 5 * 1024 * 1024]).unwrap();
    file.display().to_string()
}

/// Size and headers of each archive.
type Received = Arc<Mutex<Vec<(usize, HeaderMap)>>>;

/// Where large archives are put; answers how large one was.
fn door(path: &str) -> (Router, Received) {
    let got = Arc::new(Mutex::new(Vec::new()));
    let keep = got.clone();
    let take = put(move |headers: HeaderMap, body: Bytes| {
        keep.lock().unwrap().push((body.len(), headers));
        async { StatusCode::OK }
    });
    (Router::new().route(path, take).layer(DefaultBodyLimit::disable()), got)
}

fn server(url: String) -> (Router, Arc<Mutex<Value>>) {
    let used = Arc::new(Mutex::new(Value::Null));
    let keep = used.clone();
    let ask = post(async move || {
        let headers = json!({"content-type": "application/gzip"});
        let expires_at = "2026-01-02T03:04:05Z";
        (
            StatusCode::CREATED,
            data(json!({
                "id": "u1", "url": url, "method": "PUT", "headers": headers, "expires_at": expires_at,
            })),
        )
    });
    let install = post(move |Json(body): Json<Value>| {
        *keep.lock().unwrap() = body;
        async { installed() }
    });
    (Router::new().route("/api/v1/uploads", ask).route("/api/v1/packs/upload", install), used)
}

#[tokio::test]
async fn a_large_pack_is_put_to_the_server_first() {
    let (routes, used) = server("/api/v1/uploads/u1".into());
    let (own, got) = door("/api/v1/uploads/u1");
    let server = Server::start(routes.merge(own)).await;
    let folder = tempfile::tempdir().unwrap();
    let shell = Shell::at(&server.url).with("ATTUNE_TOKEN", "t");
    shell.run(&format!("pack install {}", large(folder.path()))).await.success();
    let authorization = Some("Bearer t".to_owned());
    let asked = |line: &str| Asked { line: line.into(), authorization: authorization.clone() };
    assert_eq!(
        server.asked(),
        [
            asked("POST /api/v1/uploads"),
            asked("PUT /api/v1/uploads/u1"),
            asked("POST /api/v1/packs/upload")
        ]
    );
    let got = got.lock().unwrap();
    assert_eq!((got.len(), got[0].0), (1, 5 * 1024 * 1024));
    assert_eq!(got[0].1["content-type"], "application/gzip");
    let expected = json!({"upload": "u1", "force": false, "skip_tests": false});
    assert_eq!(*used.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_strange_host_gets_the_archive_and_not_the_token() {
    let (routes, got) = door("/bucket/u1");
    let bucket = Server::start(routes).await;
    let (routes, _) = server(format!("{}/bucket/u1?signature=s3cret", bucket.url));
    let server = Server::start(routes).await;
    let folder = tempfile::tempdir().unwrap();
    let shell = Shell::at(&server.url).with("ATTUNE_TOKEN", "t");
    shell.run(&format!("pack upload {}", large(folder.path()))).await.success();
    let line = "PUT /bucket/u1?signature=s3cret".to_owned();
    assert_eq!(bucket.asked(), [Asked { line, authorization: None }]);
    assert_eq!(got.lock().unwrap()[0].0, 5 * 1024 * 1024);
}

#[tokio::test]
async fn a_refused_archive_installs_nothing_and_the_address_is_not_told() {
    let refuse = put(async || error(413, "PAYLOAD_TOO_LARGE", "The request body is too large"));
    for url in ["/u?signature=s3cret", "http://127.0.0.1:1/u?signature=s3cret", "ftp://h/s3cret"] {
        let (routes, used) = server(url.into());
        let routes = routes.route("/u", refuse.clone()).layer(DefaultBodyLimit::disable());
        let server = Server::start(routes).await;
        let folder = tempfile::tempdir().unwrap();
        let line = format!("pack upload {}", large(folder.path()));
        let outcome = Shell::at(&server.url).run(&line).await;
        assert_ne!(outcome.code, 0, "{url}");
        assert!(!outcome.stderr.contains("s3cret"), "{url}: {outcome:?}");
        assert_eq!(*used.lock().unwrap(), Value::Null, "{url}");
    }
}
