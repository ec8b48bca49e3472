//! Packs that come as archives, whole or by an upload, or that lie on the server's machine.

use super::refusals::{Stage, check, totals};
use attune_tests::server::{Client, Deployment, Site, archive_of, until, upload, write_files};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Bytes of a file that makes its pack too large for a request of a function, which holds 6 MB.
const LARGE: usize = 7 << 20;

async fn python_and_node_actions_of_a_pack_take_parameters_and_give_data<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = deployment.client().await;
    let folder = deployment.folder().join("languages");
    write_files(
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
    let uploaded = upload(&client, &folder, false).await;
    assert_eq!(uploaded.status, 201, "{}", uploaded.text);

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

    // Where the files are kept for the next run, they must be the right ones.
    let other = "import json\nprint(json.dumps({'sum': 'another'}))\n";
    write_files(&folder, &[("actions/add.py", other)]);
    let again = upload(&client, &folder, false).await;
    check("a pack that is there", &again, 409, "CONFLICT", "languages");
    let replaced = upload(&client, &folder, true).await;
    assert_eq!(replaced.status, 201, "{}", replaced.text);
    let id = client.execute("languages.add", json!({"a": 2})).await;
    let execution = client.reaches(id, "completed").await;
    assert_eq!(execution["result"]["data"], json!({"sum": "another"}), "{execution}");
    deployment.stop().await;
}

/// Asks for an upload, and puts `archive` to its address; answers the upload.
async fn put_aside(client: &Client, archive: Vec<u8>) -> Value {
    let said = client.poke("/api/v1/uploads").await;
    assert_eq!(said.status, 201, "{}", said.text);
    let upload = said.data();
    let text = |name: &str| upload[name].as_str().unwrap_or_else(|| panic!("no {name}: {upload}"));
    let method: Method = text("method").parse().expect("a method");
    let mut request = client.request_at(method, text("url")).body(archive);
    for (name, value) in upload["headers"].as_object().expect("headers") {
        request = request.header(name, value.as_str().expect("a header is text"));
    }
    let put = client.send(request).await.expect("somebody answers there");
    assert_eq!(put.status, 200, "{}", put.text);
    upload
}

/// Has the pack's action read its file.
async fn sums(client: &Client, noise: &[u8]) {
    let id = client.execute("large.sum", json!({})).await;
    let execution = client.reaches(id, "completed").await;
    let sum: u64 = noise.iter().map(|byte| u64::from(*byte)).sum();
    let expected = json!({"bytes": noise.len(), "sum": sum});
    assert_eq!(execution["result"]["data"], expected, "{execution}");
}

async fn a_pack_too_large_for_a_request_comes_by_an_upload<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = deployment.client().await;
    let folder = deployment.folder().join("large");
    let code = "import json, pathlib\n\
        noise = (pathlib.Path(__file__).parent.parent / 'noise').read_bytes()\n\
        print(json.dumps({'bytes': len(noise), 'sum': sum(noise)}))\n";
    write_files(
        &folder,
        &[
            ("pack.yaml", "ref: large\nlabel: Large\nversion: \"1.0.0\"\n"),
            (
                "actions/sum.yaml",
                "ref: large.sum\nrunner_type: python\nentry_point: sum.py\noutput_format: json\n",
            ),
            ("actions/sum.py", code),
        ],
    );
    let mut noise = vec![0; LARGE];
    rand::fill(&mut noise[..]);
    fs::write(folder.join("noise"), &noise).expect("a file can be written");
    let upload = put_aside(&client, archive_of(&folder)).await;
    let named = json!({"upload": upload["id"]});
    let installed = client.post("/api/v1/packs/upload", named.clone()).await;
    assert_eq!(installed.status, 201, "{}", installed.text);
    sums(&client, &noise).await;

    let id = upload["id"].as_str().expect("an id is text");
    let again = client.post("/api/v1/packs/upload", named).await;
    check("an upload that was used", &again, 404, "NOT_FOUND", id);
    let empty = client.poke("/api/v1/uploads").await.data();
    let empty = client.post("/api/v1/packs/upload", json!({"upload": empty["id"]})).await;
    check("an upload with nothing in it", &empty, 400, "BAD_REQUEST", "empty");
    let odd = put_aside(&client, b"no archive".to_vec()).await;
    let odd = client.post("/api/v1/packs/upload", json!({"upload": odd["id"]})).await;
    check("an upload that is no archive", &odd, 400, "BAD_REQUEST", "archive");

    // The command line takes that way by itself.
    noise.truncate(LARGE - 1);
    fs::write(folder.join("noise"), &noise).expect("a file can be written");
    let (token, path) = (client.token().expect("it is logged in"), folder.to_string_lossy());
    let arguments = ["pack", "upload", &path, "--force"];
    Site::new().commanded(deployment.url(), token, &arguments).await;
    sums(&client, &noise).await;
    deployment.stop().await;
}

