//! `docs/IAM.md`: every statement of every role of the template and why it is there, made from the template
//! itself, so that none is forgotten. The template keeps a form that can be read line by line: a statement is
//! `- {Sid: …, Effect: …, Action: …, Resource: …}`, and the comment above the first of a name says why.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::stack;
use crate::step;

const INTRODUCTION: &str = "\
# What each role may do, and why

Made by `cargo xtask cloud iam` from [infra/template.yaml](../infra/template.yaml); change it there.

Every function has a role of its own, and can only be started in it by Lambda. `<stack>` is the name of the stack,
`<here>` partition, region and account; other names are those of the template's resources. No statement allows every
action of a service. `*` stands where there is nothing to name: with X-Ray, and with CloudWatch's delivery of logs.
";

/// Writes the document, or with `--check` only compares.
pub fn run(words: &[String]) -> Result<()> {
    let wanted = document(&read(&stack::template())?)?;
    match words {
        [] => std::fs::write(path(), wanted).context("cannot write docs/IAM.md"),
        [word] if word == "--check" => {
            if read(&path())? != wanted {
                bail!(
                    "docs/IAM.md is not what the template says; `cargo xtask cloud iam` writes it"
                );
            }
            Ok(())
        }
        _ => bail!("{}", super::USAGE),
    }
}

fn path() -> PathBuf {
    step::root().join("docs").join("IAM.md")
}

fn read(path: &std::path::Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// One statement of one role.
#[derive(Debug, PartialEq)]
struct Statement {
    role: String,
    /// The comment above it, if there is one.
    why: String,
    /// `Sid`, `Effect`, … as they stand.
    fields: BTreeMap<String, String>,
}

fn document(template: &str) -> Result<String> {
    let statements = statements(template)?;
    let mut reasons = BTreeMap::new();
    for statement in &statements {
        if !statement.why.is_empty() {
            reasons.entry(field(statement, "Sid")?).or_insert(&statement.why);
        }
    }
    let mut text = INTRODUCTION.to_owned();
    let mut role = "";
    for statement in &statements {
        if statement.role != role {
            role = &statement.role;
            write!(text, "\n## {role}\n\n| statement | allows | on | why |\n|---|---|---|---|\n")?;
        }
        let sid = field(statement, "Sid")?;
        let why = reasons.get(sid).with_context(|| format!("nothing says why {sid} is there"))?;
        let mut on = codes(field(statement, "Resource")?);
        if let Some(condition) = statement.fields.get("Condition") {
            write!(on, " if `{condition}`")?;
        }
        let mut allows = codes(field(statement, "Action")?);
        if field(statement, "Effect")? != "Allow" {
            allows = format!("**not** {allows}");
        }
        writeln!(text, "| {sid} | {allows} | {on} | {why} |")?;
    }
    Ok(text)
}

fn field<'a>(statement: &'a Statement, name: &str) -> Result<&'a str> {
    let found = statement.fields.get(name);
    found
        .map(String::as_str)
        .with_context(|| format!("a statement of {} has no {name}", statement.role))
}

/// The statements in the order of the template.
fn statements(template: &str) -> Result<Vec<Statement>> {
    let (mut role, mut comment) = ("", Vec::new());
    let mut found = Vec::new();
    let mut lines = template.lines();
    while let Some(line) = lines.next() {
        let inner = line.trim();
        if let Some(words) = inner.strip_prefix("# ") {
            comment.push(words);
            continue;
        }
        if let Some(name) = line.strip_prefix("  ").and_then(|line| line.strip_suffix(':'))
            && !name.starts_with(' ')
        {
            role = name;
        }
        if let Some(start) = inner.strip_prefix("- {Sid: ") {
            let mut whole = format!("Sid: {start}");
            // The brace that opens it is not in `whole`.
            while whole.matches('{').count() + 1 > whole.matches('}').count() {
                let next =
                    lines.next().with_context(|| format!("a statement of {role} has no end"))?;
                whole.push(' ');
                whole.push_str(next.trim());
            }
            let whole = whole.strip_suffix('}').unwrap_or(&whole);
            let fields = parts(whole)
                .into_iter()
                .filter_map(|part| part.split_once(": "))
                .map(|(name, value)| (name.to_owned(), value.to_owned()));
            found.push(Statement {
                role: role.to_owned(),
                why: comment.join(" "),
                fields: fields.collect(),
            });
        }
        comment.clear();
    }
    Ok(found)
}

/// What stands between the commas that are in no brackets.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0_u32, 0, Vec::new());
    for (at, sign) in text.char_indices() {
        match sign {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(text[start..].trim());
    found
}

/// A value or a list of values, each as code, in words that a person reads.
fn codes(value: &str) -> String {
    let list = value.strip_prefix('[').and_then(|value| value.strip_suffix(']')).unwrap_or(value);
    let words = parts(list).into_iter().map(|one| {
        let one = one
            .trim_start_matches("!GetAtt ")
            .trim_start_matches("!Ref ")
            .trim_start_matches("!Sub ");
        let one = one.trim_matches(['"', '\'']);
        let one = one
            .replace("arn:${AWS::Partition}:", "")
            .replace("${AWS::Region}:${AWS::AccountId}", "<here>")
            .replace("${AWS::StackName}", "<stack>")
            .replace(['$', '{', '}'], "")
            .replace(".Arn", "")
            .replace("Table.StreamArn", "the stream of Table");
        format!("`{one}`")
    });
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
Resources:
  MatchRole:
    Properties:
      Policies:
        - Statement:
            # It reads
            # what it needs.
            - {Sid: Read, Effect: Allow, Action: [a:Get, a:Query],
               Resource: !Sub "${Table.Arn}/index/of"}
  OtherRole:
            - {Sid: Read, Effect: Allow, Action: a:Get, Resource: !GetAtt Table.Arn,
               Condition: {StringEquals: {"a:b": c}}}
"#;

    #[test]
    fn a_reason_serves_every_statement_of_its_name() {
        let text = document(TEMPLATE).unwrap();
        assert!(
            text.contains(
                "| Read | `a:Get`, `a:Query` | `Table/index/of` | It reads what it needs. |"
            ),
            "{text}"
        );
        let row = "| Read | `a:Get` | `Table` if `{StringEquals: {\"a:b\": c}}` | It reads what it needs. |";
        assert!(text.contains(row), "{text}");
    }

    #[test]
    fn a_statement_without_a_reason_is_refused() {
        let template =
            TEMPLATE.replace("            # It reads\n            # what it needs.\n", "");
        assert!(document(&template).unwrap_err().to_string().contains("why Read"));
    }

    #[test]
    fn every_statement_is_read_and_the_document_is_up_to_date() {
        let template = read(&stack::template()).unwrap();
        assert_eq!(template.matches("Sid: ").count(), statements(&template).unwrap().len());
        assert_eq!(read(&path()).unwrap(), document(&template).unwrap());
    }
}
