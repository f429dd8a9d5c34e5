//! What a core and its host say to each other, besides frames of values and results
//! ([`crate::volunteer`]): JSON with a field `type`.
//!
//! Both are built together, so that this dialect has no version. A core of this machine is a child
//! of Node; a core of a tab is a worker.

use crate::volunteer::{JobOptions, Loan, LogEntry, named};
use serde::{Deserialize, Serialize};

/// What a host says to its core.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ToCore {
    /// The first message: the function, and how to call it.
    Init {
        /// The function's bundle.
        code: String,
        /// How the function is to be called.
        options: JobOptions,
        /// The folder of assets.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assets: Option<AssetsFolder>,
        /// Process id of the master: the core ends with it. `None` for a core whose sandbox ends
        /// it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<u32>,
    },
    /// The answer to a request for an asset, which is now in the folder unless there is an error.
    Asset {
        /// The request, as [`CoreMessage::Asset`] names it.
        id: String,
        /// Why there is no such asset, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
}

/// The folder of assets, for a core of the same machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetsFolder {
    /// The path of the folder, without symbolic links.
    pub root: String,
    /// The folder, as the user of the run named it.
    pub given: String,
    /// A folder with an answer to each request for an asset, as a file with the id of the request
    /// as its name, and an error or nothing as its content. A file `ID.heard` comes at once.
    /// `None`: all assets are there, and the core asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<String>,
}

/// What a core says to its host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum CoreMessage {
    /// The core runs, and waits for the function. Only cores in processes of their own say so.
    Booted,
    /// The core needs an asset in its folder.
    Asset {
        /// A name for the request, of letters, digits and hyphens.
        id: String,
        /// The path of the asset.
        name: String,
    },
    /// The function is loaded.
    Ready,
    /// The function cannot be loaded.
    Broken {
        /// The error's message.
        message: String,
        /// The error's stack, if it has one.
        #[serde(default)]
        stack: Option<String>,
    },
    /// The core is about to compute this value, or a later one of those that it has.
    Started {
        /// The loan of the value.
        #[serde(with = "named")]
        id: Loan,
    },
    /// After an error that nobody caught, another core is to take the place of this one.
    Spoiled {
        /// Any of the open calls may have thrown the error.
        careful: bool,
    },
    /// The function printed lines.
    Log {
        /// The lines, in order.
        entries: Vec<LogEntry>,
    },
    /// The function reported something.
    Report {
        /// Index of the value that the call is for, if the core knows it.
        #[serde(default)]
        id: Option<u64>,
        /// Any JSON.
        report: serde_json::Value,
    },
}
