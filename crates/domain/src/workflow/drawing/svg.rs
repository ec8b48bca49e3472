//! A picture as an image: no script, no style sheet, nothing from elsewhere.

use super::label::{condition, lines, plain};
use super::layers::{Layers, Place, Slot};
use super::palette::{FAINT, INK, PAPER, fill};
use super::{Edge, Kind, Picture};
use crate::workflow::standing::Status;
use std::fmt::{Arguments, Write};

/// Height of a line of text.
const LINE: usize = 16;
/// Half the width of a letter.
const HALF_LETTER: usize = 4;
/// Around the text in a box.
const PADDING: usize = 12;
/// Between boxes of a row.
const GAP: usize = 32;
/// Between rows, with room for what stands beside edges.
const ROW_GAP: usize = 56;
/// Around everything.
const MARGIN: usize = 24;
/// Width of a place where an edge passes through.
const PASSAGE: usize = 16;
/// How far an edge that leads back reaches out.
const BULGE: usize = 72;

/// A box, by its middle.
#[derive(Clone, Copy, Default)]
struct Frame {
    x: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl Frame {
    const fn bottom(&self) -> usize {
        self.top + self.height
    }

    const fn right(&self) -> usize {
        self.x + self.width / 2
    }
}

/// Writes a picture as an image.
pub(super) fn render(picture: &Picture) -> String {
    let edges = picture.lines();
    let ends: Vec<(usize, usize)> = edges.iter().map(|(from, to, _)| (*from, *to)).collect();
    let layers = Layers::of(picture.nodes.len() + usize::from(picture.fails()), &ends);
    let words: Vec<Vec<String>> = (picture.nodes.iter().map(lines))
        .chain(picture.fails().then(|| vec!["fail".to_owned()]))
        .collect();
    let frames = frames(&layers, &words);
    let all = || frames.iter().flatten();
    let leads_back = layers.ways.iter().any(Option::is_none);
    let width =
        all().map(Frame::right).max().unwrap_or(0) + MARGIN + if leads_back { BULGE } else { 0 };
    let height = all().map(Frame::bottom).max().unwrap_or(0) + MARGIN;
    let mut svg = String::new();
    put(
        &mut svg,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"monospace\" font-size=\"12\">"
        ),
    );
    put(&mut svg, format_args!("<title>Workflow of {} tasks</title>", picture.nodes.len()));
    for (name, colour) in [("ink", INK), ("faint", FAINT)] {
        put(
            &mut svg,
            format_args!(
                "<marker id=\"{name}\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" \
                 markerHeight=\"8\" orient=\"auto-start-reverse\"><path d=\"M0 0L8 4L0 8z\" fill=\"{colour}\"/></marker>"
            ),
        );
    }
    put(&mut svg, format_args!("<rect width=\"{width}\" height=\"{height}\" fill=\"{PAPER}\"/>"));
    for ((from, to, edge), way) in edges.iter().zip(&layers.ways) {
        let frame = |(row, column): Place| frames[row][column];
        match way {
            Some(way) => {
                let way: Vec<Frame> = way.iter().map(|place| frame(*place)).collect();
                down(&mut svg, edge, &way);
            }
            None => back(&mut svg, edge, frame(layers.places[*from]), frame(layers.places[*to])),
        }
    }
    for (at, (words, place)) in words.iter().zip(&layers.places).enumerate() {
        let frame = frames[place.0][place.1];
        match picture.nodes.get(at) {
            Some(node) => put_box(&mut svg, frame, words, node.kind, node.status),
            None => put_box(&mut svg, frame, words, Kind::Nothing, Some(Status::Failed)),
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn put(svg: &mut String, line: Arguments<'_>) {
    // A string takes whatever is written.
    let _ = writeln!(svg, "{line}");
}

/// Where every slot of every row lies; rows are centred.
fn frames(layers: &Layers, words: &[Vec<String>]) -> Vec<Vec<Frame>> {
    let size = |slot: &Slot| match slot {
        Slot::Passage => (PASSAGE, 0),
        Slot::Node(node) => {
            let letters = words[*node].iter().map(|line| line.chars().count()).max().unwrap_or(0);
            (letters * 2 * HALF_LETTER + 2 * PADDING, words[*node].len() * LINE + 2 * PADDING)
        }
    };
    let sizes: Vec<Vec<(usize, usize)>> =
        layers.rows.iter().map(|row| row.iter().map(size).collect()).collect();
    let width_of = |row: &Vec<(usize, usize)>| {
        row.iter().map(|(width, _)| width).sum::<usize>() + GAP * row.len().saturating_sub(1)
    };
    let widest = sizes.iter().map(width_of).max().unwrap_or(0);
    let mut top = MARGIN;
    let mut frames = Vec::with_capacity(sizes.len());
    for row in &sizes {
        let row_height = row.iter().map(|(_, height)| *height).max().unwrap_or(0);
        let mut left = MARGIN + (widest - width_of(row)) / 2;
        let mut placed = Vec::with_capacity(row.len());
        for &(width, height) in row {
            // What passes through does so for the whole height.
            let height = if height == 0 { row_height } else { height };
            placed.push(Frame { x: left + width / 2, top, width, height });
            left += width + GAP;
        }
        frames.push(placed);
        top += row_height + ROW_GAP;
    }
    frames
}

/// An edge from the bottom of one box to the top of another.
fn down(svg: &mut String, edge: &Edge, way: &[Frame]) {
    let [first, .., last] = way else { return };
    let mut path = format!("M{} {}", first.x, first.bottom());
    for pair in way.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let middle = (from.bottom() + to.top) / 2;
        // A string takes whatever is written.
        let _ = write!(path, "C{} {middle} {} {middle} {} {}", from.x, to.x, to.x, to.top);
        if to.top != last.top {
            let _ = write!(path, "V{}", to.bottom());
        }
    }
    let next = way[1];
    line(svg, edge, &path, ((first.x + next.x) / 2, (first.bottom() + next.top) / 2 + 4));
}

/// An edge that leads back, or to the same box.
fn back(svg: &mut String, edge: &Edge, from: Frame, to: Frame) {
    let (start, end) = (from.top + from.height * 3 / 4, to.top + to.height / 4);
    let out = from.right().max(to.right()) + BULGE;
    let path = format!("M{} {start}C{out} {start} {out} {end} {} {end}", from.right(), to.right());
    line(svg, edge, &path, (out - BULGE / 4, (start + end) / 2));
}

fn line(svg: &mut String, edge: &Edge, path: &str, (x, y): (usize, usize)) {
    let look = match edge.taken {
        None => format!("stroke=\"{INK}\" marker-end=\"url(#ink)\""),
        Some(true) => format!("stroke=\"{INK}\" stroke-width=\"2\" marker-end=\"url(#ink)\""),
        Some(false) => {
            format!("stroke=\"{FAINT}\" stroke-dasharray=\"5 4\" marker-end=\"url(#faint)\"")
        }
    };
    put(svg, format_args!("<path d=\"{path}\" fill=\"none\" {look}/>"));
    if let Some(label) = &edge.label {
        put(
            svg,
            format_args!(
                "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" font-size=\"10\" fill=\"{INK}\" stroke=\"{PAPER}\" \
                 stroke-width=\"3\" paint-order=\"stroke\"><title>{}</title>{}</text>",
                escaped(&plain(label)),
                escaped(&condition(label))
            ),
        );
    }
}

fn put_box(svg: &mut String, frame: Frame, words: &[String], kind: Kind, status: Option<Status>) {
    let Frame { x, top, width, height } = frame;
    let round = if kind == Kind::Nothing { height / 2 } else { 6 };
    let dashes = match status {
        Some(Status::Skipped) => " stroke-dasharray=\"5 4\"",
        _ => "",
    };
    let mut boxed = |inset: usize, fill: &str| {
        put(
            svg,
            format_args!(
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{round}\" fill=\"{fill}\" stroke=\"{INK}\"{dashes}/>",
                x - width / 2 + inset,
                top + inset,
                width - 2 * inset,
                height - 2 * inset
            ),
        );
    };
    boxed(0, fill(status));
    if matches!(kind, Kind::WithItems | Kind::Parallel) {
        boxed(4, "none");
    }
    for (number, words) in words.iter().enumerate() {
        let y = top + PADDING + LINE * number + LINE * 3 / 4;
        let bold = if number == 0 { " font-weight=\"bold\"" } else { "" };
        put(
            svg,
            format_args!(
                "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" fill=\"{INK}\"{bold}>{}</text>",
                escaped(words)
            ),
        );
    }
}

/// A text between tags.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
