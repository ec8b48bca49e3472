//! Secrets: what a rule and a pack keep reaches the process, no record, and no parameter that shows it.

use attune_catalogue::actions::ActionChange;
use attune_catalogue::packs::PackChange;
use attune_catalogue::{actions, packs};
use attune_domain::enforcement::Enforcement;
use attune_domain::id::EventId;
use attune_domain::reference::ComponentRef;
use attune_domain::schema::redacted;
use attune_domain::status::EnforcementStatus;
use attune_journey::load;
use attune_tests::contract::Fixture;
use attune_tests::harness::{Harness, Options, RuleTerms};
use serde_json::{Value, json};

const OF_RULE: &str = "rule-Parol-8c1f";
const OF_PACK: &str = "pack-Parol-17ab";

/// Gives an action parameters of which some are secret; its output is.
pub(super) async fn demand(
    harness: &Harness<impl Fixture>,
    action: &ComponentRef,
    parameters: Value,
) {
    let change = ActionChange {
        param_schema: Some(parameters),
        out_schema: Some(json!({"type": "object", "secret": true})),
        ..ActionChange::default()
    };
    actions::update(harness.ports(), action.as_str(), &change).await.expect("the schema is right");
}

/// Gives the pack of the tests a configuration.
async fn configure(harness: &Harness<impl Fixture>, schema: Option<Value>, config: Value) {
    let change = PackChange { conf_schema: schema, config: Some(config), ..PackChange::default() };
    packs::update(harness.ports(), "test", &change).await.expect("the configuration is right");
}

async fn enforcement_of(harness: &mut Harness<impl Fixture>, event: EventId) -> Enforcement {
    harness
        .until("the event is matched", async |ports| {
            let event = load::event(ports, event).await.expect("events can be read")?;
            let id = event.matching.enforcements.first()?.enforcement;
            load::enforcement(ports, id).await.expect("enforcements can be read")
        })
        .await
}

fn tokens() -> Value {
    json!({
        "token": {"type": "string", "secret": true},
        "password": {"type": "string", "secret": true},
        "text": {"type": "string"},
    })
}

/// Literal secrets of the rule and those of its pack's configuration arrive, also inside a longer text.
async fn the_process_gets_what_no_record_shows<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let trigger = harness.trigger("happened").await;
    let action = harness.action("login", "login.sh").await;
    demand(&harness, &action, tokens()).await;
    let schema = json!({"api-key": {"type": "string", "secret": true}});
    configure(&harness, Some(schema), json!({"api-key": OF_PACK, "host": "db1"})).await;
    let parameters = json!({
        "password": OF_RULE,
        "token": "Bearer {{ pack.config.api-key }}",
        "text": "to {{ pack.config.host }} for {{ event.payload.who }}",
    });
    harness.rule("always", &trigger, &action, RuleTerms { parameters, ..Default::default() }).await;
    let event = harness.event(&trigger, "once", json!({"who": "ann"}), 1).await;
    let execution = harness.executions_of(event).await.remove(0);
    let enforcement = enforcement_of(&mut harness, event).await;

    let start = harness.runner.starts().remove(0);
    let wanted = json!({
        "password": OF_RULE, "token": format!("Bearer {OF_PACK}"), "text": "to db1 for ann",
    });
    assert_eq!(Value::Object(start.parameters), wanted);
    let shown = json!({"password": redacted(), "token": redacted(), "text": "to db1 for ann"});
    for config in [&enforcement.config, &execution.config] {
        assert_eq!(json!(config)["inline"], shown, "{config:?}");
    }
    assert_eq!(enforcement.status, EnforcementStatus::Processed);
    for record in [json!(enforcement), json!(execution)].map(|record| record.to_string()) {
        assert!(!record.contains(OF_PACK) && !record.contains(OF_RULE), "{record}");
    }
    harness.finish().await;
}

/// The API refuses such rules, but the schemas may change under a rule that was right.
async fn nothing_is_executed_where_a_secret_would_show<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let trigger = harness.trigger("happened").await;
    let secretive = harness.action("secretive", "a.sh").await;
    let open = harness.action("open", "b.sh").await;
    demand(&harness, &secretive, tokens()).await;
    configure(&harness, None, json!({"host": OF_PACK})).await;
    let reading = json!({"text": "to {{ pack.config.host }}", "who": "{{ event.payload.who }}"});
    let keeping = json!({"password": OF_RULE, "who": "{{ event.payload.who }}"});
    for (name, action, parameters) in [("reads", &open, reading), ("keeps", &secretive, keeping)] {
        let rule = harness
            .rule(name, &trigger, action, RuleTerms { parameters, ..Default::default() })
            .await;
        let cause = format!("{name} before");
        let event =
            harness.event_for(&trigger, &cause, json!({"who": "ann"}), Some(&rule), 1).await;
        harness.executions_of(event).await;

        // What was right is no more: the host becomes a secret, the password none.
        let schema = json!({"host": {"type": "string", "secret": true}});
        configure(&harness, Some(schema), json!({"host": OF_PACK})).await;
        demand(&harness, &secretive, json!({"password": {"type": "string"}})).await;
        let cause = format!("{name} after");
        let event =
            harness.event_for(&trigger, &cause, json!({"who": "ann"}), Some(&rule), 0).await;
        let refused = enforcement_of(&mut harness, event).await;
        assert_eq!(refused.status, EnforcementStatus::Disabled, "{name}");
        assert!(refused.resolved_at.is_some() && refused.execution.is_none(), "{name}");
        let config = json!(refused.config).to_string();
        assert!(config.contains("ann"), "{name}: what is no secret is there: {config}");
        assert!(!config.contains(OF_PACK) && !config.contains(OF_RULE), "{name}: {config}");
        demand(&harness, &secretive, tokens()).await;
    }
    harness.finish().await;
}

attune_tests::on_both! {
    the_process_gets_what_no_record_shows,
    nothing_is_executed_where_a_secret_would_show,
}
