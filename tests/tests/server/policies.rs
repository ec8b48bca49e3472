//! Policies: who goes, who waits, who is turned away.

use super::actions::pack;
use attune_tests::server::{Client, Deployment, processes, shell_action, until};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

/// Appends its name to a file and waits until a file of its name is there. The child of its own is for
/// those who end it.
const PATIENT: &str = "printf '%s\\n' \"$name\" >> \"$folder/order\"\nsleep 1000 >/dev/null 2>&1 &\n\
    while [ ! -e \"$folder/$name\" ]; do sleep 0.02; done\nkill $!";

/// A deployment with an action that waits to be let go, under a policy.
struct Stage<D> {
    client: Client,
    deployment: D,
    gates: PathBuf,
}

impl<D: Deployment> Stage<D> {
    async fn with(policy: Value) -> Self {
        let deployment = D::fresh().await;
        let client = deployment.client().await;
        let gates = deployment.folder().join("gates");
        fs::create_dir(&gates).expect("a folder can be made");
        pack(&client, "line").await;
        let schema = json!({"name": {"type": "string"}, "folder": {"type": "string"}});
        shell_action(&client, "line.patient", PATIENT, schema).await;
        let mut body = json!({"ref": "line.few", "action_ref": "line.patient"});
        body.as_object_mut()
            .expect("an object")
            .extend(policy.as_object().expect("a policy is an object").clone());
        let said = client.post("/api/v1/policies", body).await;
        assert_eq!(said.status, 201, "{}", said.text);
        Self { client, deployment, gates }
    }

    async fn ask(&self, name: &str) -> i64 {
        self.client.execute("line.patient", json!({"name": name, "folder": self.gates})).await
    }

    fn let_go(&self, name: &str) {
        fs::write(self.gates.join(name), "").expect("a file can be written");
    }

    /// Waits for (waiting, active) and checks the limit.
    async fn stats(&self, waiting: u64, active: u64, limit: u32) -> Value {
        until(&format!("{waiting} waiting and {active} active"), async || {
            let said = self.client.get("/api/v1/actions/line.patient/queue-stats").await;
            let stats = if said.status == 404 { return None } else { said.data() };
            let now = (&stats["queue_length"], &stats["active_count"], &stats["max_concurrent"]);
            (now == (&json!(waiting), &json!(active), &json!(limit))).then_some(stats)
        })
        .await
    }

    async fn cancel(&self, id: i64) -> Value {
        let said = self.client.poke(&format!("/api/v1/executions/{id}/cancel")).await;
        assert_eq!(said.status, 200, "{}", said.text);
        said.data()
    }

    /// Waits until the action of that name has begun.
    async fn begun(&self, name: &str) {
        until(&format!("{name} has begun"), async || {
            self.order().iter().any(|begun| begun == name).then_some(())
        })
        .await;
    }

