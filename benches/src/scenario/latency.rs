//! One execution at a time on an idle server, from the request to the moment it is seen completed.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::Size;
use crate::Measurement;
use crate::fixture::{self, NOOP};
use crate::http::Request;
use crate::sample::percentile_ms;
use crate::session::Session;

/// Between two looks at the execution. The thread itself pauses: the runtime's timers count in whole
/// milliseconds, which is as long as what is measured, and nothing else runs on it meanwhile.
const PAUSE: Duration = Duration::from_micros(250);

/// Before the next sample, so that no sample meets the last one's remains.
const BREATH: Duration = Duration::from_millis(3);

pub(super) async fn run(session: &mut Session, size: Size) -> Result<Vec<Measurement>> {
    const WARM_UP: usize = 10;
    let count = size.pick(100, 300);
    for _ in 0..WARM_UP {
        sample(session).await?;
    }
    let mut samples = Vec::with_capacity(count);
    for _ in 0..count {
        samples.push(sample(session).await?);
        std::thread::sleep(BREATH);
    }
    let mut row = |percent| {
        let work =
            format!("execute core.noop → seen completed, idle server, p{percent} of {count}");
        let value = percentile_ms(&mut samples, percent);
        Measurement::new(format!("latency.p{percent}"), work, value, "ms")
    };
    Ok(vec![row(50), row(95)])
}

async fn sample(session: &mut Session) -> Result<Duration> {
    const PATIENCE: Duration = Duration::from_secs(10);
    let start = Instant::now();
    let answer = session.call(fixture::execute(NOOP, &json!({}))).await?;
    let id = answer.pointer("/data/id").and_then(Value::as_i64).context("no execution id")?;
    let mut status = status_of(&answer)?;
    while status != "completed" {
        if matches!(status.as_str(), "failed" | "cancelled" | "timeout" | "abandoned") {
            bail!("execution {id} ended {status}");
        }
        if start.elapsed() > PATIENCE {
            bail!("execution {id} is still {status} after {PATIENCE:?}");
        }
        std::thread::sleep(PAUSE);
        status = status_of(&session.call(Request::get(format!("/api/v1/executions/{id}"))).await?)?;
    }
    Ok(start.elapsed())
}

fn status_of(answer: &Value) -> Result<String> {
    let status = answer.pointer("/data/status").and_then(Value::as_str);
    Ok(status.context("an execution without a status")?.to_owned())
}
