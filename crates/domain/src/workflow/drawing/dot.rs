//! A picture in Graphviz's language.

use super::label::{condition, lines};
use super::palette::{FAINT, INK, fill};
use super::{Kind, Picture};
use crate::workflow::standing::Status;
use std::fmt::Write;

/// Writes a picture in Graphviz's language.
pub(super) fn render(picture: &Picture) -> String {
    let mut text = format!(
        "digraph workflow {{\n  node [fontname=\"sans-serif\", color=\"{INK}\", style=\"filled,rounded\"];\n  \
         edge [fontname=\"sans-serif\", fontsize=10];\n"
    );
    for (at, node) in picture.nodes.iter().enumerate() {
        let shape = match node.kind {
            Kind::Nothing => "ellipse",
            _ => "box",
        };
        let twice = if node.kind == Kind::WithItems { ", peripheries=2" } else { "" };
        let label = lines(node).join("\n");
        line(
            &mut text,
            format_args!(
                "t{at} [shape={shape}{twice}, fillcolor=\"{}\", label=\"{}\"];",
                fill(node.status),
                quoted(&label)
            ),
        );
    }
    if picture.fails() {
        let at = picture.nodes.len();
        let fill = fill(Some(Status::Failed));
        line(
            &mut text,
            format_args!("t{at} [shape=octagon, fillcolor=\"{fill}\", label=\"fail\"];"),
        );
    }
    for (from, to, edge) in picture.lines() {
        let label = edge.label.as_deref().map(condition).unwrap_or_default();
        let look = match edge.taken {
            None => format!("color=\"{INK}\""),
            Some(true) => format!("color=\"{INK}\", penwidth=2"),
            Some(false) => format!("color=\"{FAINT}\", style=dashed"),
        };
        line(&mut text, format_args!("t{from} -> t{to} [label=\"{}\", {look}];", quoted(&label)));
    }
    text.push_str("}\n");
    text
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // A string takes whatever is written.
    let _ = writeln!(text, "  {line}");
}

/// A text as it stands between quotes.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
