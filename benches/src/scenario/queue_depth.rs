//! Admission into a line of growing length, behind a policy that lets one execution run.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::Size;
use crate::Measurement;
use crate::fixture;
use crate::http::Request;
use crate::load::{self, CLIENTS, Until};
use crate::sample::percentile_ms;
use crate::session::Session;

/// The action whose line is filled. It sleeps in process for longer than the scenario takes, so the
/// line moves on rarely, and its end costs nothing.
const SLEEP: &str = "core.sleep";

/// Between two looks at the line.
const POLL: Duration = Duration::from_millis(2);

/// Admissions measured one by one at each length.
const SAMPLES: usize = 100;

/// Admissions measured with all clients at each length.
const BURST: usize = 1_000;

pub(super) async fn run(session: &mut Session, size: Size) -> Result<Vec<Measurement>> {
    let policy = json!({
        "ref": "core.load_one_at_a_time",
        "action_ref": SLEEP,
        "method": "enqueue",
        "threshold": 1,
    });
    session.call(Request::post("/api/v1/policies", policy.to_string())).await?;
    // The first takes the only slot; whoever comes from now on joins the line.
    session.call(sleeper()).await?;
    wait(session, |line| line.active > 0, POLL).await?;

    let depths: &[u64] = size.pick(&[10, 1_000], &[10, 1_000, 100_000]);
    let mut measurements = Vec::new();
    let mut medians = Vec::with_capacity(depths.len());
    for &depth in depths {
        fill(session, depth).await?;
        let mut samples = Vec::with_capacity(SAMPLES);
        for _ in 0..SAMPLES {
            samples.push(admit_one(session).await?);
        }
        let median = percentile_ms(&mut samples, 50);
        medians.push(median);
        let before = line(session).await?;
        let start = post(session, BURST).await?;
        wait(session, |now| now.total >= before.total + BURST as u64, POLL).await?;
        let rate = BURST as f64 / start.elapsed().as_secs_f64();
        measurements.push(Measurement::new(
            format!("queue_depth.p50_at_{depth}"),
            format!("execute → in line, {depth} waiting, one client, p50"),
            median,
            "ms",
        ));
        measurements.push(Measurement::new(
            format!("queue_depth.admitted_at_{depth}"),
            format!("… {CLIENTS} clients: admitted"),
            rate,
            "/s",
        ));
    }
    if let ([shallow, .., deep], [first, .., last]) = (medians.as_slice(), depths) {
        let work = format!("admission with {last} waiting against {first}, p50");
        measurements.push(Measurement::new("queue_depth.ratio", work, deep / shallow, "×"));
    }
    Ok(measurements)
}

/// What the line says of itself.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    /// Running now.
    active: u64,
    /// Waiting now.
    waiting: u64,
    /// Ever admitted to the line; unlike `waiting` it never falls when the line moves on.
    total: u64,
}

/// The line's numbers, zero before the first admission.
async fn line(session: &mut Session) -> Result<Line> {
    let request = Request::get(format!("/api/v1/actions/{SLEEP}/queue-stats"));
    let Some(answer) = session.look_up(request).await? else { return Ok(Line::default()) };
    let number = |name: &str| {
        let value = answer.pointer("/data").and_then(|data| data.get(name));
        value.and_then(Value::as_u64).with_context(|| format!("the queue's numbers lack `{name}`"))
    };
    Ok(Line {
        active: number("active_count")?,
        waiting: number("queue_length")?,
        total: number("total_enqueued")?,
    })
}

/// Sends `count` executions with all clients; returns the moment of the first.
async fn post(session: &Session, count: usize) -> Result<Instant> {
    let load = load::closed_loop(session, CLIENTS, Until::Count(count), |_| sleeper()).await?;
    Ok(load.started)
}

fn sleeper() -> Request {
    fixture::execute(SLEEP, &json!({ "seconds": 280 }))
}

/// Waits until the line is as asked; a minute in which nobody joins it is an error.
async fn wait(
    session: &mut Session,
    reached: impl Fn(Line) -> bool,
    pause: Duration,
) -> Result<()> {
    const PATIENCE: Duration = Duration::from_secs(60);
    let (mut last, mut changed) = (0, Instant::now());
    loop {
        let now = line(session).await?;
        if reached(now) {
            return Ok(());
        }
        if now.total != last {
            (last, changed) = (now.total, Instant::now());
        } else if changed.elapsed() > PATIENCE {
            bail!("nobody joined the line for {} s: {now:?}", PATIENCE.as_secs());
        }
        // The thread itself pauses: the runtime's timers are too coarse, and nothing else runs on it.
        std::thread::sleep(pause);
    }
}

/// Fills the line up to `depth` waiting executions.
async fn fill(session: &mut Session, depth: u64) -> Result<()> {
    let line = line(session).await?;
    let missing = depth.saturating_sub(line.waiting);
    post(session, usize::try_from(missing)?).await?;
    wait(session, |now| now.total >= line.total + missing, POLL).await
}

/// The time from sending one execution to seeing it in line.
async fn admit_one(session: &mut Session) -> Result<Duration> {
    let before = line(session).await?;
    let start = Instant::now();
    session.call(sleeper()).await?;
    wait(session, |line| line.total > before.total, Duration::from_micros(250)).await?;
    Ok(start.elapsed())
}
