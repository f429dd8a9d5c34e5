//! Whether a device works on its values. Pure: time is an argument.
//!
//! A device that computes reports its long calls. A device is *stalled* when it answers pings and
//! has received its values, but neither reports a call nor answers a value. Its page may still be
//! loading the function, or something is wrong with the device.

use std::time::{Duration, Instant};

/// See the module.
#[derive(Debug)]
pub(crate) struct Progress {
    /// The last sign of work on the values, or the arrival of the values, if that was later.
    since: Instant,
    /// Values sent in this session.
    sent: u64,
    /// Values known to have arrived; values arrive in the order of sending.
    arrived: u64,
    /// The value of `sent` at the last sign of work, or when the first values were lent to a
    /// device without any. The device is not expected to work before that many values have
    /// arrived.
    expected_after: u64,
    /// How long the device has had values before and returned them without work on any.
    idle_before: Duration,
    /// The time when the device began to load the function, as far as the master knows.
    loading: Option<Instant>,
    /// The unfinished recall from the stalled device.
    recall: Option<Recall>,
    /// The idle time at which people are told next.
    tell_at: Duration,
}

/// A recall from a stalled device.
#[derive(Debug)]
struct Recall {
    /// The earliest time at which the device can have known of the recall.
    since: Instant,
    /// The value of `sent` at the time of the recall: when that many values have arrived, so has
    /// the recall.
    after: u64,
    /// How many of the recalled loans the device has not returned.
    missing: usize,
}

