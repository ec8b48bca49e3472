//! From an event or a request to a process, its logs and its result.

use attune_tests::server::{Client, Deployment, Site, shell_action, until, webhook};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

pub(super) async fn pack(client: &Client, reference: &str) {
    let body = json!({"ref": reference, "label": reference, "version": "1.0.0"});
    let said = client.post("/api/v1/packs", body).await;
    assert_eq!(said.status, 201, "{}", said.text);
}

async fn a_webhook_runs_an_action_whose_logs_can_be_read_meanwhile<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = deployment.client().await;
    pack(&client, "hook").await;
    let hook = webhook(&client, "hook.pushed").await;
    let gate = deployment.folder().join("gate");
    let code = format!(
        "echo \"$who pushed $count\"\necho careful >&2\nwhile [ ! -e '{}' ]; do sleep 0.02; done\necho bye",
        gate.display()
    );
    let schema = json!({"who": {"type": "string"}, "count": {"type": "integer"}});
    shell_action(&client, "hook.greet", &code, schema).await;
    let rule = json!({
        "ref": "hook.on_push", "pack_ref": "hook", "label": "On push",
        "trigger_ref": "hook.pushed", "action_ref": "hook.greet",
        "conditions": {"all": [
            {"field": "kind", "operator": "equals", "value": "push"},
            {"any": [
                {"field": "commits", "operator": "greater_than", "value": 1},
                {"field": "payload.forced", "operator": "equals", "value": true},
            ]},
        ]},
        "action_params": {"who": "{{ event.payload.by.name }}", "count": "{{ event.payload.commits }}"},
    });
    let said = client.post("/api/v1/rules", rule).await;
    assert_eq!(said.status, 201, "{}", said.text);

    // Whoever knows the key need not log in.
    let stranger = Client::stranger(deployment.url());
    let mut events = Vec::new();
    for payload in [
        json!({"kind": "pull", "commits": 3, "by": {"name": "bob"}}),
        json!({"kind": "push", "commits": 1, "by": {"name": "bob"}}),
        json!({"kind": "push", "commits": 3, "by": {"name": "ada"}}),
    ] {
        let said = stranger.post(&hook, json!({"payload": payload})).await;
        assert_eq!(said.status, 200, "{}", said.text);
        events.push(said.data()["event_id"].as_i64().expect("an id"));
    }

    let id = until("the rule's execution", async || {
        let rows = client.rows("/api/v1/executions").await;
        rows.first().and_then(|row| row["id"].as_i64())
    })
    .await;
    let log = |stream: &str| format!("/api/v1/executions/{id}/logs/{stream}");
    let (out, err) = (log("stdout"), log("stderr"));
    until("its first words", async || {
        let (out, err) = (client.get(&out).await, client.get(&err).await);
        (out.text == "ada pushed 3\n" && err.text == "careful\n").then_some(())
    })
    .await;
    let running = client.reaches(id, "running").await;
    assert_eq!(running["config"], json!({"who": "ada", "count": 3}));
    assert_eq!(running["result"], Value::Null);
    fs::write(&gate, "").expect("a file can be written");
    let execution = client.reaches(id, "completed").await;
    assert_eq!(execution["result"]["stdout"], "ada pushed 3\nbye\n");
    assert_eq!(execution["result"]["exit_code"], 0);
    assert_eq!(execution["result"]["succeeded"], true);
    let logs = client.get(&format!("/api/v1/executions/{id}/logs")).await.data();
    assert_eq!(logs["stdout"]["content"], "ada pushed 3\nbye\n", "{logs}");
    assert_eq!(logs["stderr"]["content"], "careful\n", "{logs}");
    assert_eq!(
        (&logs["stdout"]["complete"], &logs["stderr"]["complete"]),
        (&json!(true), &json!(true))
    );

    let enforcements = client.rows("/api/v1/enforcements").await;
    assert_eq!(enforcements.len(), 1, "only one event fitted: {enforcements:?}");
    assert_eq!(enforcements[0]["event"], events[2]);
    assert_eq!(execution["enforcement"], enforcements[0]["id"]);
    assert_eq!(client.rows("/api/v1/events").await.len(), events.len(), "every event is kept");
    deployment.stop().await;
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a file has a folder"))
            .expect("folders can be made");
        fs::write(path, text).expect("a file can be written");
    }
}

