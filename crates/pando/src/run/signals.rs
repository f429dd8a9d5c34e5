//! Ctrl-C, SIGTERM and SIGHUP (but under `nohup`): the first finishes what has been read, the second stops now.
//!
//! Ctrl-C comes from somebody who can give it again. The others come from programs, which give them once: then what is not finished within
//! `--grace` is left.

use crate::{duration::spoken, master::Master};
use std::{
    future::pending,
    time::{Duration, Instant},
};
use tokio::time::{interval, sleep, sleep_until, timeout_at};

/// Signals this soon after the first belong to it: `timeout` sends SIGTERM to its child and then to its whole group, systemd sends SIGHUP
/// after SIGTERM, and npm passes on the Ctrl-C that its child has from the terminal as well.
const TOGETHER: Duration = Duration::from_millis(100);
/// What has been read is left when nobody has computed for so long. A tab whose link broke is back sooner.
const ALONE: Duration = Duration::from_secs(5);
/// How often it is looked whether anybody computes.
const LOOK: Duration = Duration::from_millis(250);
/// Time for the last steps of a run that is to stop.
const LAST_STEPS: Duration = Duration::from_secs(2);

/// The wish that the run stops.
pub(super) struct Stop {
    signals: Signals,
    grace: Duration,
    /// When the first signal came.
    asked: Option<Instant>,
    /// Who sent it may not do so again.
    bounded: bool,
    /// Nothing more is waited for.
    now: bool,
}

impl Stop {
    /// Listens from now on. Within a tokio runtime.
    pub(super) fn listen(grace: Duration) -> Self {
        Self { signals: Signals::listen(), grace, asked: None, bounded: false, now: false }
    }

    /// Comes back at the first signal; gives when that was.
    pub(super) async fn asked(&mut self) -> Instant {
        if let Some(asked) = self.asked {
            return asked;
        }
        self.bounded = self.signals.next().await;
        *self.asked.insert(Instant::now())
    }

    /// Comes back when the run of `master` is to stop at once: at the second signal, or at the end of the grace.
    pub(super) async fn now(&mut self, master: &Master) {
        let asked = self.asked().await;
        master.interrupt();
        if !master.gets_on(Instant::now()) {
            leave(master);
        }
        while let Ok(bounded) = timeout_at((asked + TOGETHER).into(), self.signals.next()).await {
            self.bounded |= bounded;
        }
        let (items, devices) = master.unfinished();
        let on = if devices > 0 { format!(" on {}", count(devices, "device")) } else { String::new() };
        let within = if self.bounded { format!(" within {}", spoken(self.grace)) } else { String::new() };
        master.console.say(format!("finishing {}{on}{within}; again to stop now", count(items, "item")));
        let end = self.end();
        tokio::select! {
            _ = self.signals.next() => {}
            () = until(end) => {}
            () = leave_when_alone(master) => {}
        }
        self.now = true;
    }

    /// Comes back when the last steps of a run that is over take too long for who wants it to stop.
    pub(super) async fn at_last(&mut self) {
        if !self.now {
            let end = self.end();
            tokio::select! {
                _ = self.signals.next() => {}
                () = until(end) => {}
            }
        }
        sleep(LAST_STEPS).await;
    }

    /// When the grace ends, once it has begun.
    fn end(&self) -> Option<Instant> {
        self.asked.filter(|_| self.bounded).map(|asked| asked + self.grace)
    }
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end.into()).await,
        None => pending().await,
    }
}

/// Leaves what has been read once nobody is there who computes it. Never ends: the run does.
async fn leave_when_alone(master: &Master) {
    let mut tick = interval(LOOK);
    let mut since = None;
    loop {
        let now = tick.tick().await.into_std();
        if master.gets_on(now) {
            since = None;
        } else if now.saturating_duration_since(*since.get_or_insert(now)) >= ALONE {
            leave(master);
        }
    }
}

fn leave(master: &Master) {
    master.console.say("no device computes: what has been read is not waited for");
    master.give_up();
}

/// `1 item`, `2 items`.
pub(super) fn count(n: usize, thing: &str) -> String {
    format!("{n} {thing}{}", if n == 1 { "" } else { "s" })
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

/// The signals, and whether programs send them.
#[cfg(unix)]
struct Signals(Vec<(tokio::signal::unix::Signal, bool)>);

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = (!ignores_hangups()).then(|| (SignalKind::hangup(), true));
        let kinds = [(SignalKind::interrupt(), false), (SignalKind::terminate(), true)].into_iter().chain(hangup);
        Self(kinds.filter_map(|(kind, bounded)| Some((signal(kind).ok()?, bounded))).collect())
    }

    /// The next signal: whether a program sent it.
    async fn next(&mut self) -> bool {
        let waits = self.0.iter_mut().map(|(signal, bounded)| {
            Box::pin(async move {
                signal.recv().await;
                *bounded
            })
        });
        futures_util::future::select_all(waits).await.0
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self
    }

    async fn next(&mut self) -> bool {
        let _ = tokio::signal::ctrl_c().await;
        false
    }
}
