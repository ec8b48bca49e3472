//! One trigger with a thousand rules, of which an event concerns one or none.

use anyhow::Result;

use super::Size;
use crate::Measurement;
use crate::fixture::{self, Fixture, NOOP};
use crate::load::{self, CLIENTS, Until};
use crate::mix::{self, RULES};
use crate::session::Session;

pub(super) async fn run(
    session: &mut Session,
    fixture: &Fixture,
    size: Size,
) -> Result<Vec<Measurement>> {
    let (trigger, webhook) = fixture.webhook(session, "hook").await?;
    for number in 0..RULES {
        let name = format!("rule_{number}");
        session.call(fixture.rule(&name, &trigger, NOOP, mix::conditions(number))).await?;
    }

    let count = size.pick(1_000, 10_000);
    let matched = (0..count).filter(|event| mix::wanted(*event)).count();
    let before = session.totals().await?;
    let load = load::closed_loop(session, CLIENTS, Until::Count(count), move |event| {
        fixture::event(&webhook, &mix::payload(event))
    })
    .await?;
    // An event that no rule wants leaves no trace to wait for. The last ones are wanted, see `mix`.
    let last = session.wait_until(before, |now| now.total >= before.total + matched as u64).await?;
    let rate = count as f64 / last.duration_since(load.started).as_secs_f64();
    let done = session.wait_completed(before, matched as u64).await?;
    let completed = matched as f64 / done.duration_since(load.started).as_secs_f64();

    let work = format!("{count} events against {RULES} rules with conditions: matched");
    Ok(vec![
        Measurement::new("rules_1000.matched", work, rate, "/s"),
        Measurement::new(
            "rules_1000.completed",
            "… and their executions completed",
            completed,
            "/s",
        ),
    ])
}
