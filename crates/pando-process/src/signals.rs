//! Ctrl-C, SIGTERM and SIGHUP (except under `nohup`).

use std::time::Duration;

/// Signals this soon after the first belong to it: `timeout` sends SIGTERM to its child and then
/// to its whole group, systemd sends SIGHUP after SIGTERM, and npm passes on a Ctrl-C that its
/// child also gets from the terminal.
pub const TOGETHER: Duration = Duration::from_millis(100);

/// The signals, each with whether programs send it.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals(Vec<(tokio::signal::unix::Signal, bool)>);

#[cfg(unix)]
impl Signals {
    /// Listens from now on. Must be called within a tokio runtime.
    pub fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = (!ignores_hangups()).then(|| (SignalKind::hangup(), true));
        let kinds = [(SignalKind::interrupt(), false), (SignalKind::terminate(), true)]
            .into_iter()
            .chain(hangup);
        Self(kinds.filter_map(|(kind, bounded)| Some((signal(kind).ok()?, bounded))).collect())
    }

    /// Waits for the next signal; returns whether a program sent it. The wait may be cancelled.
    pub async fn next(&mut self) -> bool {
        std::future::poll_fn(|context| {
            let came = self.0.iter_mut().find_map(|(signal, bounded)| {
                signal.poll_recv(context).is_ready().then_some(*bounded)
            });
            came.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
        })
        .await
    }
}

/// Whether this process was started with SIGHUP ignored, as by `nohup`. Known on Linux only.
#[cfg(unix)]
fn ignores_hangups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.is_some_and(|ignored| ignored & 1 != 0)
}

/// Ctrl-C.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Listens from now on. Must be called within a tokio runtime.
    pub fn listen() -> Self {
        Self
    }

    /// Waits for the next Ctrl-C; returns whether a program sent it. The wait may be cancelled.
    pub async fn next(&mut self) -> bool {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        false
    }
}
