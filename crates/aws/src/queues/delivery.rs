//! From what SQS delivers to a [`Delivery`]: the same whether it was received or came with a function's
//! event.

use attune_domain::message::Message;
use attune_ports::Delivery;
use attune_ports::queues::Receipt;

/// Name of the attribute that counts deliveries.
pub(crate) const RECEIVES: &str = "ApproximateReceiveCount";
/// Name of the attribute that holds the group of a message.
pub(crate) const GROUP: &str = "MessageGroupId";

/// A text that no version of a message reads as.
#[derive(Debug, thiserror::Error)]
#[error("the text cannot be read as a message")]
pub struct Unreadable(#[from] serde_json::Error);

/// Reads one message of a queue: its receipt handle, its body, and its system attributes by name. A missing
/// count says that it came for the first time, a missing group that its queue is a plain one.
///
/// # Errors
/// [`Unreadable`] where the body is no message. Leave it to the queue: it goes to the dead letters when it
/// has come too often.
pub fn delivery<'a>(
    receipt: &str,
    body: &str,
    attribute: impl Fn(&str) -> Option<&'a str>,
) -> Result<Delivery, Unreadable> {
    let message: Message = serde_json::from_str(body)?;
    Ok(Delivery {
        receipt: Receipt(receipt.to_owned()),
        message,
        group: attribute(GROUP).unwrap_or_default().to_owned(),
        receives: attribute(RECEIVES).and_then(|text| text.parse().ok()).unwrap_or(1),
    })
}

/// A message as the body of an SQS message. JSON escapes all that SQS refuses but two code points.
pub(crate) fn body(message: &Message) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string(message)?;
    if text.contains(['\u{fffe}', '\u{ffff}']) {
        return Ok(text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_domain::admission::LaneKey;
    use attune_domain::id::{ExecutionId, PolicyId};
    use attune_domain::message::Step;

    #[test]
    fn a_message_comes_back_as_it_was_sent() {
        let group = "a\u{ffff}b\u{fffe}\u{1}\"\\\u{7f}ä😀";
        let lane = LaneKey::of(PolicyId::new(7), Some(group));
        for step in [
            Step::ExecutionScheduled { execution: ExecutionId::new(1 << 52), attempt: 2 },
            Step::LaneWake { lane },
        ] {
            let sent = Message::from(step);
            let text = body(&sent).unwrap();
            assert!(!text.contains(|c: char| c < ' ' || c == '\u{fffe}' || c == '\u{ffff}'));
            let attribute = |name: &str| match name {
                RECEIVES => Some("3"),
                GROUP => Some("core.echo"),
                _ => None,
            };
            let delivery = delivery("r-1", &text, attribute).unwrap();
            assert_eq!(delivery.message, sent);
            assert_eq!(delivery.receipt.0, "r-1");
            assert_eq!((delivery.group.as_str(), delivery.receives), ("core.echo", 3));
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for text in ["", "not even JSON", "{}", r#"{"v": 9, "step": "moon.landed", "moon": 1}"#] {
            assert!(delivery("r", text, |_| None).is_err(), "{text}");
        }
    }
}
