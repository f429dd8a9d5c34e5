//! How many devices compute each value, and which results count (`--copies`, `--verify`).

use crate::cli::Cli;

/// How many devices compute each value, and which results count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum TrustRule {
    /// This number of devices answer each value, and the result holds all answers (`--copies`).
    Copies(u32),
    /// A result counts when this number of devices have answered the same (`--verify N`).
    Quorum(u32),
    /// New devices are checked always, proven devices at this percentage of their values
    /// (`--verify P%`).
    SpotChecks(f64),
}

impl TrustRule {
    /// The rule that the options of `cli` ask for.
    pub(super) fn new(cli: &Cli) -> Option<Self> {
        cli.devices.copies.map(Self::Copies).or(cli.devices.verify)
    }

    /// What would happen by this rule.
    pub(super) fn plan(self) -> String {
        let rule = self.in_words();
        match self {
            Self::Copies(devices) => format!(
                "each value would go to {devices} different devices, and its result would be the list of their answers ({rule})"
            ),
            Self::Quorum(devices) => format!(
                "a result would count when {devices} devices have answered the same ({rule})"
            ),
            Self::SpotChecks(percent) => format!(
                "another device would also compute each value of a new device, and {percent}% of the values of a proven one ({rule})"
            ),
        }
    }

    /// The option on the command line.
    pub(crate) fn in_words(self) -> String {
        match self {
            Self::Copies(devices) => format!("--copies {devices}"),
            Self::Quorum(devices) => format!("--verify {devices}"),
            Self::SpotChecks(percent) => format!("--verify {percent}%"),
        }
    }
}
