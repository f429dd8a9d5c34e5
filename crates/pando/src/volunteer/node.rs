//! The Node engine: each core is a child process of `node` that runs the same bundle as the tabs do.
//!
//! The protocol with a child is on its file descriptor 0, a duplex Unix socket: each frame is its length (32 bits, little
//! endian) and its bytes; a first byte of 0 means JSON, else it is a binary frame. Its standard output and error are only
//! what the function prints. It has a process group of its own, and ends with this process, however that ends.
//!
//! Where there are no such sockets, this machine's cores stay idle, and people are told so.

#[cfg(unix)]
mod child;
mod probe;

use super::core::{Core, CoreId, Engine, Voice};
use crate::protocol::JobOptions;
use pando_protocol::core::ToCore;
use std::sync::Arc;

/// Oldest Node that will do.
const OLDEST: u32 = 20;

/// Whether a child that ended for the reason `why`, in the words of its exit status, was killed by somebody else. Node ends itself by
/// other signals when it can go on no longer (SIGABRT, when memory runs out).
pub(crate) fn killed_from_outside(why: &str) -> bool {
    let signal = why.strip_prefix("signal: ").and_then(|rest| rest.split(' ').next());
    matches!(signal, Some("1" | "2" | "3" | "9" | "15"))
}

/// Why Node cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// It is not on PATH.
    #[error("Node.js was not found (`node` is not on PATH)")]
    Missing,
    /// It does not start: what was run, what became of it, and what it said.
    #[error("Node.js does not start: {0}")]
    Fails(String),
    /// It is older than needed.
    #[error("Node.js {0} is too old: version {OLDEST} or later is needed")]
    Old(String),
    /// The system has no sockets of the kind that cores need.
    #[error("on this system only browsers can compute")]
    System,
}

impl NodeError {
    /// What people are told of it, and what to do about it.
    pub fn note(&self) -> String {
        let remedy = match self {
            Self::Fails(_) => "Mend that, or lend a tab of this machine's browser with --open",
            Self::Missing | Self::Old(_) => "Install Node.js 20 or later, or lend a tab of this machine's browser with --open",
            Self::System => "Lend a tab of this machine's browser with --open",
        };
        // Words of its own end with a line's end.
        let error = self.to_string();
        let then = if error.ends_with('\n') { "This" } else { ": this" };
        format!("{error}{then} machine's cores stay idle. {remedy}")
    }
}

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
#[cfg_attr(not(unix), allow(dead_code))]
pub struct Node {
    /// The first frame: the source of the host.
    host: Arc<Vec<u8>>,
    /// The second: the job.
    init: Arc<Vec<u8>>,
}

impl Node {
    /// Finds `node`, for children that run the bundle `code`.
    ///
    /// # Errors
    /// When it is missing, too old or does not start, or the system cannot have such children.
    pub async fn find(host: &str, code: &str, options: &JobOptions) -> Result<Self, NodeError> {
        if !cfg!(unix) {
            return Err(NodeError::System);
        }
        let version = probe::version().await?;
        let major: u32 = version.split('.').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        if major < OLDEST {
            return Err(NodeError::Old(version));
        }
        let init = ToCore::Init { code: code.to_owned(), options: options.clone(), parent: std::process::id() };
        let mut bytes = vec![0];
        serde_json::to_writer(&mut bytes, &init).expect("plain data");
        Ok(Self { host: Arc::new(host.as_bytes().to_vec()), init: Arc::new(bytes) })
    }
}

impl Node {
    /// What people should know of how children start.
    pub fn note(&self) -> Option<String> {
        probe::note()
    }
}

impl Engine for Node {
    #[cfg(unix)]
    fn start(&self, id: CoreId, voice: Voice) -> std::io::Result<Core> {
        child::start([self.host.clone(), self.init.clone()], id, voice)
    }

    #[cfg(not(unix))]
    fn start(&self, _: CoreId, _: Voice) -> std::io::Result<Core> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}
