//! Applies the rules of [`fitness`](super::fitness): decides whose failures count and which
//! devices stand back, and tells people about unfit devices.

use super::{
    Core, Device, Job,
    fitness::{DeviceKey, Fitness, Standing},
    missing::MissingFeature,
};
use crate::protocol::Failure;
use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};
use stream_lender::{Index, Loan, SubStreamId};

/// The most devices remembered after they have left.
const MOST_AWAY: usize = 4096;
/// The most characters of an error message inside a sentence about a device.
const LONGEST_REASON: usize = 200;
/// How long a message about a device's first failure waits: a device that fails everything quickly
/// is judged by then.
const NOTICE: Duration = Duration::from_secs(2);

/// See [`Core::devices`].
#[derive(Debug)]
pub(crate) struct Devices {
    known: HashMap<DeviceKey, Fitness>,
    heartbeat: Duration,
    /// Devices often come and go in groups: until this time, another device may come.
    others_until: Instant,
    /// People know that no connected device can compute the waiting items.
    told: bool,
    /// People know that some items need a browser, not this machine's cores.
    told_of_browsers: bool,
    /// Queued messages about failures which are no attempts, each with its time. A message is
    /// dropped if people have heard about the device by then.
    notices: VecDeque<(Instant, DeviceKey, String)>,
    /// The URL where tabs join, for messages.
    url: String,
}

/// The meaning of a failure for its item.
pub(super) enum Verdict {
    /// The failure is the device's fault and does not count.
    NoAttempt,
    /// This machine's cores cannot compute the item, but a browser can.
    ForBrowsers,
    /// The failure is attempt `number`. If it is not `certain`, the master waits for other devices
    /// before the item fails for good.
    Attempt { number: u32, certain: bool },
}

impl Devices {
    pub(super) fn new(heartbeat: Duration, now: Instant) -> Self {
        Self {
            known: HashMap::new(),
            heartbeat,
            others_until: now + heartbeat,
            told: false,
            told_of_browsers: false,
            notices: VecDeque::new(),
            url: String::new(),
        }
    }

    pub(super) fn standing(&self, who: &DeviceKey) -> Standing {
        self.known.get(who).map_or(Standing::Untried, Fitness::standing)
    }

    /// Notes that a device came or went.
    pub(super) fn changed(&mut self, now: Instant) {
        self.others_until = now + self.heartbeat;
    }

    /// The time until which a final failure is postponed, because other devices may come.
    pub(super) fn others_until(&self) -> Instant {
        self.others_until
    }

    /// Sets the URL where tabs join.
    pub(super) fn set_url(&mut self, url: &str) {
        self.url = url.into();
    }

    /// Returns a message: tabs can compute `what`, this machine's cores cannot.
    pub(super) fn cannot_compute(&self, what: &str, message: &str) -> String {
        format!(
            "this machine's cores cannot compute {what} ({message}: a browser has it): waiting for tabs at {}; \
             --dom if it needs a page (document, window)",
            self.url
        )
    }

    /// Takes the messages due now.
    fn take_notices(&mut self, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some((_, who, line)) = self.notices.pop_front_if(|(due, ..)| now >= *due) {
            if self.known.get_mut(&who).is_some_and(Fitness::notice) {
                lines.push(line);
            }
        }
        lines
    }

    fn of(&mut self, who: &DeviceKey) -> &mut Fitness {
        self.known.entry(who.clone()).or_default()
    }

    /// Three heartbeats: the length of the first rest.
    fn silence_limit(&self) -> Duration {
        self.heartbeat * 3
    }
}

impl Device {
    /// Whether the device lends cores and works on its values.
    pub(super) fn is_active(&self) -> bool {
        !self.replaced && self.cores > 0 && !self.progress.is_suspect()
    }

    /// Whether items failed by other devices are offered to this device.
    pub(super) fn takes_part(&self) -> bool {
        self.is_active() && !self.stands_back
    }
}

/// Judges failures.
impl Core {
    fn standing(&self, seat: &Device) -> Standing {
        self.devices.standing(&seat.who)
    }

