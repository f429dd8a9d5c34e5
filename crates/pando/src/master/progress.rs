//! Whether a device is getting on with what it was lent, apart from its being alive. Pure: time is an argument.
//!
//! A device that computes says which calls take long. One that answers pings, has its values, says of none that it is at it, and
//! answers none, is *stalled*: its page may still be loading the function, or something is wrong with it.

use super::rest::Rest;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use stream_lender::Loan;

/// See the module.
#[derive(Debug)]
pub(crate) struct Progress {
    /// The last sign that it is at its values, or the moment when it had them.
    since: Instant,
    /// Values that were sent to it, since it joined.
    sent: u64,
    /// Those of them that are known to have arrived; they do in order.
    arrived: u64,
    /// Those that had been sent at the last sign, or when it had none before: once they have arrived there is something that it could be at.
    awaited: u64,
    /// For how long it had values before, and gave them back without being at any.
    before: Duration,
    /// Since when it has been loading the function, as far as is known.
    loading: Option<Instant>,
    /// It was asked to give back what it had, and has kept some of that.
    asked: Option<Asked>,
    /// It was stalled: others come first until it gets on.
    suspect: bool,
    /// It is lent nothing meanwhile, while others are there.
    rest: Rest,
    /// When to speak of it next.
    tell_at: Duration,
}

/// What a device was asked to give back.
#[derive(Debug)]
struct Asked {
    /// Since when, as far as is known: not before the question had come.
    since: Instant,
    /// Values that had been sent before: once they have arrived, so has the question.
    after: u64,
    /// What it has kept.
    ids: BTreeSet<Loan>,
}

