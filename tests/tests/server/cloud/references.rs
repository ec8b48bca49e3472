//! Secrets that lie elsewhere: a parameter names one, and only the run gets to see it.

use crate::server::actions::pack;
use attune_tests::cloud::Deployed;
use attune_tests::server::shell_action;
use serde_json::json;
use std::fs;

const SECRET: &str = "correct horse battery";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parameter_may_refer_to_a_secret_that_is_for_actions() {
    let stack = Deployed::start().await;
    let secrets = stack.clients().secrets().await;
    for (name, text) in [("attune/actions/db", SECRET), ("attune/other", "not for actions")] {
        let made = secrets.create_secret().name(name).secret_string(text).send().await;
        made.expect("a secret can be made");
    }
    let client = stack.client().await;
    pack(&client, "refers").await;
    let seen = stack.folder().join("seen");
    let code = format!(
        "printf %s \"$PARAM_PASSWORD\" > '{}'; echo \"it is $PARAM_PASSWORD\"",
        seen.display()
    );
    let parameters = json!({"password": {"type": "string", "secret": true}});
    shell_action(&client, "refers.look", &code, parameters).await;

    let id = client.execute("refers.look", json!({"password": "secretsmanager:db"})).await;
    let execution = client.reaches(id, "completed").await;
    assert_eq!(fs::read_to_string(&seen).expect("it ran"), SECRET);
    assert!(!execution.to_string().contains(SECRET), "{execution}");
    let printed = client.get(&format!("/api/v1/executions/{id}/logs/stdout")).await;
    assert!(
        printed.text.starts_with("it is") && !printed.text.contains(SECRET),
        "{}",
        printed.text
    );

    for name in ["nothing", "../other", "attune/other"] {
        let id = client
            .execute("refers.look", json!({"password": format!("secretsmanager:{name}")}))
            .await;
        let execution = client.reaches(id, "failed").await;
        let error = execution["result"]["error"].as_str().expect("it says why").to_owned();
        assert!(error.contains(&format!("no secret '{name}'")), "{error}");
    }
}
