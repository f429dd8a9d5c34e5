//! The Node engine: each core is a child process of `node` that runs the same bundle as the tabs
//! do.
//!
//! Host and child talk over file descriptor 0 of the child, a duplex Unix socket. Each frame is
//! preceded by its length (32 bits, little endian). A frame with a first byte of 0 holds JSON; all
//! others are binary frames. Standard output and error of the child only carry what the function
//! prints. The child has its own process group, and ends with this process, however that ends.
//!
//! On systems without these sockets, this machine's cores stay idle, and a note says so.

#[cfg(unix)]
mod child;
mod probe;

use crate::engine::{Core, CoreEvents, CoreId, Engine};
use pando_protocol::{
    core::{AssetsFolder, ToCore},
    volunteer::JobOptions,
};
use std::sync::Arc;

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

/// The Node engine; see the module. Cheap to clone.
#[derive(Debug, Clone)]
#[cfg_attr(not(unix), allow(dead_code))]
pub struct Node {
    /// The first frame for a child: the source of its host.
    host: Arc<Vec<u8>>,
    /// The second frame for a child: the job.
    init: Arc<Vec<u8>>,
    /// The version of `node`.
    version: Arc<str>,
}

impl Node {
    /// Finds `node`, for children that run the bundle `code`, with this folder of `assets`.
    ///
    /// # Errors
    /// When Node is missing, too old or does not start, or the system does not support these
    /// children.
    pub async fn find(
        host: &str,
        code: &str,
        options: &JobOptions,
        assets: Option<AssetsFolder>,
    ) -> Result<Self, NodeError> {
        if !cfg!(unix) {
            return Err(NodeError::System);
        }
        let version = probe::version().await?;
        let major: u32 = version.split('.').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        if major < OLDEST {
            return Err(NodeError::Old(version));
        }
        let init = ToCore::Init {
            code: code.to_owned(),
            options: options.clone(),
            assets,
            parent: std::process::id(),
        };
        let mut bytes = vec![0];
        serde_json::to_writer(&mut bytes, &init).expect("plain data");
        Ok(Self {
            host: Arc::new(host.as_bytes().to_vec()),
            init: Arc::new(bytes),
            version: version.into(),
        })
    }
}

impl Node {
    /// The version of `node`, such as `20.19.1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A note for people about how children start, if there is one.
    pub fn note(&self) -> Option<String> {
        probe::note()
    }
}

impl Engine for Node {
    #[cfg(unix)]
    fn start(&self, id: CoreId, events: CoreEvents) -> std::io::Result<Core> {
        child::start([self.host.clone(), self.init.clone()], id, events)
    }

    #[cfg(not(unix))]
    fn start(&self, _: CoreId, _: CoreEvents) -> std::io::Result<Core> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}