impl Progress {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            since: now,
            sent: 0,
            arrived: 0,
            awaited: 0,
            before: Duration::ZERO,
            loading: None,
            asked: None,
            suspect: false,
            rest: Rest::default(),
            tell_at: Duration::ZERO,
        }
    }

    /// Of a device that was stalled on an earlier channel, and rests for so long.
    pub(crate) fn of_suspect(rest: Duration, now: Instant) -> Self {
        Self { suspect: true, rest: Rest::of(rest, now), ..Self::new(now) }
    }

    /// So many values are on their way to it; `first`: it had none.
    pub(crate) fn lent(&mut self, count: usize, first: bool, now: Instant) {
        self.sent += count as u64;
        if first {
            self.awaited = self.sent;
            self.begins_anew(now);
        }
    }

    /// One of these is not sent after all.
    pub(crate) fn not_lent(&mut self) {
        self.sent -= 1;
        self.awaited = self.awaited.min(self.sent);
        if let Some(asked) = &mut self.asked {
            asked.after = asked.after.min(self.sent);
        }
    }

    /// So many of the values that were sent to it since it joined are there.
    pub(crate) fn arrived(&mut self, count: u64, now: Instant) {
        let had = self.has_values();
        if let Some(asked) = &mut self.asked
            && self.arrived < asked.after
            && count >= asked.after
        {
            asked.since = now;
        }
        self.arrived = self.arrived.max(count);
        if !had && self.has_values() {
            self.since = now.checked_sub(self.before).unwrap_or(now);
        }
    }

    fn has_values(&self) -> bool {
        self.arrived >= self.awaited
    }

    /// Values that may be on their way to it.
    pub(crate) fn on_their_way(&self) -> u64 {
        self.sent - self.arrived.min(self.sent)
    }

    /// It answered something, or said what it is at.
    pub(crate) fn made(&mut self, now: Instant) {
        *self = Self { sent: self.sent, arrived: self.arrived, awaited: self.sent, ..Self::new(now) };
    }

    /// It gave this back without having been at it: what it still has it is no nearer to. Whether that was `all`.
    pub(crate) fn gave_back(&mut self, loan: Loan, all: bool, now: Instant) {
        if let Some(asked) = &mut self.asked {
            asked.ids.remove(&loan);
        }
        self.asked.take_if(|asked| asked.ids.is_empty());
        if all {
            self.before = self.idle(now);
        }
    }

    /// Whether it has had values for longer than `patience` in all, and given them all back.
    pub(crate) fn gives_all_back(&self, patience: Duration) -> bool {
        self.before >= patience
    }

    /// It had nothing.
    fn begins_anew(&mut self, now: Instant) {
        self.asked = None;
        self.since = now.checked_sub(self.before).unwrap_or(now);
    }

    /// What it did during the last `time` has not been heard yet.
    pub(crate) fn excuse(&mut self, time: Duration, now: Instant) {
        self.since = now.min(self.since + time);
        if let Some(asked) = &mut self.asked {
            asked.since = now.min(asked.since + time);
        }
    }

    /// It said that it has been loading the function for this long.
    pub(crate) fn loads(&mut self, time: Duration, now: Instant) {
        self.loading = now.checked_sub(time);
    }

    /// It is asked for values that it has, since it is stalled.
    pub(crate) fn asked(&mut self, ids: &[Loan], now: Instant) {
        let after = self.sent;
        self.asked.get_or_insert_with(|| Asked { since: now, after, ids: ids.iter().copied().collect() });
    }

    /// It has done nothing for longer than `patience`: others come first, and it rests, twice as long as the last time.
    pub(crate) fn suspected(&mut self, patience: Duration, now: Instant) {
        self.suspect = true;
        self.rest.begin(patience, now);
    }

    /// For how long it was to rest last; at least `least`.
    pub(crate) fn rest(&self, least: Duration) -> Duration {
        self.rest.time().max(least)
    }

    /// Whether it is left alone while others are there.
    pub(crate) fn rests(&self, now: Instant) -> bool {
        self.suspect && self.rest.goes_on(now)
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
        (self.has_values() || self.gives_all_back(patience)) && self.idle(now) >= patience
    }

    /// Whether it has kept values for long that it was asked for.
    pub(crate) fn is_deaf(&self, patience: Duration, now: Instant) -> bool {
        let is_late = |asked: &Asked| self.arrived >= asked.after && now.saturating_duration_since(asked.since) >= patience;
        self.is_stalled(patience, now) && self.asked.as_ref().is_some_and(is_late)
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
        progress.lent(2, true, after(0));
        assert!(!progress.is_stalled(PATIENCE, after(60)), "they may still be on their way");
        progress.arrived(2, after(60));
        progress.arrived(2, after(61));
        assert!(!progress.is_stalled(PATIENCE, after(62)));
        assert!(progress.is_stalled(PATIENCE, after(63)));
        assert_eq!(progress.tell(after(63)), Some((PATIENCE, None)));
        assert_eq!(progress.tell(after(65)), None);
        progress.lent(1, true, after(65));
        progress.arrived(3, after(65));
        assert_eq!(progress.tell(after(70)), None, "it is known");
        assert!(progress.tell(after(71)).is_some() && progress.is_told());
        progress.made(after(71));
        assert!(!progress.is_told());
        progress.made(after(67));
        assert!(!progress.is_stalled(PATIENCE, after(69)));
    }

    #[test]
    fn who_has_answered_what_it_had_waits_for_what_is_on_its_way() {
        let mut progress = Progress::new(after(0));
        progress.lent(1, true, after(0));
        progress.arrived(1, after(0));
        progress.lent(1, false, after(0));
        progress.made(after(1));
        assert!(!progress.is_stalled(PATIENCE, after(60)));
        // Nor does it matter what is sent to it later.
        progress.lent(1, false, after(60));
        progress.arrived(2, after(60));
        assert!(!progress.is_stalled(PATIENCE, after(62)));
        assert!(progress.is_stalled(PATIENCE, after(63)));
    }

    #[test]
    fn a_device_that_gives_everything_back_again_and_again_is_stalled_in_the_end() {
        let mut progress = Progress::new(after(0));
        for second in 0..4 {
            // Each time before it is known that they have arrived.
            progress.lent(1, true, after(10 * second));
            assert!(!progress.is_stalled(PATIENCE, after(10 * second)) || second == 3);
            progress.gave_back(Loan::first(0), true, after(10 * second + 1));
        }
        assert!(progress.gives_all_back(PATIENCE));
        progress.made(after(40));
        assert!(!progress.gives_all_back(PATIENCE));
        progress.lent(1, true, after(50));
        progress.arrived(5, after(50));
        assert!(!progress.is_stalled(PATIENCE, after(52)));
    }

    #[test]
    fn a_device_is_deaf_when_it_was_asked_in_vain() {
        let mut progress = Progress::new(after(0));
        progress.lent(2, true, after(0));
        progress.arrived(2, after(0));
        progress.suspected(PATIENCE, after(10));
        progress.asked(&[0, 1].map(Loan::first), after(10));
        progress.asked(&[0, 1].map(Loan::first), after(12));
        assert!(!progress.is_deaf(PATIENCE, after(12)));
        // Nor is it any nearer to the other one.
        progress.gave_back(Loan::first(0), false, after(12));
        assert!(progress.is_deaf(PATIENCE, after(13)));
        progress.excuse(Duration::from_secs(2), after(13));
        assert!(!progress.is_deaf(PATIENCE, after(14)) && progress.is_deaf(PATIENCE, after(15)));
        // It has another one meanwhile, and was not asked for that.
        progress.lent(1, false, after(14));
        progress.arrived(3, after(14));
        progress.gave_back(Loan::first(1), false, after(15));
        assert!(progress.is_suspect() && progress.is_stalled(PATIENCE, after(60)) && !progress.is_deaf(PATIENCE, after(60)));
        progress.made(after(15));
        assert!(!progress.is_suspect());
    }

    #[test]
    fn who_is_suspected_again_and_again_rests_for_ever_longer() {
        let mut progress = Progress::new(after(0));
        let mut rests = Vec::new();
        let mut now = 0;
        for _ in 0..9 {
            progress.suspected(PATIENCE, after(now));
            // What it is asked for besides during one rest makes that no longer.
            progress.suspected(PATIENCE, after(now + 1));
            let rest = progress.rest(PATIENCE).as_secs();
            assert!(progress.rests(after(now + rest - 1)) && !progress.rests(after(now + rest)));
            rests.push(rest);
            now += rest;
        }
        assert_eq!(rests, [3, 6, 12, 24, 48, 96, 192, 384, 600]);
        let mut progress = Progress::of_suspect(progress.rest(PATIENCE), after(0));
        assert!(progress.rests(after(599)) && !progress.rests(after(600)));
        progress.made(after(1));
        assert!(!progress.rests(after(1)));
    }

    #[test]
    fn nobody_is_deaf_before_the_question_and_all_that_it_is_about_can_have_come() {
        let mut progress = Progress::new(after(0));
        progress.lent(1, true, after(0));
        progress.arrived(1, after(0));
        progress.lent(1, false, after(1));
        progress.asked(&[0, 1].map(Loan::first), after(3));
        progress.gave_back(Loan::first(0), false, after(3));
        assert!(progress.is_stalled(PATIENCE, after(60)) && !progress.is_deaf(PATIENCE, after(60)));
        progress.arrived(2, after(60));
        assert!(!progress.is_deaf(PATIENCE, after(62)) && progress.is_deaf(PATIENCE, after(63)));
    }
}
