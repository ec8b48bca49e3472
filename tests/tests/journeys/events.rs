//! Events: which rules they reach, and the trail that leads from each execution back to its event.

use attune_domain::status::{EnforcementStatus, ExecutionStatus};
use attune_journey::load;
use attune_ports::records::Kind;
use attune_tests::contract::Fixture;
use attune_tests::harness::{Harness, Options, RuleTerms};
use serde_json::json;

/// From the event over the enforcement to the execution, every record names its cause.
async fn the_trail_leads_from_the_event_to_the_execution_and_back<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let trigger = harness.trigger("happened").await;
    let echo = harness.action("echo", "echo.sh").await;
    let terms =
        RuleTerms { parameters: json!({"n": "{{ event.payload.n }}"}), ..RuleTerms::default() };
    let rule = harness.rule("always", &trigger, &echo, terms).await;
    let event = harness.event(&trigger, "once", json!({"n": 7}), 1).await;
    let execution = harness.executions_of(event).await.remove(0);

    let stored = load::event(harness.ports(), event).await.unwrap().unwrap();
    assert_eq!(stored.trigger_ref, trigger);
    let [matched] = &stored.matching.enforcements[..] else { panic!("{:?}", stored.matching) };
    let enforcement =
        load::enforcement(harness.ports(), matched.enforcement).await.unwrap().unwrap();
    assert_eq!(enforcement.status, EnforcementStatus::Processed);
    assert_eq!(enforcement.event, event);
    assert_eq!(enforcement.rule, Some(rule.id));
    assert_eq!(enforcement.execution, Some(execution.id));
    assert_eq!(execution.enforcement, Some(enforcement.id));
    assert_eq!(execution.event, Some(event));
    assert_eq!(execution.rule_ref, Some(rule.reference));
    assert_eq!(execution.status, ExecutionStatus::Completed);
    assert_eq!(execution.attempt, 1);
    assert!(execution.started_at.is_some_and(|at| at >= execution.created));
    assert!(execution.claim.is_none());
    let start = harness.runner.starts().remove(0);
    assert_eq!(start.parameters.get("n"), Some(&json!(7)), "a whole template keeps its type");
    harness.finish().await;
}

/// Each payload reaches the rules whose conditions hold for it, and no other.
async fn conditions_decide_which_rules_an_event_reaches<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let trigger = harness.trigger("happened").await;
    let rules = [
        ("any", json!({})),
        ("red", json!([{"field": "color", "operator": "equals", "value": "red"}])),
        ("large", json!([{"field": "payload.size", "operator": "greater_than", "value": 10}])),
        (
            "red_or_large",
            json!({"any": [
                {"field": "event.payload.color", "operator": "equals", "value": "red"},
                {"field": "size", "operator": "greater_than", "value": 10},
            ]}),
        ),
    ];
    for (name, conditions) in rules {
        let action = harness.action(&format!("run_{name}"), "echo.sh").await;
        harness
            .rule(name, &trigger, &action, RuleTerms { conditions, ..RuleTerms::default() })
            .await;
    }
    for (n, (payload, reached)) in [
        (json!({"color": "red", "size": 20}), &["any", "red", "large", "red_or_large"][..]),
        (json!({"color": "red"}), &["any", "red", "red_or_large"]),
        (json!({"color": "blue", "size": 11}), &["any", "large", "red_or_large"]),
        (json!({"color": "blue", "size": 10}), &["any"]),
        (json!({}), &["any"]),
    ]
    .into_iter()
    .enumerate()
    {
        let event = harness.event(&trigger, &n.to_string(), payload.clone(), reached.len()).await;
        let executions = harness.executions_of(event).await;
        let mut found: Vec<String> = executions
            .iter()
            .map(|execution| execution.action_ref.name().trim_start_matches("run_").to_owned())
            .collect();
        let mut expected: Vec<String> = reached.iter().map(ToString::to_string).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{payload}");
    }
    harness.finish().await;
}

/// An event for one rule does not reach the others of its trigger; a rule of another trigger is not reached.
async fn an_event_bound_to_a_rule_reaches_it_alone<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let (trigger, other) = (harness.trigger("happened").await, harness.trigger("other").await);
    let echo = harness.action("echo", "echo.sh").await;
    harness.rule("first", &trigger, &echo, RuleTerms::default()).await;
    let second = harness.rule("second", &trigger, &echo, RuleTerms::default()).await;
    let foreign = harness.rule("foreign", &other, &echo, RuleTerms::default()).await;

    let bound = harness.event_for(&trigger, "bound", json!({}), Some(&second), 1).await;
    let executions = harness.executions_of(bound).await;
    assert_eq!(executions[0].rule, Some(second.id));
    let astray = harness.event_for(&trigger, "astray", json!({}), Some(&foreign), 0).await;
    assert!(harness.executions_of(astray).await.is_empty());
    let all = harness.event(&trigger, "all", json!({}), 2).await;
    assert_eq!(harness.executions_of(all).await.len(), 2);
    harness.finish().await;
}

/// A rule that is disabled while its enforcement waits to be admitted leads to nothing; one disabled before
/// is not even matched.
async fn a_disabled_rule_leads_to_nothing<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let trigger = harness.trigger("happened").await;
    let echo = harness.action("echo", "echo.sh").await;
    let rule = harness.rule("always", &trigger, &echo, RuleTerms::default()).await;
    attune_catalogue::rules::set_enabled(harness.ports(), rule.reference.as_str(), false)
        .await
        .unwrap();
    let event = harness.event(&trigger, "unheard", json!({}), 0).await;
    assert!(harness.executions_of(event).await.is_empty());
    attune_catalogue::rules::set_enabled(harness.ports(), rule.reference.as_str(), true)
        .await
        .unwrap();
    let event = harness.event(&trigger, "heard", json!({}), 1).await;
    assert_eq!(harness.executions_of(event).await.len(), 1);
    harness.finish().await;
}

/// A hundred and fifty rules of one trigger: more than fit into one commit, none left out or doubled.
async fn an_event_reaches_more_rules_than_fit_into_a_commit<F: Fixture>() {
    const RULES: usize = 150;
    let times = if F::COST == 1 { &[false, true][..] } else { &[true] };
    for twice in times.iter().copied() {
        let mut harness = Harness::<F>::start(Options { twice, ..Options::default() }).await;
        let trigger = harness.trigger("happened").await;
        let noop = harness.action("noop", "pure.sh").await;
        for n in 0..RULES {
            harness.rule(&format!("rule_{n}"), &trigger, &noop, RuleTerms::default()).await;
        }
        let event = harness.event(&trigger, "once", json!({}), RULES).await;
        let executions = harness.executions_of(event).await;
        let mut rules: Vec<_> = executions.iter().map(|execution| execution.rule).collect();
        rules.sort();
        rules.dedup();
        assert_eq!(rules.len(), RULES);
        let expected = [("enforcement".to_owned(), RULES as u64)];
        harness
            .until("all are counted", async |ports| {
                let tally = ports.records.tally(Kind::Enforcement.as_str()).await.unwrap();
                (tally == expected).then_some(())
            })
            .await;
        harness.finish().await;
    }
}

attune_tests::on_both! {
    the_trail_leads_from_the_event_to_the_execution_and_back,
    conditions_decide_which_rules_an_event_reaches,
    an_event_bound_to_a_rule_reaches_it_alone,
    a_disabled_rule_leads_to_nothing,
    an_event_reaches_more_rules_than_fit_into_a_commit,
}
