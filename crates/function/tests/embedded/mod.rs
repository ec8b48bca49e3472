//! The embedded ports, which the handlers cannot tell from the cloud's, and what tests of them share.

use attune_catalogue::Origin;
use attune_domain::catalogue::Placement;
use attune_domain::id::ExecutionId;
use attune_domain::reference::ComponentRef;
use attune_function::Elsewhere;
use attune_journey::request::{self, NewExecution};
use attune_local::{Config, Local};
use attune_ports::Runner;
use aws_lambda_events::sqs::SqsBatchResponse;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// An empty data folder that is open, for a function that runs nothing.
pub(crate) fn open() -> (TempDir, Local) {
    open_with(|_| Arc::new(Elsewhere))
}

/// The same with a runner, which is told the folder.
pub(crate) fn open_with(runner: impl FnOnce(&Path) -> Arc<dyn Runner>) -> (TempDir, Local) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let local = attune_local::open(folder.path(), &Config::default(), runner(folder.path()))
        .expect("the folder can be opened");
    (folder, local)
}

/// The messages of a batch that are to come again.
pub(crate) fn failures(response: &SqsBatchResponse) -> Vec<&str> {
    response.batch_item_failures.iter().map(|item| item.item_identifier.as_str()).collect()
}

/// Asks for an execution of `core.noop`, which the core pack brings.
pub(crate) async fn request_noop(local: &Local) -> ExecutionId {
    let pack = tempfile::tempdir().expect("a temporary folder can be made");
    attune_packs::builtin::write_to(pack.path()).expect("the pack can be written");
    let pack = attune_packs::load(pack.path()).expect("the pack can be read");
    attune_catalogue::install(&local.ports, &pack, None, Origin::Startup)
        .await
        .expect("the pack can be installed");
    let new = NewExecution {
        action_ref: ComponentRef::parse("core.noop").expect("the name is right"),
        parameters: None,
        env_vars: BTreeMap::new(),
        permission_set_refs: vec![],
        placement: Placement::default(),
        executor: None,
        parent: None,
        priority: None,
        idempotency: None,
    };
    request::execution(&local.ports, new).await.expect("the request is right").id
}
