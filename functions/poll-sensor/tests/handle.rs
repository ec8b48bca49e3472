//! What asking for a poll answers.

use attune_function::Elsewhere;
use attune_local::Config;
use std::sync::Arc;

#[tokio::test]
async fn a_sensor_that_does_not_exist_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let local = attune_local::open(folder.path(), &Config::default(), Arc::new(Elsewhere)).unwrap();
    let request = serde_json::from_str(r#"{"sensor": "core.nothing"}"#).unwrap();
    let error = poll_sensor::handle(&local.ports, request).await.unwrap_err();
    assert!(error.to_string().contains("core.nothing"), "{error}");
}