#[tokio::test]
async fn python_and_node_actions_of_a_pack_take_parameters_and_give_data() {
    let site = Site::new();
    let server = site.start().await;
    let client = server.client().await;
    let folder = site.path().join("languages");
    write(
        &folder,
        &[
            ("pack.yaml", "ref: languages\nlabel: Languages\nversion: \"1.2.0\"\n"),
            (
                "actions/add.yaml",
                "ref: languages.add\nrunner_type: python\nentry_point: add.py\n\
            output_format: json\nparameters:\n  a: {type: integer, required: true}\n  b: {type: integer, default: 40}\n",
            ),
            (
                "actions/add.py",
                "import json, os, sys\nfrom arithmetic import add\ngiven = json.loads(sys.stdin.read())\n\
            print('adding')\nprint(json.dumps({'sum': add(given['a'], given['b']), 'ref': os.environ['ATTUNE_ACTION'],\n\
            'execution': int(os.environ['ATTUNE_EXEC_ID'])}))\n",
            ),
            ("lib/arithmetic.py", "def add(a, b):\n    return a + b\n"),
            (
                "actions/words.yaml",
                "ref: languages.words\nrunner_type: node\nentry_point: words.js\n\
            output_format: json\nparameter_delivery: file\nparameter_format: dotenv\n\
            parameters:\n  text: {type: string}\n  deep: {type: object}\n",
            ),
            (
                "actions/words.js",
                "const fs = require('fs');\n\
            const file = process.env.ATTUNE_PARAMETER_FILE;\n\
            console.log(JSON.stringify({document: fs.readFileSync(file, 'utf8'),\n\
            mode: fs.statSync(file).mode & 0o777, stdin: fs.readFileSync(0, 'utf8')}));\n",
            ),
            (
                "actions/fails.yaml",
                "ref: languages.fails\nrunner_type: python\nentry_point: fails.py\n",
            ),
            ("actions/fails.py", "import sys\nprint('half done')\nsys.exit('no more')\n"),
        ],
    );
    let registered = client.post("/api/v1/packs/register", json!({"path": folder})).await;
    assert_eq!(registered.status, 201, "{}", registered.text);
    let again = client.post("/api/v1/packs/register", json!({"path": folder})).await;
    assert_eq!(again.status, 409, "{}", again.text);

    let id = client.execute("languages.add", json!({"a": 2})).await;
    let execution = client.reaches(id, "completed").await;
    let expected = json!({"sum": 42, "ref": "languages.add", "execution": id});
    assert_eq!(execution["result"]["data"], expected, "{execution}");
    assert_eq!(execution["config"], json!({"a": 2}), "defaults are not written back");

    let parameters = json!({"text": "it's\ntwo lines", "deep": {"a": {"b": [1, null]}, "c": true}});
    let id = client.execute("languages.words", parameters).await;
    let execution = client.reaches(id, "completed").await;
    let document = "deep.a.b='[1,null]'\ndeep.c='true'\ntext='it'\\''s\ntwo lines'";
    let expected = json!({"document": document, "mode": 0o400, "stdin": ""});
    assert_eq!(execution["result"]["data"], expected, "{execution}");

    let id = client.execute("languages.fails", json!({})).await;
    let execution = client.reaches(id, "failed").await;
    let result = &execution["result"];
    assert_eq!(
        (&result["succeeded"], &result["exit_code"]),
        (&json!(false), &json!(1)),
        "{result}"
    );
    assert_eq!(result["stdout"], "half done\n");
    assert_eq!(result["error"].as_str().map(str::trim), Some("no more"), "{result}");
    server.stop().await;
}

attune_tests::over_http_on_both! {
    a_webhook_runs_an_action_whose_logs_can_be_read_meanwhile,
}
