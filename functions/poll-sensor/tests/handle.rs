//! What asking for a poll answers.

use crate::embedded::open;

#[tokio::test]
async fn a_sensor_that_does_not_exist_is_told() {
    let (_folder, local) = open();
    let request = serde_json::from_str(r#"{"sensor": "core.nothing"}"#).unwrap();
    let error = poll_sensor::handle(&local.ports, request).await.unwrap_err();
    assert!(error.to_string().contains("core.nothing"), "{error}");
}
