//! This machine's own cores: a volunteer like any other, over a channel in memory.

use super::function::Local;
use crate::{
    channel::{MemoryEnd, pair},
    master::{Door, Master, attend},
    protocol::Path,
    volunteer::{Host, Introduction, drive},
};
use std::sync::Arc;

/// Lends this many cores, which run the function by `local`.
pub(super) fn lend_cores(cores: u32, master: &Arc<Master>, local: Local) {
    let (ours, theirs) = pair();
    let door = Door { path: Path::Local, ..Door::default() };
    let master = master.clone();
    tokio::spawn(async move { attend(master, door, &mut MemoryEnd::from(ours)).await });
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
