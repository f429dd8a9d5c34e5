//! What a tester answers to a line, as JSON.

use serde::{Deserialize, Serialize};

/// How the schedules of a line went.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Which lender was tested.
    pub(crate) lender: Tested,
    /// Schedules that were run, the one with the violation among them.
    pub(crate) schedules: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) violation: Option<Violation>,
}

/// The lenders that there are, each with its tester.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tested {
    /// `lender.js`, by `random-testing.js`.
    PullStream,
    /// The crate, by `lender-schedules`.
    StreamLender,
}

/// Something that a lender must not do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Violation {
    /// Of the schedule.
    pub(crate) seed: u64,
    /// The deliberate bug, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bug: Option<String>,
    /// The number of the property, where it is known: 0 is the protocol of pull-stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) property: Option<u32>,
    pub(crate) what: String,
    /// What happened, when it was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) events: Vec<String>,
}
