//! What binds a rule: its trigger and action while they exist, its timer, and the small record that
//! matching reads.
//!
//! A rule is *bound* while it is enabled and both its trigger and its action exist. Every commit that
//! writes a rule insists on the trigger and the action being as they were when the rule was decided, so
//! that a rule cannot slip past the deletion of either.

use crate::definition::{Definition, Stored};
use crate::draft::{Draft, settled};
use crate::error::{Error, Failure};
use crate::{layout, read, secrets, timers};
use attune_domain::catalogue::{Action, Rule, Trigger};
use attune_ports::Ports;
use attune_ports::records::{Kind, Record};
use std::collections::HashMap;

/// Writes of one rule in a commit, at most: rule, binding of the old and of the new trigger, both
/// generations, and what is insisted on.
const WRITES_PER_RULE: usize = 7;

/// What a rule refers to, as read.
pub(crate) struct Links {
    pub(crate) trigger: Option<Stored<Trigger>>,
    pub(crate) action: Option<Stored<Action>>,
}

impl Links {
    pub(crate) async fn load(
        ports: &Ports,
        trigger_ref: &str,
        action_ref: &str,
    ) -> Result<Self, Error> {
        Ok(Self {
            trigger: read::stored(ports, trigger_ref).await?,
            action: read::stored(ports, action_ref).await?,
        })
    }
}

/// Whether events make the rule fire.
fn is_bound(rule: &Rule) -> bool {
    rule.enabled && rule.trigger.is_some() && rule.action.is_some()
}

/// The rule with ids of what it refers to and with its timer, going on with the timer of `before` where
/// nothing about it changes.
pub(crate) fn linked(
    ports: &Ports,
    before: Option<&Rule>,
    mut rule: Rule,
    links: &Links,
) -> Result<Rule, Error> {
    rule.trigger = links.trigger.as_ref().map(|trigger| trigger.value.id);
    rule.action = links.action.as_ref().map(|action| action.value.id);
    let spec = if is_bound(&rule) {
        timers::of_rule(&rule.trigger_ref, &rule.trigger_params)?
    } else {
        None
    };
    let running = before
        .filter(|before| before.trigger_ref == rule.trigger_ref)
        .and_then(|before| before.timer.as_ref());
    rule.timer = spec.map(|spec| timers::going_on(ports, running, spec));
    Ok(rule)
}

/// Adds to a draft all that storing `after` in place of `before` writes.
pub(crate) fn store(
    ports: &Ports,
    draft: &mut Draft,
    before: Option<&Stored<Rule>>,
    after: &Rule,
    links: &Links,
) {
    draft.store(before, after);
    draft.insist(after.trigger_ref.as_str(), links.trigger.as_ref());
    draft.insist(after.action_ref.as_str(), links.action.as_ref());
    if let Some(before) = before
        && before.value.trigger_ref != after.trigger_ref
    {
        unbind(ports, draft, &before.value);
    }
    let key = layout::binding(&after.trigger_ref, after.id.get());
    if is_bound(after) {
        draft.put(Record::new(Kind::Marker, key, after));
    } else {
        draft.delete(key);
    }
    draft.renew(layout::bindings_generation(&after.trigger_ref), ports.ids.next());
}

/// Adds to a draft all that removing a rule writes.
pub(crate) fn remove(ports: &Ports, draft: &mut Draft, before: &Stored<Rule>) {
    draft.remove(before);
    unbind(ports, draft, &before.value);
}

fn unbind(ports: &Ports, draft: &mut Draft, rule: &Rule) {
    draft.delete(layout::binding(&rule.trigger_ref, rule.id.get()));
    draft.renew(layout::bindings_generation(&rule.trigger_ref), ports.ids.next());
}

