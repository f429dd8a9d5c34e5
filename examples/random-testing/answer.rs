//! The answer of a tester to a line, as JSON.

use serde::{Deserialize, Serialize};

/// The outcome of the schedules of a line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The tested lender.
    pub(crate) lender: Tested,
    /// The number of schedules that were run, including the schedule with the violation.
    pub(crate) schedules: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) violation: Option<Violation>,
}

/// The lenders, each with its own tester.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tested {
    /// `lender.js`, tested by `random-testing.js`.
    PullStream,
    /// The crate, tested by `lender-schedules`.
    StreamLender,
}

/// A rule that a lender has violated.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Violation {
    /// The seed of the schedule.
    pub(crate) seed: u64,
    /// The deliberate bug, if the lender has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bug: Option<String>,
    /// The number of the violated property, if it is known: 0 is the protocol of pull-stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) property: Option<u32>,
    pub(crate) what: String,
    /// The events of the schedule, if they were recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) events: Vec<String>,
}
