//! `kill -9`: nothing accepted is lost, nothing runs twice, nothing is left behind.

use super::actions::pack;
use super::traffic::{Request, Traffic};
use super::verdict::{History, Marks};
use attune_tests::server::{
    Client, Site, is_over, lasting_port, leftovers, processes, shell_action, webhook,
};
use rand::RngExt;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often the server is killed; more by hand: `ATTUNE_TEST_KILLS=100`.
const VARIABLE: &str = "ATTUNE_TEST_KILLS";
const KILLS: usize = 6;
/// How long after it answers a server is killed, in milliseconds.
const LIFE: std::ops::RangeInclusive<u64> = 50..=1_500;
/// How long all that was accepted may take at the end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks at what is left.
const LOOK: Duration = Duration::from_millis(100);

/// The actions with a side effect: name, slots, attempts, seconds of a run.
pub(super) const ACTIONS: [(&str, u32, u32, &str); 3] =
    [("crash.three", 3, 1, "0.05"), ("crash.one", 1, 1, "0.02"), ("crash.again", 2, 2, "0.2")];

fn kills() -> usize {
    std::env::var(VARIABLE).map_or(KILLS, |text| text.parse().expect("a number of kills"))
}

pub(super) async fn policy(client: &Client, action: &str, terms: Value) {
    let mut body = json!({"ref": format!("{action}_policy"), "action_ref": action});
    body.as_object_mut().expect("an object").extend(terms.as_object().expect("an object").clone());
    let said = client.post("/api/v1/policies", body).await;
    assert_eq!(said.status, 201, "{}", said.text);
}

async fn rule(client: &Client, name: &str, trigger: &str, params: Value, conditions: Value) {
    let body = json!({
        "ref": name, "pack_ref": "crash", "label": name, "trigger_ref": trigger,
        "trigger_params": params, "conditions": conditions, "action_ref": "core.noop",
    });
    let said = client.post("/api/v1/rules", body).await;
    assert_eq!(said.status, 201, "{}", said.text);
}

fn marks_of(folder: &Path, action: &str) -> Marks {
    Marks::read(&fs::read_to_string(folder.join(action)).unwrap_or_default())
}

/// Actions with side effects, rules without; answers where webhooks are posted to.
pub(super) async fn define(client: &Client, folder: &Path) -> String {
    pack(client, "crash").await;
    for (action, limit, attempts, seconds) in ACTIONS {
        // Each mark is one write to the end of the file: marks do not mix.
        let file = folder.join(action);
        let code = format!(
            "printf '+%s\\n' \"$ATTUNE_EXEC_ID\" >> '{0}'\nsleep {seconds}\n\
             printf -- '-%s\\n' \"$ATTUNE_EXEC_ID\" >> '{0}'",
            file.display()
        );
        shell_action(client, action, &code, json!({})).await;
        policy(client, action, json!({"threshold": limit, "max_attempts": attempts})).await;
    }
    let keyed = json!({
        "ref": "crash.keyed", "pack_ref": "crash", "label": "Keyed", "entrypoint": "core.noop",
        "runtime_ref": "core.native",
    });
    let said = client.post("/api/v1/actions", keyed).await;
    assert_eq!(said.status, 201, "{}", said.text);
    let hook = webhook(client, "crash.hook").await;
    let never = json!([{"field": "kind", "operator": "equals", "value": "other"}]);
    let always = json!([{"field": "kind", "operator": "equals", "value": "this"}]);
    rule(client, "crash.always", "crash.hook", json!({}), json!({})).await;
    rule(client, "crash.fitting", "crash.hook", json!({}), always).await;
    rule(client, "crash.never", "crash.hook", json!({}), never).await;
    let second = json!({"interval": 1, "unit": "seconds"});
    rule(client, "crash.tick", "core.intervaltimer", second, json!({})).await;
    hook
}

