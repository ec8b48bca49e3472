//! Rehearsals as tests of a pack: when it comes, and when somebody asks.

use crate::auth::as_identity;
use crate::packs::{archive, folder, server, upload_with};
use serde_json::{Value, json};
use tempfile::TempDir;

const MANIFEST: (&str, &str) = ("pack.yaml", "ref: demo\nlabel: Demo\nversion: \"1.0.0\"\n");
const FLOW: (&str, &str) = (
    "workflows/flow.yaml",
    "version: \"1.0\"\nlabel: Flow\ntasks:\n  - {name: act, action: core.echo, input: {message: hi}}\n\
     output_map: {said: \"{{ task.act.stdout }}\"}\n",
);
const WELL: (&str, &str) = (
    "workflows/tests/well.yaml",
    "workflow: demo.flow\nresults: {act: {result: {stdout: hi}}}\nexpect: {status: completed, result: {said: hi}}\n",
);
const ILL: (&str, &str) = (
    "workflows/tests/ill.yaml",
    "workflow: demo.flow\nresults: {act: {result: {stdout: ho}}}\nexpect: {status: completed, result: {said: hi}}\n",
);
const NONE: (&str, &str) = ("workflows/tests/none.yaml", "workflow: demo.flow\n");

const UPLOAD: &str = "an upload";
const REGISTRATION: &str = "a registration";

/// What a failed test is told with.
const DIFFERENCE: &str = "workflows/tests/ill.yaml: result.said is \"ho\" instead of \"hi\"";

#[tokio::test]
async fn a_pack_whose_tests_fail_comes_only_where_that_is_wanted() {
    let failing = [MANIFEST, FLOW, WELL, ILL];
    let broken = [MANIFEST, FLOW, NONE];
    for (case, way, files, flags, status, says) in [
        ("all is well", UPLOAD, &[MANIFEST, FLOW, WELL][..], &[][..], 201, ""),
        ("all is well", REGISTRATION, &[MANIFEST, FLOW, WELL], &[], 201, ""),
        ("a test fails", UPLOAD, &failing, &[], 400, DIFFERENCE),
        ("a test fails", REGISTRATION, &failing, &[], 400, DIFFERENCE),
        ("a test is none", UPLOAD, &broken, &[], 400, "none.yaml: line 1, column 1: missing field"),
        ("forced", UPLOAD, &failing, &["force"], 201, "though 1 of its 2 tests failed"),
        ("forced", REGISTRATION, &failing, &["force"], 201, "though 1 of its 2 tests failed"),
        ("left out", UPLOAD, &failing, &["skip_tests"], 201, ""),
        ("left out", REGISTRATION, &failing, &["skip_tests"], 201, ""),
        ("there are none", UPLOAD, &[MANIFEST, FLOW], &[], 201, ""),
    ] {
        let packs_dir = TempDir::new().unwrap();
        let server = server(packs_dir.path()).await;
        let before = server.tally().await;
        let answer = if way == UPLOAD {
            let flags: Vec<_> = flags.iter().map(|flag| (*flag, true)).collect();
            upload_with(&server, Some(&archive(files)), &flags).await
        } else {
            let folder = folder(files);
            let mut body = json!({"path": folder.path()});
            flags.iter().for_each(|flag| body[*flag] = true.into());
            server.post("/api/v1/packs/register", body).await
        };
        let case = format!("{case}, by {way}: {}", answer.body);
        assert_eq!(answer.status, status, "{case}");
        let said = answer.body["error"].as_str().or(answer.body["message"].as_str()).unwrap();
        assert!(said.contains(says), "{case}");
        if status == 400 {
            assert_eq!(server.tally().await, before, "nothing is installed: {case}");
            assert_eq!(std::fs::read_dir(packs_dir.path()).unwrap().count(), 0, "{case}");
            continue;
        }
        let skipped = flags.contains(&"skip_tests") || files.len() == 2;
        if way == UPLOAD {
            assert_eq!(answer.body["data"]["tests_skipped"], skipped, "{case}");
            assert_eq!(answer.body["data"]["test_result"].is_null(), skipped, "{case}");
        }
        let latest = server.get("/api/v1/packs/demo/tests/latest").await;
        assert_eq!(latest.status, if skipped { 404 } else { 200 }, "{case}: {}", latest.body);
    }
}

#[tokio::test]
async fn a_pack_that_is_there_is_told_before_its_tests() {
    let packs_dir = TempDir::new().unwrap();
    let server = server(packs_dir.path()).await;
    assert_eq!(upload_with(&server, Some(&archive(&[MANIFEST])), &[]).await.status, 201);
    let again = upload_with(&server, Some(&archive(&[MANIFEST, FLOW, ILL])), &[]).await;
    assert_eq!(again.status, 409, "{}", again.body);
}

