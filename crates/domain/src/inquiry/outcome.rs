//! What the asking execution's result looks like while it waits, and afterwards.
//!
//! Who asks by its own result (`__inquiry`) has one before anybody has answered: that stays, and what is said here
//! is added to it.

use super::{Inquiry, Status};
use crate::id::InquiryId;
use crate::status::ExecutionStatus;
use serde_json::{Map, Value, json};

/// The key of a result that asks a question.
pub const ASKS: &str = "__inquiry";

/// Takes the question out of a result, where it asks one: at the top, or in what it printed.
pub fn take_question(result: &mut Value) -> Option<Value> {
    let map = result.as_object_mut()?;
    let at_top = map.remove(ASKS);
    let printed = map.get_mut("data").and_then(Value::as_object_mut);
    let in_data = printed.and_then(|data| data.remove(ASKS));
    at_top.or(in_data).filter(|question| !question.is_null())
}

/// The result while nobody has answered.
#[must_use]
pub fn pending(before: Option<Value>, inquiry: InquiryId) -> Value {
    with(before, json!({"inquiry_id": inquiry, "status": Status::Pending}))
}

/// How the execution ends with its inquiry, and with which result; `None` while that is pending.
#[must_use]
pub fn of(inquiry: &Inquiry, before: Option<Value>) -> Option<(ExecutionStatus, Value)> {
    let (status, said) = match inquiry.status {
        Status::Pending => return None,
        Status::Responded => (
            ExecutionStatus::Completed,
            json!({
                "succeeded": true,
                "response": inquiry.response,
                "__inquiry_created_published": true,
            }),
        ),
        Status::Timeout => {
            (ExecutionStatus::Timeout, json!({"succeeded": false, "error": "inquiry timed out"}))
        }
        Status::Cancelled => (
            ExecutionStatus::Cancelled,
            json!({"succeeded": false, "cancelled": true, "error": "The inquiry was cancelled"}),
        ),
    };
    let mut result = with(before, said);
    if let Some(map) = result.as_object_mut() {
        map.remove("inquiry_id");
        map.remove("status");
        map.insert("__inquiry_id".into(), json!(inquiry.id));
    }
    Some((status, result))
}

fn with(before: Option<Value>, said: Value) -> Value {
    let mut map = match before {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    if let Value::Object(said) = said {
        map.extend(said);
    }
    Value::Object(map)
}
