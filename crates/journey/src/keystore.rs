//! The keystore as runs see it. Here and nowhere else in the journey a key's value is opened.

use attune_catalogue::{keys, layout};
use attune_domain::execution::Execution;
use attune_domain::keystore::{Holder, Key, Keystore};
use attune_domain::reference::ComponentRef;
use attune_ports::records::{Kind, Query, Record};
use attune_ports::{Ports, Unavailable};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Names read at once.
const CHUNK: usize = 100;

/// Looks up what was left for the keystore in an execution's parameters and hands its action the keys that it sees.
/// Answers their texts, to be struck out of everything that the run says; or why they cannot be looked up.
pub(crate) async fn unlock(
    ports: &Ports,
    execution: &Execution,
    parameters: &mut Map<String, Value>,
) -> Result<Result<Vec<String>, String>, Unavailable> {
    // While there are no keys, that is all there is to read.
    let Some(generation) = ports.records.get(&layout::keys_generation()).await? else {
        return Ok(resolve(&Keystore::default(), execution, parameters).map(|()| vec![]));
    };
    let own = seen_by(ports, &generation, &execution.action_ref).await?;
    let mut texts = own.texts();
    if let Some(lookup) = &execution.keystore {
        let authors = seen_by(ports, &generation, &lookup.author).await?;
        if let Err(error) = resolve(&authors, execution, parameters) {
            return Ok(Err(error));
        }
        texts.extend(authors.texts());
    }
    own.hand_to(parameters);
    Ok(Ok(texts))
}

/// Renders what was left for the keystore; or says why that is not possible, without any value of a key.
fn resolve(
    keystore: &Keystore,
    execution: &Execution,
    parameters: &mut Map<String, Value>,
) -> Result<(), String> {
    let Some(lookup) = &execution.keystore else { return Ok(()) };
    let mut whole = Value::Object(std::mem::take(parameters));
    let resolved = keystore.resolve(&mut whole, lookup);
    if let Value::Object(map) = whole {
        *parameters = map;
    }
    resolved.map_err(|error| {
        let message = format!("parameters of '{}': {error}", execution.action_ref);
        keystore.texts().iter().fold(message, |message, text| message.replace(text, "[REDACTED]"))
    })
}

/// The keys that an action sees.
async fn seen_by(
    ports: &Ports,
    generation: &Record,
    action: &ComponentRef,
) -> Result<Keystore, Unavailable> {
    let mut keystore = Keystore::default();
    for holder in Holder::seen_by(action) {
        for key in kept_by(ports, generation, &holder).await?.iter() {
            let value = keys::value(&*ports.vault, key).await?;
            keystore.lay(&key.name, value, key.encrypted);
        }
    }
    Ok(keystore)
}

/// An owner's keys, still sealed; read once for every generation.
async fn kept_by(
    ports: &Ports,
    generation: &Record,
    holder: &Holder,
) -> Result<Arc<Vec<Key>>, Unavailable> {
    let name = layout::keys(holder);
    if let Some(known) = ports.memo.get(&name, &generation.body) {
        return Ok(known);
    }
    let mut kept: Vec<Key> = Vec::new();
    let mut query = Query::partition(&name, CHUNK);
    loop {
        let page = ports.records.query(&query).await?;
        let refs = page.records.iter().map(read::<String>).collect::<Result<Vec<_>, _>>()?;
        let keys: Vec<_> = refs.iter().map(|it| layout::definition(Kind::Key, it)).collect();
        for record in ports.records.get_all(&keys).await?.iter().flatten() {
            kept.push(read(record)?);
        }
        match page.next {
            None => break,
            next => query.after = next,
        }
    }
    let kept = Arc::new(kept);
    ports.memo.put(&name, generation.body.clone(), Arc::clone(&kept));
    Ok(kept)
}

fn read<T: serde::de::DeserializeOwned>(record: &Record) -> Result<T, Unavailable> {
    record.decode().map_err(|e| Unavailable::new("records", e.source))
}
