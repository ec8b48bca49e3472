//! Inquiries: asking, answering, who may, and approval links.

use crate::server::{Answer, Server};
use attune_api::auth::identities::{self, NewIdentity};
use attune_api::auth::token::Use;
use axum::http::{Method, Request, header};
use futures::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;

/// An inquiry of an execution of its own, with more members of the request.
async fn ask(server: &Server, more: Value) -> i64 {
    let execution = server.execute("please").await;
    let mut body = json!({"execution": execution, "prompt": "Deploy?"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = server.post("/api/v1/inquiries", body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.body["data"]["id"].as_i64().unwrap()
}

async fn respond(server: &Server, id: i64, response: Value) -> Answer {
    server.post(&format!("/api/v1/inquiries/{id}/respond"), json!({"response": response})).await
}

async fn put(server: &Server, id: i64, body: Value) -> Answer {
    let path = format!("/api/v1/inquiries/{id}");
    server.answer(server.request(Method::PUT, &path, Some(&body))).await
}

/// Somebody with these permission sets, and their token.
async fn somebody(server: &Server, login: &str, sets: &[&str]) -> (i64, String) {
    let new = NewIdentity {
        login: login.into(),
        display_name: None,
        password_hash: None,
        permission_set_refs: sets.iter().map(ToString::to_string).collect(),
    };
    let id = identities::create(&server.ports, new).await.unwrap().id.get();
    (id, server.sign(&server.claims(Use::Access, &id.to_string(), login)).await)
}

/// The token of an execution with these permission sets.
async fn token_of(server: &Server, execution: i64, sets: &[&str]) -> String {
    let mut claims = server.claims(Use::Execution, "1", &format!("execution:{execution}"));
    let metadata = json!({"execution_id": execution, "permission_set_refs": sets});
    claims.metadata = metadata.as_object().cloned();
    server.sign(&claims).await
}

fn error_of(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn an_inquiry_is_asked_found_and_answered() {
    let server = Server::start().await;
    let schema = json!({"approved": {"type": "boolean", "required": true}});
    let id = ask(&server, json!({"response_schema": schema})).await;
    let path = format!("/api/v1/inquiries/{id}");
    let asked = server.get(&path).await.body["data"].clone();
    assert_eq!((&asked["status"], &asked["response"]), (&json!("pending"), &Value::Null));
    let time =
        |name: &str| asked[name].as_str().unwrap().parse::<attune_domain::Timestamp>().unwrap();
    assert_eq!((time("timeout_at") - time("created")).num_days(), 30, "as the setting says");
    let execution = &asked["execution"];

    server.ports.records.settle().await.unwrap();
    for list in [
        "/api/v1/inquiries".to_owned(),
        "/api/v1/inquiries?status=pending&limit=5".to_owned(),
        format!("/api/v1/inquiries?execution={execution}"),
        "/api/v1/inquiries/status/PENDING".to_owned(),
        format!("/api/v1/executions/{execution}/inquiries"),
    ] {
        let rows = server.get(&list).await.body["data"].clone();
        assert_eq!(
            (&rows[0]["id"], &rows[0]["has_response"]),
            (&json!(id), &json!(false)),
            "{list}"
        );
        assert_eq!(rows.as_array().unwrap().len(), 1, "{list}");
    }
    for none in ["/api/v1/inquiries/status/canceled", "/api/v1/inquiries?assigned_to=5"] {
        assert_eq!(server.get(none).await.body["data"], json!([]), "{none}");
    }

    for (why, response) in [("nothing", json!({})), ("text", json!({"approved": "yes"}))] {
        let refused = respond(&server, id, response).await;
        assert_eq!(error_of(&refused), (422, "VALIDATION_ERROR"), "{why}: {}", refused.body);
    }
    let answered = respond(&server, id, json!({"approved": true})).await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    let answered = &answered.body["data"];
    assert_eq!(
        (&answered["status"], &answered["response"]),
        (&json!("responded"), &json!({"approved": true}))
    );
    assert!(answered["responded_at"].is_string() && answered["responded_by"].is_i64());
    let again = respond(&server, id, json!({"approved": false})).await;
    assert_eq!(error_of(&again), (400, "BAD_REQUEST"), "{}", again.body);
    assert_eq!(server.get(&path).await.body["data"], *answered, "the first answer stays");
}

#[tokio::test]
async fn what_cannot_be_asked_says_why() {
    let server = Server::start().await;
    let execution = server.execute("please").await;
    let path = "/api/v1/inquiries";
    for (why, body, status) in [
        ("no such execution", json!({"execution": 5, "prompt": "?"}), 404),
        ("no prompt", json!({"execution": execution, "prompt": " "}), 422),
        ("a long one", json!({"execution": execution, "prompt": "x".repeat(10_001)}), 422),
        ("no schema", json!({"execution": execution, "prompt": "?", "response_schema": [1]}), 422),
        ("nobody", json!({"execution": execution, "prompt": "?", "assigned_to": 5}), 422),
        (
            "too late",
            json!({"execution": execution, "prompt": "?", "timeout_at": "2020-01-01T00:00:00Z"}),
            422,
        ),
        ("no moment", json!({"execution": execution, "prompt": "?", "timeout_at": "soon"}), 422),
        ("no execution", json!({"prompt": "?"}), 422),
    ] {
        let refused = server.post(path, body).await;
        assert_eq!(refused.status, status, "{why}: {}", refused.body);
        assert!(refused.body["error"].is_string(), "{why}");
    }
    let question = json!({"execution": execution, "prompt": "?"});
    assert_eq!(server.post(path, question.clone()).await.status, 201);
    let second = server.post(path, question).await;
    assert_eq!(error_of(&second), (409, "CONFLICT"), "one at most: {}", second.body);
    let over = server.execute("over").await;
    server
        .answer(server.request(Method::POST, &format!("/api/v1/executions/{over}/cancel"), None))
        .await;
    let late = server.post(path, json!({"execution": over, "prompt": "?"})).await;
    assert_eq!(error_of(&late), (409, "CONFLICT"), "{}", late.body);
    for missing in ["/api/v1/inquiries/5", "/api/v1/executions/5/inquiries"] {
        assert_eq!(server.get(missing).await.status, 404, "{missing}");
    }
    assert_eq!(server.get("/api/v1/inquiries/status/answered").await.status, 400);
    assert_eq!(server.get("/api/v1/inquiries?status=answered").await.status, 400);
}

#[tokio::test]
async fn only_who_may_sees_and_answers() {
    let mut server = Server::start().await;
    let (ann, ann_token) = somebody(&server, "ann", &[]).await;
    let (_, bob_token) = somebody(&server, "bob", &["core.admin"]).await;
    let (_, eve_token) = somebody(&server, "eve", &["core.viewer"]).await;
    let anns = ask(&server, json!({"assigned_to": ann})).await;
    let anybodys = ask(&server, json!({})).await;
    let own = server.get(&format!("/api/v1/inquiries/{anybodys}")).await.body["data"]["execution"]
        .clone();
    let own_token = token_of(&server, own.as_i64().unwrap(), &["core.admin"]).await;
    let other = server.execute("other").await;
    let other_token = token_of(&server, other, &["core.admin"]).await;
    server.ports.records.settle().await.unwrap();
    let tokens = [
        ("ann", ann_token),
        ("bob", bob_token),
        ("eve", eve_token),
        ("own", own_token),
        ("other", other_token),
    ];
    for (who, reads_anns, reads_anybodys) in
        [("ann", 200, 403), ("bob", 200, 200), ("eve", 403, 403), ("own", 200, 200)]
    {
        server.token = tokens.iter().find(|(name, _)| *name == who).unwrap().1.clone();
        let found = server.get("/api/v1/inquiries").await;
        let readable = [reads_anns, reads_anybodys].iter().filter(|status| **status == 200).count();
        assert_eq!(found.body["data"].as_array().unwrap().len(), readable, "{who}");
        for (id, status) in [(anns, reads_anns), (anybodys, reads_anybodys)] {
            let found = server.get(&format!("/api/v1/inquiries/{id}")).await;
            assert_eq!(found.status, status, "{who} reads {id}");
        }
    }
    for (who, id, status, said) in [
        ("bob", anns, 403, "assigned"),
        ("eve", anns, 403, "assigned"),
        ("eve", anybodys, 403, "inquiries:respond"),
        ("ann", anybodys, 403, "inquiries:respond"),
        ("own", anybodys, 403, "privilege loop"),
        ("other", anybodys, 200, ""),
        ("ann", anns, 200, ""),
        ("bob", anns, 400, "responded"),
    ] {
        server.token = tokens.iter().find(|(name, _)| *name == who).unwrap().1.clone();
        let answer = respond(&server, id, json!({"ok": true})).await;
        assert_eq!(answer.status, status, "{who} answers {id}: {}", answer.body);
        let text = answer.body["error"].as_str().unwrap_or_default();
        assert!(text.contains(said), "{who} answers {id}: {text}");
    }
    // An execution may ask for itself without any grant, and nobody may for another.
    server.token = token_of(&server, other, &[]).await;
    let asked = server.post("/api/v1/inquiries", json!({"execution": other, "prompt": "?"})).await;
    assert_eq!(asked.status, 201, "{}", asked.body);
    let forbidden =
        server.post("/api/v1/inquiries", json!({"execution": own, "prompt": "?"})).await;
    assert_eq!(forbidden.status, 403, "{}", forbidden.body);
    let loops =
        put(&server, asked.body["data"]["id"].as_i64().unwrap(), json!({"response": {}})).await;
    assert_eq!(loops.status, 403, "{}", loops.body);
}

#[tokio::test]
async fn an_inquiry_is_assigned_answered_withdrawn_and_removed() {
    let mut server = Server::start().await;
    let (ann, ann_token) = somebody(&server, "ann", &[]).await;
    let id = ask(&server, json!({})).await;
    let same = put(&server, id, json!({})).await;
    assert_eq!((same.status.as_u16(), &same.body["data"]["status"]), (200, &json!("pending")));
    let assigned = put(&server, id, json!({"assigned_to": ann})).await;
    assert_eq!(assigned.body["data"]["assigned_to"], json!(ann));
    for (body, status) in [
        (json!({"assigned_to": 5}), 422),
        (json!({"status": "lost"}), 422),
        (json!({"status": "responded"}), 422),
        (json!({"status": "timeout"}), 400),
        (json!({"status": "cancelled", "response": {}}), 400),
    ] {
        assert_eq!(put(&server, id, body.clone()).await.status, status, "{body}");
    }
    let instead = put(&server, id, json!({"status": "responded", "response": {"ok": 1}})).await;
    assert_eq!(instead.body["data"]["response"], json!({"ok": 1}), "in the assignee's stead");
    for body in
        [json!({"status": "cancelled"}), json!({"response": {}}), json!({"assigned_to": ann})]
    {
        assert_eq!(put(&server, id, body.clone()).await.status, 409, "it has ended: {body}");
    }

    let id = ask(&server, json!({"assigned_to": ann})).await;
    for _ in 0..2 {
        let withdrawn = put(&server, id, json!({"status": "cancelled"})).await;
        assert_eq!(withdrawn.body["data"]["status"], "cancelled", "{}", withdrawn.body);
    }
    let path = format!("/api/v1/inquiries/{id}");
    let admin = std::mem::replace(&mut server.token, ann_token);
    assert_eq!(server.answer(server.request(Method::DELETE, &path, None)).await.status, 403);
    server.token = admin;
    let removed = server.answer(server.request(Method::DELETE, &path, None)).await;
    assert_eq!(removed.body["success"], json!(true), "{}", removed.body);
    assert_eq!(server.get(&path).await.status, 404);
}

/// The path and query of an approval link of this inquiry.
async fn link(server: &Server, id: i64) -> String {
    let made = server
        .answer(server.request(Method::POST, &format!("/api/v1/inquiries/{id}/link"), None))
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let url = made.body["data"]["url"].as_str().unwrap().to_owned();
    url[url.find("/approve?token=").unwrap()..].to_owned()
}

async fn open(server: &Server, link: &str) -> Answer {
    server.answer(Request::get(link).body(axum::body::Body::empty()).unwrap()).await
}

async fn send(server: &Server, link: &str, form: &str) -> Answer {
    let request = Request::post(link)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.to_owned().into())
        .unwrap();
    server.answer(request).await
}

fn text(answer: &Answer) -> &str {
    answer.body.as_str().unwrap()
}

#[tokio::test]
async fn a_link_shows_the_question_and_answers_it_once() {
    let server = Server::start().await;
    let schema = json!({
        "approved": {"type": "boolean", "required": true},
        "reason": {"type": "string", "description": "<i>Why?</i>"},
        "size": {"enum": ["s", "\"><script>alert(1)</script>"]},
    });
    let more = json!({"prompt": "Deploy <b>3</b> & more?", "response_schema": schema});
    let id = ask(&server, more).await;
    let (first, second) = (link(&server, id).await, link(&server, id).await);
    assert_ne!(first, second);
    for _ in 0..3 {
        let page = open(&server, &first).await;
        assert_eq!(page.status, 200);
        let html = text(&page);
        assert!(html.contains("Deploy &lt;b&gt;3&lt;&#x2f;b&gt; &amp; more?"), "{html}");
        assert!(!html.contains("<script") && !html.contains("<i>"), "{html}");
        assert!(html.contains("name=\"reason\"") && html.contains(">Approve<"), "{html}");
        for (name, value) in [("cache-control", "no-store"), ("referrer-policy", "no-referrer")] {
            assert_eq!(page.headers[name], value);
        }
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
    }
    let path = format!("/api/v1/inquiries/{id}");
    assert_eq!(
        server.get(&path).await.body["data"]["status"],
        "pending",
        "looking answers nothing"
    );

    let wrong = send(&server, &first, "reason=late&size=xl&approved=true").await;
    assert_eq!(wrong.status, 422);
    assert!(text(&wrong).contains("value=\"late\""), "what was filled in stays");
    assert_eq!(send(&server, &first, "reason=late").await.status, 422, "no button");
    let thanks = send(&server, &first, "reason=it+is+time&approved=false&size=").await;
    assert_eq!(thanks.status, 200, "{}", thanks.body);
    let answered = server.get(&path).await.body["data"].clone();
    assert_eq!(answered["response"], json!({"approved": false, "reason": "it is time"}));
    assert_eq!(answered["responded_by"], Value::Null);
    for used in [&first, &second] {
        assert_eq!(open(&server, used).await.status, 410);
        let again = send(&server, used, "approved=true").await;
        assert_eq!(again.status, 410);
        assert!(text(&again).contains("answered already"), "{}", text(&again));
    }
    assert_eq!(server.get(&path).await.body["data"], answered, "the first answer stays");
}

#[tokio::test]
async fn links_that_are_none_say_so() {
    let server = Server::start().await;
    let id = ask(&server, json!({})).await;
    let good = link(&server, id).await;
    let other = ask(&server, json!({})).await;
    let forged = good.replacen(&id.to_string(), &other.to_string(), 1);
    for (why, wrong) in [
        ("another inquiry's", forged),
        ("cut off", good[..good.len() - 1].to_owned()),
        ("empty", "/approve?token=".to_owned()),
        ("none", "/approve".to_owned()),
        ("made up", "/approve?token=1-2-3-4".to_owned()),
    ] {
        assert_eq!(open(&server, &wrong).await.status, 404, "{why}");
        assert_eq!(send(&server, &wrong, "approved=true").await.status, 404, "{why}");
    }
    let no_form = Request::post(&good).body("approved=true".to_owned().into()).unwrap();
    assert_eq!(server.answer(no_form).await.status, 400);
    // As many newer ones as there may be take its place.
    for _ in 0..attune_domain::inquiry::MAX_LINKS {
        link(&server, id).await;
    }
    assert_eq!(
        send(&server, &good, "approved=true").await.status,
        404,
        "newer ones took its place"
    );
    put(&server, other, json!({"status": "cancelled"})).await;
    let path = format!("/api/v1/inquiries/{other}/link");
    let refused = server.answer(server.request(Method::POST, &path, None)).await;
    assert_eq!(error_of(&refused), (409, "CONFLICT"), "{}", refused.body);
    let path = format!("/api/v1/inquiries/{id}/link");
    let past = server.post(&path, json!({"expires_at": "2020-01-01T00:00:00Z"})).await;
    assert_eq!(past.status, 422, "{}", past.body);
}

#[tokio::test]
async fn only_who_may_answer_hands_out_links() {
    let mut server = Server::start().await;
    let (ann, ann_token) = somebody(&server, "ann", &[]).await;
    let (_, eve_token) = somebody(&server, "eve", &["core.viewer"]).await;
    let id = ask(&server, json!({"assigned_to": ann})).await;
    let own =
        server.get(&format!("/api/v1/inquiries/{id}")).await.body["data"]["execution"].as_i64();
    let own_token = token_of(&server, own.unwrap(), &["core.admin"]).await;
    let teller = server.execute("tell").await;
    let teller_token = token_of(&server, teller, &["core.admin"]).await;
    let path = format!("/api/v1/inquiries/{id}/link");
    for (who, token, status) in [
        ("the assignee", ann_token, 201),
        ("a viewer", eve_token, 403),
        ("who asks", own_token, 403),
        ("an execution that tells the assignee", teller_token, 201),
        ("an admin, who may change it anyway", server.token.clone(), 201),
    ] {
        server.token = token;
        let mut request = server.request(Method::POST, &path, None);
        request.headers_mut().insert(header::HOST, "attune.example.org".parse().unwrap());
        request.headers_mut().insert("x-forwarded-proto", "https".parse().unwrap());
        request.headers_mut().insert("idempotency-key", "one".parse().unwrap());
        let made = server.answer(request).await;
        assert_eq!(made.status, status, "{who}: {}", made.body);
        if status == 201 {
            let url = made.body["data"]["url"].as_str().unwrap();
            assert!(url.starts_with("https://attune.example.org/approve?token="), "{who}: {url}");
            let token = url.split_once('=').unwrap().1;
            for record in server
                .ports
                .records
                .query(&attune_ports::Query::index(
                    attune_ports::records::Index::List,
                    "inquiry",
                    10,
                ))
                .await
                .unwrap()
                .records
            {
                assert!(
                    !String::from_utf8_lossy(&record.body).contains(token),
                    "only a digest is kept"
                );
            }
        }
    }
}

/// The first changes since then, as the stream tells them to whoever has this token.
async fn told(server: &Server, since: u64, many: usize) -> Vec<(String, i64)> {
    let mut request = server.request(Method::GET, "/api/v1/inquiries/stream", None);
    request.headers_mut().insert("last-event-id", since.into());
    let mut body = server.send(request).await.into_body().into_data_stream();
    let mut text = String::new();
    while text.matches("\n\n").count() < many {
        let next = tokio::time::timeout(Duration::from_secs(20), body.next()).await;
        text.push_str(std::str::from_utf8(&next.unwrap().unwrap().unwrap()).unwrap());
    }
    let changes = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let changes = changes.map(|data| serde_json::from_str::<Value>(data.trim()).unwrap());
    changes
        .map(|told| {
            let kind = told["notification_type"].as_str().unwrap().to_owned();
            (kind, told["id"].as_i64().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn changes_are_told_to_those_who_may_see_them() {
    let mut server = Server::start().await;
    let (ann, ann_token) = somebody(&server, "ann", &[]).await;
    let since = server.local.feed.head().0;
    let anns = ask(&server, json!({"assigned_to": ann})).await;
    let anybodys = ask(&server, json!({})).await;
    respond(&server, anybodys, json!({"ok": true})).await;
    put(&server, anns, json!({"status": "cancelled"})).await;
    let expected = [
        ("inquiry_created".to_owned(), anns),
        ("inquiry_created".to_owned(), anybodys),
        ("inquiry_responded".to_owned(), anybodys),
        ("inquiry_cancelled".to_owned(), anns),
    ];
    assert_eq!(told(&server, since, 4).await, expected);
    server.token = ann_token;
    // The last of all comes to her, so nothing before it was left out but what she may not see.
    assert_eq!(told(&server, since, 2).await, [expected[0].clone(), expected[3].clone()]);
}
