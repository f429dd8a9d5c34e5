//! This machine's own cores: a volunteer like any other, over a channel in memory.

use super::function::Local;
use crate::{
    channel,
    master::{Door, Master, attend},
    protocol::Path,
    volunteer::{Host, Introduction, drive},
};
use std::sync::Arc;

/// Lends this many cores, which run the function by `local`.
pub(super) fn lend_cores(cores: u32, master: &Arc<Master>, local: Local) {
    let (ours, theirs) = channel::pair();
    tokio::spawn(attend(master.clone(), Door { path: Path::Local, ..Door::default() }, ours));
    let host = Host::new(Introduction {
        device: "local".into(),
        name: "this machine".into(),
        kind: "native".into(),
        cores,
    });
    tokio::spawn(async move {
        drive(host, "", local.engine, local.first, theirs.incoming, theirs.outgoing).await;
    });
}
