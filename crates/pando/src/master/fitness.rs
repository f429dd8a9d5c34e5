//! Whether a device is fit for the job, as far as is known, and who decides that an item has failed. Pure: time is an argument.
//!
//! A function may fail on one device and work on all others: an old browser lacks what it calls, a page over plain http has no
//! `crypto.subtle`, Node has no `OffscreenCanvas`. Such a failure says nothing about the item. So each device has a *standing*:
//!
//! | standing | what is known | its failures | what it is lent |
//! |---|---|---|---|
//! | [`Untried`](Standing::Untried) | nothing, or few failures | count only when all others failed the item, too | its share |
//! | [`Doubtful`](Standing::Doubtful) | [`FEW`] failures that nobody has explained, and no success | the same | it stands back, while there is a better one |
//! | [`Proven`](Standing::Proven) | it has computed something | are attempts | its share |
//! | [`Unfit`](Standing::Unfit) | others computed what it failed; or it gives back what it is lent; or it is certain that it cannot | never count | it stands back |
//!
//! **Evidence.** Each failure of a device casts doubt on it. The doubt is lifted when a proven device fails the same item after it, or
//! when the item has failed for good: then it is the item's fault. The doubt is confirmed when another device computes the item. One success
//! forgets everything that speaks against a device.
//!
//! **Standing back.** The device is lent nothing for a rest, and one item after it; each rest is twice as long as the last one. Nobody
//! waits for it meanwhile: the lender takes it for paused. A doubtful device stands back only while a *better* one is there (active, and
//! untried or proven), or may come in this moment. So there is always somebody who may take an item, unless all that are there are unfit.
//!
//! **When an item fails for good.** Either proven devices have failed it as often as `--retries` allows. Or all active devices that are
//! not unfit have failed it, none of them is proven, and it was tried as often in all: then nobody knows better. That verdict waits for a
//! heartbeat after a device has come or gone (see [`court`](super::court)), since devices come and go together; this machine's own cores
//! need not wait for that.
//!
//! **Why no item waits for ever without a word.** Let an item wait, and let no device compute it from now on.
//! - If a proven device is active, it is asked for the item: the lender takes those that stand back for paused. Its failures count.
//! - Else, while an untried device is active, that one gets the item, and fails it; after [`FEW`] failures it is untried no more.
//! - Else, if doubtful devices are active, none of them stands back. The lender gives the item to each of them in turn; then the verdict
//!   falls.
//! - Else only unfit devices are there, or none: the run waits for others as it does at its start, and says so.
//!
//! A device that holds the item and says nothing is the business of [`progress`](super::progress).

use super::rest::Rest;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// So many failures without a success, and a device stands back.
const FEW: u32 = 3;
/// A device that has computed something is unfit when others computed so many items that it failed since.
const MANY: u32 = 10;
/// Times that a device may give values back before it has answered anything: each core may end once, and once more.
const RETURNS_PER_CORE: u32 = 2;
const MOST_CORES: u32 = 64;
/// Who is in doubt is told of after this time: others may fail the same items meanwhile.
const DOUBT: Duration = Duration::from_secs(2);

/// A device, whatever its channel. A guest may call itself what this machine's own cores are called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Who {
    /// As it said in its hello.
    pub(crate) device: Arc<str>,
    /// It is this machine's own cores.
    pub(crate) local: bool,
}

/// What is known of a device. See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing yet.
    Untried,
    /// It has computed something.
    Proven,
    /// It has failed all that it tried, and nobody knows whose fault that is.
    Doubtful,
    /// It cannot do what others can.
    Unfit,
}