fn broken_pack(folder: &Path, file: &str, text: &str) {
    let _ = fs::remove_dir_all(folder);
    write_files(
        folder,
        &[
            (
                "pack.yaml",
                "ref: broken
label: Broken
version: \"1.0.0\"
",
            ),
            (
                "actions/good.yaml",
                "ref: broken.good
entry_point: echo good
",
            ),
            (file, text),
        ],
    );
}

async fn a_pack_that_is_wrong_is_refused_by_file_line_and_field<D: Deployment>() {
    let Stage { deployment, client, .. } = Stage::<D>::fresh().await;
    let before = totals(&client).await;
    let folder = deployment.folder().join("broken");
    for (what, file, text, named) in [
        (
            "a manifest without version",
            "pack.yaml",
            "ref: broken\nlabel: Broken\n",
            vec!["pack.yaml", "version"],
        ),
        (
            "no YAML",
            "actions/bad.yaml",
            "ref: broken.bad\nparameters: {a: [\n",
            vec!["actions/bad.yaml:"],
        ),
        (
            "an unknown delivery",
            "actions/bad.yaml",
            "ref: broken.bad\nentry_point: true\nparameter_delivery: pigeon\n",
            vec!["actions/bad.yaml:3:", "parameter_delivery"],
        ),
        (
            "a type that is none",
            "actions/bad.yaml",
            "ref: broken.bad\nentry_point: bad.sh\nparameters:\n  port:\n    type: harbour\n",
            vec!["actions/bad.yaml:5:", "parameters.port.type"],
        ),
    ] {
        broken_pack(&folder, file, text);
        let answer = upload(&client, &folder, false).await;
        for name in named {
            check(what, &answer, 422, "VALIDATION_ERROR", name);
        }
    }
    assert_eq!(
        totals(&client).await,
        before,
        "a broken pack leaves nothing, not even its good parts"
    );
    broken_pack(&folder, "actions/bad.yaml", "ref: broken.bad\nentry_point: echo mended\n");
    let mended = upload(&client, &folder, false).await;
    assert_eq!(mended.status, 201, "once mended it is taken: {}", mended.text);
    deployment.stop().await;
}

#[tokio::test]
async fn a_folder_of_the_servers_machine_can_be_registered() {
    let site = Site::new();
    let server = site.start().await;
    let client = server.client().await;
    let folder = site.path().join("here");
    let register = async || client.post("/api/v1/packs/register", json!({"path": folder})).await;
    check("no folder", &register().await, 400, "BAD_REQUEST", "here");
    let action = "ref: here.say\nentry_point: echo here\n";
    let manifest = "ref: here\nlabel: Here\nversion: \"1.0.0\"\n";
    write_files(&folder, &[("pack.yaml", manifest), ("actions/say.yaml", action)]);
    let registered = register().await;
    assert_eq!(registered.status, 201, "{}", registered.text);
    check("a pack that is there", &register().await, 409, "CONFLICT", "here");
    let id = client.execute("here.say", json!({})).await;
    assert_eq!(client.reaches(id, "completed").await["result"]["stdout"], "here\n");
    server.stop().await;
}

