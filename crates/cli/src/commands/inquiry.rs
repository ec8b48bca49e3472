//! `attune inquiry`.

use super::execution::parameters::{self, Assignment};
use super::{Context, filter};
use crate::args::Paging;
use crate::exit::Usage;
use crate::output::INQUIRIES;
use attune_domain::Timestamp;
use attune_domain::inquiry::Status;
use attune_domain::inquiry::form::APPROVED;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

/// What to do with questions that executions ask.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List inquiries, latest first
    List(List),
    /// Show one inquiry, with its answer
    Show {
        /// Number of the inquiry
        id: u64,
    },
    /// Answer an inquiry
    Respond(Respond),
    /// Withdraw an inquiry; an execution that waits for the answer is cancelled
    Cancel {
        /// Number of the inquiry
        id: u64,
    },
    /// Make a link by which somebody without a login may answer, once
    Link {
        /// Number of the inquiry
        id: u64,
        /// When the link ends, as in 2030-01-31T18:00:00Z [default: with the inquiry]
        #[arg(long, value_name = "MOMENT")]
        until: Option<Timestamp>,
    },
}

/// Which inquiries to list.
#[derive(Args, Debug)]
pub struct List {
    /// Only inquiries in this state
    #[arg(long)]
    pub status: Option<Status>,
    /// Only those that this execution asks
    #[arg(long, value_name = "ID")]
    pub execution: Option<u64>,
    /// Only those that this identity alone may answer
    #[arg(long, value_name = "ID")]
    pub assignee: Option<u64>,
    #[command(flatten)]
    pub paging: Paging,
}

/// `attune inquiry respond`.
#[derive(Args, Debug)]
pub struct Respond {
    /// Number of the inquiry
    pub id: u64,
    /// The answer: text where the response schema says text, else JSON if it is JSON
    #[arg(value_name = "KEY=VALUE")]
    pub assignments: Vec<Assignment>,
    /// Approve: the same as approved=true
    #[arg(long, conflicts_with = "reject")]
    pub approve: bool,
    /// Reject: the same as approved=false
    #[arg(long)]
    pub reject: bool,
    /// The whole answer as JSON, or `@FILE` (`@-` for stdin); KEY=VALUE goes over it
    #[arg(long, value_name = "JSON|@FILE")]
    pub response: Option<String>,
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
            filter(&mut query, "status", list.status);
            filter(&mut query, "execution", list.execution);
            filter(&mut query, "assigned_to", list.assignee);
            return context.show_list(&INQUIRIES, &["inquiries"], &query).await;
        }
        Command::Show { id } => return context.show(&["inquiries", &id.to_string()]).await,
        Command::Respond(respond) => {
            let body = json!({"response": answer(&respond, context).await?});
            client.post(&["inquiries", &respond.id.to_string(), "respond"], Some(&body)).await?
        }
        Command::Cancel { id } => {
            client.update(&["inquiries", &id.to_string()], &json!({"status": "cancelled"})).await?
        }
        Command::Link { id, until } => {
            let body = until.map(|until| json!({"expires_at": until}));
            client.post(&["inquiries", &id.to_string(), "link"], body.as_ref()).await?
        }
    };
    Ok(context.output.object(&done)?)
}

async fn answer(respond: &Respond, context: &Context) -> anyhow::Result<Value> {
    let given = respond.response.as_deref().map(|text| parameters::json("--response", text));
    let given = given.transpose()?;
    let decision = match (respond.approve, respond.reject) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    let mut members = Map::new();
    // Only the schema can tell whether 007 is a text or a number.
    if !respond.assignments.is_empty() {
        let inquiry = context.client.get(&["inquiries", &respond.id.to_string()]).await?;
        let schema = &inquiry["response_schema"];
        members.extend(respond.assignments.iter().map(|one| one.typed(schema)));
    }
    members.extend(decision.map(|approved| (APPROVED.to_owned(), Value::Bool(approved))));
    match given {
        None if members.is_empty() => {
            let text = "what is the answer? Add --approve, --reject, KEY=VALUE or --response";
            Err(Usage(text.to_owned()).into())
        }
        None => Ok(Value::Object(members)),
        Some(Value::Object(mut whole)) => {
            whole.extend(members);
            Ok(Value::Object(whole))
        }
        Some(whole) if members.is_empty() => Ok(whole),
        Some(_) => {
            let text = "--response is no JSON object, so nothing can be added to it";
            Err(Usage(text.to_owned()).into())
        }
    }
}
