//! Node.js on PATH, as this machine's people use it.

pub(crate) mod probe;

/// Oldest version of Node that works.
const OLDEST: u32 = 20;

/// Whether a child was killed by another program. `why` is the child's exit status as text. Node
/// itself ends by other signals when it cannot go on (SIGABRT when memory runs out).
pub fn killed_from_outside(why: &str) -> bool {
    let signal = why.strip_prefix("signal: ").and_then(|rest| rest.split(' ').next());
    matches!(signal, Some("1" | "2" | "3" | "9" | "15"))
}

/// Why Node cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Node is not on PATH.
    #[error("Node.js was not found (`node` is not on PATH)")]
    Missing,
    /// Node does not start: the command, its exit status and its output.
    #[error("Node.js does not start: {0}")]
    Fails(String),
    /// Node is older than needed.
    #[error("Node.js {0} is too old: version {OLDEST} or later is needed")]
    Old(String),
    /// The system has no sockets of the kind that cores need.
    #[error("on this system only browsers can compute")]
    System,
}

impl NodeError {
    /// A note for people: the error, and a remedy.
    pub fn note(&self) -> String {
        let remedy = match self {
            Self::Fails(_) => "Mend that, or lend a tab of this machine's browser with --open",
            Self::Missing | Self::Old(_) => {
                "Install Node.js 20 or later, or lend a tab of this machine's browser with --open"
            }
            Self::System => "Lend a tab of this machine's browser with --open",
        };
        // An error that quotes the output of Node ends with a line break.
        let error = self.to_string();
        let then = if error.ends_with('\n') { "This" } else { ": this" };
        format!("{error}{then} machine's cores stay idle. {remedy}")
    }
}
