//! The name of a workflow's graph: what a run keeps to find the graph it started with.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 of a graph in hexadecimal. The order of its keys does not matter, that of its lists does.
#[must_use]
pub fn of(graph: &Value) -> String {
    hex::encode(Sha256::digest(canonical(graph)))
}

/// A graph as JSON without spaces, its keys in order.
#[must_use]
pub fn canonical(graph: &Value) -> String {
    let mut graph = graph.clone();
    graph.sort_all_objects();
    graph.to_string()
}

/// Name of the blob that holds the graph of this digest, in its canonical form.
#[must_use]
pub fn blob(digest: &str) -> String {
    format!("workflows/{digest}.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_same_graph_has_the_same_digest() {
        let read = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
        let graph = of(&read(r#"{"a": [{"x": 1, "y": 2}], "b": 0}"#));
        assert_eq!(graph, of(&read(r#"{"b": 0, "a": [{"y": 2, "x": 1}]}"#)), "keys may move");
        assert_ne!(of(&json!([1, 2])), of(&json!([2, 1])), "elements may not");
        assert_eq!(graph.len(), 64);
        assert_eq!(canonical(&read(r#"{"b": 1, "a": null}"#)), r#"{"a":null,"b":1}"#);
    }
}