    /// Notes that `sub` failed `index`, and returns the meaning of this failure.
    pub(super) fn judge(
        &mut self,
        sub: SubStreamId,
        index: Index,
        failure: &Failure,
        lack: Option<&MissingFeature>,
        job: &Job,
        now: Instant,
    ) -> Verdict {
        let Some(seat) = self.seats.get(&sub).filter(|_| failure.kind != "vanished") else {
            return Verdict::Attempt { number: self.failures.count(index, false), certain: true };
        };
        let who = seat.who.clone();
        let standing = self.devices.standing(&who);
        let for_browsers =
            who.local && !job.local_only && lack.is_some_and(MissingFeature::is_of_browsers);
        let why = reason(seat, lack, failure, job);
        let doubt_lifted = self.failures.accuse(index, &who, standing == Standing::Proven);
        self.acquit(doubt_lifted);
        let silence_limit = self.devices.silence_limit();
        let fitness = self.devices.of(&who);
        match for_browsers {
            true => fitness.cannot(silence_limit, now),
            false => fitness.failed(why, silence_limit, now),
        }
        match standing {
            _ if for_browsers => Verdict::ForBrowsers,
            Standing::Unfit => Verdict::NoAttempt,
            Standing::Proven => {
                Verdict::Attempt { number: self.failures.count(index, false), certain: true }
            }
            _ if self.somebody_knows_better(sub, index) => {
                self.failures.excuse(index);
                Verdict::NoAttempt
            }
            _ => {
                self.devices.of(&who).heard();
                // This machine's own cores do not come and go.
                let certain =
                    self.failures.has_failed_here(index) || now >= self.devices.others_until;
                Verdict::Attempt { number: self.failures.count(index, true), certain }
            }
        }
    }

    /// Queues the message `line` about a failure of `sub` which is no attempt.
    pub(super) fn note(&mut self, sub: SubStreamId, line: String, now: Instant) {
        let Some(seat) = self.seats.get(&sub) else { return };
        if self.devices.of(&seat.who).is_new() {
            self.devices.notices.push_back((now + NOTICE, seat.who.clone(), line));
        }
    }

    /// Returns advice to append to an error of `sub`.
    pub(super) fn hint(
        &self,
        sub: SubStreamId,
        lack: Option<&MissingFeature>,
        job: &Job,
    ) -> &'static str {
        let (Some(lack), Some(seat)) = (lack, self.seats.get(&sub)) else { return "" };
        match seat.who.local {
            true if job.local_only && lack.is_of_browsers() => {
                " (a browser has it: without --local, tabs can compute this)"
            }
            false if seat.page.insecure && lack.needs_https() => " (this page is not https: --tls)",
            false if lack.is_of_pages() && !job.options.dom => {
                " (only a page has it, its workers have not: --dom)"
            }
            _ => "",
        }
    }

    /// Returns the message about an item for browsers only, once per run.
    pub(super) fn tell_of_browsers(
        &mut self,
        sub: SubStreamId,
        index: Index,
        why: &str,
    ) -> Option<String> {
        if std::mem::replace(&mut self.devices.told_of_browsers, true) {
            return None;
        }
        let is_fit = self.seats.get(&sub).is_some_and(|seat| self.standing(seat).is_good());
        let what = if is_fit { format!("item {}", index + 1) } else { "it".into() };
        Some(self.devices.cannot_compute(&what, why))
    }

    /// Whether another active device is proven, or is not unfit and has not failed `index`.
    fn somebody_knows_better(&self, sub: SubStreamId, index: Index) -> bool {
        self.seats.iter().any(|(other, seat)| {
            *other != sub
                && seat.is_active()
                && match self.standing(seat) {
                    Standing::Proven => true,
                    Standing::Unfit => false,
                    _ => !self.failures.has_failed(index, &seat.who),
                }
        })
    }

    /// Lifts one doubt about each of `devices`, because the failure was the item's fault.
    pub(super) fn acquit(&mut self, devices: Vec<DeviceKey>) {
        for who in devices {
            if let Some(fitness) = self.devices.known.get_mut(&who) {
                fitness.doubt_lifted();
            }
        }
    }

    /// Notes that `sub` has computed `index`. The failures of other devices at this item were
    /// their own fault.
    pub(super) fn computed(&mut self, sub: SubStreamId, index: Index, now: Instant) {
        let doubted = self.failures.forget(index);
        if doubted.is_empty() {
            return;
        }
        let silence_limit = self.devices.silence_limit();
        for who in doubted {
            let other = self.seats.iter().find(|(_, seat)| seat.who == who).map(|(sub, _)| *sub);
            if other != Some(sub)
                && let Some(fitness) = self.devices.known.get_mut(&who)
            {
                fitness.doubt_confirmed(silence_limit, now);
                other.into_iter().for_each(|other| self.hold_back(other, now));
            }
        }
    }

    /// Notes that `sub` has computed an item. Returns a line for people.
    pub(super) fn succeeded(&mut self, sub: SubStreamId) -> Option<String> {
        let seat = self.seats.get(&sub)?;
        let words = self.devices.of(&seat.who).succeeded()?;
        Some(format!("{} {words}", seat.name))
    }

    /// Whether `sub` returns loans without a recall, and at least one of them unbegun, as far as
    /// the master knows.
    pub(super) fn gives_back_unasked(&self, sub: SubStreamId, loans: &[Loan]) -> bool {
        let Some(seat) =
            self.seats.get(&sub).filter(|seat| seat.cores > 0 && !seat.waits_after_recall)
        else {
            return false;
        };
        let is_cancelled =
            |loan: &Loan| self.sync.as_ref().is_some_and(|sync| sync.has_cancelled(loan.index));
        loans.iter().any(|loan| {
            self.lender.holds(sub, *loan) && !seat.running.contains_key(loan) && !is_cancelled(loan)
        })
    }

    /// Notes that `sub` returned unbegun values without a recall.
    pub(super) fn gave_back(&mut self, sub: SubStreamId, now: Instant) {
        let Some(seat) = self.seats.get(&sub) else { return };
        let silence_limit = self.devices.silence_limit();
        self.devices.of(&seat.who).gave_back(seat.cores, silence_limit, now);
        self.hold_back(sub, now);
    }
}

