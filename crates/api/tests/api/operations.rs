//! Health, documentation, dead letters.

use crate::server::{Server, steady};
use attune_domain::id::EventId;
use attune_domain::message::{Message, Step};
use attune_ports::{Outgoing, Queue};
use axum::http::Method;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn health_is_told_in_four_ways() {
    let server = Server::start().await;
    assert_eq!(server.get("/health").await.body, json!({"status": "ok"}));
    let detailed = server.get("/health/detailed").await.body;
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(detailed, json!({"status": "ok", "version": version, "database": "connected"}));
    for path in ["/health/ready", "/health/live"] {
        let answer = server.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.body), (200, json!(null)), "{path}");
    }
}

#[cfg(not(feature = "swagger"))]
#[tokio::test]
async fn without_assets_the_page_is_elsewhere_or_plain() {
    use attune_api::ApiConfig;
    let elsewhere = "https://assets.example.org/docs/";
    let docs_url = Some(elsewhere.to_owned());
    for (config, status, location) in [
        (ApiConfig { docs_url, ..ApiConfig::default() }, 307, Some(elsewhere)),
        (ApiConfig::default(), 200, None),
    ] {
        let mut server = Server::with(config).await;
        server.token.clear();
        for path in ["/docs", "/docs/", "/docs/index.html"] {
            let page = server.get(path).await;
            assert_eq!(page.status, status, "{path}");
            let found = page.headers.get("location").map(|value| value.to_str().unwrap());
            assert_eq!(found, location, "{path}");
            let text = page.body.as_str().unwrap_or_default();
            assert!(location.is_some() || text.contains("\"/api-spec/openapi.json\""), "{text}");
            assert!(!text.contains("//"), "it loads nothing from elsewhere: {text}");
        }
        assert_eq!(server.get("/api-spec/openapi.json").await.status, 200);
    }
}

#[cfg(feature = "swagger")]
#[tokio::test]
async fn the_documentation_is_public() {
    let mut server = Server::start().await;
    server.token.clear();
    let document = server.get("/api-spec/openapi.json").await;
    assert_eq!(document.status, 200);
    assert!(document.body["paths"]["/api/v1/executions"]["get"].is_object());
    let page = server.get("/docs/").await;
    assert_eq!(page.status, 200);
    assert!(page.body.as_str().is_some_and(|html| html.contains("swagger-ui")));
}

/// Lets a message die: delivered and given back until the queue has enough.
async fn let_die(server: &Server, event: i64) {
    let message = Message::from(Step::EventCreated { event: EventId::new(event) });
    let queues = &server.ports.queues;
    queues.send(Queue::Match, vec![Outgoing::new(message, "", 0)]).await.unwrap();
    while queues
        .dead_letters(Queue::Match, None, 100)
        .await
        .unwrap()
        .iter()
        .all(|letter| letter.body["event"] != event)
    {
        for delivery in queues.receive(Queue::Match, 1, Duration::from_secs(1)).await.unwrap() {
            queues
                .give_back(Queue::Match, delivery.receipt, Duration::ZERO, "poison")
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn dead_letters_are_listed_sent_again_and_forgotten() {
    let server = Server::start().await;
    for event in [1, 2, 3] {
        let_die(&server, event).await;
    }
    let all = server.get("/api/v1/dead-letters?queue=match").await.body;
    assert_eq!(all["data"].as_array().map(Vec::len), Some(3), "{all}");
    let mut first = all["data"][0].clone();
    first["id"] = "<id>".into();
    insta::assert_json_snapshot!("dead_letter", steady(first));
    let page = server.get("/api/v1/dead-letters?limit=2").await.body;
    let cursor = page["pagination"]["next_cursor"].as_str().unwrap();
    let rest = server.get(&format!("/api/v1/dead-letters?limit=2&cursor={cursor}")).await.body;
    assert_eq!(rest["data"], json!([all["data"][2]]), "the cursor goes on");
    assert_eq!(server.get("/api/v1/dead-letters?queue=admit").await.body["data"], json!([]));

    let id = |n: usize| all["data"][n]["id"].as_str().unwrap();
    let shown = server.get(&format!("/api/v1/dead-letters/match/{}", id(1))).await;
    assert_eq!((shown.status.as_u16(), &shown.body["data"]), (200, &all["data"][1]));
    for path in ["match/unheard-of", "admit/1", "nowhere/1"] {
        let answer = server.get(&format!("/api/v1/dead-letters/{path}")).await;
        assert_eq!(answer.status, 404, "{path}");
    }

    let redrive = "/api/v1/dead-letters/match/redrive";
    assert_eq!(server.post(redrive, json!({"id": id(0)})).await.body["data"]["redriven"], 1);
    assert_eq!(server.ports.queues.depth(Queue::Match).await.unwrap(), 1);
    let forget = |path: String| server.request(Method::DELETE, &path, None);
    let one = server.answer(forget(format!("/api/v1/dead-letters/match/{}", id(1)))).await;
    assert_eq!(one.body["success"], true, "{}", one.body);
    let left = server.get("/api/v1/dead-letters").await.body;
    assert_eq!(left["data"], json!([all["data"][2]]));
    assert_eq!(
        server.post(redrive, json!({})).await.body["data"]["redriven"],
        1,
        "all that is left"
    );
    let_die(&server, 4).await;
    let everything = server.answer(forget("/api/v1/dead-letters/match".into())).await;
    assert_eq!(everything.status, 200);
    assert_eq!(server.get("/api/v1/dead-letters").await.body["data"], json!([]));
}
