//! Match: which rules care about an event, and with which parameters?

use crate::announce::{self, Announcement};
use crate::retry::{Attempts, Portion};
use crate::{ahead, definitions, layout, load, payload, secrets};
use attune_domain::Timestamp;
use attune_domain::catalogue::Rule;
use attune_domain::enforcement::Enforcement;
use attune_domain::event::{Event, Matched};
use attune_domain::id::{EnforcementId, EventId};
use attune_domain::matching::{Leak, Occurrence, PreparedRule, RuleSet};
use attune_domain::schema::Schema;
use attune_domain::status::EnforcementStatus;
use attune_ports::records::{Commit, Kind, MAX_RECORD_BYTES};
use attune_ports::{Ports, Unavailable};
use serde_json::Value;
use std::sync::Arc;

/// Enforcements in one commit, at most: with the event's record they stay within its limits.
const AT_ONCE: usize = 64;

/// Makes one enforcement for each rule that matches the event.
///
/// # Errors
/// [`Unavailable`] where something does not answer; the message is to come again.
pub async fn handle(ports: &Ports, id: EventId) -> Result<(), Unavailable> {
    let mut attempts = Attempts::default();
    let mut portion = Portion::of(AT_ONCE);
    loop {
        let key = layout::event(id);
        let Some(loaded) = load::versioned::<Event>(ports, &key).await? else { return Ok(()) };
        let (mut event, version) = (loaded.body, loaded.version);
        if event.matching.done {
            return announce_again(ports, &event).await;
        }
        let whole = match &event.payload {
            Some(payload) => Some(payload::fetch(&*ports.blobs, payload).await?),
            None => None,
        };
        let rules = candidates(ports, &event).await?;
        let occurrence = Occurrence {
            id: event.id,
            trigger_ref: &event.trigger_ref,
            payload: whole.as_ref(),
            created: event.created,
            now: ports.clock.now(),
        };
        let mut matches = rules.matches(&occurrence);
        matches.retain(|rule| event.matching.upto.is_none_or(|upto| rule.rule.id > upto));
        let more = matches.len() > portion.most();
        matches.truncate(portion.most());

        let mut enforcements = Vec::with_capacity(matches.len());
        for rule in matches {
            enforcements.push(enforce(ports, &event, rule, &occurrence).await?);
        }
        event.matching.upto =
            enforcements.last().and_then(|made| made.rule).or(event.matching.upto);
        event.matching.done = !more;
        event.matching.enforcements.extend(
            enforcements
                .iter()
                .map(|made| Matched { enforcement: made.id, action_ref: made.action_ref.clone() }),
        );

        let now = ports.clock.now();
        let due = Some(announce::overdue_at(now, now));
        let record = layout::event_record(&event, due.filter(|_| more));
        let mut commit = Commit::new().replace(record, version);
        for made in &enforcements {
            commit = commit.create(layout::enforcement_record(made, due.filter(|_| waits(made))));
        }
        match ports.records.commit(commit).await {
            Ok(()) => {
                enforcements.retain(waits);
                announce::send(ports, enforcements.iter().map(Announcement::enforcement)).await?;
                if !more {
                    return Ok(());
                }
            }
            Err(error) if portion.halve(enforcements.len(), &error) => {}
            Err(error) => attempts.again(ports, error).await?,
        }
    }
}

/// The rules that may care: the one that the event is meant for, or all of its trigger.
async fn candidates(ports: &Ports, event: &Event) -> Result<Arc<RuleSet>, Unavailable> {
    let Some(reference) = &event.rule_ref else {
        return definitions::rules(ports, &event.trigger_ref).await;
    };
    let rule: Option<Rule> = load::definition(ports, Kind::Rule, reference.as_str()).await?;
    let bound = rule.filter(|rule| {
        rule.enabled && Some(rule.id) == event.rule && rule.trigger_ref == event.trigger_ref
    });
    if let Some(rule) = &bound {
        ahead::remember_action(&ports.memo, &rule.reference, &rule.action_ref);
    }
    Ok(Arc::new(RuleSet::new(bound.into_iter().collect())))
}

