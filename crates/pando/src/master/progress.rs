//! Whether a device is getting on with what it was lent, apart from its being alive. Pure: time is an argument.
//!
//! A device that computes says which calls take long. One that answers pings, has its values, says of none that it is at it, and
//! answers none, is *stalled*: its page may still be loading the function, or something is wrong with it.

use std::time::{Duration, Instant};

/// See the module.
#[derive(Debug)]
pub(crate) struct Progress {
    /// The last sign that it is at its values, or the moment when it had them.
    since: Instant,
    /// All that was sent to it has arrived.
    arrived: bool,
    /// For how long it had values before, and gave them back without being at any.
    before: Duration,
    /// Since when it has been loading the function, as far as is known.
    loading: Option<Instant>,
    /// Since when it has owed an answer to being asked for values back.
    asked: Option<Instant>,
    /// It was stalled: others come first until it gets on.
    suspect: bool,
    /// When to speak of it next.
    tell_at: Duration,
}

impl Progress {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            since: now,
            arrived: false,
            before: Duration::ZERO,
            loading: None,
            asked: None,
            suspect: false,
            tell_at: Duration::ZERO,
        }
    }

    /// Of a device that was stalled on an earlier channel.
    pub(crate) fn of_suspect(now: Instant) -> Self {
        Self { suspect: true, ..Self::new(now) }
    }

    /// Values are on their way to it; `first`: it had none.
    pub(crate) fn lent(&mut self, first: bool, now: Instant) {
        if first {
            self.arrived = false;
            self.begins_anew(now);
        }
    }

    /// All that was sent to it is there.
    pub(crate) fn arrived(&mut self, now: Instant) {
        if !self.arrived {
            self.arrived = true;
            self.since = now.checked_sub(self.before).unwrap_or(now);
        }
    }

    /// It answered something, or said what it is at.
    pub(crate) fn made(&mut self, now: Instant) {
        *self = Self { arrived: self.arrived, ..Self::new(now) };
    }

    /// It gave something back that it was asked for: what it still has it is no nearer to. Whether that was `all`.
    pub(crate) fn gave_back(&mut self, all: bool, now: Instant) {
        self.asked = None;
        if all {
            self.before = self.idle(now);
        }
    }

    /// It had nothing, or could not show what it does.
    pub(crate) fn begins_anew(&mut self, now: Instant) {
        let Self { arrived, before, suspect, loading, tell_at, .. } = *self;
        *self = Self { arrived, before, suspect, loading, tell_at, ..Self::new(now) };
        self.since = now.checked_sub(before).unwrap_or(now);
    }

    /// It said that it has been loading the function for this long.
    pub(crate) fn loads(&mut self, time: Duration, now: Instant) {
        self.loading = now.checked_sub(time);
    }

    /// It is asked for values back.
    pub(crate) fn asked(&mut self, now: Instant) {
        self.asked.get_or_insert(now);
    }

    /// It is asked for all of its values, since it is stalled.
    pub(crate) fn suspected(&mut self, now: Instant) {
        self.suspect = true;
        self.asked(now);
    }

    /// Whether people have heard of it.
    pub(crate) fn is_told(&self) -> bool {
        !self.tell_at.is_zero()
    }

    /// Whether others come first.
    pub(crate) fn is_suspect(&self) -> bool {
        self.suspect
    }

    /// Time since it last got on, for one that holds values.
    pub(crate) fn idle(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// Whether it has its values, and has done nothing about them for longer than `patience`.
    pub(crate) fn is_stalled(&self, patience: Duration, now: Instant) -> bool {
        (self.arrived || self.before >= patience) && self.idle(now) >= patience
    }

    /// Whether it has not even answered when it was asked for values back.
    pub(crate) fn is_deaf(&self, patience: Duration, now: Instant) -> bool {
        self.is_stalled(patience, now) && self.asked.is_some_and(|asked| now.saturating_duration_since(asked) >= patience)
    }

    /// What to say of one that is stalled, now and then: for how long, and since when it has been loading the function, if it is.
    pub(crate) fn tell(&mut self, now: Instant) -> Option<(Duration, Option<Duration>)> {
        let idle = self.idle(now);
        if idle < self.tell_at {
            return None;
        }
        self.tell_at = idle * 2;
        Some((idle, self.loading.map(|since| now.saturating_duration_since(since))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(3);

    fn after(seconds: u64) -> Instant {
        use std::sync::LazyLock;
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        *START + Duration::from_secs(seconds)
    }

    #[test]
    fn a_device_is_stalled_once_its_values_are_there_and_nothing_follows() {
        let mut progress = Progress::new(after(0));
        progress.lent(true, after(0));
        assert!(!progress.is_stalled(PATIENCE, after(60)), "they may still be on their way");
        progress.arrived(after(60));
        progress.arrived(after(61));
        assert!(!progress.is_stalled(PATIENCE, after(62)));
        assert!(progress.is_stalled(PATIENCE, after(63)));
        assert_eq!(progress.tell(after(63)), Some((PATIENCE, None)));
        assert_eq!(progress.tell(after(65)), None);
        progress.begins_anew(after(65));
        assert_eq!(progress.tell(after(70)), None, "it is known");
        assert!(progress.tell(after(71)).is_some() && progress.is_told());
        progress.made(after(71));
        assert!(!progress.is_told());
        progress.made(after(67));
        assert!(!progress.is_stalled(PATIENCE, after(69)));
    }

    #[test]
    fn a_device_that_gives_everything_back_again_and_again_is_stalled_in_the_end() {
        let mut progress = Progress::new(after(0));
        for second in 0..4 {
            // Each time before it is known that they have arrived.
            progress.lent(true, after(10 * second));
            assert!(!progress.is_stalled(PATIENCE, after(10 * second)) || second == 3);
            progress.gave_back(true, after(10 * second + 1));
        }
        progress.made(after(40));
        progress.lent(true, after(50));
        progress.arrived(after(50));
        assert!(!progress.is_stalled(PATIENCE, after(52)));
    }

    #[test]
    fn a_device_is_deaf_when_it_was_asked_in_vain() {
        let mut progress = Progress::new(after(0));
        progress.arrived(after(0));
        progress.asked(after(10));
        progress.suspected(after(12));
        assert!(!progress.is_deaf(PATIENCE, after(12)));
        assert!(progress.is_deaf(PATIENCE, after(13)));
        progress.begins_anew(after(13));
        assert!(progress.is_suspect());
        progress.made(after(13));
        assert!(!progress.is_suspect());
        assert!(!progress.is_deaf(PATIENCE, after(60)));
    }
}
