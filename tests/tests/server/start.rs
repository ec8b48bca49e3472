//! Starting, stopping, and refusing to start.

use attune_tests::server::{Client, Site, lasting_port, shell_action, until};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::time::Duration;

/// The rest of a line that starts with a label.
fn labelled<'a>(printed: &'a str, label: &str) -> Option<&'a str> {
    printed.lines().find_map(|line| line.strip_prefix(label)).map(str::trim)
}

async fn demo_execution(client: &Client) -> Value {
    // The rule's first interval is ten seconds.
    let patience = Duration::from_secs(20);
    attune_tests::server::until_within(patience, "the demo rule's first execution", async || {
        let list = client.get("/api/v1/executions?rule_ref=core.timer_10s_echo").await.json();
        list["data"].as_array()?.iter().find(|row| row["status"] == "completed").cloned()
    })
    .await
}

#[tokio::test]
async fn the_first_start_says_how_to_log_in_and_shows_that_it_works() {
    let site = Site::new();
    let demo = || {
        site.launch()
            .without("ATTUNE_ADMIN_LOGIN")
            .without("ATTUNE_ADMIN_PASSWORD")
            .without("ATTUNE__PACKS__LOAD_DEMO")
    };
    let server = demo().start().await;
    let printed = server.process().printed();
    assert_eq!(labelled(&printed, "admin login:"), Some("admin"), "{printed}");
    let password = labelled(&printed, "admin password:").expect("a password is shown");
    assert!(password.ends_with("(shown this once)"), "{printed}");
    let password = password.split_whitespace().next().expect("a password").to_owned();
    let client = Client::stranger(server.url()).login("admin", &password).await;

    let row = demo_execution(&client).await;
    let id = row["id"].as_i64().expect("an id");
    let execution = client.execution(id).await;
    let said = execution["result"]["stdout"].as_str().expect("it said something");
    assert_eq!(said.trim_end(), "hello, world", "{execution}");
    assert_eq!(
        (&row["action_ref"], &row["trigger_ref"]),
        (&json!("core.echo"), &json!("core.intervaltimer"))
    );

    let told = until("a line for the execution", async || {
        let printed = server.process().printed();
        printed.lines().find(|line| line.starts_with(&format!("{id} "))).map(str::to_owned)
    })
    .await;
    assert!(told.contains("core.echo") && told.contains("completed"), "{told}");

    let token = client.token().expect("it is logged in");
    let listed = site.command_line(server.url(), token, &["execution", "list", "-o", "json"]).await;
    let complaint = String::from_utf8_lossy(&listed.stderr);
    assert!(listed.status.success(), "{complaint}");
    assert!(String::from_utf8_lossy(&listed.stdout).contains(&id.to_string()), "the list has it");
    server.stop().await;

    let server = demo().start().await;
    let printed = server.process().printed();
    for label in ["admin login:", "admin password:"] {
        assert_eq!(labelled(&printed, label), None, "{printed}");
    }
    // The old token still counts, the password is the same, and nothing is lost.
    let client = Client::stranger(server.url()).with_token(token);
    assert_eq!(client.execution(id).await, execution);
    client.login("admin", &password).await;
    assert_eq!(client.get("/api/v1/rules/core.timer_10s_echo").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn an_interrupted_server_lets_what_runs_finish() {
    let site = Site::new();
    let mut server = site.start().await;
    let client = server.client().await;
    let pack = json!({"ref": "drain", "label": "Drain", "version": "1.0.0"});
    assert_eq!(client.post("/api/v1/packs", pack).await.status, 201);
    let code = "echo started; sleep 1; echo finished";
    shell_action(&client, "drain.slow", code, json!({})).await;
    let id = client.execute("drain.slow", json!({})).await;
    until("it has started", async || {
        let log = client.get(&format!("/api/v1/executions/{id}/logs/stdout")).await;
        log.text.contains("started").then_some(())
    })
    .await;
    server.interrupt();
    let status = server.ended().await;
    assert_eq!(status.code(), Some(0), "{}", server.process().complained());

    let server = site.start().await;
    let execution = server.client().await.execution(id).await;
    assert_eq!(execution["status"], "completed", "{execution}");
    assert_eq!(execution["result"]["stdout"], "started\nfinished\n");
    server.stop().await;
}

#[tokio::test]
async fn a_data_folder_has_one_server() {
    let site = Site::new();
    let first = site.start().await;
    let (status, complaint) = site.launch().refused().await;
    assert!(!status.success(), "{status}");
    assert!(complaint.contains("in use by another server"), "{complaint}");
    assert!(complaint.contains(&*site.data().to_string_lossy()), "{complaint}");
    let health = Client::stranger(first.url()).get("/health").await;
    assert_eq!((health.status, &health.json()["status"]), (200, &json!("ok")), "the first is well");
    first.stop().await;
    site.start().await.stop().await;
}

#[tokio::test]
async fn a_port_has_one_server() {
    let site = Site::new();
    let taken = TcpListener::bind(("127.0.0.1", lasting_port())).expect("a port is free");
    let port = taken.local_addr().expect("it has an address").port();
    let (status, complaint) = site.launch().port(port).refused().await;
    assert!(!status.success(), "{status}");
    assert!(complaint.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{complaint}");
    assert!(complaint.to_lowercase().contains("in use"), "{complaint}");
}

#[tokio::test]
async fn a_wrong_setting_is_named() {
    let site = Site::new();
    let file = site.path().join("wrong.toml");
    let path = file.to_string_lossy().into_owned();
    for (what, text, named) in [
        ("an unknown setting", "[server]\nprot = 1\n", "server.prot"),
        ("an unknown section", "[sever]\nport = 1\n", "sever"),
        ("the wrong type", "[server]\nport = \"many\"\n", "server.port"),
        ("out of range", "[server]\nport = 70000\n", "server.port"),
        ("no TOML", "[server\n", "line 1"),
    ] {
        std::fs::write(&file, text).expect("a file can be written");
        let (status, complaint) = site.launch().argument("--config", &path).refused().await;
        assert!(!status.success(), "{what}: {status}");
        assert!(complaint.contains(named), "{what}: {complaint}");
        assert!(complaint.contains(&path), "{what}: {complaint}");
    }
    for (what, variable, value, named) in [
        ("an unknown setting", "ATTUNE__SERVER__PROT", "1", "server.prot"),
        ("the wrong type", "ATTUNE__QUEUES__MAX_RECEIVES", "few", "queues.max_receives"),
        ("no such word", "ATTUNE__API__LIST_ENVELOPE", "rows", "api.list_envelope"),
        ("no filter of logs", "ATTUNE__LOG__LEVEL", "a=b=c", "log.level"),
    ] {
        let (status, complaint) = site.launch().variable(variable, value).refused().await;
        assert!(!status.success(), "{what}: {status}");
        assert!(complaint.contains(named), "{what}: {complaint}");
    }
    let missing = site.path().join("missing.toml").to_string_lossy().into_owned();
    let (status, complaint) = site.launch().argument("--config", &missing).refused().await;
    assert!(!status.success(), "{status}");
    assert!(complaint.contains(&missing), "{complaint}");
    assert!(!site.data().exists(), "a server that does not start makes no data");
}