    fn order(&self) -> Vec<String> {
        let text = fs::read_to_string(self.gates.join("order")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

async fn with_a_limit_of_one_executions_run_in_the_order_they_came<D: Deployment>() {
    let stage = Stage::<D>::with(json!({"threshold": 1})).await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(stage.ask(name).await);
    }
    let stats = stage.stats(2, 1, 1).await;
    assert!(stats["oldest_enqueued_at"].is_string(), "{stats}");
    for (turn, name) in ["a", "b", "c"].into_iter().enumerate() {
        stage.begun(name).await;
        stage.client.reaches(ids[turn], "running").await;
        for waiting in &ids[turn + 1..] {
            assert_eq!(stage.client.execution(*waiting).await["status"], "requested");
        }
        stage.let_go(name);
        stage.client.reaches(ids[turn], "completed").await;
    }
    assert_eq!(stage.order(), ["a", "b", "c"]);
    let stats = stage.stats(0, 0, 1).await;
    assert_eq!(
        (&stats["total_enqueued"], &stats["total_completed"]),
        (&json!(3), &json!(3)),
        "{stats}"
    );
    assert_eq!(stats["oldest_enqueued_at"], Value::Null);
    stage.deployment.stop().await;
}

async fn cancelling_frees_places_and_slots_and_ends_the_process_group<D: Deployment>() {
    let stage = Stage::<D>::with(json!({"threshold": 1})).await;
    let (a, b, c) = (stage.ask("a").await, stage.ask("b").await, stage.ask("c").await);
    stage.stats(2, 1, 1).await;
    let cancelled = stage.cancel(b).await;
    assert_eq!(cancelled["status"], "cancelled", "one that waits is over at once");
    stage.stats(1, 1, 1).await;

    stage.begun("a").await;
    stage.client.reaches(a, "running").await;
    let alive = || processes::running(a);
    until("a shell and its child", async || (alive().len() > 1).then_some(())).await;
    stage.cancel(a).await;
    let over = until("the running one is cancelled", async || {
        let execution = stage.client.execution(a).await;
        (execution["status"] != "running" && execution["status"] != "canceling")
            .then_some(execution)
    })
    .await;
    assert_eq!(over["status"], "cancelled", "{over}");
    let result = &over["result"];
    assert_eq!(
        (&result["succeeded"], &result["cancelled"]),
        (&json!(false), &json!(true)),
        "{result}"
    );
    assert_eq!(alive(), [], "nothing of the process group is left");
    let again = stage.client.poke(&format!("/api/v1/executions/{a}/cancel")).await;
    assert_eq!((again.status, &again.json()["code"]), (409, &json!("CONFLICT")), "{}", again.text);

    stage.begun("c").await;
    stage.let_go("c");
    stage.client.reaches(c, "completed").await;
    stage.stats(0, 0, 1).await;
    assert_eq!(stage.order(), ["a", "c"], "the cancelled waiter never ran");
    stage.deployment.stop().await;
}

async fn with_method_cancel_whoever_finds_no_slot_is_turned_away<D: Deployment>() {
    let stage = Stage::<D>::with(json!({"threshold": 1, "method": "cancel"})).await;
    let first = stage.ask("first").await;
    stage.begun("first").await;
    let second = stage.ask("second").await;
    let refused = stage.client.reaches(second, "cancelled").await;
    assert!(refused["result"]["error"].is_string(), "{refused}");
    stage.let_go("first");
    stage.client.reaches(first, "completed").await;
    stage.stats(0, 0, 1).await;
    assert_eq!(stage.order(), ["first"]);
    stage.deployment.stop().await;
}

async fn a_raised_limit_and_a_disabled_policy_wake_those_who_wait<D: Deployment>() {
    let stage = Stage::<D>::with(json!({"threshold": 1})).await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        ids.push(stage.ask(name).await);
    }
    stage.stats(4, 1, 1).await;
    let raised = stage.client.put("/api/v1/policies/line.few", json!({"threshold": 3})).await;
    assert_eq!(raised.data()["threshold"], 3);
    stage.stats(2, 3, 3).await;
    for id in &ids[..3] {
        stage.client.reaches(*id, "running").await;
    }
    let off = stage.client.poke("/api/v1/policies/line.few/disable").await;
    assert_eq!(off.data()["enabled"], false);
    for id in &ids {
        stage.client.reaches(*id, "running").await;
    }
    for name in ["a", "b", "c", "d", "e"] {
        stage.let_go(name);
    }
    for id in &ids {
        stage.client.reaches(*id, "completed").await;
    }
    stage.deployment.stop().await;
}

attune_tests::over_http_on_both! {
    with_a_limit_of_one_executions_run_in_the_order_they_came,
    cancelling_frees_places_and_slots_and_ends_the_process_group,
    with_method_cancel_whoever_finds_no_slot_is_turned_away,
    a_raised_limit_and_a_disabled_policy_wake_those_who_wait,
}