impl Progress {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            since: now,
            sent: 0,
            arrived: 0,
            expected_after: 0,
            idle_before: Duration::ZERO,
            loading: None,
            recall: None,
            tell_at: Duration::ZERO,
        }
    }

    /// Notes that `count` values are on their way to the device; `first`: the device had none
    /// before.
    pub(crate) fn lent(&mut self, count: usize, first: bool, now: Instant) {
        self.sent += count as u64;
        if first {
            self.expected_after = self.sent;
            self.begins_anew(now);
        }
    }

    /// Notes that one of the lent values is not sent after all.
    pub(crate) fn not_lent(&mut self) {
        self.sent -= 1;
        self.expected_after = self.expected_after.min(self.sent);
        if let Some(recall) = &mut self.recall {
            recall.after = recall.after.min(self.sent);
        }
    }

    /// Notes that `count` of the values sent in this session have arrived.
    pub(super) fn arrived(&mut self, count: u64, now: Instant) {
        let had = self.has_values();
        if let Some(recall) = &mut self.recall
            && self.arrived < recall.after
            && count >= recall.after
        {
            recall.since = now;
        }
        self.arrived = self.arrived.max(count);
        if !had && self.has_values() {
            self.since = now.checked_sub(self.idle_before).unwrap_or(now);
        }
    }

    fn has_values(&self) -> bool {
        self.arrived >= self.expected_after
    }

    /// Values that may still be on their way to the device.
    pub(crate) fn on_their_way(&self) -> u64 {
        self.sent - self.arrived.min(self.sent)
    }

    /// Notes a sign of work: the device answered a value or reported a call.
    pub(crate) fn worked(&mut self, now: Instant) {
        *self = Self {
            sent: self.sent,
            arrived: self.arrived,
            expected_after: self.sent,
            ..Self::new(now)
        };
    }

    /// Notes that the device returned a value without work on it, which is no sign of work;
    /// `recalled`: the value was recalled; `all`: the device holds nothing now.
    pub(super) fn gave_back(&mut self, recalled: bool, all: bool, now: Instant) {
        if let Some(recall) = &mut self.recall {
            recall.missing -= usize::from(recalled);
        }
        self.recall.take_if(|recall| recall.missing == 0);
        if all {
            self.idle_before = self.idle(now);
        }
    }

    /// Whether the device has had values for at least `silence_limit` in all, and each time
    /// returned all of them.
    pub(crate) fn gives_all_back(&self, silence_limit: Duration) -> bool {
        self.idle_before >= silence_limit
    }

    /// Restarts the measurement for a device that had no values.
    fn begins_anew(&mut self, now: Instant) {
        self.recall = None;
        self.since = now.checked_sub(self.idle_before).unwrap_or(now);
    }

    /// Forgives the last `time`, because frames of that time have not been read yet.
    pub(crate) fn excuse(&mut self, time: Duration, now: Instant) {
        self.since = now.min(self.since + time);
        if let Some(recall) = &mut self.recall {
            recall.since = now.min(recall.since + time);
        }
    }

    /// Notes the device's report that it has been loading the function for `time`.
    pub(crate) fn loads(&mut self, time: Duration, now: Instant) {
        self.loading = now.checked_sub(time);
    }

    /// Notes a recall of `count` loans from the stalled device.
    pub(super) fn recall(&mut self, count: usize, now: Instant) {
        self.recall = Some(Recall { since: now, after: self.sent, missing: count });
    }

    /// Whether a recall is unfinished.
    pub(super) fn is_recalled(&self) -> bool {
        self.recall.is_some()
    }

    /// Time since the last sign of work; meaningful for a device that holds values.
    pub(crate) fn idle(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// Whether the device has had its values for at least `silence_limit` without a sign of work,
    /// or keeps returning them all.
    pub(crate) fn is_stalled(&self, silence_limit: Duration, now: Instant) -> bool {
        (self.has_values() || self.gives_all_back(silence_limit)) && self.idle(now) >= silence_limit
    }

    /// Whether the stalled device has kept recalled values for at least `silence_limit`.
    pub(crate) fn ignores_recall(&self, silence_limit: Duration, now: Instant) -> bool {
        let is_late = |recall: &Recall| {
            self.arrived >= recall.after
                && now.saturating_duration_since(recall.since) >= silence_limit
        };
        self.is_stalled(silence_limit, now) && self.recall.as_ref().is_some_and(is_late)
    }

    /// Takes what to tell people now and then about a stalled device: its idle time and, if known,
    /// how long it has been loading the function.
    pub(super) fn take_silence_to_tell(
        &mut self,
        now: Instant,
    ) -> Option<(Duration, Option<Duration>)> {
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

    const SILENCE_LIMIT: Duration = Duration::from_secs(3);

    fn after(seconds: u64) -> Instant {
        use std::sync::LazyLock;
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        *START + Duration::from_secs(seconds)
    }

    #[test]
    fn a_device_is_stalled_once_its_values_are_there_and_nothing_follows() {
        let mut progress = Progress::new(after(0));
        progress.lent(2, true, after(0));
        assert!(!progress.is_stalled(SILENCE_LIMIT, after(60)), "they may still be on their way");
        progress.arrived(2, after(60));
        progress.arrived(2, after(61));
        assert!(!progress.is_stalled(SILENCE_LIMIT, after(62)));
        assert!(progress.is_stalled(SILENCE_LIMIT, after(63)));
        assert_eq!(progress.take_silence_to_tell(after(63)), Some((SILENCE_LIMIT, None)));
        assert_eq!(progress.take_silence_to_tell(after(65)), None);
        progress.lent(1, true, after(65));
        progress.arrived(3, after(65));
        assert_eq!(progress.take_silence_to_tell(after(70)), None, "it is known");
        assert!(progress.take_silence_to_tell(after(71)).is_some());
        progress.worked(after(71));
        progress.worked(after(67));
        assert!(!progress.is_stalled(SILENCE_LIMIT, after(69)));
    }

    #[test]
    fn who_has_answered_what_it_had_waits_for_what_is_on_its_way() {
        let mut progress = Progress::new(after(0));
        progress.lent(1, true, after(0));
        progress.arrived(1, after(0));
        progress.lent(1, false, after(0));
        progress.worked(after(1));
        assert!(!progress.is_stalled(SILENCE_LIMIT, after(60)));
        // Values sent later make no difference.
        progress.lent(1, false, after(60));
        progress.arrived(2, after(60));
        assert!(!progress.is_stalled(SILENCE_LIMIT, after(62)));
        assert!(progress.is_stalled(SILENCE_LIMIT, after(63)));
    }

    #[test]
    fn a_device_that_gives_everything_back_again_and_again_is_stalled_in_the_end() {
        let mut progress = Progress::new(after(0));
        for second in 0..4 {
            // The device returns each value before its arrival is known.
            progress.lent(1, true, after(10 * second));
            assert!(!progress.is_stalled(SILENCE_LIMIT, after(10 * second)) || second == 3);
            progress.gave_back(false, true, after(10 * second + 1));
        }
        assert!(progress.gives_all_back(SILENCE_LIMIT));
        progress.worked(after(40));
        assert!(!progress.gives_all_back(SILENCE_LIMIT));
        progress.lent(1, true, after(50));
        progress.arrived(5, after(50));
        assert!(!progress.is_stalled(SILENCE_LIMIT, after(52)));
    }

    #[test]
    fn a_device_is_deaf_when_it_was_asked_in_vain() {
        let mut progress = Progress::new(after(0));
        progress.lent(2, true, after(0));
        progress.arrived(2, after(0));
        progress.recall(2, after(10));
        assert!(!progress.ignores_recall(SILENCE_LIMIT, after(12)));
        // The return of one value is no progress with the other one.
        progress.gave_back(true, false, after(12));
        assert!(progress.ignores_recall(SILENCE_LIMIT, after(13)));
        progress.excuse(Duration::from_secs(2), after(13));
        assert!(
            !progress.ignores_recall(SILENCE_LIMIT, after(14))
                && progress.ignores_recall(SILENCE_LIMIT, after(15))
        );
        // The device gets another value, which is not recalled.
        progress.lent(1, false, after(14));
        progress.arrived(3, after(14));
        progress.gave_back(true, false, after(15));
        assert!(
            progress.is_stalled(SILENCE_LIMIT, after(60))
                && !progress.ignores_recall(SILENCE_LIMIT, after(60))
        );
    }

    #[test]
    fn nobody_is_deaf_before_the_question_and_all_that_it_is_about_can_have_come() {
        let mut progress = Progress::new(after(0));
        progress.lent(1, true, after(0));
        progress.arrived(1, after(0));
        progress.lent(1, false, after(1));
        progress.recall(2, after(3));
        progress.gave_back(true, false, after(3));
        assert!(
            progress.is_stalled(SILENCE_LIMIT, after(60))
                && !progress.ignores_recall(SILENCE_LIMIT, after(60))
        );
        progress.arrived(2, after(60));
        assert!(
            !progress.ignores_recall(SILENCE_LIMIT, after(62))
                && progress.ignores_recall(SILENCE_LIMIT, after(63))
        );
    }
}
