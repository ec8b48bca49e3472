//! Ahead: which records a batch's steps will read, as far as the messages and what is remembered tell.
//!
//! In the cloud every read is a request, and a step mostly knows from its message what it will read. A wrong
//! guess costs a read that was not needed, or one more request; never a wrong decision.

use crate::definitions::PreparedAction;
use crate::{layout, workflow};
use attune_catalogue::layout as definitions;
use attune_domain::admission::LaneKey;
use attune_domain::matching::RuleSet;
use attune_domain::message::{Reads, Step};
use attune_domain::reference::ComponentRef;
use attune_domain::runtime::Runtime;
use attune_ports::records::Kind;
use attune_ports::{Delivery, Key, Memo, Ports};
use bytes::Bytes;
use std::sync::Arc;

/// Keys at once, at most: what a store reads in one request.
const MOST: usize = 100;
/// Actions of one trigger's rules that are guessed, at most.
const ACTIONS: usize = 16;

/// Reads what the steps of these deliveries will read, as far as it can be told. Answers the ports that these
/// steps are to use, and no others: what was read ahead is theirs alone.
pub(crate) async fn of(ports: &Ports, deliveries: &[Delivery]) -> Ports {
    let mut keys: Vec<Key> = Vec::new();
    for delivery in deliveries {
        for key in keys_of(&ports.memo, &delivery.message.step, &delivery.message.reads) {
            if keys.len() < MOST && !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    together(ports, &keys).await
}

/// Reads these together. Answers the ports that are to be used for one decision on them, and no longer.
pub(crate) async fn together(ports: &Ports, keys: &[Key]) -> Ports {
    let ports = ports.clone();
    match ports.records.ahead(keys).await {
        Some(records) => Ports { records, ..ports },
        None => ports,
    }
}

fn keys_of(memo: &Memo, step: &Step, reads: &Reads) -> Vec<Key> {
    let mut keys = match step {
        Step::EventCreated { event } => vec![layout::event(*event)],
        Step::EnforcementCreated { enforcement, .. } => vec![layout::enforcement(*enforcement)],
        Step::ExecutionRequested { execution }
        | Step::ExecutionScheduled { execution, .. }
        | Step::ExecutionCompleted { execution } => vec![layout::execution(*execution)],
        Step::LaneWake { lane } => vec![layout::lane(lane)],
        Step::InquiryDue { inquiry } => vec![layout::inquiry(*inquiry)],
    };
    keys.extend(reads.rule.as_ref().map(|rule| definitions::definition(Kind::Rule, rule)));
    keys.extend(reads.action.as_ref().map(|action| definitions::definition(Kind::Action, action)));
    keys.extend(reads.lane.as_ref().map(layout::lane));
    keys.extend(reads.run.map(workflow::layout::run));
    match step {
        Step::EventCreated { .. } => keys.extend(matched(memo, reads)),
        Step::EnforcementCreated { .. } | Step::ExecutionRequested { .. } => {
            keys.push(definitions::policies_generation());
            let lane = reads.action.as_ref().and_then(|action| memo.last(&lane_of(action)));
            keys.extend(lane.map(|lane: Arc<LaneKey>| layout::lane(&lane)));
        }
        Step::ExecutionScheduled { .. } => {
            keys.push(definitions::keys_generation());
            keys.extend(pack(memo, reads));
        }
        Step::LaneWake { .. } => keys.push(definitions::policies_generation()),
        Step::ExecutionCompleted { .. } | Step::InquiryDue { .. } => {}
    }
    keys
}

/// What an event's match reads besides: the trigger's generation and the actions of the rules that it had
/// last; or the action of the only rule that may match.
fn matched(memo: &Memo, reads: &Reads) -> Vec<Key> {
    let action = |action: &ComponentRef| definitions::definition(Kind::Action, action);
    match (&reads.rule, &reads.trigger) {
        (Some(rule), _) => memo
            .last(&action_of(rule))
            .iter()
            .map(|found: &Arc<ComponentRef>| action(found))
            .collect(),
        (None, Some(trigger)) => {
            let mut keys = vec![definitions::bindings_generation(trigger)];
            if let Some(rules) = memo.last::<RuleSet>(trigger.as_str()) {
                keys.extend(rules.actions().take(ACTIONS).map(action));
            }
            keys
        }
        (None, None) => vec![],
    }
}

/// The pack of an action whose run needs files.
fn pack(memo: &Memo, reads: &Reads) -> Option<Key> {
    let action = reads.action.as_ref()?;
    let known = memo.last::<PreparedAction>(action.as_str());
    let is_native = known.is_some_and(|known| known.action.runtime == Some(Runtime::Native));
    (!is_native).then(|| definitions::definition(Kind::Pack, action.pack()))
}

/// Remembers through which lane an action's executions went last.
pub(crate) fn remember_lane(memo: &Memo, action: &ComponentRef, lane: &LaneKey) {
    memo.put(&lane_of(action), Bytes::new(), Arc::new(lane.clone()));
}

/// Remembers which action a rule executed last.
pub(crate) fn remember_action(memo: &Memo, rule: &ComponentRef, action: &ComponentRef) {
    memo.put(&action_of(rule), Bytes::new(), Arc::new(action.clone()));
}

fn lane_of(action: &ComponentRef) -> String {
    format!("lane of {action}")
}

fn action_of(rule: &ComponentRef) -> String {
    format!("action of {rule}")
}
