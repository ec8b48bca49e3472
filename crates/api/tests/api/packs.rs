//! Packs that come with files: registered in place, uploaded, removed.

use crate::auth::as_identity;
use crate::server::{Answer, Server};
use attune_api::ApiConfig;
use axum::body::Body;
use axum::http::{Method, Request, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const MANIFEST: &str = "ref: demo\nlabel: Demo\nversion: \"1.0.0\"\n";
pub const FILES: [(&str, &str); 4] = [
    ("pack.yaml", MANIFEST),
    ("actions/act.yaml", "ref: demo.act\nlabel: Act\nentry_point: echo hi\n"),
    ("triggers/seen.yaml", "ref: demo.seen\nlabel: Seen\n"),
    ("rules/on.yaml", "ref: demo.on\nlabel: On\ntrigger_ref: demo.seen\naction_ref: demo.act\n"),
];

pub async fn server(packs_dir: &Path) -> Server {
    let local =
        attune_local::Config { packs_dir: Some(packs_dir.to_owned()), ..Default::default() };
    Server::on(local, ApiConfig::default()).await
}

pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (path, text) in files {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    folder
}

pub fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

async fn upload(server: &Server, archive: Option<&[u8]>, force: bool) -> Answer {
    upload_with(server, archive, &[("force", force)]).await
}

pub async fn upload_with(
    server: &Server,
    archive: Option<&[u8]>,
    flags: &[(&str, bool)],
) -> Answer {
    let mut body = Vec::new();
    if let Some(archive) = archive {
        body.extend_from_slice(b"--edge\r\ncontent-disposition: form-data; name=\"pack\"; filename=\"p.tar.gz\"\r\n\r\n");
        body.extend_from_slice(archive);
        body.extend_from_slice(b"\r\n");
    }
    for (name, set) in flags {
        let part =
            format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{set}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    body.extend_from_slice(b"--edge--\r\n");
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/v1/packs/upload")
        .header(header::AUTHORIZATION, format!("Bearer {}", server.token))
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .body(Body::from(body))
        .unwrap();
    server.answer(request).await
}

#[tokio::test]
async fn a_folder_is_registered_in_place_and_stays_when_the_pack_goes() {
    let packs_dir = TempDir::new().unwrap();
    let server = server(packs_dir.path()).await;
    let folder = folder(&FILES);
    let register = |force: bool| json!({"path": folder.path(), "force": force, "skip_tests": true});
    let path = "/api/v1/packs/register";
    let made = server.post(path, register(false)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["data"]["ref"], "demo");
    assert_eq!(server.post(path, register(false)).await.status, 409);
    let again = server.post(path, register(true)).await;
    assert_eq!((again.status.as_u16(), &again.body["data"]["id"]), (201, &made.body["data"]["id"]));
    for kind in ["actions", "triggers", "rules"] {
        let list = server.get(&format!("/api/v1/packs/demo/{kind}")).await;
        assert_eq!(list.body["pagination"]["total_items"], 1, "{kind}");
    }
    assert_eq!(server.delete("/api/v1/packs/demo").await.status, 200);
    assert_eq!(server.get("/api/v1/rules/demo.on").await.status, 404);
    assert!(folder.path().join("pack.yaml").exists(), "a folder elsewhere is its owner's");
}

#[tokio::test]
async fn a_server_without_folders_names_the_other_way() {
    let server = Server::with(ApiConfig { server_folders: false, ..ApiConfig::default() }).await;
    let folder = folder(&FILES);
    let answer = server.post("/api/v1/packs/register", json!({"path": folder.path()})).await;
    assert_eq!(answer.status, 400);
    let text = answer.body["error"].as_str().unwrap();
    assert!(text.contains("POST /api/v1/packs/upload"), "{text}");
}

#[tokio::test]
async fn a_pack_is_no_way_to_more_permissions() {
    let packs_dir = TempDir::new().unwrap();
    let mut server = server(packs_dir.path()).await;
    as_identity(&mut server, "editor", &["core.editor"]).await;
    let set = |grants: &str| format!("ref: demo.all\nlabel: All\ngrants: {grants}\n");
    let action = |sets: &str| {
        format!(
            "ref: demo.act\nlabel: Act\nentry_point: echo hi\ndefault_execution_permission_set_refs: {sets}\n"
        )
    };
    let everything = set("[{resource: permissions, actions: [manage]}]");
    let modest = set("[{resource: rules, actions: [read]}]");
    for (case, file, text, status) in [
        ("a set that allows more", "permission_sets/all.yaml", everything, 403),
        ("an action with another's set", "actions/act.yaml", action("[core.admin]"), 403),
        ("a modest set", "permission_sets/all.yaml", modest, 201),
        ("an action with a modest set", "actions/act.yaml", action("[core.viewer]"), 201),
    ] {
        let before = server.tally().await;
        let folder = folder(&[FILES[0], (file, &text)]);
        let body = json!({"path": folder.path(), "force": true});
        let answer = server.post("/api/v1/packs/register", body).await;
        assert_eq!(answer.status, status, "{case}: {}", answer.body);
        if status == 403 {
            assert_eq!(server.tally().await, before, "{case}: nothing is half-written");
        }
    }
}

#[tokio::test]
async fn a_wrong_file_is_named_with_its_line_and_nothing_is_registered() {
    let packs_dir = TempDir::new().unwrap();
    let server = server(packs_dir.path()).await;
    let before = server.tally().await;
    let folder = folder(&[
        FILES[0],
        ("rules/on.yaml", "ref: demo.on\ntrigger_ref: Not A Ref\naction_ref: demo.act\n"),
    ]);
    let answer = server.post("/api/v1/packs/register", json!({"path": folder.path()})).await;
    assert_eq!(answer.status, 422);
    let text = answer.body["error"].as_str().unwrap();
    assert!(text.contains("rules/on.yaml:2:"), "{text}");
    assert_eq!(server.tally().await, before);
}

#[tokio::test]
async fn an_upload_takes_its_place_among_the_packs_and_leaves_it() {
    let packs_dir = TempDir::new().unwrap();
    let server = server(packs_dir.path()).await;
    let made = upload(&server, Some(&archive(&FILES)), false).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["data"]["pack"]["version"], "1.0.0");
    assert_eq!(made.body["data"]["test_result"], json!(null));
    let newer = [("pack.yaml", "ref: demo\nlabel: Demo\nversion: \"2.0.0\"\n")];
    assert_eq!(upload(&server, Some(&archive(&newer)), false).await.status, 409);
    let manifest = packs_dir.path().join("demo/pack.yaml");
    assert!(
        fs::read_to_string(&manifest).unwrap().contains("1.0.0"),
        "refused before it is placed"
    );
    let forced = upload(&server, Some(&archive(&newer)), true).await;
    assert_eq!(forced.body["data"]["pack"]["version"], "2.0.0", "{}", forced.body);
    assert_eq!(server.get("/api/v1/rules/demo.on").await.status, 404, "its file is gone");
    let names: Vec<_> =
        fs::read_dir(packs_dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["demo"], "nothing is left of the uploads");
    assert_eq!(server.delete("/api/v1/packs/demo").await.status, 200);
    assert!(!packs_dir.path().join("demo").exists());
}

#[tokio::test]
async fn bad_uploads_are_refused_and_leave_nothing() {
    let packs_dir = TempDir::new().unwrap();
    let server = server(packs_dir.path()).await;
    let before = server.tally().await;
    let wrong = archive(&[("pack.yaml", "ref: demo\nversion: 1.0\n")]);
    for (what, archive, status) in [
        ("no archive", None, 400),
        ("no gzip", Some(b"hello".to_vec()), 400),
        ("no manifest", Some(archive(&[("readme", "x")])), 400),
        ("a wrong manifest", Some(wrong), 422),
    ] {
        let answer = upload(&server, archive.as_deref(), true).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
    }
    assert_eq!(server.tally().await, before);
    assert_eq!(fs::read_dir(packs_dir.path()).unwrap().count(), 0, "nothing is left on disk");
}
