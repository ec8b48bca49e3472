//! Executions: asked for, listed, followed, stopped.

use crate::server::{Server, steady};
use attune_api::auth::token::Use;
use attune_domain::id::ExecutionId;
use attune_domain::status::ExecutionStatus;
use attune_journey::{layout, load};
use attune_ports::records::{Commit, Kind, Record};
use axum::http::Method;
use futures::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn shapes_of_an_execution() {
    let server = Server::start().await;
    let body = json!({
        "action_ref": "test.echo",
        "parameters": {"message": "hi"},
        "env_vars": {"A": "b"},
        "artifact_retention_policy": "days",
        "artifact_retention_limit": 3,
        "worker_selector": {"zone": "a"},
    });
    let answer = server.post("/api/v1/executions/execute", body).await;
    assert_eq!(answer.status, 201);
    let id = answer.body["data"]["id"].as_i64().unwrap();
    insta::assert_json_snapshot!("execution", steady(answer.body.clone()));
    let read = server.get(&format!("/api/v1/executions/{id}")).await;
    assert_eq!(read.body, answer.body, "it reads as it was answered");
    insta::assert_json_snapshot!(
        "execution_list",
        steady(server.get("/api/v1/executions").await.body)
    );
    insta::assert_json_snapshot!(
        "execution_stats",
        server.get("/api/v1/executions/stats").await.body
    );
    let logs = server.get(&format!("/api/v1/executions/{id}/logs")).await.body;
    insta::assert_json_snapshot!("execution_logs", steady(logs));
}

#[tokio::test]
async fn the_path_may_name_the_action() {
    let server = Server::start().await;
    let answer = server
        .post("/api/v1/actions/test.echo/execute", json!({"parameters": {"message": "x"}}))
        .await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.body["data"]["config"], json!({"message": "x"}));
}

#[tokio::test]
async fn secrets_are_shown_to_nobody_without_decrypt() {
    let server = Server::start().await;
    let body =
        json!({"action_ref": "test.echo", "parameters": {"message": "x", "password": "hunter2"}});
    let answer = server.post("/api/v1/executions/execute", body).await;
    let id = answer.body["data"]["id"].as_i64().unwrap();
    for body in [&answer.body, &server.get("/api/v1/executions").await.body] {
        assert!(!body.to_string().contains("hunter2"), "{body}");
    }
    assert_eq!(answer.body["data"]["config"]["password"]["redacted"], true, "{}", answer.body);
    let path = format!("/api/v1/executions/{id}?include_secret_values=true");
    assert_eq!(server.get(&path).await.status, 403, "an admin holds no executions:decrypt");
    let mut server = server;
    server.token = server.sign(&server.claims(Use::Worker, "1", "worker:1")).await;
    assert_eq!(server.get(&path).await.body["data"]["config"]["password"], "hunter2");
}