/// A pack with a workflow, and with a rehearsal that expects it to say `expected`.
fn rehearsed_pack(folder: &Path, expected: &str) {
    let manifest = "ref: played\nlabel: Played\nversion: \"1.0.0\"\n";
    let flow = "version: \"1.0\"\nlabel: Flow\ntasks: [{name: act, action: core.noop}]\noutput_map: {said: hi}\n";
    let test = format!(
        "workflow: played.flow\nexpect: {{status: completed, result: {{said: {expected}}}}}\n"
    );
    write_files(
        folder,
        &[
            ("pack.yaml", manifest),
            ("workflows/flow.yaml", flow),
            ("workflows/tests/flow.yaml", &test),
        ],
    );
}

const DIFFERENCE: &str = r#"workflows/tests/flow.yaml: result.said is "hi" instead of "ho""#;

async fn a_pack_whose_rehearsals_fail_is_refused<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = deployment.client().await;
    let folder = deployment.folder().join("played");
    rehearsed_pack(&folder, "ho");
    check("a failing test", &upload(&client, &folder, false).await, 400, "BAD_REQUEST", DIFFERENCE);
    assert_eq!(client.get("/api/v1/packs/played").await.status, 404);
    let forced = upload(&client, &folder, true).await;
    assert_eq!(forced.status, 201, "{}", forced.text);
    assert_eq!(forced.data()["test_result"]["failed"], 1, "{}", forced.text);
    let tested = client.poke("/api/v1/packs/played/test").await;
    assert_eq!(
        (tested.status, &tested.data()["status"]),
        (200, &json!("failed")),
        "{}",
        tested.text
    );
    let history = client.get("/api/v1/packs/played/tests").await.data();
    let reasons: Vec<_> =
        history.as_array().expect("a list").iter().map(|it| &it["triggerReason"]).collect();
    assert_eq!(reasons, ["manual", "upload"], "{history}");
    deployment.stop().await;
}

#[tokio::test]
async fn the_command_line_tells_of_rehearsals() {
    let site = Site::new();
    let server = site.start().await;
    let client = server.client().await;
    let token = client.token().expect("it is logged in");
    let folder = site.path().join("played");
    let path = folder.to_str().expect("a path is text");
    for (expected, flags, code, says) in [
        ("ho", &[][..], 1, DIFFERENCE),
        ("hi", &[], 0, "tests: 1 passed, 0 failed"),
        ("ho", &["--force"], 0, "tests: 0 passed, 1 failed"),
        ("ho", &["--force", "--skip-tests"], 0, ""),
    ] {
        rehearsed_pack(&folder, expected);
        let arguments = [&["pack", "upload", path], flags].concat();
        let output = site.command_line(server.url(), token, &arguments).await;
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {complaint}");
        assert!(complaint.contains(says), "{arguments:?}: {complaint}");
        assert_eq!(complaint.is_empty(), says.is_empty(), "{arguments:?}: {complaint}");
    }
    let tested = site.command_line(server.url(), token, &["pack", "test", "played"]).await;
    let table = String::from_utf8_lossy(&tested.stdout);
    assert_eq!(tested.status.code(), Some(1), "{table}");
    assert!(table.contains("workflows/tests/flow.yaml") && table.contains("failed"), "{table}");
    server.stop().await;
}

#[tokio::test]
async fn a_server_starts_with_a_pack_whose_rehearsals_fail_and_says_so() {
    let site = Site::new();
    rehearsed_pack(&site.path().join("packs/played"), "ho");
    let dirs = site.path().join("packs").display().to_string();
    let server = site.launch().variable("ATTUNE__PACKS__DIRS", &dirs).start().await;
    let client = server.client().await;
    assert_eq!(client.get("/api/v1/workflows/played.flow").await.status, 200);
    until("a warning", async || {
        let process = server.process();
        let said = process.printed() + &process.complained();
        said.lines().any(|line| line.contains("WARN") && line.contains("result.said")).then_some(())
    })
    .await;
    server.stop().await;
}

attune_tests::over_http_on_both! {
    a_pack_whose_rehearsals_fail_is_refused,
    python_and_node_actions_of_a_pack_take_parameters_and_give_data,
    a_pack_too_large_for_a_request_comes_by_an_upload,
    a_pack_that_is_wrong_is_refused_by_file_line_and_field,
}
