//! Forgetting a run, with its execution.

use super::{items, layout, load};
use attune_domain::id::ExecutionId;
use attune_domain::payload::Payload;
use attune_domain::workflow::run::Source;
use attune_ports::records::{self, Commit, Expect, Query};
use attune_ports::{Ports, Unavailable};

/// Records removed together.
const AT_ONCE: usize = 90;

/// Removes what belongs to a run, its record last. A run that another one repeats takes
/// along the items that the other has, too: that one is as good as over by then.
pub(crate) async fn run(ports: &Ports, id: ExecutionId) -> Result<(), Unavailable> {
    let Some(loaded) = load::run(ports, id).await? else { return Ok(()) };
    for (task, state) in &loaded.body.tasks {
        // What executes one action has nothing beside its execution.
        if matches!(state.result, Source::Execution(_) | Source::Nothing) && state.left.is_none() {
            continue;
        }
        for visit in 1..=state.visits {
            gathered(ports, &format!("{id}/{task}/{visit}")).await?;
        }
    }
    if let Some(blob) = layout::own_blob(id, &loaded.body.vars) {
        ports.blobs.delete(blob).await?;
    }
    remove(ports, Commit::new().delete(layout::run(id), Expect::Any)).await
}

/// Removes the items of one visit of a task, and what they came to.
async fn gathered(ports: &Ports, name: &str) -> Result<(), Unavailable> {
    loop {
        let query = Query::partition(layout::gathered(name), AT_ONCE);
        let page = ports.records.query(&query).await?;
        let mut commit = Commit::new();
        for record in page.records {
            if items::is_result(&record)
                && let Ok(Payload::Blob { name, .. }) = record.decode()
            {
                ports.blobs.delete(&name).await?;
            }
            commit = commit.delete(record.key, Expect::Any);
        }
        if commit.writes.is_empty() {
            return Ok(());
        }
        remove(ports, commit).await?;
    }
}

async fn remove(ports: &Ports, commit: Commit) -> Result<(), Unavailable> {
    ports.records.commit(commit).await.map_err(|error| match error {
        records::Error::Unavailable(error) => error,
        other => Unavailable::new("records", other),
    })
}
