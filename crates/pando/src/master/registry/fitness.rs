//! Whether a device is fit for the job, and when an item has failed for good. Pure: time is an
//! argument.
//!
//! A function may fail on one device and work on all others: an old browser lacks a method, a page
//! over plain http has no `crypto.subtle`, Node has no `OffscreenCanvas`. Such a failure says
//! nothing about the item. Therefore each device has a *standing*:
//!
//! | standing | evidence | its failures |
//! |---|---|---|
//! | [`Untried`](Standing::Untried) | none, or few failures | count if all others failed, too |
//! | [`Doubtful`](Standing::Doubtful) | [`DOUBTFUL_AFTER`] failures, no success | as above |
//! | [`Proven`](Standing::Proven) | has computed an item | count as attempts |
//! | [`Unfit`](Standing::Unfit) | has failed or returned too much; see below | never count |
//!
//! Untried and proven devices get their share of the values. A doubtful device stands back while a
//! better one is connected, an unfit device always.
//!
//! **Evidence.** Each failure of a device casts doubt on this device. The doubt is lifted when a
//! proven device fails the same item later, or when the item fails for good: the failure was the
//! item's fault. The doubt is confirmed when another device computes the item. A success erases
//! all doubts, confirmed or not. A device is unfit after [`DOUBTFUL_AFTER`] failures of which one
//! is confirmed (or [`UNFIT_AFTER`], if the device had a success before), when it returns values
//! again and again, when its error shows that it cannot run the function, or when its results turn
//! out to be wrong (`--verify`). In the last case it stays unfit, and is lent nothing any more.
//!
//! **Standing back.** The device is lent nothing for a rest, then one item; each rest is twice as
//! long as the one before. No item waits for the device meanwhile, because the lender treats it as
//! paused. A doubtful device stands back only while a *better* device is active (untried or
//! proven), or may still come (see below). So there is always a device that may take an item,
//! unless all connected devices are unfit.
//!
//! **When an item fails for good.** Either proven devices have failed the item as often as
//! `--retries` allows. Or no active device is proven, all active devices except unfit ones have
//! failed the item, and all attempts together are as many. The final failure is postponed until a
//! heartbeat after the last arrival or departure of a device (see `policy/postponed.rs`),
//! because devices come and go in groups. Failures of this machine's own cores are final at once.
//!
//! **Why no item waits for ever without a message.** Assume that an item waits, and that no device
//! computes it from now on.
//! - If a proven device is active, the lender offers the item to this device, because devices that
//!   stand back are paused. Its failures count.
//! - Otherwise, an active untried device gets the item and fails it. After [`DOUBTFUL_AFTER`]
//!   failures, the device is no longer untried.
//! - Otherwise, no doubtful device stands back. The lender gives the item to each active one in
//!   turn; then the item fails for good.
//! - Otherwise, only unfit devices are connected, or none. The run waits for other devices, as at
//!   its start, and says so.
//!
//! A device that holds the item in silence is handled by [`progress`](super::progress).

#[cfg(test)]
mod tests;

use super::backoff::Backoff;
use std::time::{Duration, Instant};

/// The number of failures without a success after which a device stands back.
const DOUBTFUL_AFTER: u32 = 3;
/// The number of confirmed doubts after which a device is unfit although it has computed an item
/// before.
const UNFIT_AFTER: u32 = 10;
/// How often a device may return values per core between two answers: when the core ends, and once
/// more.
const RETURNS_PER_CORE: u32 = 2;
const MOST_CORES: u32 = 64;
/// How long people are not told about a doubtful device: others may fail the same items meanwhile.
const DOUBT: Duration = Duration::from_secs(2);

/// The judgement on a device. See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing is known yet.
    Untried,
    /// The device has computed an item.
    Proven,
    /// The device has failed all its items, and nobody knows whose fault that is.
    Doubtful,
    /// The device cannot compute items that other devices can.
    Unfit,
}

impl Standing {
    /// Whether a device with this standing may succeed where a doubtful device fails.
    pub(crate) fn is_good(self) -> bool {
        matches!(self, Self::Untried | Self::Proven)
    }
}

/// The evidence about one device. See the module.
#[derive(Debug, Default)]
pub(crate) struct Fitness {
    /// The device has computed an item.
    proven: bool,
    /// Unexplained failures since the last success.
    doubts: u32,
    /// Failures since the last success, at items which other devices have computed.
    doubt_confirmed: u32,
    /// How often in a row the device has returned unbegun values without a recall.
    returns: u32,
    /// The device keeps returning its values.
    returner: bool,
    /// The device certainly cannot run the function.
    unable: bool,
    /// The results of the device are wrong, so that they do not count any more.
    untrusted: bool,
    rest: Backoff,
    /// The reason of the first failure since the last success.
    why: String,
    /// People know that the device is unfit.
    told: bool,
    /// A message about the first failure is queued or told.
    noted: bool,
    /// People know about failures of the device.
    heard: bool,
}

impl Fitness {
    pub(crate) fn standing(&self) -> Standing {
        let bound = if self.proven { UNFIT_AFTER } else { 1 };
        let fails_all = self.fails_all();
        match self.proven {
            _ if self.untrusted => Standing::Unfit,
            _ if self.unable || self.returner || fails_all && self.doubt_confirmed >= bound => {
                Standing::Unfit
            }
            true => Standing::Proven,
            false if fails_all => Standing::Doubtful,
            false => Standing::Untried,
        }
    }

