//! Devices that are not fit for the job: whose failures count, who stands back, and what people are told of that. The rules are those of
//! [`fitness`](super::fitness).

use super::{
    Core, Job, SeatEntry,
    fitness::{Fitness, Standing, Who},
    lacks::Lack,
};
use crate::protocol::Failure;
use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};
use stream_lender::{Index, Loan, SubStreamId};

/// Devices that have left and are remembered.
const MOST_AWAY: usize = 4096;
/// Letters of an error's message in a sentence about a device.
const LONGEST_REASON: usize = 200;
/// A device that fails something is judged within this time, if it fails all and quickly.
const NOTICE: Duration = Duration::from_secs(2);

/// See [`Core::devices`].
#[derive(Debug)]
pub(crate) struct Devices {
    known: HashMap<Who, Fitness>,
    heartbeat: Duration,
    /// Devices come and go together: until then another one may come.
    others_until: Instant,
    /// People know that nobody who is here can compute what waits.
    told: bool,
    /// People know that this machine's cores cannot compute what needs a browser.
    told_of_browsers: bool,
    /// Failures that are no attempts, of devices of which nothing else is known: they are told soon, unless more is said of them before.
    notices: VecDeque<(Instant, Who, String)>,
    /// Where tabs join, for people.
    url: String,
}

/// What a failure means for its item.
pub(super) enum Verdict {
    /// Nothing: it is the device's.
    NoAttempt,
    /// This machine's cores cannot compute it, and a browser can.
    ForBrowsers,
    /// It was this attempt; `certain`: there is no need to wait for what another device says.
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

    pub(super) fn standing(&self, who: &Who) -> Standing {
        self.known.get(who).map_or(Standing::Untried, Fitness::standing)
    }

    /// A device came or went.
    pub(super) fn changed(&mut self, now: Instant) {
        self.others_until = now + self.heartbeat;
    }

    /// Until when the verdict of those who are here waits for others.
    pub(super) fn others_until(&self) -> Instant {
        self.others_until
    }

    /// Where tabs join.
    pub(super) fn set_url(&mut self, url: &str) {
        self.url = url.into();
    }

    /// Says that this machine's cores cannot compute `what`, and that tabs can.
    pub(super) fn cannot_compute(&self, what: &str, message: &str) -> String {
        format!(
            "this machine's cores cannot compute {what} ({message}: a browser has it): waiting for tabs at {}; \
             --dom if it needs a page (document, window)",
            self.url
        )
    }

    /// The failures that are to be told now.
    fn take_notices(&mut self, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some((_, who, line)) = self.notices.pop_front_if(|(due, ..)| now >= *due) {
            if self.known.get_mut(&who).is_some_and(Fitness::notice) {
                lines.push(line);
            }
        }
        lines
    }

    fn of(&mut self, who: &Who) -> &mut Fitness {
        self.known.entry(who.clone()).or_default()
    }

    /// Three heartbeats: the first rest.
    fn patience(&self) -> Duration {
        self.heartbeat * 3
    }
}

impl SeatEntry {
    /// Whether it lends cores and gets on with what it has.
    pub(super) fn is_active(&self) -> bool {
        !self.replaced && self.cores > 0 && !self.progress.is_suspect()
    }

    /// Whether it is asked for what others have failed.
    pub(super) fn takes_part(&self) -> bool {
        self.is_active() && !self.stands_back
    }
}

/// Whose failures count.
impl Core {
    fn standing(&self, seat: &SeatEntry) -> Standing {
        self.devices.standing(&seat.who)
    }

    /// `sub` failed `index`: notes that, and says what it means.
    pub(super) fn judge(
        &mut self,
        sub: SubStreamId,
        index: Index,
        failure: &Failure,
        lack: Option<&Lack>,
        job: &Job,
        now: Instant,
    ) -> Verdict {
        let Some(seat) = self.seats.get(&sub).filter(|_| failure.kind != "vanished") else {
            return Verdict::Attempt { number: self.failures.count(index, false), certain: true };
        };
        let who = seat.who.clone();
        let standing = self.devices.standing(&who);
        let for_browsers = who.local && !job.local_only && lack.is_some_and(Lack::is_of_browsers);
        let why = reason(seat, lack, failure, job);
        let acquitted = self.failures.accuse(index, &who, standing == Standing::Proven);
        self.acquit(acquitted);
        let patience = self.devices.patience();
        let fitness = self.devices.of(&who);
        match for_browsers {
            true => fitness.cannot(patience, now),
            false => fitness.failed(why, patience, now),
        }
        match standing {
            _ if for_browsers => Verdict::ForBrowsers,
            Standing::Unfit => Verdict::NoAttempt,
            Standing::Proven => Verdict::Attempt { number: self.failures.count(index, false), certain: true },
            _ if self.somebody_knows_better(sub, index) => {
                self.failures.excuse(index);
                Verdict::NoAttempt
            }
            _ => {
                self.devices.of(&who).heard();
                // This machine does not come and go.
                let certain = self.failures.has_failed_here(index) || now >= self.devices.others_until;
                Verdict::Attempt { number: self.failures.count(index, true), certain }
            }
        }
    }

