//! A secret parameter reaches its action and nobody else.

use super::actions::pack;
use attune_tests::server::{
    Client, Deployment, processes, shell_action, until, upload, write_files,
};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const SECRET: &str = "s3cr3t-Parol-8c1f";

/// Prints the secret everywhere it can, and waits for the gate meanwhile.
const TELLTALE: &str = "\
import json, os, sys, time
given = json.loads(sys.stdin.read())
token = given['token']
print('stdout has', token, flush=True)
print('stderr has', token, file=sys.stderr, flush=True)
while not os.path.exists(given['gate']):
    time.sleep(0.02)
print(json.dumps({'right': token == given['expected'][::-1], 'plain': token, 'nested': [{'x': 'a' + token + 'z'}]}))
";

async fn define(client: &Client, folder: &Path) {
    pack(client, "quiet").await;
    let schema = json!({"token": {"type": "string", "secret": true, "required": true}, "gate": {"type": "string"}});
    let code = "echo \"stdout has $token\"\necho \"stderr has $token\" >&2\n\
        while [ ! -e \"$gate\" ]; do sleep 0.02; done\n[ ${#token} = 17 ] && echo right";
    shell_action(client, "quiet.inline", code, schema).await;
    let folder = folder.join("loud");
    let action = "ref: loud.telltale\nrunner_type: python\nentry_point: telltale.py\noutput_format: json\n\
        parameters:\n  token: {type: string, secret: true, required: true}\n  gate: {type: string}\n  expected: {type: string}\n";
    write_files(
        &folder,
        &[
            ("pack.yaml", "ref: loud\nlabel: Loud\nversion: \"1.0.0\"\n"),
            ("actions/telltale.yaml", action),
            ("actions/telltale.py", TELLTALE),
        ],
    );
    let said = upload(client, &folder, false).await;
    assert_eq!(said.status, 201, "{}", said.text);
}

/// Runs an action until it has printed the secret, looks at its process, lets it end.
async fn run(client: &Client, folder: &Path, action: &str, mut parameters: Value) -> Value {
    let gate = folder.join(format!("gate-{action}"));
    parameters["gate"] = json!(gate);
    let id = client.execute(action, parameters).await;
    let logs = format!("/api/v1/executions/{id}/logs");
    until("it prints", async || {
        let said = client.get(&logs).await;
        assert!(!said.text.contains(SECRET), "{}", said.text);
        let both = said.text.contains("stdout has") && said.text.contains("stderr has");
        both.then_some(())
    })
    .await;
    let running = processes::running(id);
    assert!(!running.is_empty(), "{action}: its process is there");
    for process in running {
        for place in [&process.arguments, &process.environment] {
            let shown = String::from_utf8_lossy(place);
            assert!(!shown.contains(SECRET), "{action}: {shown}");
        }
    }
    fs::write(&gate, "").expect("a file can be written");
    let execution = client.reaches(id, "completed").await;
    let mark = json!({"$attune_secret": true, "redacted": true});
    assert_eq!(execution["config"]["token"], mark, "{execution}");
    execution
}

async fn a_secret_parameter_is_seen_by_its_action_alone<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = deployment.client().await;
    define(&client, deployment.folder()).await;
    let inline = run(&client, deployment.folder(), "quiet.inline", json!({"token": SECRET})).await;
    let said = inline["result"]["stdout"].as_str().expect("it said something");
    assert!(said.ends_with("right\n"), "the action had the true value: {said}");
    let backwards: String = SECRET.chars().rev().collect();
    let parameters = json!({"token": SECRET, "expected": backwards});
    let loud = run(&client, deployment.folder(), "loud.telltale", parameters).await;
    assert_eq!(loud["result"]["data"]["right"], true, "{loud}");

    let mut answers = vec![inline.to_string(), loud.to_string()];
    for path in ["/api/v1/executions", "/api/v1/actions", "/api/v1/events", "/api/v1/enforcements"]
    {
        answers.push(client.get(path).await.text);
    }
    for execution in [&inline, &loud] {
        let id = &execution["id"];
        for tail in ["", "/logs", "/logs/stdout", "/logs/stderr"] {
            answers.push(client.get(&format!("/api/v1/executions/{id}{tail}")).await.text);
        }
        let revealed =
            client.get(&format!("/api/v1/executions/{id}?include_secret_values=true")).await;
        assert_eq!(revealed.status, 403, "an administrator may not decrypt: {}", revealed.text);
        answers.push(revealed.text);
    }
    // What is refused must not be repeated either.
    let wrong = json!({"action_ref": "quiet.inline", "parameters": {"token": [SECRET]}});
    let refused = client.post("/api/v1/executions/execute", wrong).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    answers.push(refused.text);
    for answer in answers {
        assert!(!answer.contains(SECRET), "{answer}");
    }
    // Backwards it was no secret: that the search finds it tells that it looks everywhere.
    let [secret, plain] = deployment.search([SECRET, &backwards]).await;
    assert_eq!(secret, Vec::<String>::new());
    assert!(!plain.is_empty(), "the search finds what is there");
}

