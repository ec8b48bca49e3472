//! Tables without lines: headings above columns for lists, fields beside values for objects.

use super::Terminal;
use super::cell::{cell, text};
use super::column::Column;
use comfy_table::{
    Attribute, Cell, ColumnConstraint, ContentArrangement, Row, Table, Width, presets,
};
use serde_json::Value;

/// The least width of a column that wraps, in characters, its padding included.
const WRAPPED: u16 = 24;

/// Fields that identify an object and come first, in this order. The others follow by name.
const LEADING: [&str; 10] = [
    "id",
    "ref",
    "login",
    "label",
    "description",
    "status",
    "enabled",
    "version",
    "action_ref",
    "trigger_ref",
];

/// A list: one row per item.
pub(super) fn list(columns: &[Column], items: &[Value], terminal: Terminal) -> String {
    let mut table = empty(terminal);
    table.set_header(columns.iter().map(|column| heading(column.heading, terminal)));
    for item in items {
        table.add_row(row(columns, item, terminal));
    }
    table.set_constraints(columns.iter().map(|column| constraint(column.is_prose())));
    finish(table)
}

/// An object: one row per field.
pub(super) fn object(object: &Value, terminal: Terminal) -> String {
    let Value::Object(fields) = object else { return text("", object) };
    let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
    let rank = |name: &str| LEADING.iter().position(|leading| *leading == name);
    names.sort_by_key(|name| (rank(name).unwrap_or(LEADING.len()), *name));
    let mut table = empty(terminal);
    for name in names {
        table.add_row([heading(name, terminal), cell(name, &fields[name], terminal.colour)]);
    }
    table.set_constraints([constraint(false), constraint(true)]);
    finish(table)
}

/// A single row without headings, for output that goes on line by line.
pub(super) fn line(columns: &[Column], item: &Value, terminal: Terminal) -> String {
    // Lines of a stream stand in no common table, so nothing may wrap.
    let mut table = empty(Terminal { width: None, ..terminal });
    table.add_row(row(columns, item, terminal));
    finish(table)
}

fn row(columns: &[Column], item: &Value, terminal: Terminal) -> Row {
    let cells = columns.iter().map(|column| {
        cell(column.field, item.get(column.field).unwrap_or(&Value::Null), terminal.colour)
    });
    cells.collect::<Vec<_>>().into()
}

fn empty(terminal: Terminal) -> Table {
    let mut table = Table::new();
    // What the terminal can do was decided once, at the edge.
    table.load_style(presets::NOTHING).force_no_tty();
    if terminal.colour {
        table.enforce_styling();
    }
    if let Some(width) = terminal.width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table
}

/// What may wrap keeps a readable width, even if the table gets wider than the terminal.
fn constraint(wraps: bool) -> ColumnConstraint {
    if wraps {
        ColumnConstraint::LowerBoundary(Width::Fixed(WRAPPED))
    } else {
        ColumnConstraint::ContentWidth
    }
}

fn heading(text: &str, terminal: Terminal) -> Cell {
    let cell = Cell::new(text);
    if terminal.colour { cell.add_attribute(Attribute::Bold) } else { cell }
}

fn finish(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::super::{EXECUTIONS, RULES};
    use super::*;
    use serde_json::json;

    fn executions() -> Vec<Value> {
        let entry = |id: u64, status: &str, rule: Value| {
            json!({
                "id": id, "status": status, "action_ref": "core.echo", "rule_ref": rule,
                "parent": null, "created": "2026-01-02T03:04:05.123Z",
                "updated": "2026-01-02T03:04:06Z", "workflow_task": null,
            })
        };
        vec![entry(1_000_001, "completed", json!("demo.rule")), entry(7, "failed", json!(null))]
    }

    #[test]
    fn a_list_of_executions() {
        let table = list(EXECUTIONS.columns, &executions(), Terminal::default());
        insta::assert_snapshot!(table, @r"
        ID       STATUS     ACTION     RULE       PARENT  CREATED
        1000001  completed  core.echo  demo.rule  -       2026-01-02T03:04:05Z
        7        failed     core.echo  -          -       2026-01-02T03:04:05Z
        ");
    }

    #[test]
    fn a_narrow_terminal_wraps_cells() {
        let rules = [json!({
            "ref": "demo.on_push", "enabled": true, "trigger_ref": "github.push",
            "action_ref": "demo.build", "label": "Builds whatever somebody has pushed",
        })];
        let narrow = Terminal { width: Some(72), colour: false };
        insta::assert_snapshot!(list(RULES.columns, &rules, narrow), @r"
        REF           ENABLED  TRIGGER      ACTION      LABEL
        demo.on_push  true     github.push  demo.build  Builds whatever
                                                        somebody has pushed
        ");
    }

    #[test]
    fn an_object_with_nested_values() {
        let execution = json!({
            "updated": "2026-01-02T03:04:06Z", "result": {"data": {"count": [1, 2]}, "succeeded": true},
            "id": 7, "status": "completed", "config": null, "action_ref": "core.echo",
        });
        insta::assert_snapshot!(object(&execution, Terminal::default()), @r"
        id          7
        status      completed
        action_ref  core.echo
        config      -
        result      data:
                      count:
                      - 1
                      - 2
                    succeeded: true
        updated     2026-01-02T03:04:06Z
        ");
    }

    #[test]
    fn colours_appear_only_where_they_are_wanted() {
        let colour = Terminal { colour: true, width: None };
        let painted = list(EXECUTIONS.columns, &executions(), colour);
        let plain = list(EXECUTIONS.columns, &executions(), Terminal::default());
        assert!(painted.contains('\u{1b}'));
        assert!(!plain.contains('\u{1b}'));
    }

    #[test]
    fn a_line_of_a_stream_has_no_heading() {
        let line = line(EXECUTIONS.columns, &executions()[0], Terminal::default());
        assert!(line.starts_with("1000001  completed  core.echo"), "{line}");
        assert_eq!(line.lines().count(), 1);
    }
}
