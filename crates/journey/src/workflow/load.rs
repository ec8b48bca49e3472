//! Loading a run with all that its expressions may read.

use super::items;
use super::layout;
use crate::load::{self, Versioned};
use crate::{definitions, payload, secrets};
use attune_catalogue::layout as definitions_at;
use attune_domain::Timestamp;
use attune_domain::execution::Execution;
use attune_domain::id::ExecutionId;
use attune_domain::payload::Payload;
use attune_domain::schema::Schema;
use attune_domain::workflow::digest::blob;
use attune_domain::workflow::names::Context;
use attune_domain::workflow::plan::children;
use attune_domain::workflow::run::{Phase, Run, Source};
use attune_domain::workflow::{Definition, view};
use attune_ports::records::Kind;
use attune_ports::{Ids, Key, Ports, Unavailable};
use bytes::Bytes;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A run for changing it.
pub(super) async fn run(
    ports: &Ports,
    id: ExecutionId,
) -> Result<Option<Versioned<Run>>, Unavailable> {
    load::versioned(ports, &layout::run(id)).await
}

/// Definitions and executions that are read together, at most.
const TOGETHER: usize = 16;

/// What a step reads besides the run and its execution, as far as that can be told: the definitions of the workflow, its
/// pack and the actions of the task and of those that may follow it, and the executions that tasks came to. A wrong guess costs a read.
pub(super) fn read_by(
    definition: &Definition,
    run: &Run,
    execution: &Execution,
    thread: u32,
) -> Vec<Key> {
    let own = &execution.action_ref;
    let mut keys = vec![
        definitions_at::definition(Kind::Action, own),
        definitions_at::definition(Kind::Pack, own.pack()),
    ];
    let mut add = |key: Key| {
        if !keys.contains(&key) {
            keys.push(key);
        }
    };
    let thread = run.threads.get(&thread);
    let task = thread.and_then(|thread| definition.task(&thread.task));
    for action in task.into_iter().flat_map(|task| definition.actions_from(task)).take(TOGETHER) {
        add(definitions_at::definition(Kind::Action, action));
    }
    let child = thread.and_then(|thread| thread.working()?.child);
    let read = run.tasks.iter().filter(|(name, _)| definition.refers_to().contains(name));
    let executions = read.filter_map(|(_, state)| match state.result {
        Source::Execution(id) => Some(id),
        _ => None,
    });
    for id in child.into_iter().chain(executions).take(TOGETHER) {
        add(crate::layout::execution(id));
    }
    keys
}

/// A definition cannot be used: its file was changed by hand, or is gone.
#[derive(Debug, thiserror::Error)]
#[error("the workflow's definition {0} cannot be read")]
pub(super) struct Unusable(String);

/// The definition with this digest, compiled.
pub(super) async fn definition(
    ports: &Ports,
    digest: &str,
) -> Result<Result<Arc<Definition>, Unusable>, Unavailable> {
    let name = format!("workflow {digest}");
    if let Some(known) = ports.memo.get(&name, &Bytes::new()) {
        return Ok(Ok(known));
    }
    let bytes = ports.blobs.get(&blob(digest)).await?;
    let graph = bytes.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let Some(definition) = graph.and_then(|graph| Definition::parse(&graph).ok()) else {
        return Ok(Err(Unusable(digest.to_owned())));
    };
    let definition = Arc::new(definition);
    ports.memo.put(&name, Bytes::new(), Arc::clone(&definition));
    Ok(Ok(definition))
}

/// The definition of a run that has begun.
pub(super) async fn definition_of(
    ports: &Ports,
    run: &Run,
) -> Result<Arc<Definition>, Unavailable> {
    let found = definition(ports, &run.definition).await?;
    found.map_err(|unusable| Unavailable::new("blobs", unusable))
}

/// What a run's expressions may read, and the secrets among it.
pub(super) struct Known {
    /// Parameters with defaults, and as given.
    parameters: Value,
    given: Value,
    vars: Map<String, Value>,
    config: Value,
    /// Texts that must not leave it but for secret parameters.
    pub secrets: Vec<String>,
}

