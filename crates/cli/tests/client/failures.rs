//! What the shell sees when something does not work.

use crate::server::{Server, error};
use crate::shell::Shell;
use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use std::net::TcpListener;

#[tokio::test]
async fn no_server_is_told_apart_from_a_server_that_refuses() {
    // The port was free a moment ago, and nobody listens on it.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let shell = Shell::at(&format!("http://127.0.0.1:{port}"));
    let remark = shell.run("action list").await.failure(3);
    let expected = format!(
        "error: no Attune server answers at http://127.0.0.1:{port}; \
         start one with `attune serve` or pass --url\n"
    );
    assert!(remark.starts_with(&expected), "{remark}");
    assert!(!remark.contains("error sending request"), "no transport prose: {remark}");
}

#[tokio::test]
async fn a_refusal_shows_text_code_and_request() {
    let refuse = async || {
        let headers = [("x-request-id", "req-42")];
        (headers, error(404, "NOT_FOUND", "Action 'a.b' not found")).into_response()
    };
    let server = Server::start(Router::new().route("/api/v1/actions/{ref}", get(refuse))).await;
    let remark = Shell::at(&server.url).run("action get a.b").await.failure(1);
    assert_eq!(remark, "error: Action 'a.b' not found (404 NOT_FOUND, request req-42)\n");
}

#[tokio::test]
async fn something_else_on_the_port_is_noticed() {
    let routes = Router::new().fallback(async || "<html>Welcome</html>");
    let server = Server::start(routes).await;
    let shell = Shell::at(&server.url);
    for line in ["action list", "action get a.b"] {
        let remark = shell.run(line).await.failure(1);
        assert!(remark.contains("does not look like an Attune server"), "{line}: {remark}");
    }
}

#[tokio::test]
async fn mistakes_in_the_command_reach_no_server() {
    let server = Server::start(Router::new()).await;
    let shell = Shell::at(&server.url);
    for (why, line) in [
        ("no such noun", "robot list"),
        ("parameters are no JSON", "action execute a.b --params {"),
        ("parameters are no object", "action execute a.b --params 3"),
        ("the parameter file is missing", "action execute a.b --params @/nowhere/at/all.json"),
        ("nobody to log in", "login --password-stdin"),
    ] {
        assert!(!shell.run(line).await.failure(2).is_empty(), "{why}");
    }
    assert_eq!(server.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn a_damaged_configuration_is_named() {
    let shell = Shell::new();
    std::fs::create_dir_all(shell.config().parent().unwrap()).unwrap();
    std::fs::write(shell.config(), "[profiles").unwrap();
    let remark = shell.run("action list").await.failure(1);
    assert!(remark.contains("cli.toml is not valid TOML"), "{remark}");
}
