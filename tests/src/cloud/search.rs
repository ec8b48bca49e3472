//! Looking for a text in everything that a stack keeps and logs.

use attune_aws::Clients;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::read::DeflateDecoder;
use serde_json::{Value, json};
use std::io::Read;

/// Items of a table that hold `text`, bodies that are deflated included.
pub(super) async fn table(clients: &Clients, table: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut pages = clients.dynamodb().await.scan().table_name(table).into_paginator().send();
    while let Some(page) = pages.next().await {
        for item in page.expect("the test may read the table").items() {
            if item.values().any(|value| holds(value, text)) {
                found.push(format!("item {item:?}"));
            }
        }
    }
    found
}

fn holds(value: &AttributeValue, text: &str) -> bool {
    let AttributeValue::B(bytes) = value else { return format!("{value:?}").contains(text) };
    let mut inflated = Vec::new();
    // What cannot be inflated is looked at as far as it can.
    let _ = DeflateDecoder::new(bytes.as_ref()).read_to_end(&mut inflated);
    has(bytes.as_ref(), text) || has(&inflated, text)
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Objects of a bucket that hold `text`.
pub(super) async fn bucket(clients: &Clients, bucket: &str, text: &str) -> Vec<String> {
    let s3 = clients.s3().await;
    let mut found = Vec::new();
    let mut pages = s3.list_objects_v2().bucket(bucket).into_paginator().send();
    while let Some(page) = pages.next().await {
        for object in page.expect("the test may list the bucket").contents() {
            let key = object.key().expect("an object has a key");
            let read = s3.get_object().bucket(bucket).key(key).send().await;
            let body = read.expect("the test may read objects").body.collect().await;
            if has(&body.expect("an object can be read").into_bytes(), text) {
                found.push(format!("object {key}"));
            }
        }
    }
    found
}

/// Lines of all functions' logs that hold `text`.
pub(super) async fn logs(http: &reqwest::Client, endpoint: &str, text: &str) -> Vec<String> {
    let ask = async |operation: &str, body: &Value| -> Value {
        let request = http
            .post(endpoint)
            .header("x-amz-target", format!("Logs_20140328.{operation}"))
            .header("content-type", "application/x-amz-json-1.1")
            .body(body.to_string());
        let answer = request.send().await.expect("the emulator answers");
        let said = answer.text().await.expect("an answer is text");
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
    };
    let groups = ask("DescribeLogGroups", &json!({"logGroupNamePrefix": "/aws/lambda/"})).await;
    let groups = groups["logGroups"].as_array().expect("a list of groups");
    let (mut lines, mut found) = (0, Vec::new());
    for group in groups {
        let name = &group["logGroupName"];
        let mut asked = json!({"logGroupName": name});
        loop {
            let page = ask("FilterLogEvents", &asked).await;
            for event in page["events"].as_array().expect("a list of lines") {
                let line = event["message"].as_str().expect("a line is text");
                lines += 1;
                if line.contains(text) {
                    found.push(format!("log {name}: {line}"));
                }
            }
            if page["nextToken"].is_null() {
                break;
            }
            asked["nextToken"] = page["nextToken"].clone();
        }
    }
    assert!(lines > 0, "the functions have logs");
    found
}
