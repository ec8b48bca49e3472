//! A picture as a Mermaid flowchart.

use super::label::{condition, lines};
use super::palette::{INK, fill};
use super::{Kind, Picture};
use crate::workflow::standing::Status;
use std::fmt::Write;

/// Writes a picture as a flowchart.
pub(super) fn render(picture: &Picture) -> String {
    let mut text = "flowchart TD\n".to_owned();
    let mut line = |line: std::fmt::Arguments<'_>| {
        // A string takes whatever is written.
        let _ = writeln!(text, "  {line}");
    };
    for (at, node) in picture.nodes.iter().enumerate() {
        let label: Vec<String> = lines(node).iter().map(|line| escaped(line)).collect();
        let label = label.join("<br/>");
        match node.kind {
            Kind::Action => line(format_args!("t{at}[\"{label}\"]")),
            Kind::WithItems | Kind::Parallel => line(format_args!("t{at}[[\"{label}\"]]")),
            Kind::Nothing => line(format_args!("t{at}([\"{label}\"])")),
        }
    }
    if picture.fails() {
        line(format_args!("t{}{{{{\"fail\"}}}}", picture.nodes.len()));
    }
    for (from, to, edge) in picture.lines() {
        let arrow = match edge.taken {
            None => "-->",
            Some(true) => "==>",
            Some(false) => "-.->",
        };
        match &edge.label {
            None => line(format_args!("t{from} {arrow} t{to}")),
            Some(label) => {
                line(format_args!("t{from} {arrow}|\"{}\"| t{to}", escaped(&condition(label))));
            }
        }
    }
    for status in Status::ALL {
        let standing =
            picture.nodes.iter().enumerate().filter(|(_, node)| node.status == Some(status));
        let places: Vec<String> = standing.map(|(at, _)| format!("t{at}")).collect();
        if !places.is_empty() {
            let fill = fill(Some(status));
            line(format_args!("classDef {status} fill:{fill},stroke:{INK},color:{INK}"));
            line(format_args!("class {} {status}", places.join(",")));
        }
    }
    text
}

/// A text between quotes: whatever might mean something to Mermaid, or to the HTML that it makes, becomes the number
/// of its character.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() || " _.,:+/*=()-…".contains(c) {
            safe.push(c);
        } else {
            safe.push_str(&format!("#{};", u32::from(c)));
        }
    }
    safe
}
