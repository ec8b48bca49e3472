//! An execution of a workflow as it goes on: drawn anew with every change on a terminal, a line a change elsewhere.

use super::super::Context;
use super::super::execution::wait;
use super::{graph, window};
use crate::client::Events;
use crate::output::{self, TASK_CHANGE};
use attune_domain::workflow::drawing::{Format, Node, Picture};
use attune_domain::workflow::standing::{Progress, Status};
use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{IsTerminal, stdout};
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;

/// The longest pause between two looks: tasks that execute nothing are told by no event.
const LONGEST: Duration = Duration::from_secs(2);
/// What happens within so long after a look is seen by the next one.
const TOGETHER: Duration = Duration::from_millis(100);

/// Rows below the drawing: the spinner's, and where the cursor stands.
const BELOW: u16 = 2;

/// Follows an execution until it ends.
///
/// # Errors
/// When the server does not answer, or refuses.
pub(super) async fn follow(id: u64, context: &Context) -> anyhow::Result<ExitCode> {
    let mut screen = Screen::new(context);
    let mut news = News::of(id);
    let execution = loop {
        // What happens after this look is told by the stream, which is open by then.
        news.open(context).await;
        let execution = wait::look(&context.client, id).await?;
        let picture = graph::of_execution(id, context).await?;
        if wait::is_over(&execution) {
            screen.finish(&picture)?;
            break execution;
        }
        screen.show(&picture, &execution)?;
        news.wait().await;
    };
    output::note(&format!("execution {id}: {}", wait::status(&execution)))?;
    Ok(wait::exit_code(&execution))
}

/// Where the execution is shown.
enum Screen<'a> {
    /// Drawn over and over.
    Terminal(ProgressBar),
    /// Told line by line; with what was told last of each task.
    Lines(&'a Context, BTreeMap<String, (Status, Option<Progress>, u32)>),
}

impl<'a> Screen<'a> {
    fn new(context: &'a Context) -> Self {
        if !context.output.is_table() || !stdout().is_terminal() {
            return Self::Lines(context, BTreeMap::new());
        }
        // Where the last drawing is printed.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
        if let Ok(style) = ProgressStyle::with_template("{msg}\n{spinner} {prefix}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self::Terminal(bar)
    }

    fn show(&mut self, picture: &Picture, execution: &Value) -> std::io::Result<()> {
        match self {
            Self::Terminal(bar) => {
                // Asked each time, since windows change their size.
                let (rows, columns) = Term::stdout().size();
                let drawing = picture.render(Format::Text);
                let rows = rows.saturating_sub(BELOW);
                bar.set_message(window::of(drawing.trim_end(), rows.into(), columns.into()));
                bar.set_prefix(wait::status(execution).to_owned());
                Ok(())
            }
            Self::Lines(context, told) => tell(context, told, picture),
        }
    }

    fn finish(self, picture: &Picture) -> std::io::Result<()> {
        match self {
            Self::Terminal(bar) => {
                bar.finish_and_clear();
                output::print(picture.render(Format::Text).trim_end())
            }
            Self::Lines(context, mut told) => tell(context, &mut told, picture),
        }
    }
}

/// Tells what has changed about tasks.
fn tell(
    context: &Context,
    told: &mut BTreeMap<String, (Status, Option<Progress>, u32)>,
    picture: &Picture,
) -> std::io::Result<()> {
    for Node { name, action, status, progress, visits, .. } in &picture.nodes {
        let Some(status) = *status else { continue };
        let known = told.insert(name.clone(), (status, *progress, *visits));
        let news = known != Some((status, *progress, *visits));
        if !news || (known.is_none() && status == Status::Pending) {
            continue;
        }
        let done = progress.map(|it| format!("{}/{}", it.succeeded, it.total));
        let line = json!({
            "name": name, "status": status, "action_ref": action, "progress": done, "visits": visits,
        });
        context.output.line(&TASK_CHANGE, &line)?;
    }
    Ok(())
}

/// Tells when it is time to look again.
struct News {
    of: u64,
    events: Option<Events>,
    after: Option<String>,
}

impl News {
    const fn of(of: u64) -> Self {
        Self { of, events: None, after: None }
    }

    /// Sees to it that the stream is open. Where there is none, looking from time to time must do.
    async fn open(&mut self, context: &Context) {
        if self.events.is_none() {
            let path = ["executions", "stream"];
            self.events = context.client.events(&path, self.after.as_deref()).await.ok();
        }
    }

    /// Waits until something happens to the execution or to its children, or for [`LONGEST`].
    async fn wait(&mut self) {
        let end = Instant::now() + LONGEST;
        tokio::time::sleep(TOGETHER).await;
        while let Some(events) = &mut self.events {
            let Ok(event) = tokio::time::timeout_at(end, events.next()).await else { return };
            let Ok(Some(event)) = event else {
                // It is opened again for the next look.
                self.events = None;
                break;
            };
            self.after = event.id.or(self.after.take());
            let change: Value = serde_json::from_str(&event.data).unwrap_or_default();
            let of = Some(self.of);
            if change["id"].as_u64() == of || change["parent"].as_u64() == of {
                return;
            }
        }
        tokio::time::sleep_until(end).await;
    }
}
