//! The text messages: JSON objects with a field `type`.

use super::{Loan, named};
use serde::{Deserialize, Serialize};

/// A text message from a volunteer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ToMaster {
    /// The first message on a channel.
    Hello(Hello),
    /// The device has a new name, or lends another number of cores (0: paused).
    Update {
        /// The device's new name.
        #[serde(default)]
        name: Option<String>,
        /// The number of lent cores.
        #[serde(default)]
        cores: Option<u32>,
    },
    /// Some calls have been running for a while.
    Started {
        /// The calls, each with its duration so far.
        items: Vec<Running>,
        /// For how many milliseconds values have waited because no core has loaded the function.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        loading: Option<u64>,
    },
    /// The device hands values back without having computed them.
    Returned {
        /// The loans of the values.
        #[serde(with = "named::list")]
        ids: Vec<Loan>,
        /// Whether an unknown one of the values killed or blocked a worker.
        #[serde(default)]
        careful: bool,
    },
    /// The function printed something, or raised an error after its call.
    Log {
        /// The entries, in the order of printing.
        entries: Vec<LogEntry>,
    },
    /// The function reported about itself.
    Report {
        /// The value of the call that reported.
        #[serde(default)]
        id: Option<u64>,
        /// `{cpuTime, dataTransferTime, nbItems, units}` or anything else.
        report: serde_json::Value,
    },
    /// The function cannot be loaded on this device.
    Broken {
        /// The error's message.
        message: String,
        /// The error's stack.
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

/// The introduction of a volunteer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// Version of the protocol that the volunteer speaks.
    pub version: u32,
    /// The join token, as in the URL.
    pub token: String,
    /// A random id, kept as long as the page or process of the volunteer lives; up to
    /// [`LONGEST_DEVICE`] bytes.
    pub device: String,
    /// The device's name, for people.
    pub name: String,
    /// The number of lent cores.
    pub cores: u32,
    /// The job for which the device last worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The loans that the device still holds from before a lost channel.
    #[serde(with = "named::list")]
    pub holds: Vec<Loan>,
    /// `browser` or `native`.
    #[serde(default)]
    pub kind: String,
    /// How the channel reaches the master, as far as the volunteer knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Path>,
    /// Whether the page was loaded again just now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reloaded: bool,
}

/// Most bytes in the id of a device.
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
    /// A peer connection between volunteer and master.
    Direct,
    /// A peer connection whose packets pass through a TURN server.
    Turn,
    /// A WebSocket whose bytes pass through the relay.
    Relay,
}

/// A text message from the master.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ToVolunteer {
    /// The answer to [`ToMaster::Hello`].
    Welcome(Welcome),
    /// The master asks for values back, as far as the device has not begun them.
    Recall {
        /// The loans of the values.
        #[serde(with = "named::list")]
        ids: Vec<Loan>,
    },
    /// The channel ends.
    Bye {
        /// One of `done`, `version`, `refused`, `protocol`, `stopped`, `replaced`.
        reason: String,
        /// The reason, for people.
        text: String,
        /// The number of items of a run that is done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        items: Option<u64>,
    },
    /// Asks for a sign of life.
    Ping(Beat),
    /// Answers a ping.
    Pong(Beat),
}

/// The description of the job for a volunteer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    /// Version of the protocol that the master speaks.
    pub version: u32,
    /// A random id, one per run.
    pub job: String,
    /// Hash of the function's bundle.
    pub function: String,
    /// How to call the function.
    pub options: JobOptions,
    /// The loans that the device may keep, out of [`Hello::holds`].
    #[serde(with = "named::list")]
    pub keep: Vec<Loan>,
    /// The number of items of the run, if the master knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<u64>,
    /// The program that computes in place of a function; only native volunteers join such a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<JobProgram>,
}

/// A command that runs once per value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobProgram {
    /// The command for a shell, in which `{}` stands for the value.
    pub command: String,
    /// Whether results may have several lines, because they end with NUL.
    #[serde(default)]
    pub null: bool,
    /// Whether the output of the command becomes a file, byte for byte.
    #[serde(default)]
    pub files: bool,
}

/// How the function is called.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobOptions {
    /// Most calls in progress per core.
    pub concurrency: u32,
    /// The longest duration of a call, in milliseconds.
    pub timeout: Option<u64>,
    /// Whether the function runs in the page instead of workers.
    pub dom: bool,
    /// Whether values and results are JSON.
    pub json: bool,
    /// The heartbeat: the longest normal silence, in milliseconds.
    pub heartbeat: u64,
}

/// A call in progress.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// The loan that the call computes.
    #[serde(with = "named")]
    pub id: Loan,
    /// The duration of the call so far, in milliseconds.
    pub ms: u64,
}

/// One line that a function printed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// One of `log`, `info`, `warn`, `error`, `debug`.
    pub level: String,
    /// The printed text.
    pub text: String,
    /// The value of the call that printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// How often the text was printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The device behind a gateway on which the function printed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// The content of a ping, which the pong repeats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    /// A value that the sender of the ping chooses.
    pub t: serde_json::Value,
}
