//! The text messages, as JSON objects with a field `type`.

use super::{Loan, named};
use serde::{Deserialize, Serialize};

/// What a volunteer says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ToMaster {
    /// The first message on a channel.
    Hello(Hello),
    /// A new name, or another number of lent cores (0: paused).
    Update {
        /// The device's new name.
        #[serde(default)]
        name: Option<String>,
        /// Lent cores.
        #[serde(default)]
        cores: Option<u32>,
    },
    /// Calls that have been running for a while.
    Started {
        /// Which, and for how long.
        items: Vec<Running>,
        /// For so many milliseconds no core has loaded the function, and values wait for that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        loading: Option<u64>,
    },
    /// Values handed back without being computed.
    Returned {
        /// Which.
        #[serde(with = "named::list")]
        ids: Vec<Loan>,
        /// One of them killed or blocked a worker, it is not known which.
        #[serde(default)]
        careful: bool,
    },
    /// What the function printed, and its late errors.
    Log {
        /// In the order of their printing.
        entries: Vec<LogEntry>,
    },
    /// What the function reported about itself.
    Report {
        /// The value it was at.
        #[serde(default)]
        id: Option<u64>,
        /// `{cpuTime, dataTransferTime, nbItems, units}` or anything else.
        report: serde_json::Value,
    },
    /// The function cannot be loaded on this device.
    Broken {
        /// Why.
        message: String,
        /// Where.
        #[serde(default)]
        stack: Option<String>,
    },
    /// The device leaves on purpose.
    Bye {
        /// `left` or `hidden`.
        #[serde(default)]
        reason: String,
    },
    /// Asks for a sign of life.
    Ping(Beat),
    /// Answers a ping.
    Pong(Beat),
}

/// How a volunteer introduces itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// Version of the protocol it speaks.
    pub version: u32,
    /// The join token, as in the URL.
    pub token: String,
    /// Random, kept as long as its page or process lives; up to [`LONGEST_DEVICE`] bytes.
    pub device: String,
    /// For people.
    pub name: String,
    /// Lent cores.
    pub cores: u32,
    /// The job it last worked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Values it still has from before a lost link.
    #[serde(with = "named::list")]
    pub holds: Vec<Loan>,
    /// `browser` or `native`.
    #[serde(default)]
    pub kind: String,
    /// How its channel reaches the master, as far as the volunteer knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Path>,
    /// Its page was loaded again just now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reloaded: bool,
}

/// Bytes of a device's id, at most.
pub const LONGEST_DEVICE: usize = 100;

/// How a channel reaches a volunteer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Path {
    /// In memory, on this machine.
    Local,
    /// A WebSocket to the master's own port.
    #[default]
    WebSocket,
    /// A peer connection between the two.
    Direct,
    /// A peer connection whose packets pass through a TURN server.
    Turn,
    /// A WebSocket whose bytes pass through the relay.
    Relay,
}

/// What the master says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ToVolunteer {
    /// Answers hello.
    Welcome(Welcome),
    /// Asks for those of these values that have not been started.
    Recall {
        /// Which.
        #[serde(with = "named::list")]
        ids: Vec<Loan>,
    },
    /// The end of this channel.
    Bye {
        /// `done`, `version`, `refused`, `protocol`, `stopped`, `replaced`.
        reason: String,
        /// For people.
        text: String,
    },
    /// Asks for a sign of life.
    Ping(Beat),
    /// Answers a ping.
    Pong(Beat),
}

/// What a volunteer needs to know of the job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    /// Version of the protocol the master speaks.
    pub version: u32,
    /// Random, one per run.
    pub job: String,
    /// Hash of the function's bundle.
    pub function: String,
    /// How to call it.
    pub options: JobOptions,
    /// Of the values it said it holds, those it may keep: under the same loans.
    #[serde(with = "named::list")]
    pub keep: Vec<Loan>,
}

/// How a function is to be called.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobOptions {
    /// Calls open per core at a time.
    pub concurrency: u32,
    /// Longest call, in milliseconds.
    pub timeout: Option<u64>,
    /// In the page instead of workers.
    pub dom: bool,
    /// Values and results are JSON.
    pub json: bool,
    /// Milliseconds between signs of life.
    pub heartbeat: u64,
}

/// A call in progress.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// Of which value.
    #[serde(with = "named")]
    pub id: Loan,
    /// For how long, in milliseconds.
    pub ms: u64,
}

/// One line that a function printed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// `log`, `info`, `warn`, `error`, `debug`.
    pub level: String,
    /// The text.
    pub text: String,
    /// The value it was at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// How often it was printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// What a ping or pong carries: given back as it came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    /// Chosen by who asks.
    pub t: serde_json::Value,
}
