//! Workflows drawn.

use super::super::Context;
use crate::output;
use anyhow::{Context as _, bail};
use attune_domain::workflow::Definition;
use attune_domain::workflow::drawing::{Format, Picture};

/// Draws a workflow of the server, or an execution of one.
///
/// # Errors
/// When the server does not answer, or refuses.
pub(super) async fn draw(subject: &str, format: Format, context: &Context) -> anyhow::Result<()> {
    let picture = match subject.parse() {
        Ok(execution) => of_execution(execution, context).await?,
        Err(_) => of_workflow(subject, context).await?,
    };
    Ok(output::print(picture.render(format).trim_end())?)
}

async fn of_workflow(reference: &str, context: &Context) -> anyhow::Result<Picture> {
    let workflow = context.client.get(&["workflows", reference]).await?;
    match Definition::parse(&workflow["definition"]) {
        Ok(definition) => Ok(Picture::of(&definition, None)),
        Err(problems) => {
            let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
            bail!("the graph of {reference} cannot be read: {}", told.join("; "))
        }
    }
}

/// An execution as it stands.
///
/// # Errors
/// When the server does not answer, or refuses.
pub(super) async fn of_execution(execution: u64, context: &Context) -> anyhow::Result<Picture> {
    let path = ["workflow-executions", &execution.to_string(), "graph"];
    let picture = context.client.get(&path).await?;
    serde_json::from_value(picture).context("the server answered something else than a graph")
}
