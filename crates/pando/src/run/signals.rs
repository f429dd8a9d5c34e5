//! Ctrl-C, SIGTERM and SIGHUP: the first finishes what has been read, the second stops now.

use crate::master::Master;
use std::sync::Arc;

/// Comes back at the second signal.
pub(super) async fn stopped(master: &Arc<Master>) {
    let mut signals = Signals::listen();
    signals.next().await;
    let (items, devices) = master.interrupt();
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    master.console.say(format!(
        "finishing {items} item{} on {devices} device{}; again to stop now",
        plural(items),
        plural(devices)
    ));
    signals.next().await;
}

/// A file that may not grow any more is an error like a full disk, and not the end of the process. Within a tokio runtime.
pub(super) fn outlive_long_files() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let _ = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
    }
}

#[cfg(unix)]
struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        Self(kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect())
    }

    async fn next(&mut self) {
        let waits = self.0.iter_mut().map(|signal| Box::pin(signal.recv()));
        futures_util::future::select_all(waits).await;
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
