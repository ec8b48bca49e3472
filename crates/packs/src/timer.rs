//! Checks timers where they are written.

use crate::fields::Fields;
use crate::node::{Kind, Node, to_map};
use attune_domain::reference::ComponentRef;
use attune_domain::timer::{self, TimerSpec};
use serde_json::{Map, Value};

/// Reports what keeps field `name` from being a timer. `kind` is the ref of a timer trigger; without
/// it, the mapping must name its kind under `type`. Whether the field is a mapping at all is for its
/// reader to say.
pub(crate) fn check(fields: &Fields<'_>, name: &str, kind: Option<&str>) {
    let node = fields.find(&[name]).map(|(_, node)| node);
    let config = match node {
        None => Value::Object(Map::new()),
        Some(Node { kind: Kind::Map(entries), .. }) => Value::Object(to_map(entries)),
        Some(_) => return,
    };
    let parsed = match kind {
        Some(kind) => TimerSpec::parse(kind, &config),
        None => TimerSpec::parse_config(&config),
    };
    if let Err(error) = parsed {
        let at = fields.place(name);
        let (path, at) = match error.field() {
            Some(field) => (
                format!("{name}.{field}"),
                node.and_then(|node| node.get(field)).map_or(at, |node| node.at),
            ),
            None => (name.to_owned(), at),
        };
        fields.error(at, &path, error.to_string());
    }
}

/// Whether a mapping says under `type` that it is a timer.
pub(crate) fn says_so(config: &Value) -> bool {
    timer::Kind::of_config(config).is_some()
}

/// The ref, where it is a timer trigger's.
pub(crate) fn trigger(reference: &ComponentRef) -> Option<&str> {
    Some(reference.as_str()).filter(|reference| timer::Kind::of(reference).is_some())
}
