//! What a drawing says in words.

use super::{Branch, Kind, Node};
use crate::workflow::standing::Status;

/// Characters of a condition beside an edge; the rest is left out.
const CONDITION: usize = 48;

/// A text on one line, without characters that no drawing can show.
pub(super) fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let printable = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    words.join(" ").chars().map(printable).collect()
}

/// A condition, cut to what there is room for.
pub(super) fn condition(text: &str) -> String {
    let text = plain(text);
    match text.char_indices().nth(CONDITION) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// What a node says, line by line.
pub(super) fn lines(node: &Node) -> Vec<String> {
    let mut lines = vec![plain(&node.name)];
    lines.extend(work(node));
    lines.extend(node.branches.iter().map(branch));
    lines.extend(standing(node));
    lines
}

/// What a task does.
pub(super) fn work(node: &Node) -> Option<String> {
    let action = node.action.as_deref().map(plain);
    let join = node.join.map(|count| format!("joins {count}"));
    let what = match (node.kind, action) {
        (Kind::Action, action) => action,
        (Kind::WithItems, Some(action)) => Some(format!("{action}, for each item")),
        (Kind::WithItems, None) => Some("for each item".to_owned()),
        (Kind::Parallel, _) => Some("in parallel".to_owned()),
        (Kind::Nothing, _) => None,
    };
    let said: Vec<String> = what.into_iter().chain(join).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

fn branch(branch: &Branch) -> String {
    let status = branch.status.map(|status| format!(": {}", word(status))).unwrap_or_default();
    format!("{} ({}){status}", plain(&branch.name), plain(&branch.action))
}

/// How a task stands.
pub(super) fn standing(node: &Node) -> Option<String> {
    let mut said = word(node.status?).to_owned();
    if let Some(progress) = node.progress {
        said.push_str(&format!(", {} of {}", progress.succeeded, progress.total));
        if progress.failed > 0 {
            said.push_str(&format!(", {} failed", progress.failed));
        }
    }
    if node.visits > 1 {
        said.push_str(&format!(", {} visits", node.visits));
    }
    Some(said)
}

/// A status for people.
pub(super) fn word(status: Status) -> &'static str {
    match status {
        Status::TimedOut => "timed out",
        other => other.as_str(),
    }
}
