//! The states of enforcements and executions, and which may follow which.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where an execution stands. The words are the wire's: one l in `canceling`, two in `cancelled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExecutionStatus {
    /// Asked for; not admitted yet, or waiting in a lane.
    Requested,
    /// Being placed. Attune places in one step, so nothing rests here; old records may.
    Scheduling,
    /// Holds its slot and waits for a runner.
    Scheduled,
    /// A runner has claimed it.
    Running,
    /// Ended well.
    Completed,
    /// Ended badly.
    Failed,
    /// Told to stop; the runner has not answered yet.
    Canceling,
    /// Stopped on request.
    Cancelled,
    /// A person did not answer in time.
    Timeout,
    /// Its runner died, and its policy does not let it run again.
    Abandoned,
}

/// No execution status has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown execution status '{0}'")]
pub struct Unknown(pub String);

impl ExecutionStatus {
    /// Every status, in the order of a life.
    pub const ALL: [Self; 10] = [
        Self::Requested,
        Self::Scheduling,
        Self::Scheduled,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Canceling,
        Self::Cancelled,
        Self::Timeout,
        Self::Abandoned,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Scheduling => "scheduling",
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Canceling => "canceling",
            Self::Cancelled => "cancelled",
            Self::Timeout => "timeout",
            Self::Abandoned => "abandoned",
        }
    }

    /// Whether nothing can follow.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Failed | Self::Cancelled | Self::Timeout | Self::Abandoned
        )
    }

    /// Whether no runner has taken it yet.
    #[must_use]
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Requested | Self::Scheduling | Self::Scheduled)
    }

    /// Whether `next` may follow directly. The first terminal status wins: nothing follows one.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use ExecutionStatus as S;
        match self {
            S::Requested => {
                matches!(next, S::Scheduling | S::Scheduled | S::Failed | S::Cancelled)
            }
            S::Scheduling => {
                matches!(next, S::Requested | S::Scheduled | S::Failed | S::Cancelled)
            }
            S::Scheduled => matches!(next, S::Running | S::Failed | S::Cancelled | S::Abandoned),
            // Back to scheduled: the runner died and the policy allows another attempt.
            S::Running => matches!(
                next,
                S::Completed
                    | S::Failed
                    | S::Canceling
                    | S::Cancelled
                    | S::Timeout
                    | S::Abandoned
                    | S::Scheduled
            ),
            S::Canceling => {
                matches!(next, S::Completed | S::Failed | S::Cancelled | S::Abandoned)
            }
            S::Completed | S::Failed | S::Cancelled | S::Timeout | S::Abandoned => false,
        }
    }
}

impl fmt::Display for ExecutionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ExecutionStatus {
    type Err = Unknown;
    /// Reads the word in any case.
    fn from_str(text: &str) -> Result<Self, Unknown> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| Unknown(text.to_owned()))
    }
}

/// Where an enforcement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EnforcementStatus {
    /// The rule matched; no execution yet.
    Created,
    /// Its execution exists.
    Processed,
    /// It will have none: rule disabled, or its action or trigger is gone.
    Disabled,
}

impl EnforcementStatus {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Processed => "processed",
            Self::Disabled => "disabled",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_a_terminal_status_and_every_other_leads_on() {
        for from in ExecutionStatus::ALL {
            let followers = ExecutionStatus::ALL.iter().filter(|to| from.may_become(**to)).count();
            assert_eq!(followers == 0, from.is_terminal(), "{from}");
        }
    }

    #[test]
    fn words_are_read_in_any_case_and_written_as_the_wire_has_them() {
        for status in ExecutionStatus::ALL {
            assert_eq!(status.as_str().to_uppercase().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert!("canceled".parse::<ExecutionStatus>().is_err());
    }
}
