//! Ctrl-C, SIGTERM and SIGHUP (except under `nohup`): the first signal finishes the values that
//! have been read, the second stops the run now.
//!
//! Ctrl-C comes from a person and can be repeated. The other signals come from programs and are
//! sent only once; so values unfinished after `--grace` are given up.

use crate::{
    duration::spoken,
    master::{Master, StopRequest},
    number::count,
};
use pando_process::signals::{Signals, TOGETHER};
use std::{
    future::pending,
    time::{Duration, Instant},
};
use tokio::time::{interval, sleep, sleep_until, timeout_at};

/// How long no device computes before unfinished values are given up. A tab whose channel broke is
/// back sooner.
const ALONE: Duration = Duration::from_secs(5);
/// The time between checks whether any device computes.
const LOOK: Duration = Duration::from_millis(250);
/// How long the last steps of a stopping run may take.
const LAST_STEPS: Duration = Duration::from_secs(2);

/// The request to stop the run.
pub(super) struct Stop {
    signals: Signals,
    grace: Duration,
    /// The time of the first signal.
    asked: Option<Instant>,
    /// Whether the sender may not signal again, so that the grace limits the wait.
    bounded: bool,
    /// Whether the run stops without further waiting.
    now: bool,
}

impl Stop {
    /// Listens for signals from now on. Must be called within a tokio runtime.
    pub(super) fn listen(grace: Duration) -> Self {
        Self { signals: Signals::listen(), grace, asked: None, bounded: false, now: false }
    }

    /// Waits for the first signal; returns its time.
    pub(super) async fn first_signal(&mut self) -> Instant {
        if let Some(asked) = self.asked {
            return asked;
        }
        self.bounded = self.signals.next().await;
        *self.asked.insert(Instant::now())
    }

    /// Waits until the run of `master` must stop at once: at the second signal, or at the end of
    /// the grace. Interrupts the run at the first signal. A request on the monitoring page counts
    /// as the signal.
    pub(super) async fn until_forced(&mut self, master: &Master) {
        let asked = tokio::select! {
            asked = self.first_signal() => asked,
            () = master.stop_requested(StopRequest::Finish) => *self.asked.insert(Instant::now()),
        };
        master.interrupt();
        if !master.gets_on(Instant::now()) {
            leave(master);
        }
        while let Ok(bounded) = timeout_at((asked + TOGETHER).into(), self.signals.next()).await {
            self.bounded |= bounded;
        }
        let (items, devices) = master.unfinished();
        let on = if devices > 0 {
            format!(" on {}", count(devices as u64, "device"))
        } else {
            String::new()
        };
        let within =
            if self.bounded { format!(" within {}", spoken(self.grace)) } else { String::new() };
        master.console.say(format!(
            "finishing {}{on}{within}; again to stop now",
            count(items as u64, "item")
        ));
        let end = self.end();
        tokio::select! {
            _ = self.signals.next() => {}
            () = until(end) => {}
            () = leave_when_alone(master) => {}
            () = master.stop_requested(StopRequest::Now) => {}
        }
        self.now = true;
    }

    /// Waits until the last steps of a finished run take too long after a request to stop.
    pub(super) async fn until_overdue(&mut self) {
        if !self.now {
            let end = self.end();
            tokio::select! {
                _ = self.signals.next() => {}
                () = until(end) => {}
            }
        }
        sleep(LAST_STEPS).await;
    }

    /// The end of the grace, once it has begun.
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

/// Gives up unfinished values once no device has computed for a while. Never returns.
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
    master.console.say("no device computes: values that were read are left unfinished");
    master.give_up();
}

/// Makes exceeding the file size limit an error like a full disk, instead of the end of the
/// process. Must be called within a tokio runtime.
pub(super) fn outlive_long_files() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let _ = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
    }
}
