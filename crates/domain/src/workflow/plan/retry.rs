//! Whether a failed task is tried again, and when.

use super::transitions::holds;
use super::{Fault, number};
use crate::Timestamp;
use crate::template::compile_pattern;
use crate::workflow::definition::{Backoff, Definition, Retry, TaskIndex};
use crate::workflow::names::Context;
use crate::workflow::run::{Outcome, Run};
use chrono::TimeDelta;
use serde_json::Value;

/// The longest pause before a retry, in seconds: a year.
const LONGEST: f64 = 366.0 * 86_400.0;

/// When a task that ended like this after so many tries begins again; `None`, it does not.
pub(super) fn again_at(
    definition: &Definition,
    run: &Run,
    context: &Context<'_>,
    at: TaskIndex,
    outcome: Outcome,
    tries: u32,
) -> Result<Option<Timestamp>, Fault> {
    let task = &definition.tasks[at];
    let Some(retry) = &task.retry else { return Ok(None) };
    let count = number(definition, run, context, (&task.name, "retry.count"), &retry.count)?;
    if f64::from(tries) >= count {
        return Ok(None);
    }
    let wanted = match &retry.when {
        Some(condition) => {
            holds(definition, run, context, (task, "retry.when"), condition, outcome)?
        }
        None => outcome.is_failure(),
    };
    if !wanted || !concerns(retry, &context.result) {
        return Ok(None);
    }
    let delay = number(definition, run, context, (&task.name, "retry.delay"), &retry.delay)?;
    let seconds = pause(retry, delay, tries + 1, context.random);
    Ok(Some(after(context.now, seconds)))
}

/// The moment so many seconds after another.
pub(super) fn after(now: Timestamp, seconds: f64) -> Timestamp {
    // Whole milliseconds are all that a record keeps; the cast cannot overflow below the longest pause.
    #[expect(clippy::cast_possible_truncation, reason = "bounded above and below")]
    let millis = (seconds.clamp(0.0, LONGEST) * 1000.0) as i64;
    now + TimeDelta::milliseconds(millis)
}

/// Whether the error is one that the author wants to try again after.
fn concerns(retry: &Retry, result: &Value) -> bool {
    let Some(pattern) = &retry.on_error else { return true };
    let error = match result.get("error") {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    error.contains(pattern.as_str())
        || compile_pattern(pattern, false).is_ok_and(|pattern| pattern.is_match(&error))
}

/// Seconds before the n-th retry, from 1.
fn pause(retry: &Retry, delay: f64, n: u32, random: f64) -> f64 {
    let grown = match retry.backoff {
        Backoff::Constant => delay,
        Backoff::Linear => delay * f64::from(n),
        Backoff::Exponential => delay * 2_f64.powi(i32::try_from(n - 1).unwrap_or(i32::MAX)),
    };
    let bounded = retry.max_delay.map_or(grown, |longest| grown.min(longest)).min(LONGEST);
    bounded * (1.0 - retry.jitter.clamp(0.0, 1.0) * random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::definition::Quantity;

    fn retry(backoff: Backoff, max_delay: Option<f64>, jitter: f64) -> Retry {
        let (count, delay) = (Quantity::Fixed(9.0), Quantity::Fixed(0.0));
        Retry { count, delay, backoff, max_delay, jitter, when: None, on_error: None }
    }

    #[test]
    fn pauses_grow_as_the_author_says() {
        for (why, retry, pauses) in [
            ("the same each time", retry(Backoff::Constant, None, 0.0), [3.0, 3.0, 3.0, 3.0]),
            ("by the same amount", retry(Backoff::Linear, None, 0.0), [3.0, 6.0, 9.0, 12.0]),
            ("twice as long", retry(Backoff::Exponential, None, 0.0), [3.0, 6.0, 12.0, 24.0]),
            (
                "up to the longest",
                retry(Backoff::Exponential, Some(10.0), 0.0),
                [3.0, 6.0, 10.0, 10.0],
            ),
            ("less a random part", retry(Backoff::Constant, None, 0.5), [2.25, 2.25, 2.25, 2.25]),
        ] {
            let actual = [1, 2, 3, 4].map(|n| pause(&retry, 3.0, n, 0.5));
            assert_eq!(actual, pauses, "{why}");
        }
        assert_eq!(
            pause(&retry(Backoff::Exponential, None, 0.0), 3.0, 4_000_000_000, 0.0),
            LONGEST
        );
    }

    #[test]
    fn an_error_is_told_by_a_part_of_its_text_or_a_pattern() {
        let error = serde_json::json!({"error": "connect: timed out after 3 s"});
        for (pattern, expected) in
            [("timed out", true), ("^connect", true), ("refused", false), ("(", false)]
        {
            let retry =
                Retry { on_error: Some(pattern.into()), ..retry(Backoff::Constant, None, 0.0) };
            assert_eq!(concerns(&retry, &error), expected, "{pattern}");
        }
    }
}