    /// `sub` failed an item, as `line` says, which is no attempt: that is told unless more is known soon.
    pub(super) fn note(&mut self, sub: SubStreamId, line: String, now: Instant) {
        let Some(seat) = self.seats.get(&sub) else { return };
        if self.devices.of(&seat.who).is_new() {
            self.devices.notices.push_back((now + NOTICE, seat.who.clone(), line));
        }
    }

    /// What to do about an error of `sub`, to be added to it.
    pub(super) fn hint(&self, sub: SubStreamId, lack: Option<&Lack>, job: &Job) -> &'static str {
        let (Some(lack), Some(seat)) = (lack, self.seats.get(&sub)) else { return "" };
        match seat.who.local {
            true if job.local_only && lack.is_of_browsers() => " (a browser has it: without --local, tabs can compute this)",
            false if seat.page.insecure && lack.needs_https() => " (this page is not https: --tls)",
            false if lack.is_of_pages() && !job.options.dom => " (only a page has it, its workers have not: --dom)",
            _ => "",
        }
    }

    /// What to say of an item that this machine's cores cannot compute, once.
    pub(super) fn tell_of_browsers(&mut self, sub: SubStreamId, index: Index, why: &str) -> Option<String> {
        if std::mem::replace(&mut self.devices.told_of_browsers, true) {
            return None;
        }
        let is_fit = self.seats.get(&sub).is_some_and(|seat| self.standing(seat).is_good());
        let what = if is_fit { format!("item {}", index + 1) } else { "it".into() };
        Some(self.devices.cannot_compute(&what, why))
    }

    /// Whether another active device that is not unfit is proven, or has not failed `index`.
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

    /// These failed an item that is to blame itself.
    pub(super) fn acquit(&mut self, devices: Vec<Who>) {
        for who in devices {
            if let Some(fitness) = self.devices.known.get_mut(&who) {
                fitness.acquitted();
            }
        }
    }

    /// `index` has its result, by `sub` if that is still there: who failed it before is outdone.
    pub(super) fn computed(&mut self, sub: SubStreamId, index: Index, now: Instant) {
        let accused = self.failures.forget(index);
        if accused.is_empty() {
            return;
        }
        let patience = self.devices.patience();
        for who in accused {
            let other = self.seats.iter().find(|(_, seat)| seat.who == who).map(|(sub, _)| *sub);
            if other != Some(sub)
                && let Some(fitness) = self.devices.known.get_mut(&who)
            {
                fitness.outdone(patience, now);
                other.into_iter().for_each(|other| self.hold_back(other, now));
            }
        }
    }

    /// `sub` has computed something. Gives a line to say.
    pub(super) fn succeeded(&mut self, sub: SubStreamId) -> Option<String> {
        let seat = self.seats.get(&sub)?;
        let words = self.devices.of(&seat.who).succeeded()?;
        Some(format!("{} {words}", seat.name))
    }

    /// Whether `sub`, which gives back these, was not asked for them and has not begun them, as far as is known.
    pub(super) fn gives_back_unasked(&self, sub: SubStreamId, loans: &[Loan]) -> bool {
        let Some(seat) = self.seats.get(&sub).filter(|seat| seat.cores > 0 && !seat.yields) else { return false };
        let is_cancelled = |loan: &Loan| self.sync.as_ref().is_some_and(|sync| sync.has_cancelled(loan.index));
        loans.iter().any(|loan| self.lender.holds(sub, *loan) && !seat.running.contains_key(loan) && !is_cancelled(loan))
    }

    /// `sub` gave values back that it had not begun, unasked.
    pub(super) fn gave_back(&mut self, sub: SubStreamId, now: Instant) {
        let Some(seat) = self.seats.get(&sub) else { return };
        let patience = self.devices.patience();
        self.devices.of(&seat.who).gave_back(seat.cores, patience, now);
        self.hold_back(sub, now);
    }
}

/// Who stands back.
impl Core {
    /// The active devices that are not unfit: those that are asked for what others have failed, and those that stand back.
    pub(super) fn who_may_try(&self) -> (Vec<Who>, Vec<Who>) {
        let active = self.seats.values().filter(|seat| seat.is_active() && self.standing(seat) != Standing::Unfit);
        let (aside, able): (Vec<_>, Vec<_>) = active.partition(|seat| seat.stands_back);
        let who = |seats: Vec<&SeatEntry>| seats.into_iter().map(|seat| seat.who.clone()).collect();
        (who(able), who(aside))
    }