#[tokio::test]
async fn executions_are_found_by_what_they_are() {
    let server = Server::start().await;
    let (first, second) = (server.execute("one").await, server.execute("two").await);
    let cancelled = server.post(&format!("/api/v1/executions/{first}/cancel"), json!({})).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    assert_eq!(cancelled.body["data"]["status"], "cancelled");
    let again = server.post(&format!("/api/v1/executions/{first}/cancel"), json!({})).await;
    assert_eq!((again.status.as_u16(), &again.body["code"]), (409, &json!("CONFLICT")));
    let me = server.get("/auth/me").await.body["data"]["id"].clone();
    for (query, expected) in [
        ("executions?status=cancelled".to_owned(), vec![first]),
        ("executions?status=requested".into(), vec![second]),
        ("executions/status/CANCELLED".into(), vec![first]),
        ("executions?action_ref=test.echo".into(), vec![second, first]),
        ("executions?action_ref=test.echo&status=requested".into(), vec![second]),
        ("executions?action_ref=*cho".into(), vec![second, first]),
        ("executions?action_ref=other.*".into(), vec![]),
        ("executions?pack_name=test".into(), vec![second, first]),
        ("executions?pack_name=tes".into(), vec![]),
        (format!("executions?executor={me}"), vec![second, first]),
        ("executions?executor=1".into(), vec![]),
        ("executions?rule_ref=*".into(), vec![]),
        ("executions?top_level_only=true".into(), vec![second, first]),
        ("executions?result_contains=CANCELLED%20by".into(), vec![first]),
        ("executions?parent=5".into(), vec![]),
        ("executions?enforcement=5".into(), vec![]),
        ("executions/enforcement/5".into(), vec![]),
        (format!("executions/{first}/children"), vec![]),
    ] {
        let body = server.get(&format!("/api/v1/{query}")).await.body;
        let ids: Vec<_> = body["data"]
            .as_array()
            .unwrap_or_else(|| panic!("{query}: {body}"))
            .iter()
            .map(|row| row["id"].as_i64().unwrap())
            .collect();
        assert_eq!(ids, expected, "{query}");
    }
    let stats = server.get("/api/v1/executions/stats").await.body;
    assert_eq!((&stats["data"]["total"], &stats["data"]["pending"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn a_list_is_never_older_than_ones_own_last_write() {
    let server = Server::start().await;
    for n in 1..=20 {
        let id = server.execute("again").await;
        for _ in 0..2 {
            let body = server.get("/api/v1/executions?per_page=50").await.body;
            assert_eq!(body["data"][0]["id"], id);
            assert_eq!(body["pagination"]["total_items"], n);
        }
    }
}

#[tokio::test]
async fn a_process_asks_in_the_name_of_its_executions_executor() {
    let mut server = Server::start().await;
    let me = server.get("/auth/me").await.body["data"]["id"].clone();
    let parent = server.execute("parent").await;
    let other = server.execute("other").await;
    let mut claims = server.claims(Use::Execution, &me.to_string(), &format!("execution:{parent}"));
    let data = json!({"execution_id": parent, "permission_set_refs": ["core.executor"]});
    claims.metadata = data.as_object().cloned();
    server.token = server.sign(&claims).await;
    let child = server.execute("child").await;
    let body = server.get(&format!("/api/v1/executions/{child}")).await.body;
    assert_eq!((&body["data"]["parent"], &body["data"]["executor"]), (&json!(parent), &me));
    let children = server.get(&format!("/api/v1/executions/{parent}/children")).await.body;
    assert_eq!(children["data"][0]["id"], child);
    for (path, status) in [
        ("/api/v1/executions/stream".to_owned(), 403),
        (format!("/api/v1/executions/stream?execution_id={other}"), 403),
        ("/api/v1/events".into(), 403),
    ] {
        assert_eq!(server.get(&path).await.status, status, "{path}");
    }
    let watch = server.request(
        Method::GET,
        &format!("/api/v1/executions/stream?execution_id={parent}"),
        None,
    );
    assert_eq!(server.send(watch).await.status(), 200);
    server.token = server.sign(&server.claims(Use::Sensor, "9", "test.eye")).await;
    assert_eq!(server.get("/api/v1/executions/stream").await.status, 401);
}

async fn next_text(stream: &mut axum::body::BodyDataStream) -> String {
    let next = tokio::time::timeout(Duration::from_secs(10), stream.next());
    let bytes = next.await.expect("an event comes").expect("the stream goes on").unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_stream_tells_what_happens_and_goes_on_where_it_stopped() {
    let server = Server::start().await;
    let watch = server.request(Method::GET, "/api/v1/executions/stream", None);
    let response = server.send(watch).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    let id = server.execute("seen").await;
    let first = next_text(&mut stream).await;
    server.post(&format!("/api/v1/executions/{id}/cancel"), json!({})).await;
    let second = next_text(&mut stream).await;
    let read = |event: &str| -> (String, Value) {
        let line = |name: &str| {
            let found = event.lines().find_map(|line| line.strip_prefix(name));
            found.unwrap_or_else(|| panic!("no {name} in {event}")).trim().to_owned()
        };
        assert!(!event.contains("event:"), "events have no name: {event}");
        (line("id:"), serde_json::from_str(&line("data:")).unwrap())
    };
    let (position, created) = read(&first);
    insta::assert_json_snapshot!("stream_created", steady(created));
    let (_, changed) = read(&second);
    assert_eq!(
        (&changed["old_status"], &changed["status"]),
        (&json!("requested"), &json!("cancelled"))
    );
    let mut resume = server.request(Method::GET, "/api/v1/executions/stream", None);
    resume.headers_mut().insert("last-event-id", position.parse().unwrap());
    let mut stream = server.send(resume).await.into_body().into_data_stream();
    assert_eq!(next_text(&mut stream).await, second, "what came after is told again");
}

#[tokio::test]
async fn a_stream_says_so_where_it_cannot_go_on_and_starts_afresh() {
    let server = Server::start().await;
    let missed = server.execute("missed").await;
    let mut resume = server.request(Method::GET, "/api/v1/executions/stream", None);
    resume.headers_mut().insert("last-event-id", "1".parse().unwrap());
    let mut stream = server.send(resume).await.into_body().into_data_stream();
    assert_eq!(next_text(&mut stream).await.trim(), ": changes were left out");
    let made_up = next_text(&mut stream).await;
    assert!(made_up.contains(&format!("\"id\":{missed},")), "how it stands: {made_up}");
    assert!(!made_up.contains("old_status"), "{made_up}");
    let id = server.execute("now").await;
    assert!(next_text(&mut stream).await.contains(&id.to_string()));
}

#[tokio::test]
async fn a_log_stream_waits_and_ends_with_its_execution() {
    let server = Server::start().await;
    let id = server.execute("silent").await;
    let path = format!("/api/v1/executions/{id}/logs/stdout");
    let watch = server.request(Method::GET, &format!("{path}/stream"), None);
    let mut stream = server.send(watch).await.into_body().into_data_stream();
    assert!(next_text(&mut stream).await.contains("event: waiting"));
    server.post(&format!("/api/v1/executions/{id}/cancel"), json!({})).await;
    assert!(next_text(&mut stream).await.contains("event: done"));
    assert!(stream.next().await.is_none(), "and then it is over");
    let text = server.get(&path).await;
    assert_eq!(text.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(text.body, Value::Null, "nothing was printed");
}

#[tokio::test]
async fn what_a_built_in_printed_is_read_from_its_result() {
    let server = Server::start().await;
    let id = server.execute("hi").await;
    let path = format!("/api/v1/executions/{id}/logs");
    assert_eq!(server.get(&path).await.body["data"]["stdout"]["complete"], false);

    // As the runner leaves it: a result, and no log.
    let execution = load::execution(&server.ports, ExecutionId::new(id)).await.unwrap();
    let mut execution = execution.unwrap();
    execution.status = ExecutionStatus::Completed;
    execution.result = Some(json!({"succeeded": true, "stdout": "hi there\n"}).into());
    let record = Record::new(Kind::Execution, layout::execution(execution.id), &execution);
    server.ports.records.commit(Commit::new().put(record)).await.unwrap();

    let logs = server.get(&path).await.body["data"].clone();
    let whole = json!({"content": "hi there\n", "offset": 0, "next_offset": 9, "complete": true});
    assert_eq!(logs["stdout"], whole);
    let nothing = json!({"content": "", "offset": 0, "next_offset": 0, "complete": true});
    assert_eq!(logs["stderr"], nothing);
    for (case, range, content, complete) in [
        ("a piece", "offset=3&limit=2", "th", false),
        ("the last piece", "offset=3&limit=6", "there\n", true),
        ("nothing is at the end", "offset=9", "", true),
        ("nor beyond it", "offset=900", "", true),
    ] {
        let stdout = server.get(&format!("{path}?{range}")).await.body["data"]["stdout"].clone();
        assert_eq!(stdout["content"], content, "{case}");
        assert_eq!(stdout["complete"], complete, "{case}");
    }
    assert_eq!(server.get(&format!("{path}/stdout")).await.body, "hi there\n");
    let watch = server.request(Method::GET, &format!("{path}/stdout/stream"), None);
    let mut stream = server.send(watch).await.into_body().into_data_stream();
    let said = next_text(&mut stream).await;
    assert!(said.contains("event: content") && said.contains("data: hi there"), "{said}");
    assert!(next_text(&mut stream).await.contains("event: done"));
}