/// Whether an enforcement is still to be admitted.
fn waits(enforcement: &Enforcement) -> bool {
    enforcement.status == EnforcementStatus::Created
}

/// Builds the enforcement of one rule. A rule that would carry a secret to where its action has none gets
/// one that is over at once, without the secret.
async fn enforce(
    ports: &Ports,
    event: &Event,
    prepared: &PreparedRule,
    occurrence: &Occurrence<'_>,
) -> Result<Enforcement, Unavailable> {
    let rule = &prepared.rule;
    let id = EnforcementId::new(ports.ids.next());
    let action = definitions::action(ports, &rule.action_ref).await?;
    let pack = if prepared.reads_pack_config() {
        definitions::configuration(ports, rule.pack_ref.as_str()).await?
    } else {
        None
    };
    let leak = prepared.leak(
        pack.as_ref().map_or(&[], |pack| &pack.secret),
        action.as_ref().map_or(&Schema::any(), |action| &action.parameters),
    );
    if let Some(Leak { from, to }) = &leak {
        tracing::warn!(
            rule = %rule.reference, event = %event.id, action = %rule.action_ref, secret = from, parameter = to,
            "nothing is executed: a secret would go to a parameter that is not secret"
        );
    }
    let config = match &pack {
        Some(pack) => {
            Some(secrets::configuration(&*ports.vault, &pack.pack, leak.is_none()).await?)
        }
        None => None,
    };
    let mut parameters = prepared.render(occurrence, config.as_ref()).unwrap_or_else(|error| {
        // A template that is beyond its bounds must not lose the event.
        tracing::warn!(rule = %rule.reference, event = %event.id, %error, "parameters are left unrendered");
        Value::Object(rule.action_params.clone())
    });
    if leak.is_none() {
        attune_catalogue::secrets::restore(&*ports.vault, rule, &mut parameters).await?;
    }
    let context = secrets::of_enforcement(id);
    let sealed = secrets::take(&*ports.vault, &context, action.as_deref(), &mut parameters).await?;
    let config =
        payload::stash(&*ports.blobs, &format!("enforcements/{id}.config"), parameters).await?;
    let now = ports.clock.now();
    let made = Enforcement {
        id,
        rule: Some(rule.id),
        rule_ref: rule.reference.clone(),
        trigger_ref: event.trigger_ref.clone(),
        action_ref: rule.action_ref.clone(),
        event: event.id,
        config: Some(config),
        secrets: sealed,
        conditions: rule.conditions.clone(),
        permission_set_refs: rule.permission_set_refs.clone(),
        executor: rule.owner_identity,
        status: if leak.is_some() {
            EnforcementStatus::Disabled
        } else {
            EnforcementStatus::Created
        },
        execution: None,
        created: now,
        resolved_at: leak.map(|_| now),
    };
    Ok(without_excess(made, now))
}

/// An enforcement that does not fit into a record is over at once, without what makes it so large; else the event would
/// be matched again and again, and other rules wait for it.
fn without_excess(made: Enforcement, now: Timestamp) -> Enforcement {
    let bytes = layout::enforcement_record(&made, Some(now)).body.len();
    if bytes <= MAX_RECORD_BYTES {
        return made;
    }
    tracing::warn!(
        rule = %made.rule_ref, event = %made.event, bytes,
        "nothing is executed: the enforcement is too large to be stored, most likely by its secrets"
    );
    Enforcement {
        secrets: None,
        conditions: Value::Null,
        status: EnforcementStatus::Disabled,
        resolved_at: Some(now),
        ..made
    }
}

/// The event was matched before: perhaps its enforcements were not announced.
async fn announce_again(ports: &Ports, event: &Event) -> Result<(), Unavailable> {
    let mut waiting = Vec::new();
    for matched in &event.matching.enforcements {
        if let Some(enforcement) = load::enforcement(ports, matched.enforcement).await?
            && waits(&enforcement)
        {
            waiting.push(Announcement::enforcement(&enforcement));
        }
    }
    announce::send(ports, waiting).await
}