#[tokio::test]
async fn the_tests_of_a_pack_that_is_there_run_when_asked_for_and_the_latest_are_kept() {
    let packs_dir = TempDir::new().unwrap();
    let mut server = server(packs_dir.path()).await;
    let path = |rest: &str| format!("/api/v1/packs/demo/{rest}");
    assert_eq!(server.post(&path("test"), Value::Null).await.status, 404);
    let files = archive(&[MANIFEST, FLOW, WELL, ILL, NONE]);
    let made = upload_with(&server, Some(&files), &[("force", true)]).await;
    assert_eq!(made.status, 201, "{}", made.body);

    let result = server.post(&path("test"), Value::Null).await;
    assert_eq!(result.status, 200, "{}", result.body);
    let result = &result.body["data"];
    let counts = ["totalTests", "passed", "failed", "skipped"].map(|name| &result[name]);
    assert_eq!(counts, [&json!(3), &json!(1), &json!(2), &json!(0)], "{result}");
    assert_eq!((&result["status"], &result["packRef"]), (&json!("failed"), &json!("demo")));
    let rate = result["passRate"].as_f64().unwrap();
    assert!((rate - 1.0 / 3.0).abs() < 1e-9, "{rate}");
    let suite = &result["testSuites"][0];
    assert_eq!(
        (&suite["name"], &suite["runnerType"]),
        (&json!("workflows/tests"), &json!("rehearsal"))
    );
    let cases = suite["testCases"].as_array().unwrap();
    let told: Vec<_> = cases.iter().map(|case| (&case["name"], &case["status"])).collect();
    let expected = [("ill", "failed"), ("none", "error"), ("well", "passed")]
        .map(|(name, status)| (json!(format!("workflows/tests/{name}.yaml")), json!(status)));
    assert_eq!(told, expected.iter().map(|(name, status)| (name, status)).collect::<Vec<_>>());

    let history = server.get(&path("tests")).await.body;
    let reasons: Vec<_> =
        history["data"].as_array().unwrap().iter().map(|it| &it["triggerReason"]).collect();
    assert_eq!(reasons, ["manual", "upload"], "{history}");
    assert_eq!(history["data"][0]["result"]["testSuites"][0]["testCases"], json!(cases));
    assert_eq!(server.get(&path("tests/latest")).await.body["data"], history["data"][0]);

    for _ in 0..20 {
        assert_eq!(server.post(&path("test"), Value::Null).await.status, 200);
    }
    let first = server.get(&path("tests?page_size=15")).await.body;
    assert_eq!(first["pagination"]["total_items"], 20, "{}", first["pagination"]);
    let cursor = first["pagination"]["next_cursor"].as_str().unwrap();
    let second = server.get(&path(&format!("tests?page_size=15&cursor={cursor}"))).await.body;
    assert_eq!(second["data"], server.get(&path("tests?page_size=15&page=2")).await.body["data"]);
    let ids: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page["data"].as_array().unwrap())
        .map(|it| it["id"].as_i64().unwrap())
        .collect();
    assert!(ids.len() == 20 && ids.is_sorted_by(|newer, older| newer > older), "{ids:?}");

    let admin = server.token.clone();
    as_identity(&mut server, "viewer", &["core.viewer"]).await;
    assert_eq!(server.post(&path("test"), Value::Null).await.status, 403);
    assert_eq!(server.get(&path("tests")).await.status, 200, "who sees the pack sees its tests");
    server.token = admin;

    assert_eq!(server.delete("/api/v1/packs/demo").await.status, 200);
    assert_eq!(server.get(&path("tests")).await.status, 404);
    let again = upload_with(&server, Some(&archive(&[MANIFEST])), &[]).await;
    assert_eq!(again.status, 201, "{}", again.body);
    let none = server.get(&path("tests")).await.body;
    assert_eq!(none["data"], json!([]), "they went with the pack");
    let result = server.post(&path("test"), Value::Null).await.body;
    assert_eq!(
        (&result["data"]["status"], &result["data"]["totalTests"]),
        (&json!("skipped"), &json!(0))
    );
}

#[tokio::test]
async fn a_pack_without_files_has_no_tests() {
    let packs_dir = TempDir::new().unwrap();
    let server = server(packs_dir.path()).await;
    let pack = json!({"ref": "bare", "label": "Bare", "version": "1.0.0"});
    assert_eq!(server.post("/api/v1/packs", pack).await.status, 201);
    let result = server.post("/api/v1/packs/bare/test", Value::Null).await;
    assert_eq!((result.status.as_u16(), &result.body["data"]["status"]), (200, &json!("skipped")));
}
