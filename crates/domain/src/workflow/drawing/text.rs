//! A picture as lines for a terminal: every task with what follows it, from the top of the graph to its bottom.

use super::label::{condition, plain, standing, word, work};
use super::layers::Layers;
use super::{Edge, Picture};
use crate::workflow::standing::Status;
use std::collections::HashMap;

/// Writes a picture as lines.
pub(super) fn render(picture: &Picture) -> String {
    let lines: Vec<(usize, usize)> =
        picture.lines().into_iter().map(|(from, to, _)| (from, to)).collect();
    let layers = Layers::of(picture.nodes.len() + usize::from(picture.fails()), &lines);
    let name =
        picture.nodes.iter().map(|node| plain(&node.name).chars().count()).max().unwrap_or(0);
    let works: Vec<String> =
        picture.nodes.iter().map(|node| work(node).unwrap_or_default()).collect();
    let width = works.iter().map(|work| work.chars().count()).max().unwrap_or(0);
    let mut ways: HashMap<&str, Vec<&Edge>> = HashMap::new();
    for edge in &picture.edges {
        ways.entry(&edge.from).or_default().push(edge);
    }
    let mut text = String::new();
    for at in layers.nodes() {
        // Failure is told where it is ordered.
        let Some(node) = picture.nodes.get(at) else { continue };
        let said = standing(node).unwrap_or_default();
        let line = format!(
            "{} {:name$}  {:width$}  {said}",
            mark(node.status),
            plain(&node.name),
            works[at]
        );
        push(&mut text, &line);
        for branch in &node.branches {
            let said =
                branch.status.map(|status| format!(": {}", word(status))).unwrap_or_default();
            let (branch, action) = (plain(&branch.name), plain(&branch.action));
            push(&mut text, &format!("  ∥ {branch} ({action}){said}"));
        }
        for (label, taken, to) in ways_of(ways.get(node.name.as_str()).map_or(&[], Vec::as_slice)) {
            let arrow = if taken == Some(false) { "⇢" } else { "→" };
            let when =
                label.map(|label| format!("  when {}", condition(label))).unwrap_or_default();
            push(&mut text, &format!("  {arrow} {}{when}", to.join(", ")));
        }
    }
    text
}

fn push(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

/// Where one transition leads.
type Way<'p> = (Option<&'p str>, Option<bool>, Vec<String>);

/// Edges of the same condition, together.
fn ways_of<'p>(edges: &[&'p Edge]) -> Vec<Way<'p>> {
    let mut ways: Vec<Way<'p>> = Vec::new();
    for edge in edges {
        let to = match (&edge.to, edge.command) {
            (Some(to), _) => plain(to),
            (None, Some(command)) => format!("({})", command.as_str()),
            (None, None) => continue,
        };
        match ways.last_mut() {
            Some((label, taken, all))
                if (*label, *taken) == (edge.label.as_deref(), edge.taken) =>
            {
                all.push(to);
            }
            _ => ways.push((edge.label.as_deref(), edge.taken, vec![to])),
        }
    }
    ways
}

const fn mark(status: Option<Status>) -> char {
    match status {
        None => '•',
        Some(Status::Pending) => '○',
        Some(Status::Running) => '▶',
        Some(Status::Succeeded) => '✓',
        Some(Status::Failed | Status::TimedOut) => '✗',
        Some(Status::Skipped) => '↷',
        Some(Status::Cancelled) => '■',
    }
}