    /// Whether the device has failed all that it tried for some time.
    pub(crate) fn fails_all(&self) -> bool {
        self.doubts + self.doubt_confirmed >= DOUBTFUL_AFTER
    }

    /// Notes a failure of the device, because of `why`.
    pub(crate) fn failed(&mut self, why: String, silence_limit: Duration, now: Instant) {
        self.doubts += 1;
        self.returns = 0;
        if self.why.is_empty() {
            self.why = why;
        }
        self.begin_rest_if_needed(silence_limit, now);
    }

    /// Notes that people hear about the failures as attempts.
    pub(crate) fn heard(&mut self) {
        self.heard = true;
    }

    /// Notes that the device lacks something for an item, and that people know. If the device has
    /// computed nothing, the missing feature concerns all items.
    pub(crate) fn cannot(&mut self, silence_limit: Duration, now: Instant) {
        (self.unable, self.told, self.heard) = (!self.proven, true, true);
        self.begin_rest_if_needed(silence_limit, now);
    }

    /// Notes that the results of the device do not count any more, and that people know.
    pub(crate) fn distrust(&mut self) {
        (self.untrusted, self.told, self.heard) = (true, true, true);
    }

    /// Whether the results of the device do not count any more.
    pub(super) fn is_untrusted(&self) -> bool {
        self.untrusted
    }

    /// Notes that another device has computed an item which this device failed.
    pub(crate) fn doubt_confirmed(&mut self, silence_limit: Duration, now: Instant) {
        if self.doubts > 0 {
            self.doubts -= 1;
            self.doubt_confirmed += 1;
            self.begin_rest_if_needed(silence_limit, now);
        }
    }

    /// Notes that a failure of the device was the item's fault.
    pub(crate) fn doubt_lifted(&mut self) {
        self.doubts = self.doubts.saturating_sub(1);
    }

    /// Notes that a device with `cores` cores returned unbegun values without a recall.
    pub(crate) fn gave_back(&mut self, cores: u32, silence_limit: Duration, now: Instant) {
        self.returns = self.returns.saturating_add(1);
        if self.returns > RETURNS_PER_CORE * cores.min(MOST_CORES) + DOUBTFUL_AFTER {
            self.returner = true;
            self.why = "it gives back what it is lent, and has not begun it".into();
            self.begin_rest_if_needed(silence_limit, now);
        }
    }

    /// Notes that the device computed an item. Returns the rest of a sentence for people that
    /// begins with the device's name.
    pub(crate) fn succeeded(&mut self) -> Option<String> {
        if self.untrusted {
            return None;
        }
        let before = std::mem::replace(self, Self { proven: true, ..Self::default() });
        if before.told {
            return Some("has computed an item: it gets its share again".into());
        }
        (!before.proven && !before.heard).then(|| before.failures()).flatten()
    }

    /// Begins a rest if the device is doubtful or unfit.
    fn begin_rest_if_needed(&mut self, silence_limit: Duration, now: Instant) {
        if !self.standing().is_good() {
            self.rest.begin(silence_limit, now);
        }
    }

    /// Whether the device rests now; meaningful for a device that stands back.
    pub(super) fn rests(&self, now: Instant) -> bool {
        self.rest.goes_on(now)
    }

    /// Notes that a message about the first failure of an untried device is queued. Returns false
    /// if the device is judged already, or if this is not the first failure.
    pub(crate) fn note_first_failure(&mut self) -> bool {
        self.standing() == Standing::Untried && !std::mem::replace(&mut self.noted, true)
    }

    /// Takes the queued message: returns whether to tell it, because nothing more is known of the
    /// device and people have heard nothing.
    pub(crate) fn take_notice(&mut self) -> bool {
        self.standing() == Standing::Untried
            && self.doubts + self.doubt_confirmed > 0
            && !std::mem::replace(&mut self.heard, true)
    }

    /// Takes the rest of a sentence for people about a device that stands back, once.
    /// `has_better`: another active device may be better.
    pub(crate) fn take_news(&mut self, has_better: bool, now: Instant) -> Option<String> {
        let is_judged =
            self.standing() == Standing::Unfit || has_better && self.rest.age(now) >= DOUBT;
        is_judged.then(|| self.take_news_now()).flatten()
    }

    fn take_news_now(&mut self) -> Option<String> {
        self.heard = true;
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        let why = &self.why;
        Some(format!(
            "is unfit for this job so far: {why}; others get its items, and it is tried again ever more rarely until it succeeds"
        ))
    }

    /// Takes the rest of a sentence for people about a device that leaves.
    pub(super) fn take_last_words(&mut self) -> Option<String> {
        match self.standing() {
            Standing::Unfit => self.take_news_now(),
            Standing::Doubtful | Standing::Untried if !self.heard => self.failures(),
            _ => None,
        }
    }

    /// Describes failures that are no attempts.
    fn failures(&self) -> Option<String> {
        let items = match self.doubts + self.doubt_confirmed {
            0 => return None,
            1 => "an item".to_owned(),
            count => format!("{count} items"),
        };
        Some(format!(
            "failed {items} before it had computed any, which is no attempt: {}",
            self.why
        ))
    }

    /// Whether there is nothing to remember about the device.
    pub(super) fn is_blank(&self) -> bool {
        !self.proven
            && self.doubts + self.doubt_confirmed + self.returns == 0
            && self.standing() == Standing::Untried
    }
}
