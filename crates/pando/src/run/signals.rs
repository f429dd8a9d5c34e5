//! Ctrl-C, SIGTERM and SIGHUP (but under `nohup`): the first finishes what has been read, the second stops now.

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

/// Whether who started this process had it ignore SIGHUP: `nohup`. Known on Linux only.
#[cfg(unix)]
fn ignores_hangups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.is_some_and(|ignored| ignored & 1 != 0)
}

#[cfg(unix)]
struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = (!ignores_hangups()).then(SignalKind::hangup);
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()].into_iter().chain(hangup);
        Self(kinds.filter_map(|kind| signal(kind).ok()).collect())
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