/// Links the rules of these refs anew with whatever triggers and actions exist now, and seals what those
/// call secret, in as few commits as their sizes allow; those that need no change are not written.
pub(crate) async fn refresh(ports: &Ports, references: &[String]) -> Result<(), Error> {
    for part in references.chunks(attune_ports::records::MAX_WRITES / WRITES_PER_RULE) {
        let changed = settled(ports, || refresh_once(ports, part)).await?;
        for rule in &changed {
            timers::apply_rule(ports, rule).await;
        }
    }
    Ok(())
}

async fn refresh_once(ports: &Ports, references: &[String]) -> Result<Vec<Rule>, Failure> {
    let mut draft = Draft::new();
    let mut changed = Vec::new();
    let names: Vec<&str> = references.iter().map(String::as_str).collect();
    let rules = read::stored_all::<Rule>(ports, &names).await?;
    for before in rules.into_iter().flatten() {
        let rule = &before.value;
        let links = Links::load(ports, rule.trigger_ref.as_str(), rule.action_ref.as_str()).await?;
        // Parameters of long ago may not satisfy the timer of today: such a rule stays as it is.
        let Ok(mut after) = linked(ports, Some(rule), rule.clone(), &links) else { continue };
        secrets::seal_rule(ports, Some(rule), &mut after, &links).await?;
        if after != *rule {
            store(ports, &mut draft, Some(&before), &after, &links);
            changed.push(after);
        }
    }
    draft.commit(ports).await?;
    Ok(changed)
}

/// Refs of the rules of which `wanted` holds, read consistently.
pub(crate) async fn rules_where(
    ports: &Ports,
    wanted: impl Fn(&Rule) -> bool + Send,
) -> Result<Vec<String>, Error> {
    let found = read::filtered::<Rule>(ports, &read::Part::ALL, wanted).await?;
    Ok(refs(&found.items))
}

/// Refs of rules.
pub(crate) fn refs(rules: &[Rule]) -> Vec<String> {
    rules.iter().map(|rule| rule.reference().to_owned()).collect()
}

/// Removes a trigger or action together with the links of its rules: in one commit where there are few,
/// else the definition with the first of them and the others right after it.
///
/// `draft` removes the definition; `detach` takes the link to it from a rule and answers whether there
/// was one.
pub(crate) async fn remove_linked(
    ports: &Ports,
    mut draft: Draft,
    rules: Vec<String>,
    detach: impl Fn(&mut Rule) -> bool,
) -> Result<Vec<Rule>, Failure> {
    let mut changed = Vec::new();
    for reference in rules {
        if !draft.fits(WRITES_PER_RULE) {
            break;
        }
        let Some(before) = read::stored::<Rule>(ports, &reference).await? else { continue };
        let mut after = before.value.clone();
        if !detach(&mut after) {
            continue;
        }
        after.timer = None;
        let links =
            Links::load(ports, after.trigger_ref.as_str(), after.action_ref.as_str()).await?;
        store(ports, &mut draft, Some(&before), &after, &links);
        changed.push(after);
    }
    draft.commit(ports).await?;
    Ok(changed)
}

/// Links every rule anew whose links are not what exists, or that shows what its action calls secret:
/// what a crash left between a definition's commit and those of its rules.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Unreadable`] or [`Error::Contended`].
pub async fn reconcile(ports: &Ports) -> Result<(), Error> {
    let triggers = read::all::<Trigger>(ports).await?;
    let actions = read::all::<Action>(ports).await?;
    let triggers: HashMap<&str, _> = triggers.iter().map(|it| (it.reference(), it.id)).collect();
    let actions: HashMap<&str, _> =
        actions.iter().map(|it| (it.reference(), (it.id, secrets::parameters(it)))).collect();
    let astray = rules_where(ports, |rule| {
        let action = actions.get(rule.action_ref.as_str());
        rule.trigger != triggers.get(rule.trigger_ref.as_str()).copied()
            || rule.action != action.map(|(id, _)| *id)
            || action.is_some_and(|(_, parameters)| secrets::is_exposed(rule, parameters))
    })
    .await?;
    refresh(ports, &astray).await
}