/// Decides which devices stand back.
impl Core {
    /// The active devices that are not unfit: first the devices in normal service, then the
    /// devices standing back.
    pub(super) fn who_may_try(&self) -> (Vec<DeviceKey>, Vec<DeviceKey>) {
        let active = self
            .seats
            .values()
            .filter(|seat| seat.is_active() && self.standing(seat) != Standing::Unfit);
        let (aside, able): (Vec<_>, Vec<_>) = active.partition(|seat| seat.stands_back);
        let who = |seats: Vec<&Device>| seats.into_iter().map(|seat| seat.who.clone()).collect();
        (who(able), who(aside))
    }

    /// Whether to lend little to the device of `seat`: an unfit device, or a doubtful device while
    /// a better one is connected or may come.
    fn stands_back(&self, seat: &Device, now: Instant) -> bool {
        match self.standing(seat) {
            Standing::Unfit => true,
            Standing::Doubtful => {
                let may_come = !seat.who.local && now < self.devices.others_until;
                may_come || self.has_better()
            }
            Standing::Untried | Standing::Proven => false,
        }
    }

    /// Whether any active device is untried or proven.
    fn has_better(&self) -> bool {
        self.seats.values().any(|seat| seat.is_active() && self.standing(seat).is_good())
    }

    /// The most values that `sub` may be lent now: none during a rest and one after a rest,
    /// without limit if the device does not stand back.
    pub(super) fn lend_limit(&self, sub: SubStreamId, now: Instant) -> usize {
        let Some(seat) = self.seats.get(&sub).filter(|seat| self.stands_back(seat, now)) else {
            return usize::MAX;
        };
        let rests = self.devices.known.get(&seat.who).is_some_and(|fitness| fitness.rests(now));
        usize::from(!rests && self.lender.held(sub) == 0)
    }

    /// Marks `sub` as standing back, so that failed items do not wait for this device.
    pub(super) fn stand_back(&mut self, sub: SubStreamId) {
        self.lender.pause(sub);
        if let Some(seat) = self.seats.get_mut(&sub) {
            seat.stands_back = true;
        }
    }

