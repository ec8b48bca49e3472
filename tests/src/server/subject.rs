//! Definitions that tests are about.

use super::client::Client;
use serde_json::{Value, json};

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
