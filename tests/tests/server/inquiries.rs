//! People in the loop: asked by `core.ask`, by a result, and over the API; answered with a login and by a link.

use attune_tests::server::{Client, Deployment, until, upload, write_files};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

/// A pack with an action that asks in its result.
const PLAN: &[(&str, &str)] = &[
    ("pack.yaml", "ref: ops\nlabel: Operations\nversion: '1.0.0'\n"),
    (
        "actions/plan.yaml",
        "ref: ops.plan\nlabel: Plan\nrunner_type: shell\nentry_point: plan.sh\noutput_format: json\n",
    ),
    (
        "actions/plan.sh",
        "echo '{\"plan\": 3, \"__inquiry\": {\"prompt\": \"Apply <b>3</b> changes?\"}}'\n",
    ),
];

/// Waits until an execution asks, and answers the inquiry.
async fn asked(client: &Client, execution: i64) -> Value {
    until(&format!("execution {execution} asks"), async || {
        let said = client.get(&format!("/api/v1/executions/{execution}/inquiries")).await;
        let id = said.data()[0]["id"].as_i64()?;
        Some(client.get(&format!("/api/v1/inquiries/{id}")).await.data())
    })
    .await
}

async fn respond(client: &Client, inquiry: &Value, response: Value) -> (u16, Value) {
    let path = format!("/api/v1/inquiries/{}/respond", inquiry["id"]);
    let said = client.post(&path, json!({"response": response})).await;
    (said.status, said.json())
}

async fn a_question_waits_for_its_answer_and_holds_no_slot<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = deployment.client().await;
    let policy = json!({"ref": "core.one_question", "action_ref": "core.ask", "threshold": 1});
    let said = client.post("/api/v1/policies", policy).await;
    assert_eq!(said.status, 201, "{}", said.text);
    let schema = json!({"approved": {"type": "boolean", "required": true}});
    let parameters = json!({"prompt": "Deploy?", "response_schema": schema});
    let first = client.execute("core.ask", parameters.clone()).await;
    let second = client.execute("core.ask", parameters).await;
    let (inquiry, other) = (asked(&client, first).await, asked(&client, second).await);
    let waiting = client.reaches(first, "running").await;
    assert_eq!(waiting["result"], json!({"inquiry_id": inquiry["id"], "status": "pending"}));
    assert_eq!((&inquiry["status"], &inquiry["prompt"]), (&json!("pending"), &json!("Deploy?")));

    let (status, said) = respond(&client, &inquiry, json!({"approved": "perhaps"})).await;
    assert_eq!((status, &said["code"]), (422, &json!("VALIDATION_ERROR")), "{said}");
    let (status, said) = respond(&client, &inquiry, json!({"approved": true})).await;
    assert_eq!(status, 200, "{said}");
    let over = client.reaches(first, "completed").await;
    assert_eq!(over["result"]["response"], json!({"approved": true}), "{over}");
    assert_eq!(over["result"]["__inquiry_id"], inquiry["id"]);
    let (status, said) = respond(&client, &inquiry, json!({"approved": false})).await;
    assert_eq!((status, &said["code"]), (400, &json!("BAD_REQUEST")), "{said}");

    let cancelled = client.poke(&format!("/api/v1/executions/{second}/cancel")).await;
    assert_eq!(cancelled.data()["status"], "cancelled", "{}", cancelled.text);
    let withdrawn = client.get(&format!("/api/v1/inquiries/{}", other["id"])).await.data();
    assert_eq!(withdrawn["status"], "cancelled");
    deployment.stop().await;
}

async fn a_question_that_nobody_answers_times_out<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = deployment.client().await;
    let parameters = json!({"prompt": "Anybody there?", "timeout_seconds": 1});
    let id = client.execute("core.ask", parameters).await;
    let over = client.reaches(id, "timeout").await;
    assert_eq!(over["result"]["error"], "inquiry timed out", "{over}");
    assert_eq!(asked(&client, id).await["status"], "timeout");
    deployment.stop().await;
}

async fn a_result_asks_and_a_link_answers_once<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = deployment.client().await;
    let folder = deployment.folder().join("ops");
    write_files(&folder, PLAN);
    let said = upload(&client, &folder, false).await;
    assert_eq!(said.status, 201, "{}", said.text);
    let id = client.execute("ops.plan", json!({})).await;
    let inquiry = asked(&client, id).await;
    let made = client.poke(&format!("/api/v1/inquiries/{}/link", inquiry["id"])).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let url = made.data()["url"].as_str().expect("an address").to_owned();
    let link = &url[url.find("/approve?").expect("a link")..];

    // Whoever has the link need not log in.
    let stranger = Client::stranger(deployment.url());
    for _ in 0..2 {
        let page = stranger.get(link).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("Apply &lt;b&gt;3"), "{}", page.text);
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
    }
    assert_eq!(client.execution(id).await["status"], "running", "looking answers nothing");
    let send = async || {
        let form = stranger.request(Method::POST, link).body("approved=true");
        let form = form.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        stranger.send(form).await.expect("the server answers").status
    };
    assert_eq!(send().await, 200);
    assert_eq!(send().await, 410, "once");
    assert_eq!(stranger.get(link).await.status, 410);
    assert_eq!(stranger.get("/approve?token=1-2-3-4").await.status, 404);
    let over = client.reaches(id, "completed").await;
    let result = &over["result"];
    assert_eq!(
        (&result["data"], &result["response"]),
        (&json!({"plan": 3}), &json!({"approved": true}))
    );
    deployment.stop().await;
}

attune_tests::over_http_on_both! {
    a_question_waits_for_its_answer_and_holds_no_slot,
    a_question_that_nobody_answers_times_out,
    a_result_asks_and_a_link_answers_once,
}