const KEPT: &str = "kept-Parol-51d0";

/// Prints what it is given, of its own pack and of the workflow's.
const TELLER: &str = "\
import json, sys
given = json.loads(sys.stdin.read())
print('was given', given['bearer'], given['ambient'], file=sys.stderr)
print(json.dumps({'right': given['bearer'][::-1] == given['expected'], 'said': given['bearer'], 'all': sorted(given)}))
";

async fn a_key_is_seen_by_those_who_may_alone<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = deployment.client().await;
    let folder = deployment.folder().join("keyed");
    let action = "ref: keyed.tell\nrunner_type: python\nentry_point: tell.py\noutput_format: json\n\
        parameters:\n  bearer: {type: string}\n  expected: {type: string}\n";
    let workflow = "ref: keyed.flow\nversion: \"1.0.0\"\nparameters:\n  expected: {type: string}\ntasks:\n  \
        - name: tell\n    action: keyed.tell\n    input:\n      \
        bearer: 'to {{ keystore.token }}!'\n      expected: '{{ parameters.expected }}'\n\
        output_map:\n  right: '{{ task.tell.result.data.right }}'\n  said: '{{ task.tell.result.data.said }}'\n  \
        all: '{{ task.tell.result.data.all }}'\n";
    write_files(
        &folder,
        &[
            ("pack.yaml", "ref: keyed\nlabel: Keyed\nversion: \"1.0.0\"\n"),
            ("actions/tell.yaml", action),
            ("actions/tell.py", TELLER),
            ("workflows/flow.yaml", workflow),
        ],
    );
    let said = upload(&client, &folder, false).await;
    assert_eq!(said.status, 201, "{}", said.text);
    for (reference, owner, value) in [
        ("keyed.token", json!({"owner_type": "action", "owner_action_ref": "keyed.flow"}), KEPT),
        ("keyed.ambient", json!({"owner_type": "pack", "owner_pack_ref": "keyed"}), "around-Parol"),
    ] {
        let name = reference.rsplit('.').next();
        let mut key = json!({"ref": reference, "name": name, "value": value, "encrypted": true});
        key.as_object_mut()
            .expect("it is one")
            .extend(owner.as_object().cloned().expect("so is it"));
        let made = client.post("/api/v1/keys", key).await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    let backwards: String = format!("to {KEPT}!").chars().rev().collect();
    let id = client.execute("keyed.flow", json!({"expected": backwards})).await;
    let execution = client.reaches(id, "completed").await;
    let result = &execution["result"];
    assert_eq!(result["right"], true, "the action had the true value: {execution}");
    assert_eq!(result["said"], "to [REDACTED]!", "{execution}");
    assert_eq!(result["all"], json!(["ambient", "bearer", "expected"]), "{execution}");

    let mut answers = vec![execution.to_string()];
    let child = client.rows(&format!("/api/v1/executions/{id}/children")).await.remove(0);
    for path in ["/api/v1/executions", "/api/v1/keys"] {
        answers.push(client.get(path).await.text);
    }
    for tail in ["", "/logs", "/logs/stderr"] {
        answers.push(client.get(&format!("/api/v1/executions/{}{tail}", child["id"])).await.text);
    }
    assert!(
        answers.last().expect("there are some").contains("was given to [REDACTED]! [REDACTED]")
    );
    for answer in answers {
        assert!(!answer.contains(KEPT) && !answer.contains("around-Parol"), "{answer}");
    }
    let [kept, around, plain] = deployment.search([KEPT, "around-Parol", &backwards]).await;
    assert_eq!((kept, around), (Vec::<String>::new(), Vec::new()));
    assert!(!plain.is_empty(), "the search finds what is there");
}

attune_tests::over_http_on_both! {
    a_secret_parameter_is_seen_by_its_action_alone,
    a_key_is_seen_by_those_who_may_alone,
}
