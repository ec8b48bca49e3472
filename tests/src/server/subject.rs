//! Definitions that tests are about.

use super::answer::Answer;
use super::client::Client;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Whether an execution, as the API shows it, is over.
#[must_use]
pub fn is_over(execution: &Value) -> bool {
    ["completed", "failed", "cancelled", "timeout", "abandoned"]
        .contains(&execution["status"].as_str().unwrap_or_default())
}

/// Makes an action of shell code; `parameters` is its schema.
///
/// # Panics
/// Where it is refused.
pub async fn shell_action(client: &Client, reference: &str, code: &str, parameters: Value) {
    let (pack, _) = reference.split_once('.').expect("a ref has a pack");
    let body = json!({
        "ref": reference, "pack_ref": pack, "label": reference, "entrypoint": code,
        "runtime_ref": "core.shell", "param_schema": parameters,
    });
    let said = client.post("/api/v1/actions", body).await;
    assert_eq!(said.status, 201, "{reference}: {}", said.text);
}

/// Makes a trigger with a webhook; answers the path to post to.
///
/// # Panics
/// Where it is refused.
pub async fn webhook(client: &Client, reference: &str) -> String {
    let (pack, _) = reference.split_once('.').expect("a ref has a pack");
    let body = json!({"ref": reference, "pack_ref": pack, "label": reference});
    let said = client.post("/api/v1/triggers", body).await;
    assert_eq!(said.status, 201, "{reference}: {}", said.text);
    let opened = client.poke(&format!("/api/v1/triggers/{reference}/webhooks/enable")).await;
    let data = opened.data();
    let key = data["webhook_key"].as_str().expect("an open webhook has a key");
    format!("/api/v1/webhooks/{key}")
}

/// Writes files into a folder, which is made; names may have folders in them.
///
/// # Panics
/// Where that fails.
pub fn write_files(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a file has a folder"))
            .expect("folders can be made");
        fs::write(path, text).expect("a file can be written");
    }
}

/// Sends the pack of a folder as a form with its archive.
///
/// # Panics
/// Where nobody answers.
pub async fn upload(client: &Client, folder: &Path, force: bool) -> Answer {
    let archive = Part::bytes(archive_of(folder)).file_name("pack.tar.gz");
    let form = Form::new().part("pack", archive).text("force", force.to_string());
    let request = client.request(Method::POST, "/api/v1/packs/upload").multipart(form);
    client.send(request).await.expect("the server answers")
}

/// The archive of a folder.
///
/// # Panics
/// Where it cannot be read.
#[must_use]
pub fn archive_of(folder: &Path) -> Vec<u8> {
    attune_packs::archive::create(folder, Vec::new()).expect("a folder can be archived")
}
