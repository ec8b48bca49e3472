//! Logging in, staying logged in, logging out.

use crate::server::{Generation, Server, data, logins};
use crate::shell::Shell;
use axum::Router;
use axum::routing::get;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn me() -> Router {
    Router::new().route("/auth/me", get(async || data(json!({"id": 1, "login": "ada"}))))
}

/// A server, and the shell of somebody who is logged in there.
async fn logged_in() -> (Server, Generation, Shell) {
    let generation = Generation::default();
    let server = Server::start(logins(&generation, me())).await;
    let shell = Shell::new();
    let line = format!("login ada --password-stdin --url {}", server.url);
    shell.run_with_input(&line, "lovelace\n").await.success();
    (server, generation, shell)
}

#[tokio::test]
async fn a_login_is_remembered_in_private_files() {
    let (server, _, shell) = logged_in().await;
    let mode = fs::metadata(shell.credentials()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let config = fs::read_to_string(shell.config()).unwrap();
    assert!(config.contains(&server.url), "{config}");
    assert!(!config.contains("access-"), "{config}");

    // Neither address nor name is given any more.
    let who = shell.run("whoami").await.success();
    assert!(who.contains("ada"), "{who}");
    shell.run_with_input("login --password-stdin", "lovelace").await.success();
}

#[tokio::test]
async fn no_command_prints_a_token_or_password() {
    let generation = Generation::default();
    let server = Server::start(logins(&generation, me())).await;
    let shell = Shell::at(&server.url).with("ATTUNE_PASSWORD", "lovelace");
    for line in ["login ada", "login eve", "whoami", "whoami -o json", "logout", "whoami"] {
        let outcome = shell.run(line).await;
        let all = format!("{}{}", outcome.stdout, outcome.stderr);
        for secret in ["access-", "refresh-", "lovelace"] {
            assert!(!all.contains(secret), "{line}: {all}");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_in_the_servers_words() {
    let server = Server::start(logins(&Generation::default(), me())).await;
    let shell = Shell::at(&server.url);
    let outcome = shell.run_with_input("login ada --password-stdin", "byron\n").await;
    let remark = outcome.failure(1);
    assert!(remark.contains("Invalid login or password (401 UNAUTHORIZED)"), "{remark}");
    assert!(!shell.credentials().exists());
}

#[tokio::test]
async fn an_expired_login_is_renewed_once_and_kept() {
    let (server, generation, shell) = logged_in().await;
    *generation.lock().unwrap() = 1;
    shell.run("whoami").await.success();
    shell.run("whoami").await.success();
    let expected =
        ["POST /auth/login", "GET /auth/me", "POST /auth/refresh", "GET /auth/me", "GET /auth/me"];
    assert_eq!(server.lines(), expected);
    assert!(fs::read_to_string(shell.credentials()).unwrap().contains("access-2"));
}

#[tokio::test]
async fn a_login_that_cannot_be_renewed_asks_for_another() {
    let (server, generation, shell) = logged_in().await;
    *generation.lock().unwrap() = 7;
    let remark = shell.run("whoami").await.failure(1);
    let expected = format!("the login to {} has expired; run `attune login`", server.url);
    assert!(remark.contains(&expected), "{remark}");
}

#[tokio::test]
async fn without_a_login_one_is_asked_for() {
    let (server, _, shell) = logged_in().await;
    shell.run("logout").await.success();
    assert!(!fs::read_to_string(shell.credentials()).unwrap().contains("access-"));
    let remark = shell.run("whoami").await.failure(1);
    assert!(remark.contains(&format!("not logged in to {}", server.url)), "{remark}");
}

#[tokio::test]
async fn a_token_from_the_environment_goes_first_and_is_not_renewed() {
    let (server, _, shell) = logged_in().await;
    let shell = shell.with("ATTUNE_TOKEN", "given");
    let remark = shell.run("whoami").await.failure(1);
    assert!(remark.contains("Authentication token expired"), "{remark}");
    let asked = server.asked();
    assert_eq!(asked.len(), 2, "login and one try: {asked:?}");
    assert_eq!(asked[1].authorization.as_deref(), Some("Bearer given"));
}

#[tokio::test]
async fn tokens_are_not_shown_to_another_server() {
    let (_server, _, shell) = logged_in().await;
    let stranger = Server::start(me()).await;
    shell.run(&format!("whoami --url {}", stranger.url)).await.success();
    assert_eq!(stranger.asked()[0].authorization, None);
}

#[tokio::test]
async fn profiles_keep_servers_apart() {
    let (_server, _, shell) = logged_in().await;
    let other = Server::start(logins(&Generation::default(), me())).await;
    let line = format!("login ada --password-stdin --profile work --url {}", other.url);
    shell.run_with_input(&line, "lovelace").await.success();
    shell.run("whoami --profile work").await.success();
    assert_eq!(other.lines(), ["POST /auth/login", "GET /auth/me"]);
    let remark = shell.run("whoami --profile play").await.failure(2);
    assert!(remark.contains("there is no profile 'play'"), "{remark}");
}
