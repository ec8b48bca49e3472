//! As much of a drawing as a terminal has room for.

use console::truncate_str;

/// The lines of a drawing within so many rows and columns: all of them, or else those around the first task that runs,
/// or is to run.
pub(super) fn of(drawing: &str, rows: usize, columns: usize) -> String {
    let mut lines: Vec<String> =
        drawing.lines().map(|line| truncate_str(line, columns, "…").into_owned()).collect();
    if lines.len() > rows {
        let first = |mark| lines.iter().position(|line| line.starts_with(mark));
        let focus = first('▶').or_else(|| first('○')).unwrap_or(0);
        let above = focus.saturating_sub(rows / 3).min(lines.len() - rows);
        let below = lines.len() - above - rows;
        lines.drain(above + rows..);
        lines.drain(..above);
        // With less room than this the task matters more.
        if rows > 2 {
            if above > 0 {
                lines[0] = told(above + 1, "above", columns);
            }
            if below > 0 {
                lines[rows - 1] = told(below + 1, "below", columns);
            }
        }
    }
    lines.join("\n")
}

fn told(hidden: usize, place: &str, columns: usize) -> String {
    truncate_str(&format!("⋮ {hidden} lines {place}"), columns, "…").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_is_shown_around_what_runs() {
        let drawing = |running: usize| {
            let mark = |n: usize| match n.cmp(&running) {
                std::cmp::Ordering::Less => '✓',
                std::cmp::Ordering::Equal => '▶',
                std::cmp::Ordering::Greater => '○',
            };
            (0..9).map(|n| format!("{} t{n}", mark(n))).collect::<Vec<_>>().join("\n")
        };
        for (why, running, (rows, columns), expected) in [
            ("there is room", 1, (9, 80), "✓ t0|▶ t1|○ t2|○ t3|○ t4|○ t5|○ t6|○ t7|○ t8"),
            ("at the top", 0, (4, 80), "▶ t0|○ t1|○ t2|⋮ 6 lines below"),
            ("in the middle", 4, (5, 80), "⋮ 4 lines above|▶ t4|○ t5|○ t6|⋮ 2 lines below"),
            ("at the bottom", 8, (4, 80), "⋮ 6 lines above|✓ t6|✓ t7|▶ t8"),
            ("everything is over", 9, (3, 80), "✓ t0|✓ t1|⋮ 7 lines below"),
            ("hardly any room", 4, (1, 80), "▶ t4"),
            ("narrow", 4, (3, 3), "⋮ …|▶ …|⋮ …"),
            ("no room at all", 4, (0, 0), ""),
        ] {
            assert_eq!(of(&drawing(running), rows, columns).replace('\n', "|"), expected, "{why}");
        }
    }
}
