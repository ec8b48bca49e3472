//! Tests of packs, and what came of them. Their fields are written in camel case, unlike all others.

use attune_catalogue::pack_tests::TestRun;
use attune_packs::Verdict;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use utoipa::ToSchema;

/// Bytes of messages in a result, at most: it has to fit into an answer and into a record.
const MESSAGES: usize = 20 * 1024;

/// What came of a pack's tests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackTestResult {
    /// Which pack.
    pub pack_ref: String,
    /// Its version.
    pub pack_version: String,
    /// When they began.
    pub execution_time: DateTime<Utc>,
    /// `passed`, `failed`, or `skipped` where the pack has none.
    pub status: String,
    /// How many there are.
    pub total_tests: i32,
    /// How many passed.
    pub passed: i32,
    /// How many did not.
    pub failed: i32,
    /// How many were not run.
    pub skipped: i32,
    /// Share of those that passed, from 0 to 1.
    pub pass_rate: f64,
    /// Milliseconds that they took.
    pub duration_ms: i64,
    /// The tests.
    pub test_suites: Vec<TestSuiteResult>,
}

/// What came of tests of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestSuiteResult {
    /// Where they are in the pack.
    pub name: String,
    /// `rehearsal`.
    pub runner_type: String,
    /// How many there are.
    pub total: i32,
    /// How many passed.
    pub passed: i32,
    /// How many did not.
    pub failed: i32,
    /// How many were not run.
    pub skipped: i32,
    /// Milliseconds that they took.
    pub duration_ms: i64,
    /// One by one.
    pub test_cases: Vec<TestCaseResult>,
}

/// What came of one test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestCaseResult {
    /// Its file in the pack.
    pub name: String,
    /// How it went.
    pub status: TestStatus,
    /// Milliseconds that it took.
    pub duration_ms: i64,
    /// What is not as expected, a line each; cut where it is long.
    pub error_message: Option<String>,
    /// What it wrote; `null`, as a rehearsal has no process.
    pub stdout: Option<String>,
    /// The same.
    pub stderr: Option<String>,
}

/// How a test went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TestStatus {
    /// As expected.
    Passed,
    /// Otherwise.
    Failed,
    /// It was not run.
    Skipped,
    /// It is no test.
    Error,
}

impl PackTestResult {
    /// The result of a pack's rehearsals. Messages are cut where together they are too long.
    #[must_use]
    pub fn of(
        (pack_ref, pack_version): (&str, &str),
        verdicts: &[Verdict],
        began: DateTime<Utc>,
        took: Duration,
    ) -> Self {
        let count = |passed| {
            let found = verdicts.iter().filter(|verdict| verdict.passed() == passed).count();
            i32::try_from(found).unwrap_or(i32::MAX)
        };
        let (passed, failed) = (count(true), count(false));
        let (total, duration_ms) = (passed + failed, millis(took));
        let status = match (total, failed) {
            (0, _) => "skipped",
            (_, 0) => "passed",
            _ => "failed",
        };
        let suite = TestSuiteResult {
            name: attune_packs::rehearsal::FOLDER.to_owned(),
            runner_type: "rehearsal".to_owned(),
            total,
            passed,
            failed,
            skipped: 0,
            duration_ms,
            test_cases: cases(verdicts),
        };
        Self {
            pack_ref: pack_ref.to_owned(),
            pack_version: pack_version.to_owned(),
            execution_time: began,
            status: status.to_owned(),
            total_tests: total,
            passed,
            failed,
            skipped: 0,
            pass_rate: if total == 0 { 0.0 } else { f64::from(passed) / f64::from(total) },
            duration_ms,
            test_suites: if total == 0 { Vec::new() } else { vec![suite] },
        }
    }

    /// What did not pass: file and reasons of each, to be read by people.
    pub fn failures(&self) -> impl Iterator<Item = String> {
        let cases = self.test_suites.iter().flat_map(|suite| &suite.test_cases);
        cases.filter_map(|case| {
            let reasons = case.error_message.as_ref()?.replace('\n', "; ");
            Some(format!("{}: {reasons}", case.name))
        })
    }
}

fn cases(verdicts: &[Verdict]) -> Vec<TestCaseResult> {
    let mut cases: Vec<_> = verdicts.iter().map(TestCaseResult::from).collect();
    let mut left = MESSAGES;
    for message in cases.iter_mut().filter_map(|case| case.error_message.as_mut()) {
        if message.len() > left {
            message.truncate(message.floor_char_boundary(left));
            message.push('…');
        }
        left = left.saturating_sub(message.len());
    }
    cases
}

impl From<&Verdict> for TestCaseResult {
    fn from(verdict: &Verdict) -> Self {
        let status = match (verdict.passed(), &verdict.workflow) {
            (true, _) => TestStatus::Passed,
            (false, Some(_)) => TestStatus::Failed,
            (false, None) => TestStatus::Error,
        };
        Self {
            name: verdict.file.display().to_string(),
            status,
            duration_ms: millis(verdict.took),
            error_message: (!verdict.passed()).then(|| verdict.differences.join("\n")),
            stdout: None,
            stderr: None,
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Tests of a pack that were run, in its history.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackTestExecution {
    /// Wire id.
    pub id: i64,
    /// Wire id of the pack.
    pub pack_id: i64,
    /// The pack's version then.
    pub pack_version: String,
    /// When they began.
    pub execution_time: DateTime<Utc>,
    /// `register`, `upload` or `manual`.
    pub trigger_reason: String,
    /// How many there were.
    pub total_tests: i32,
    /// How many passed.
    pub passed: i32,
    /// How many did not.
    pub failed: i32,
    /// How many were not run.
    pub skipped: i32,
    /// Share of those that passed, from 0 to 1.
    pub pass_rate: f64,
    /// Milliseconds that they took.
    pub duration_ms: i64,
    /// All that came of them, as [`PackTestResult`].
    #[schema(value_type = Object)]
    pub result: Value,
    /// When this was stored.
    pub created: DateTime<Utc>,
}

impl TryFrom<TestRun> for PackTestExecution {
    type Error = serde_json::Error;

    fn try_from(run: TestRun) -> Result<Self, serde_json::Error> {
        let counts = PackTestResult::deserialize(&run.result)?;
        Ok(Self {
            id: run.id,
            pack_id: run.pack.get(),
            pack_version: run.version,
            execution_time: run.began,
            trigger_reason: run.reason,
            total_tests: counts.total_tests,
            passed: counts.passed,
            failed: counts.failed,
            skipped: counts.skipped,
            pass_rate: counts.pass_rate,
            duration_ms: counts.duration_ms,
            result: run.result,
            created: run.created,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_are_cut_and_the_first_ones_are_whole() {
        let verdict = |name: &str, why: String| Verdict {
            file: name.into(),
            workflow: None,
            differences: vec![why],
            took: Duration::ZERO,
        };
        let long = "ä".repeat(MESSAGES);
        let verdicts =
            [verdict("a", "short".into()), verdict("b", long.clone()), verdict("c", long)];
        let result =
            PackTestResult::of(("demo", "1.0.0"), &verdicts, DateTime::UNIX_EPOCH, Duration::ZERO);
        let told: Vec<String> = result.failures().collect();
        assert_eq!((told[0].as_str(), told[2].as_str()), ("a: short", "c: …"));
        assert!(told[1].starts_with("b: ää") && told[1].ends_with("ä…"));
        assert!(told.concat().len() <= MESSAGES + 30, "{}", told.concat().len());
    }
}
