//! What the user sees: results on stdout as tables, JSON or YAML; remarks on stderr.

mod cell;
mod column;
mod table;

pub use column::{
    ACTIONS, Column, DEAD_LETTERS, EVENTS, EXECUTIONS, HAPPENINGS, INQUIRIES, KEYS, Noun, PACKS,
    POLICIES, PROBLEMS, RULES, TASK_CHANGE, TASKS, TESTS, TRIGGERS, VERDICTS, WORKFLOWS,
};

use crate::client::{Page, Pagination};
use clap::ValueEnum;
use serde_json::Value;
use std::env;
use std::io::{self, IsTerminal, Write};

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people
    #[default]
    Table,
    /// JSON for programs: the object, or the array of a list
    Json,
    /// YAML for both
    Yaml,
}

/// What a table may use of the terminal that shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Whether colours are shown.
    pub colour: bool,
    /// Columns to wrap at; `None` for as wide as it gets.
    pub width: Option<u16>,
}

/// Prints results in the chosen format.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    format: Format,
    terminal: Terminal,
}

impl Output {
    /// Output to this process's stdout: colours only on a terminal, and only if `NO_COLOR` is not
    /// set.
    pub fn new(format: Format) -> Self {
        let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = io::stdout().is_terminal() && !plain;
        // A terminal that does not know its width says 0.
        let width = comfy_table::Table::new().width().filter(|width| *width > 0);
        Self { format, terminal: Terminal { colour, width } }
    }

    /// Whether results are for people.
    pub fn is_table(&self) -> bool {
        self.format == Format::Table
    }

    /// Prints a page of a list.
    ///
    /// # Errors
    /// When stdout is closed.
    pub fn list(&self, noun: &Noun, page: &Page) -> io::Result<()> {
        if self.format != Format::Table {
            return self.value(&Value::from(page.items.clone()));
        }
        if page.items.is_empty() {
            return note(&format!("no {}", noun.plural));
        }
        print(&table::list(noun.columns, &page.items, self.terminal))?;
        match page.pagination.as_ref().and_then(position) {
            Some(position) => note(&position),
            None => Ok(()),
        }
    }

    /// Prints one object.
    ///
    /// # Errors
    /// When stdout is closed.
    pub fn object(&self, object: &Value) -> io::Result<()> {
        match self.format {
            Format::Table => print(&table::object(object, self.terminal)),
            Format::Json | Format::Yaml => self.value(object),
        }
    }

    /// Prints one line of something that goes on: columns, a line of JSON, or a YAML document.
    ///
    /// # Errors
    /// When stdout is closed.
    pub fn line(&self, columns: &[Column], object: &Value) -> io::Result<()> {
        match self.format {
            Format::Table => print(&table::line(columns, object, self.terminal)),
            Format::Json => print(&object.to_string()),
            Format::Yaml => {
                print("---")?;
                self.value(object)
            }
        }
    }

    fn value(&self, value: &Value) -> io::Result<()> {
        print(&match self.format {
            Format::Yaml => yaml(value),
            Format::Json | Format::Table => format!("{value:#}"),
        })
    }
}

/// YAML without the final line break.
fn yaml(value: &Value) -> String {
    match serde_saphyr::to_string(value) {
        Ok(text) => text.trim_end().to_owned(),
        // JSON is YAML, too.
        Err(_) => format!("{value:#}"),
    }
}

/// Where a page stands in its list, if the list has more than this page.
fn position(pagination: &Pagination) -> Option<String> {
    let page = pagination.page;
    if page <= 1 && !pagination.has_next {
        return None;
    }
    let mut text = format!("page {page}");
    if let Some(pages) = pagination.total_pages {
        text.push_str(&format!(" of {pages}"));
    }
    if let Some(items) = pagination.total_items {
        text.push_str(&format!(", {items} in all"));
    }
    if pagination.has_next {
        text.push_str(&format!("; next: --page {}", page + 1));
    }
    Some(text)
}

/// Prints a result and a line break to stdout.
///
/// # Errors
/// When stdout is closed.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

/// Prints a remark to stderr, where it does not mix with results.
///
/// # Errors
/// When stderr is closed.
pub fn note(text: &str) -> io::Result<()> {
    writeln!(io::stderr().lock(), "{text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_says_where_the_page_stands_only_if_there_are_more() {
        let only = Pagination { page: 1, total_pages: Some(1), ..Pagination::default() };
        assert_eq!(position(&only), None);
        let first = Pagination { page: 1, has_next: true, ..Pagination::default() };
        assert_eq!(position(&first).unwrap(), "page 1; next: --page 2");
        let last =
            Pagination { page: 3, total_pages: Some(3), total_items: Some(120), has_next: false };
        assert_eq!(position(&last).unwrap(), "page 3 of 3, 120 in all");
    }

    #[test]
    fn yaml_reads_like_yaml() {
        let value = json!([{"id": 7, "result": {"data": [1, "2"], "none": null}}]);
        insta::assert_snapshot!(yaml(&value), @r#"
        - id: 7
          result:
            data:
            - 1
            - "2"
            none: null
        "#);
    }
}
