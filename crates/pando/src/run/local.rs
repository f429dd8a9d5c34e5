//! This machine's own cores: a volunteer like any other, over a channel in memory.

use super::function::Local;
use crate::{
    channel,
    master::{Door, Master, attend},
    protocol::Path,
    volunteer::{Lend, lend},
};
use std::sync::Arc;

/// Lends this many cores, which run the function by `local`.
pub(super) fn lend_cores(cores: usize, master: &Arc<Master>, local: Local) {
    let (ours, theirs) = channel::pair();
    let lent =
        Lend { name: "this machine".into(), cores, token: String::new(), device: "local".into() };
    tokio::spawn(attend(master.clone(), Door { path: Path::Local, ..Door::default() }, ours));
    tokio::spawn(lend(lent, local.engine, local.first, theirs));
}
