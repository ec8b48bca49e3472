//! The same webhook before and after ten thousand rules were added to other triggers.

use anyhow::Result;
use serde_json::{Value, json};

use super::Size;
use super::webhook_noop::fire;
use crate::Measurement;
use crate::fixture::{Fixture, NOOP};
use crate::load::{self, CLIENTS, Until};
use crate::session::Session;

/// The triggers that the other rules are spread over.
const TRIGGERS: usize = 100;

pub(super) async fn run(
    session: &mut Session,
    fixture: &Fixture,
    size: Size,
) -> Result<Vec<Measurement>> {
    let (trigger, webhook) = fixture.webhook(session, "hook").await?;
    session.call(fixture.rule("rule", &trigger, NOOP, Value::Null)).await?;
    let count = size.pick(2_000, 10_000);
    let rules = size.pick(2_000, 10_000);

    // The first round warms up caches that the last one would find warm.
    fire(session, &webhook, count / 4).await?;
    let few = fire(session, &webhook, count).await?.completed_per_second;

    let mut others = Vec::with_capacity(TRIGGERS);
    for number in 0..TRIGGERS {
        others.push(fixture.trigger(session, &format!("other_{number}")).await?);
    }
    let requests: Vec<_> = (0..rules)
        .map(|number| {
            let conditions = json!([{ "field": "n", "operator": "equals", "value": number }]);
            fixture.rule(&format!("other_{number}"), &others[number % TRIGGERS], NOOP, conditions)
        })
        .collect();
    let created = load::closed_loop(session, CLIENTS, Until::Count(rules), move |number| {
        requests[number].clone()
    })
    .await?;

    let many = fire(session, &webhook, count).await?.completed_per_second;
    Ok(vec![
        Measurement::new(
            "many_rules.completed",
            format!("webhook → core.noop with {rules} rules on other triggers: completed"),
            many,
            "/s",
        ),
        Measurement::new("many_rules.ratio", "… against the same without them", many / few, "×"),
        Measurement::new("many_rules.created", "… rules created", created.rate(), "/s"),
    ])
}