    /// Whether `sub` is to be lent little: others are there, or may come.
    fn stands_back(&self, seat: &SeatEntry, now: Instant) -> bool {
        match self.standing(seat) {
            Standing::Unfit => true,
            Standing::Doubtful => {
                let may_come = !seat.who.local && now < self.devices.others_until;
                may_come || self.has_better()
            }
            Standing::Untried | Standing::Proven => false,
        }
    }

    /// Whether an active device may be better than those that are in doubt.
    fn has_better(&self) -> bool {
        self.seats.values().any(|seat| seat.is_active() && self.standing(seat).is_good())
    }

    /// Values that `sub` may be lent now: none while it rests, one after that, any number if it does not stand back.
    pub(super) fn allowance(&self, sub: SubStreamId, now: Instant) -> usize {
        let Some(seat) = self.seats.get(&sub).filter(|seat| self.stands_back(seat, now)) else { return usize::MAX };
        let rests = self.devices.known.get(&seat.who).is_some_and(|fitness| fitness.rests(now));
        usize::from(!rests && self.lender.held(sub) == 0)
    }

    /// `sub` was lent no more than one that stands back may have: nobody waits for it.
    pub(super) fn leave_aside(&mut self, sub: SubStreamId) {
        self.lender.pause(sub);
        if let Some(seat) = self.seats.get_mut(&sub) {
            seat.stands_back = true;
        }
    }

    /// Has `sub` stand back from now on, if it is to, and asks for what it has not begun.
    pub(super) fn hold_back(&mut self, sub: SubStreamId, now: Instant) {
        if !self.seats.get(&sub).is_some_and(|seat| !seat.stands_back && self.stands_back(seat, now)) {
            return;
        }
        self.leave_aside(sub);
        let held: Vec<Loan> = self.lender.outstanding(sub).collect();
        if let Some(seat) = self.seats.get_mut(&sub).filter(|_| !held.is_empty()) {
            seat.ask_back(&held, now);
        }
    }

    /// Wakes those that need not stand back any more, or have rested, and those that are to try one item. Gives lines to say.
    pub(super) fn look_after_unfit(&mut self, now: Instant) -> Vec<String> {
        let aside: Vec<SubStreamId> = self.seats.iter().filter(|(_, seat)| seat.stands_back).map(|(sub, _)| *sub).collect();
        let mut lines = self.devices.take_notices(now);
        let has_better = !aside.is_empty() && self.has_better();
        for sub in aside {
            let may_ask = self.allowance(sub, now) > 0;
            let Some(seat) = self.seats.get_mut(&sub) else { continue };
            lines.extend(self.devices.of(&seat.who).tell(has_better, now).map(|words| format!("{} {words}", seat.name)));
            if may_ask {
                seat.stands_back = false;
                seat.wake.notify_one();
            }
        }
        lines.extend(self.tell_that_nobody_can());
        lines
    }

    /// What to say when all who are here are unfit, and items wait.
    fn tell_that_nobody_can(&mut self) -> Option<String> {
        // What this machine's cores cannot do is told where they fail.
        let has_guests = self.seats.values().any(|seat| seat.is_active() && !seat.who.local);
        let may_try = |seat: &SeatEntry| seat.is_active() && self.standing(seat) != Standing::Unfit;
        let nobody_can = has_guests && !self.seats.values().any(may_try);
        let waits = self.lender.oldest_waiting().into_iter().chain(self.court.first()).min();
        let Some(index) = waits.filter(|_| nobody_can) else {
            // While one of them tries an item nothing may wait: that is no change.
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

    /// A device leaves: what is known of it is kept if that says something. Gives a line to say.
    pub(super) fn remember(&mut self, seat: &SeatEntry) -> Option<String> {
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
    /// What the function missed, as far as the failure tells.
    pub(super) fn lack(&self, failure: &Failure) -> Option<Lack> {
        let code = &self.function.code;
        // A program's errors are its own.
        (!code.is_empty()).then(|| Lack::of(&failure.message, failure.stack.as_deref(), code)).flatten()
    }
}

/// Why a device failed an item, in words.
fn reason(seat: &SeatEntry, lack: Option<&Lack>, failure: &Failure, job: &Job) -> String {
    let message: String = failure.message.lines().next().unwrap_or_default().chars().take(LONGEST_REASON).collect();
    let browser = seat.page.browser.as_ref().map(|browser| format!(" ({browser})")).unwrap_or_default();
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