    /// Makes `sub` stand back if the rules say so, and recalls its values.
    pub(super) fn hold_back(&mut self, sub: SubStreamId, now: Instant) {
        if !self
            .seats
            .get(&sub)
            .is_some_and(|seat| !seat.stands_back && self.stands_back(seat, now))
        {
            return;
        }
        self.stand_back(sub);
        let held: Vec<Loan> = self.lender.outstanding(sub).collect();
        if let Some(seat) = self.seats.get_mut(&sub).filter(|_| !held.is_empty()) {
            seat.recall(&held, now);
        }
    }

    /// Wakes devices standing back which may be lent values again: one item after a rest, or as
    /// many as others. Returns lines for people.
    pub(super) fn look_after_unfit(&mut self, now: Instant) -> Vec<String> {
        let aside: Vec<SubStreamId> =
            self.seats.iter().filter(|(_, seat)| seat.stands_back).map(|(sub, _)| *sub).collect();
        let mut lines = self.devices.take_notices(now);
        let has_better = !aside.is_empty() && self.has_better();
        for sub in aside {
            let may_ask = self.lend_limit(sub, now) > 0;
            let Some(seat) = self.seats.get_mut(&sub) else { continue };
            lines.extend(
                self.devices
                    .of(&seat.who)
                    .tell(has_better, now)
                    .map(|words| format!("{} {words}", seat.name)),
            );
            if may_ask {
                seat.stands_back = false;
                seat.wake.notify_one();
            }
        }
        lines.extend(self.tell_that_nobody_can());
        lines
    }

    /// Returns a message, once, when items wait and all connected devices are unfit.
    fn tell_that_nobody_can(&mut self) -> Option<String> {
        // The failures of this machine's cores have messages of their own.
        let has_guests = self.seats.values().any(|seat| seat.is_active() && !seat.who.local);
        let may_try = |seat: &Device| seat.is_active() && self.standing(seat) != Standing::Unfit;
        let nobody_can = has_guests && !self.seats.values().any(may_try);
        let waits = self.lender.oldest_waiting().into_iter().chain(self.court.first()).min();
        let Some(index) = waits.filter(|_| nobody_can) else {
            // While a device tries an item, perhaps no item waits, but nothing has changed for
            // people.
            self.devices.told &= nobody_can;
            return None;
        };
        let told = std::mem::replace(&mut self.devices.told, true);
        (!told).then(|| {
            format!(
                "no device that is here can compute item {}, and those after it: the run goes on when another one joins",
                index + 1
            )
        })
    }

    /// Notes that a device leaves, and remembers its fitness if there is any evidence. Returns a
    /// line for people.
    pub(super) fn remember(&mut self, seat: &Device) -> Option<String> {
        let back = self.seats.values().any(|other| other.who == seat.who);
        let away = self.devices.known.len().saturating_sub(self.seats.len());
        let fitness = self.devices.known.get_mut(&seat.who)?;
        let words = if back { None } else { fitness.last_words() };
        if !back && (fitness.is_blank() || away > MOST_AWAY) {
            self.devices.known.remove(&seat.who);
        }
        words.map(|words| format!("{} {words}", seat.name))
    }
}

impl Job {
    /// The missing feature of the platform, if the error of the failure names one.
    pub(super) fn lack(&self, failure: &Failure) -> Option<MissingFeature> {
        let code = &self.function.code;
        // An error of a program is not an error of JavaScript.
        (!code.is_empty())
            .then(|| MissingFeature::of(&failure.message, failure.stack.as_deref(), code))
            .flatten()
    }
}

/// The reason why a device failed an item, in words.
fn reason(seat: &Device, lack: Option<&MissingFeature>, failure: &Failure, job: &Job) -> String {
    let message: String =
        failure.message.lines().next().unwrap_or_default().chars().take(LONGEST_REASON).collect();
    let browser =
        seat.page.browser.as_ref().map(|browser| format!(" ({browser})")).unwrap_or_default();
    match lack {
        _ if seat.who.local => format!("all that it tried failed ({message})"),
        Some(lack) if seat.page.insecure && lack.needs_https() => {
            format!("this page is not https: --tls ({})", lack.in_words(&message))
        }
        Some(lack) if lack.is_of_pages() && !job.options.dom => {
            format!("only a page has {lack}, and its workers have not: --dom ({message})")
        }
        Some(lack) => format!("this browser{browser} lacks {lack} ({message})"),
        None => format!("all that it tried failed ({message})"),
    }
}
