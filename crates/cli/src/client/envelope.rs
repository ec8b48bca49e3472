//! The wrappings of answers: `data` around objects, `data` or `items` around lists.

use serde::Deserialize;
use serde_json::Value;

/// One page of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The entries.
    pub items: Vec<Value>,
    /// Where in the list the page stands, if the server says so.
    pub pagination: Option<Pagination>,
}

/// Where in a list a page stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Pagination {
    /// Number of the page, from 1.
    pub page: u64,
    /// Pages in all, where the server counts them.
    pub total_pages: Option<u64>,
    /// Entries in all, where the server counts them.
    pub total_items: Option<u64>,
    /// Whether a page follows.
    pub has_next: bool,
}

/// The object in its envelope, or the answer itself if it has none.
pub fn object(mut answer: Value) -> Value {
    match answer.get_mut("data") {
        Some(data) => data.take(),
        None => answer,
    }
}

/// The list in its envelope: under `data`, under `items`, or bare.
pub fn page(mut answer: Value) -> Option<Page> {
    let pagination =
        answer.get_mut("pagination").map(Value::take).and_then(|v| Pagination::deserialize(v).ok());
    let items = if answer.is_array() {
        answer
    } else {
        ["data", "items"].into_iter().find_map(|key| match answer.get_mut(key) {
            Some(list @ Value::Array(_)) => Some(list.take()),
            _ => None,
        })?
    };
    match items {
        Value::Array(items) => Some(Page { items, pagination }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_are_found_in_every_envelope() {
        let pagination = json!({"page": 2, "page_size": 1, "has_next": true, "total_items": null});
        for (why, answer) in [
            ("classic", json!({"data": [{"id": 1}], "pagination": pagination})),
            ("newer", json!({"items": [{"id": 1}], "pagination": pagination})),
        ] {
            let page = page(answer).expect(why);
            assert_eq!(page.items, [json!({"id": 1})], "{why}");
            let expected = Pagination { page: 2, has_next: true, ..Pagination::default() };
            assert_eq!(page.pagination, Some(expected), "{why}");
        }
        assert_eq!(page(json!([1, 2])).unwrap().items.len(), 2, "bare");
    }

    #[test]
    fn what_is_no_list_is_not_taken_for_an_empty_one() {
        for answer in [json!({"data": {"id": 1}}), json!({"ok": true}), json!("hello")] {
            assert_eq!(page(answer.clone()), None, "{answer}");
        }
    }

    #[test]
    fn objects_are_unwrapped_if_they_are_wrapped() {
        assert_eq!(object(json!({"data": {"id": 1}})), json!({"id": 1}));
        assert_eq!(object(json!({"success": true})), json!({"success": true}));
    }
}