impl Known {
    /// Reads it.
    pub(super) async fn of(
        ports: &Ports,
        execution: &Execution,
        vars: &Payload,
    ) -> Result<Self, Unavailable> {
        let mut given = match &execution.config {
            Some(config) => match payload::fetch(&*ports.blobs, config).await? {
                Value::Object(map) => map,
                _ => Map::new(),
            },
            None => Map::new(),
        };
        let mut texts = secrets::unseal(&*ports.vault, execution, &mut given).await?;
        let mut parameters = given.clone();
        if let Some(action) = definitions::action(ports, &execution.action_ref).await? {
            action.parameters.defaults(&mut parameters);
        }
        let vars = match payload::fetch(&*ports.blobs, vars).await? {
            Value::Object(vars) => vars,
            _ => Map::new(),
        };
        let config = config(ports, execution, &mut texts).await?;
        Ok(Self {
            parameters: parameters.into(),
            given: given.into(),
            vars,
            config,
            secrets: texts,
        })
    }

    /// The planner's context.
    pub(super) fn context<'u>(
        &self,
        now: Timestamp,
        random: f64,
        uuid: &'u (dyn Fn() -> String + Sync),
    ) -> Context<'u> {
        Context {
            parameters: self.parameters.clone(),
            given: self.given.clone(),
            vars: self.vars.clone(),
            results: BTreeMap::new(),
            result: Arc::default(),
            config: self.config.clone(),
            now,
            random,
            uuid,
        }
    }

    /// Whether a value holds any of the secrets.
    pub(super) fn leaks_into(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.secrets.iter().any(|secret| text.contains(secret.as_str())),
            Value::Number(number) => {
                self.secrets.iter().any(|secret| *secret == number.to_string())
            }
            Value::Array(items) => items.iter().any(|item| self.leaks_into(item)),
            Value::Object(map) => map.values().any(|item| self.leaks_into(item)),
            Value::Null | Value::Bool(_) => false,
        }
    }
}

/// The configuration of the workflow's pack.
async fn config(
    ports: &Ports,
    execution: &Execution,
    texts: &mut Vec<String>,
) -> Result<Value, Unavailable> {
    let Some(prepared) = definitions::configuration(ports, execution.action_ref.pack()).await?
    else {
        return Ok(Value::Object(Map::new()));
    };
    let opened = !prepared.secret.is_empty();
    let config = secrets::configuration(&*ports.vault, &prepared.pack, opened).await?;
    if opened && let Ok(schema) = Schema::parse(Some(&prepared.pack.conf_schema)) {
        texts.extend(schema.redact(&mut config.clone()).texts());
    }
    Ok(config)
}

/// Puts the results of tasks into the context, as far as the definition reads them, and that of the task that a
/// thread is at, where it has ended.
pub(super) async fn results(
    ports: &Ports,
    definition: &Definition,
    run: &mut Run,
    context: &mut Context<'_>,
    thread: Option<u32>,
) -> Result<(), Unavailable> {
    for (name, state) in &run.tasks {
        // What the context has is as new: the run was loaded with it, or has come to it since.
        let wanted = definition.refers_to().contains(name) && !context.results.contains_key(name);
        if state.outcome.is_some() && wanted {
            let result = items::result(ports, &state.result, definition.dialect).await?;
            context.results.insert(name.clone(), Arc::new(result));
        }
    }
    let Some(thread) = thread else { return Ok(()) };
    let task = run.threads.get(&thread).and_then(|thread| definition.task(&thread.task));
    // What many items came to is put together for those who read it, and for nobody else.
    if task
        .is_some_and(|at| definition.tasks[at].items.is_some() && !definition.reads_result_of(at))
    {
        return Ok(());
    }
    if let Some(working) = children::done(run, thread) {
        let child = working.child;
        if working.gathered.is_some() {
            return items::gather(ports, definition, run, context, thread).await;
        }
        if let Some(child) = child
            && let Some(execution) = load::execution(ports, child).await?
        {
            let result = items::result_of(ports, &execution).await?;
            context.result = Arc::new(view(result, definition.dialect));
        }
    } else if let Some(Phase::Ended { result, .. }) =
        run.threads.get(&thread).map(|thread| &thread.phase)
    {
        context.result = Arc::new(items::result(ports, result, definition.dialect).await?);
    }
    Ok(())
}

/// A number from 0 up to 1.
pub(super) fn random(ids: &dyn Ids) -> f64 {
    f64::from(ids.random(1).first().copied().unwrap_or(0)) / 256.0
}

/// A random UUID.
pub(super) fn uuid(ids: &dyn Ids) -> String {
    let mut bytes = [0; 16];
    for (byte, random) in bytes.iter_mut().zip(ids.random(16)) {
        *byte = random;
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