impl Standing {
    /// Whether it may do what a device in doubt cannot.
    pub(super) fn is_good(self) -> bool {
        matches!(self, Self::Untried | Self::Proven)
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Fitness {
    /// It has computed something.
    proven: bool,
    /// Failures since its last success that may be its own fault.
    doubts: u32,
    /// Failures since its last success of items that others have computed.
    outdone: u32,
    /// Times in a row that it gave back what it had not begun, unasked.
    returns: u32,
    /// It does so again and again.
    returner: bool,
    /// It is certain that it cannot run the function.
    unable: bool,
    rest: Rest,
    /// Why it failed first since its last success.
    why: String,
    /// People have been told that it is unfit.
    told: bool,
    /// Its first failure is to be told soon, unless more is known then.
    noted: bool,
    /// People have heard of its failures.
    heard: bool,
}

impl Fitness {
    pub(crate) fn standing(&self) -> Standing {
        let bound = if self.proven { MANY } else { 1 };
        let fails_all = self.doubts + self.outdone >= FEW;
        match self.proven {
            _ if self.unable || self.returner || fails_all && self.outdone >= bound => Standing::Unfit,
            true => Standing::Proven,
            false if fails_all => Standing::Doubtful,
            false => Standing::Untried,
        }
    }

    /// It failed an item for this reason.
    pub(super) fn failed(&mut self, why: String, patience: Duration, now: Instant) {
        self.doubts += 1;
        self.returns = 0;
        if self.why.is_empty() {
            self.why = why;
        }
        self.blamed(patience, now);
    }

    /// People hear of its failures as attempts.
    pub(super) fn heard(&mut self) {
        self.heard = true;
    }

    /// It lacks what it needs for an item, of which people have heard: for all of them, if it has computed none.
    pub(super) fn cannot(&mut self, patience: Duration, now: Instant) {
        (self.unable, self.told, self.heard) = (!self.proven, true, true);
        self.blamed(patience, now);
    }

    /// Another device has computed an item that it failed.
    pub(super) fn outdone(&mut self, patience: Duration, now: Instant) {
        if self.doubts > 0 {
            self.doubts -= 1;
            self.outdone += 1;
            self.blamed(patience, now);
        }
    }

    /// A failure of its was the item's fault.
    pub(super) fn acquitted(&mut self) {
        self.doubts = self.doubts.saturating_sub(1);
    }

    /// It gave back what it had not begun, with so many cores, and nobody had asked for that.
    pub(super) fn gave_back(&mut self, cores: u32, patience: Duration, now: Instant) {
        self.returns = self.returns.saturating_add(1);
        if self.returns > RETURNS_PER_CORE * cores.min(MOST_CORES) + FEW {
            self.returner = true;
            self.why = "it gives back what it is lent, and has not begun it".into();
            self.blamed(patience, now);
        }
    }

    /// It computed something. Gives what people should hear of that, after its name.
    pub(super) fn succeeded(&mut self) -> Option<String> {
        let before = std::mem::replace(self, Self { proven: true, ..Self::default() });
        if before.told {
            return Some("has computed an item: it gets its share again".into());
        }
        (!before.proven && !before.heard).then(|| before.failures()).flatten()
    }

    /// Something speaks against it.
    fn blamed(&mut self, patience: Duration, now: Instant) {
        if !self.standing().is_good() {
            self.rest.begin(patience, now);
        }
    }

    /// Whether it is not tried for now, if it is to stand back.
    pub(super) fn rests(&self, now: Instant) -> bool {
        self.rest.goes_on(now)
    }

    /// Whether its first failure is to be told, should nothing more be known soon; true once.
    pub(super) fn is_new(&mut self) -> bool {
        self.standing() == Standing::Untried && !std::mem::replace(&mut self.noted, true)
    }

    /// Whether nothing more is known of one whose first failure is to be told, and people have not heard of it; true once.
    pub(super) fn notice(&mut self) -> bool {
        self.standing() == Standing::Untried && self.doubts + self.outdone > 0 && !std::mem::replace(&mut self.heard, true)
    }

    /// What people should hear of one that stands back, after its name, once. `has_better`: there is another one that may be better.
    pub(super) fn tell(&mut self, has_better: bool, now: Instant) -> Option<String> {
        let is_judged = self.standing() == Standing::Unfit || has_better && self.rest.age(now) >= DOUBT;
        is_judged.then(|| self.tell_now()).flatten()
    }

    fn tell_now(&mut self) -> Option<String> {
        self.heard = true;
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        let why = &self.why;
        Some(format!(
            "is unfit for this job so far: {why}; others get its items, and it is tried again ever more rarely until it succeeds"
        ))
    }

    /// What people should hear of one that leaves, after its name.
    pub(super) fn last_words(&mut self) -> Option<String> {
        match self.standing() {
            Standing::Unfit => self.tell_now(),
            Standing::Doubtful | Standing::Untried if !self.heard => self.failures(),
            _ => None,
        }
    }

    /// Failures that were no attempts, and of which nobody has heard.
    fn failures(&self) -> Option<String> {
        let items = match self.doubts + self.outdone {
            0 => return None,
            1 => "an item".to_owned(),
            count => format!("{count} items"),
        };
        Some(format!("failed {items} before it had computed any, which is no attempt: {}", self.why))
    }

    /// Whether there is nothing to remember of it.
    pub(super) fn is_blank(&self) -> bool {
        !self.proven && self.doubts + self.outdone + self.returns == 0 && self.standing() == Standing::Untried
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(3);

    /// One that failed so many items.
    fn failed(count: u32, now: Instant) -> Fitness {
        let mut fitness = Fitness::default();
        (0..count).for_each(|_| fitness.failed("no".into(), PATIENCE, now));
        fitness
    }

    #[test]
    fn who_fails_all_that_it_tries_is_in_doubt_and_unfit_when_others_can_do_it() {
        let now = Instant::now();
        assert_eq!(failed(2, now).standing(), Standing::Untried);
        let mut fitness = failed(3, now);
        assert_eq!(fitness.standing(), Standing::Doubtful);
        fitness.outdone(PATIENCE, now);
        assert_eq!(fitness.standing(), Standing::Unfit);
        // Of what one failed before it is in doubt, the same holds.
        let mut fitness = failed(2, now);
        fitness.outdone(PATIENCE, now);
        assert_eq!(fitness.standing(), Standing::Untried);
        fitness.failed("no".into(), PATIENCE, now);
        assert_eq!(fitness.standing(), Standing::Unfit);
    }

    #[test]
    fn what_is_the_item_s_fault_is_not_the_device_s() {
        let now = Instant::now();
        let mut fitness = failed(3, now);
        fitness.acquitted();
        assert_eq!(fitness.standing(), Standing::Untried);
        (0..3).for_each(|_| fitness.acquitted());
        assert!(fitness.is_blank());
    }

    #[test]
    fn one_success_clears_it_and_only_many_items_that_others_did_speak_against_that() {
        let now = Instant::now();
        let mut fitness = failed(3, now);
        fitness.outdone(PATIENCE, now);
        assert!(fitness.succeeded().is_some_and(|words| words.contains("failed 3 items before it had computed any")));
        for times in 0..20 {
            assert_eq!(fitness.standing(), if times < MANY { Standing::Proven } else { Standing::Unfit });
            fitness.failed("no more".into(), PATIENCE, now);
            fitness.outdone(PATIENCE, now);
        }
        assert!(fitness.tell(true, now).is_some_and(|words| words.contains("no more")));
        assert_eq!(fitness.succeeded().as_deref(), Some("has computed an item: it gets its share again"));
        assert_eq!((fitness.standing(), fitness.succeeded()), (Standing::Proven, None));
    }

    #[test]
    fn each_rest_is_twice_as_long_up_to_ten_minutes_until_the_first_success() {
        let start = Instant::now();
        let mut now = start;
        let mut fitness = failed(3, now);
        for seconds in [3, 6, 12, 24, 48, 96, 192, 384, 600, 600] {
            // What comes in during one makes it no longer.
            fitness.failed("no".into(), PATIENCE, now);
            assert!(fitness.rests(now + Duration::from_secs(seconds - 1)), "{seconds}");
            now += Duration::from_secs(seconds);
            assert!(!fitness.rests(now));
            fitness.failed("no".into(), PATIENCE, now);
        }
        fitness.succeeded();
        assert!(!fitness.rests(now));
    }

    #[test]
    fn a_returner_is_unfit_and_cores_that_end_are_not_taken_for_one() {
        let now = Instant::now();
        let mut fitness = Fitness::default();
        for _ in 0..2 * 4 + 3 {
            fitness.gave_back(4, PATIENCE, now);
            assert_eq!(fitness.standing(), Standing::Untried);
        }
        fitness.failed("it ended its core".into(), PATIENCE, now);
        (0..2 * 4 + 3).for_each(|_| fitness.gave_back(4, PATIENCE, now));
        assert_eq!(fitness.standing(), Standing::Untried);
        fitness.gave_back(4, PATIENCE, now);
        assert_eq!(fitness.standing(), Standing::Unfit);
        assert!(fitness.rests(now) && fitness.tell(false, now).is_some_and(|words| words.contains("gives back")));
    }

    #[test]
    fn what_is_certain_needs_no_second_failure() {
        let now = Instant::now();
        let mut fitness = Fitness::default();
        fitness.cannot(PATIENCE, now);
        assert_eq!((fitness.standing(), fitness.tell(true, now)), (Standing::Unfit, None));
        fitness.succeeded();
        fitness.cannot(PATIENCE, now);
        assert_eq!(fitness.standing(), Standing::Proven);
    }

    #[test]
    fn people_hear_once_of_who_is_unfit_and_of_who_is_in_doubt_only_after_a_while_and_beside_a_better_one() {
        let now = Instant::now();
        let mut fitness = failed(3, now);
        assert_eq!(fitness.tell(true, now), None);
        assert_eq!(fitness.tell(false, now + DOUBT), None);
        assert!(fitness.tell(true, now + DOUBT).is_some_and(|words| words.starts_with("is unfit for this job so far: no; ")));
        assert_eq!((fitness.tell(true, now + DOUBT), fitness.last_words()), (None, None));
        let mut fitness = failed(1, now);
        assert!(fitness.is_new() && !fitness.is_new());
        assert!(fitness.last_words().is_some_and(|words| words.starts_with("failed an item")));
        let mut fitness = failed(1, now);
        assert!(fitness.notice() && !fitness.notice());
        assert_eq!(fitness.last_words(), None);
    }
}
