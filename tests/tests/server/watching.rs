//! `attune workflow watch` on a terminal: one drawing that changes in its place.

use attune_tests::server::{Client, Site, Terminal, until, upload, write_files};
use serde_json::json;
use std::fmt::Write;

/// A workflow that asks somebody between two tasks, and then has `more` others one after the other.
fn flow(more: usize) -> String {
    let mut tasks = "ref: watched.flow
label: Flow
version: '1.0'
parameters:
  patience: {type: integer, default: 600}
tasks:
  - name: greet
    action: core.noop
    next: [{when: '{{ succeeded() }}', do: [ask]}]
  - name: ask
    action: core.ask
    input: {prompt: 'Go on?', timeout_seconds: '{{ parameters.patience }}'}
    next: [{when: '{{ succeeded() }}', do: [step0]}]
"
    .to_owned();
    for number in 0..more {
        writeln!(tasks, "  - name: step{number}\n    action: core.noop").expect("it is text");
        if number + 1 < more {
            writeln!(tasks, "    next: [{{do: [step{}]}}]", number + 1).expect("it is text");
        }
    }
    tasks
}

async fn furnished(client: &Client, site: &Site, more: usize) {
    let manifest = "ref: watched\nlabel: Watched\nversion: '1.0.0'\n";
    let folder = site.path().join("watched");
    write_files(&folder, &[("pack.yaml", manifest), ("workflows/flow.yaml", &flow(more))]);
    let said = upload(client, &folder, true).await;
    assert_eq!(said.status, 201, "{}", said.text);
}

async fn answer(client: &Client, id: i64) {
    let inquiry = until("it asks", async || {
        let asking = client.get("/api/v1/inquiries/status/pending").await.data();
        asking[0]["id"].as_i64()
    })
    .await;
    let answer = json!({"response": {"approved": true}});
    let said = client.post(&format!("/api/v1/inquiries/{inquiry}/respond"), answer).await;
    assert_eq!(said.status, 200, "{id}: {}", said.text);
}

/// Whether a task is drawn once, and with this mark.
fn stands(lines: &[String], task: &str, mark: char) -> bool {
    let marks = lines.iter().filter_map(|line| {
        let rest = line.strip_prefix(['○', '▶', '✓', '✗'])?;
        (rest.split_whitespace().next() == Some(task)).then(|| line.starts_with(mark))
    });
    marks.eq([true])
}

/// Whether a spinner says that it runs.
fn spins(lines: &[String]) -> bool {
    lines.iter().any(|line| line.split_whitespace().skip(1).eq(["running"]))
}

#[tokio::test]
async fn a_run_is_drawn_in_its_place_on_a_terminal_of_any_size() {
    let site = Site::new();
    let server = site.start().await;
    let client = server.client().await;
    let token = client.token().expect("it is logged in");
    for (what, size, more) in [
        ("a terminal with room", (24, 80), 2),
        ("more lines than rows", (20, 80), 30),
        ("lines longer than the terminal is wide", (20, 24), 4),
        ("next to no rows", (3, 80), 4),
    ] {
        furnished(&client, &site, more).await;
        let id = client.execute("watched.flow", json!({})).await;
        let arguments = ["workflow", "watch", &id.to_string()];
        let mut terminal = Terminal::open(size, &site, (server.url(), token), &arguments);
        let wanted = |screen: &[String]| stands(screen, "ask", '▶') && spins(screen);
        let screen = terminal.shows("a question, and a spinner", wanted).await;
        assert!(terminal.scrolled().len() <= size.0.into(), "{what}: it has scrolled: {screen:#?}");
        answer(&client, id).await;
        let (code, lines) = terminal.ended().await;
        assert_eq!(code, 0, "{what}: {lines:#?}");
        // What is drawn last is printed whole, since there one can scroll back.
        let steps = (0..more).map(|number| format!("step{number}"));
        for task in ["greet", "ask"].into_iter().map(str::to_owned).chain(steps) {
            assert!(stands(&lines, &task, '✓'), "{what}: {task}: {lines:#?}");
        }
        let end = format!("execution {id}: completed");
        assert!(lines.concat().ends_with(&end), "{what}: {lines:#?}");
        let text = lines.concat();
        assert!(!text.contains(['⋮', '▶', '○']), "{what}: nothing is left of before: {lines:#?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_run_that_fails_is_drawn_to_its_end_and_tells_by_the_exit_code() {
    let site = Site::new();
    let server = site.start().await;
    let client = server.client().await;
    let token = client.token().expect("it is logged in");
    furnished(&client, &site, 2).await;
    let id = client.execute("watched.flow", json!({"patience": 1})).await;
    let arguments = ["workflow", "watch", &id.to_string()];
    let terminal = Terminal::open((24, 80), &site, (server.url(), token), &arguments);
    let (code, lines) = terminal.ended().await;
    assert_eq!(code, 1, "{lines:#?}");
    for (task, mark) in [("greet", '✓'), ("ask", '✗'), ("step0", '○')] {
        assert!(stands(&lines, task, mark), "{task}: {lines:#?}");
    }
    let end = format!("execution {id}: failed");
    assert_eq!(lines.last(), Some(&end), "{lines:#?}");
    server.stop().await;
}
