//! `attune key`. A value is never an argument, where every user of the machine could read it.

use super::{Context, filter};
use crate::args::Paging;
use crate::exit::Usage;
use crate::output::KEYS;
use anyhow::Context as _;
use attune_domain::keystore::OwnerKind;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::fs;
use std::io::{self, IsTerminal};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List keys, without their values
    List(List),
    /// Show one key, with its value if you may see it
    #[command(alias = "get")]
    Show {
        /// Reference of the key, as in `ops.token`
        #[arg(value_name = "REF")]
        key: String,
    },
    /// Make a key; its value is asked for, or read from stdin
    Create(Create),
    /// Change a key
    Update(Update),
    /// Remove a key
    Delete {
        /// Reference of the key
        #[arg(value_name = "REF")]
        key: String,
    },
}

/// Which keys to list.
#[derive(Args, Debug)]
pub struct List {
    /// Only keys of such owners
    #[arg(long)]
    pub owner_type: Option<OwnerKind>,
    /// Only keys of this owner: `system`, or a number
    #[arg(long, value_name = "ID")]
    pub owner: Option<String>,
    #[command(flatten)]
    pub paging: Paging,
}

/// `attune key create`.
#[derive(Args, Debug)]
pub struct Create {
    /// Reference of the key, as in `ops.token`
    #[arg(value_name = "REF")]
    pub key: String,
    /// By which actions and workflows know it [default: the last part of the reference]
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    pub owner: Owner,
    /// To see the value takes a permission of its own
    #[arg(long)]
    pub encrypted: bool,
    #[command(flatten)]
    pub source: Source,
}

/// Whose a key is; nobody named, the system's.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub struct Owner {
    /// It is this pack's
    #[arg(long, value_name = "REF")]
    pub pack: Option<String>,
    /// It is this action's
    #[arg(long, value_name = "REF")]
    pub action: Option<String>,
    /// It is this sensor's
    #[arg(long, value_name = "REF")]
    pub sensor: Option<String>,
    /// It is this identity's
    #[arg(long, value_name = "ID")]
    pub identity: Option<u64>,
}

/// `attune key update`.
#[derive(Args, Debug)]
pub struct Update {
    /// Reference of the key
    #[arg(value_name = "REF")]
    pub key: String,
    /// A new name
    #[arg(long)]
    pub name: Option<String>,
    /// Whether it takes a permission of its own to see the value
    #[arg(long, value_name = "BOOL")]
    pub encrypted: Option<bool>,
    #[command(flatten)]
    pub source: Source,
}

/// Where a value comes from.
#[derive(Args, Debug)]
pub struct Source {
    /// Read the value from this file; `-` for stdin. One line end at its end is left out
    #[arg(long, value_name = "FILE")]
    pub value_from: Option<String>,
    /// The value is JSON, not text
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    let client = &context.client;
    let done = match command {
        Command::List(list) => {
            let mut query = list.paging.query();
            filter(&mut query, "owner_type", list.owner_type);
            filter(&mut query, "owner", list.owner);
            return context.show_list(&KEYS, &["keys"], &query).await;
        }
        Command::Show { key } => return context.show(&["keys", &key]).await,
        Command::Create(create) => client.post(&["keys"], Some(&new(create)?)).await?,
        Command::Update(update) => {
            let mut changes = Map::new();
            changes.extend(update.name.map(|name| ("name".to_owned(), Value::from(name))));
            changes.extend(update.encrypted.map(|it| ("encrypted".to_owned(), Value::from(it))));
            if changes.is_empty() || update.source.value_from.is_some() || update.source.json {
                changes.insert("value".to_owned(), update.source.value(&update.key)?);
            }
            client.update(&["keys", &update.key], &changes.into()).await?
        }
        Command::Delete { key } => client.delete(&["keys", &key]).await?,
    };
    Ok(context.output.object(&shown(done))?)
}

/// A key as it is told after a change: whoever gave the value need not see it.
fn shown(mut key: Value) -> Value {
    if let Value::Object(members) = &mut key {
        members.remove("value");
    }
    key
}

fn new(create: Create) -> anyhow::Result<Value> {
    let value = create.source.value(&create.key)?;
    let last = create.key.rsplit('.').next().unwrap_or_default();
    let name = create.name.unwrap_or_else(|| last.to_owned());
    let mut key = json!({
        "ref": create.key, "name": name, "value": value, "encrypted": create.encrypted,
    });
    let Owner { pack, action, sensor, identity } = create.owner;
    let owners = [
        ("pack", "owner_pack_ref", pack.map(Value::from)),
        ("action", "owner_action_ref", action.map(Value::from)),
        ("sensor", "owner_sensor_ref", sensor.map(Value::from)),
        ("identity", "owner_identity", identity.map(Value::from)),
    ];
    key["owner_type"] = "system".into();
    for (kind, field, owner) in owners {
        if let Some(owner) = owner {
            key["owner_type"] = kind.into();
            key[field] = owner;
        }
    }
    Ok(key)
}

impl Source {
    /// The value: of the file, typed in at a terminal without showing it, or from stdin.
    fn value(&self, key: &str) -> anyhow::Result<Value> {
        let text = match self.value_from.as_deref() {
            Some("-") => stdin()?,
            Some(path) => {
                fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?
            }
            None if io::stdin().is_terminal() => {
                rpassword::prompt_password(format!("Value of {key}: "))
                    .context("cannot read a value from the terminal")?
            }
            None => stdin()?,
        };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if !self.json {
            return Ok(text.into());
        }
        // What serde says may quote the text.
        let invalid = |error: serde_json::Error| {
            let (line, column) = (error.line(), error.column());
            Usage(format!("the value is not valid JSON at line {line}, column {column}"))
        };
        Ok(serde_json::from_str(text).map_err(invalid)?)
    }
}

fn stdin() -> anyhow::Result<String> {
    io::read_to_string(io::stdin().lock()).context("cannot read the value from stdin")
}