pub(super) fn send_everything(client: &Client, hook: &str, mut traffic: Traffic) -> Traffic {
    let execute = |action: &str, millis: u64, insists: bool| Request {
        path: "/api/v1/executions/execute".to_owned(),
        body: json!({"action_ref": action}),
        id: "id",
        every: Duration::from_millis(millis),
        insists,
    };
    for _ in 0..2 {
        traffic.add("three", client, execute("crash.three", 150, false));
        traffic.add("one", client, execute("crash.one", 300, false));
    }
    traffic.add("again", client, execute("crash.again", 400, false));
    traffic.add("keyed", client, execute("crash.keyed", 100, true));
    for _ in 0..2 {
        let request = Request {
            path: hook.to_owned(),
            body: json!({"payload": {"kind": "this"}}),
            id: "event_id",
            every: Duration::from_millis(60),
            insists: false,
        };
        traffic.add("hook", client, request);
    }
    traffic
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_moments() {
    let site = Site::new();
    let port = lasting_port();
    let launch = || site.launch().port(port).variable("ATTUNE__RUNNER__MAX_PROCESSES", "8").start();
    let mut server = launch().await;
    let client = server.client().await;
    let hook = define(&client, site.path()).await;
    let traffic = send_everything(&client, &hook, Traffic::new());
    let kills = kills();
    for _ in 0..kills {
        let life = Duration::from_millis(rand::rng().random_range(LIFE));
        tokio::time::sleep(life).await;
        server.kill().await;
        server = launch().await;
    }
    let accepted = traffic.stop().await;
    let disabled = client.poke("/api/v1/rules/crash.tick/disable").await;
    assert!(disabled.is_good(), "{}", disabled.text);
    all_is_done(&client, &site).await;

    let events = client.rows("/api/v1/events").await;
    let executions = client.rows("/api/v1/executions").await;
    let enforcements = client.rows("/api/v1/enforcements").await;
    let unfinished: Vec<&Value> = executions.iter().filter(|row| !is_over(row)).collect();
    assert!(unfinished.is_empty(), "{unfinished:?}");
    let history = History::of(&executions, &enforcements);
    check(site.path(), &history, &accepted, kills);
    check_events(&history, &events, &accepted, kills);
    for (action, limit, ..) in ACTIONS {
        let stats = client.get(&format!("/api/v1/actions/{action}/queue-stats")).await.data();
        let now = (&stats["queue_length"], &stats["active_count"], &stats["max_concurrent"]);
        assert_eq!(now, (&json!(0), &json!(0), &json!(limit)), "{action}");
    }
    let dead = client.get("/api/v1/dead-letters").await.json();
    assert_eq!(dead["data"], json!([]), "no step gave up on a message");

    server.stop().await;
    assert_eq!(leftovers::of(&site.data()), Vec::<String>::new());
    assert_eq!(processes::of_folder(&site.data()), [], "no process is left");
}

/// Waits until the server has nothing left to do, and shows what is left where that takes too long.
async fn all_is_done(client: &Client, site: &Site) {
    let since = Instant::now();
    let mut left = vec!["nobody has looked yet".to_owned()];
    while !left.is_empty() {
        assert!(since.elapsed() < PATIENCE, "{} things are left: {left:#?}", left.len());
        tokio::time::sleep(LOOK).await;
        left = leftovers::of(&site.data());
        let stats = client.get("/api/v1/executions/stats").await.data();
        if (&stats["pending"], &stats["running"]) != (&json!(0), &json!(0)) {
            left.push(format!("executions: {stats}"));
        }
    }
}

fn ids_of<'a>(
    accepted: &'a [(&str, Vec<i64>)],
    name: &'a str,
) -> impl Iterator<Item = &'a Vec<i64>> {
    accepted.iter().filter(move |(client, _)| *client == name).map(|(_, ids)| ids)
}

pub(super) fn check(folder: &Path, history: &History, accepted: &[(&str, Vec<i64>)], kills: usize) {
    for name in ["three", "one", "again", "keyed"] {
        let ids: Vec<&i64> = ids_of(accepted, name).flatten().collect();
        assert!(!ids.is_empty(), "{name}: nothing was accepted at all");
        for id in ids {
            assert!(history.executions.contains_key(id), "{name}: {id} was accepted and is lost");
        }
    }
    for (action, limit, attempts, _) in ACTIONS {
        let marks = marks_of(folder, action);
        marks.check_runs(history, action, attempts as usize);
        marks.check_limit(limit as usize);
        let abandoned = history.abandoned(action);
        let could = limit as usize * kills;
        assert!(abandoned <= could, "{action}: {abandoned} abandoned, {could} could run at a kill");
    }
    let marks = marks_of(folder, "crash.one");
    for asked in ids_of(accepted, "one") {
        marks.check_order(history, asked);
    }
    // Requests that were repeated until they had an answer happened once each.
    let keyed: Vec<i64> = ids_of(accepted, "keyed").flatten().copied().collect();
    let made: Vec<i64> = history.of_action("crash.keyed").map(|(id, _)| id).collect();
    assert_eq!(made, keyed, "the repeated requests, in order");
    for action in ["core.noop", "crash.keyed"] {
        for (id, execution) in history.of_action(action) {
            assert_eq!(execution.status, "completed", "{id} of {action} has no side effect");
        }
    }
}

pub(super) fn check_events(
    history: &History,
    events: &[Value],
    accepted: &[(&str, Vec<i64>)],
    kills: usize,
) {
    let of = |trigger: &str| -> Vec<i64> {
        let of_trigger = events.iter().filter(|event| event["trigger_ref"] == trigger);
        of_trigger.map(|event| event["id"].as_i64().expect("an id")).collect()
    };
    let hooks = of("crash.hook");
    for id in ids_of(accepted, "hook").flatten() {
        assert!(hooks.contains(id), "event {id} was accepted and is lost");
    }
    // Those without an answer count as well, once they are there.
    history.check_events(&hooks, &["crash.always", "crash.fitting"]);
    let ticks = of("core.intervaltimer");
    assert!(!ticks.is_empty(), "the timer never ticked in {} lives", kills + 1);
    history.check_events(&ticks, &["crash.tick"]);
    let expected = 2 * hooks.len() + ticks.len();
    assert_eq!(history.enforcements.len(), expected, "nothing else was enforced");
}
