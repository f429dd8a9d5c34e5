//! The host's side of its cores: their events, and their starts and ends.

use super::{CoreOrder, Host, outbox::Results};
use crate::{
    dispatch::CrashOutcome,
    engine::{CoreEvent, CoreId},
};
use bytes::Bytes;
use pando_process::duration::spoken;
use pando_protocol::{
    core::CoreMessage,
    volunteer::{Answer, Failure, Loan, LogEntry, PART, ToMaster, Welcome},
};
use std::time::Instant;

/// Most failed starts of a core in a row: a core that dies this often before loading the function
/// is given up.
const MAX_FAILED_STARTS: u32 = 3;
/// Approximate bytes of an answer in a frame, besides its result.
const ANSWER_BYTES: usize = 24;

/// The place of one core, and of those that replace it.
#[derive(Debug, Default)]
pub(super) struct CoreSlot {
    generation: u32,
    runs: bool,
    /// The core ends as soon as it has no value.
    leaving: bool,
    failed_starts: u32,
    /// Results that do not count yet.
    tentative: Vec<Results>,
}

impl CoreSlot {
    /// The id of the present core.
    pub(super) fn id(&self, number: usize) -> CoreId {
        CoreId { number, generation: self.generation }
    }

    /// The loans of the results that do not count yet.
    pub(super) fn tentative_loans(&self) -> impl Iterator<Item = Loan> {
        self.tentative.iter().flat_map(Results::loans).copied()
    }

    /// Drops results that do not count yet, except those that `keeps` accepts.
    pub(super) fn keep(&mut self, keeps: &impl Fn(&Loan) -> bool) {
        self.tentative.retain_mut(|results| results.keep(keeps));
    }
}

impl Host {
    /// The last welcome of a master, which describes the job; its loans are left out.
    pub fn welcome(&self) -> Option<&Welcome> {
        self.welcome.as_ref()
    }

    /// The number of values that the cores have answered, with results or failures.
    pub fn computed(&self) -> u64 {
        self.computed
    }

    /// Takes an event of core `id`. Only a stray line counts after the end of the core.
    pub fn hear(&mut self, id: CoreId, event: CoreEvent, now: Instant) {
        let number = id.number;
        match event {
            CoreEvent::Stray(text) => self.say(ToMaster::Log {
                entries: vec![LogEntry { level: "log".into(), text, ..LogEntry::default() }],
            }),
            _ if !self.runs(id) => {}
            CoreEvent::Results(frame) => self.results(number, frame, true, now),
            CoreEvent::Tentative(frame) => self.results(number, frame, false, now),
            CoreEvent::Confirmed => self.confirm_tentative(number),
            CoreEvent::Message(message) => self.core_says(number, message, now),
            CoreEvent::Ended(why) => {
                let why = format!("it ended the process that computed it ({why})");
                self.died(number, "died", why);
            }
        }
        self.feed(now);
    }

    fn core_says(&mut self, number: usize, message: CoreMessage, now: Instant) {
        match message {
            CoreMessage::Ready if self.cores[number].leaving => {}
            // An engine keeps these messages to itself.
            CoreMessage::Booted | CoreMessage::Asset { .. } => {}
            CoreMessage::Ready => self.dispatch.ready(number),
            CoreMessage::Started { id } => self.dispatch.started(number, id, now),
            CoreMessage::Spoiled { careful } => self.spoiled(number, careful),
            CoreMessage::Broken { message, stack } => self.say(ToMaster::Broken { message, stack }),
            CoreMessage::Log { entries } => self.say(ToMaster::Log { entries }),
            CoreMessage::Report { id, report } => self.say(ToMaster::Report { id, report }),
        }
    }

    /// Core `id` has loaded the function.
    pub fn ready(&mut self, id: CoreId, now: Instant) {
        self.hear(id, CoreEvent::Message(CoreMessage::Ready), now);
    }

    /// Core `id` gives these answers.
    pub fn answered(&mut self, id: CoreId, answers: &[Answer], now: Instant) {
        if !self.runs(id) {
            return;
        }
        let mut rest = answers;
        while !rest.is_empty() {
            let (some, others) = rest.split_at(fitting(rest));
            let micros = some.iter().map(|answer| answer.micros).sum();
            self.take(id.number, Results::of(some), micros, now);
            rest = others;
        }
        self.confirm_tentative(id.number);
        self.feed(now);
    }

    /// Core `id` cannot be started, for the reason `why`.
    pub fn cannot_start(&mut self, id: CoreId, why: &str) {
        if self.runs(id) {
            let core = &mut self.cores[id.number];
            (core.runs, core.failed_starts) = (false, MAX_FAILED_STARTS + 1);
            let message = format!("no process can be started: {why}");
            self.say(ToMaster::Broken { message, stack: None });
        }
    }

    /// Gives the cores as many values as they want.
    pub(super) fn feed(&mut self, now: Instant) {
        self.dispatch.tick(now);
        while let Some((number, values)) = self.dispatch.feed(now) {
            let id = self.cores[number].id(number);
            self.orders.push_back(CoreOrder::Compute(id, values));
        }
    }

    fn runs(&self, id: CoreId) -> bool {
        self.cores.get(id.number).is_some_and(|core| core.runs && core.generation == id.generation)
    }

    /// Takes a frame of results, which count only once the core is `sure` of them.
    fn results(&mut self, number: usize, frame: Bytes, sure: bool, now: Instant) {
        match Results::decode(frame) {
            Ok((results, micros)) => {
                // The duration of a result that may not count says nothing. With the greatest
                // duration, the core gets as few values at a time as at first.
                self.take(number, results, if sure { micros } else { u64::MAX }, now);
                if sure {
                    self.confirm_tentative(number);
                }
            }
            Err(_) => self.died(
                number,
                "died",
                "the process that computed it wrote something unintelligible".into(),
            ),
        }
    }

    fn take(&mut self, number: usize, mut results: Results, micros: u64, now: Instant) {
        let loans = results.loans().iter().copied();
        let unneeded = self.dispatch.answered(number, loans, micros, now);
        let core = &mut self.cores[number];
        core.failed_starts = 0;
        if results.keep(&|loan: &Loan| !unneeded.contains(loan)) {
            self.computed += results.loans().len() as u64;
            core.tentative.push(results);
        }
    }

    fn confirm_tentative(&mut self, number: usize) {
        let core = &mut self.cores[number];
        core.tentative.drain(..).for_each(|results| self.outbox.add(results));
        if core.leaving {
            self.adjust_cores();
        }
    }

    /// Ends the cores whose calls are past their timeout.
    pub(super) fn end_overdue(&mut self, now: Instant) {
        let timeout = self.timeout.unwrap_or_default();
        for number in self.dispatch.overdue(now) {
            self.died(number, "timeout", format!("no answer within {}", spoken(timeout)));
        }
    }

    /// Ends the cores that compute only what nobody needs.
    pub(super) fn end_forgotten(&mut self, now: Instant) {
        for number in self.dispatch.forgotten(now) {
            self.spoiled(number, false);
        }
    }

    /// Settles the values of core `number`, which died or has to end, and starts another core.
    fn died(&mut self, number: usize, kind: &str, why: String) {
        self.confirm_tentative(number);
        let CrashOutcome { culprit, returned, careful } = self.dispatch.died(number);
        if culprit.is_some() || !returned.is_empty() {
            // The values ended the core, not a failed start.
            self.cores[number].failed_starts = 0;
        }
        if let Some(loan) = culprit {
            let failure = Box::new(Failure::new(why, kind));
            self.outbox.add(Results::of(&[Answer { loan, micros: 0, result: Err(failure) }]));
        }
        self.say_returned(returned, careful);
        self.replace(number);
    }

    /// Replaces core `number` after an uncaught error, because the core may raise further errors.
    fn spoiled(&mut self, number: usize, careful: bool) {
        self.cores[number].failed_starts = 0;
        let (open, others) = self.dispatch.spoiled(number, careful);
        self.say_returned(open, true);
        self.say_returned(others, false);
        self.replace(number);
    }

    fn replace(&mut self, number: usize) {
        self.end(number);
        self.adjust_cores();
    }

    /// Ends core `number`, whose values are settled.
    fn end(&mut self, number: usize) {
        let core = &mut self.cores[number];
        if std::mem::take(&mut core.runs) {
            self.orders.push_back(CoreOrder::End(core.id(number)));
            core.generation += 1;
            core.leaving = false;
        }
    }

    /// Ends all cores, without any account of their values.
    pub(super) fn end_cores(&mut self) {
        for number in 0..self.cores.len() {
            self.end(number);
            self.cores[number].tentative.clear();
            self.cores[number].failed_starts = 0;
        }
    }

    /// Starts cores until as many run as are lent, and ends those beyond as soon as they have no
    /// value. A paused volunteer keeps its cores, and returns the values that wait.
    pub(super) fn adjust_cores(&mut self) {
        if self.is_gateway() {
            return;
        }
        let lent = self.introduction.cores as usize;
        if lent == 0 {
            let waiting = self.dispatch.pause();
            return self.say_returned(waiting, false);
        }
        if self.job.is_none() {
            return;
        }
        self.dispatch.resume();
        let count = lent.max(self.cores.len());
        self.cores.resize_with(count, CoreSlot::default);
        self.dispatch.grow(count);
        for number in 0..count {
            self.adjust(number, number < lent);
        }
    }

    fn adjust(&mut self, number: usize, lent: bool) {
        let core = &mut self.cores[number];
        if core.runs && !lent {
            core.leaving = true;
            self.dispatch.retire(number);
        }
        if core.leaving && core.tentative.is_empty() && self.dispatch.is_idle(number) {
            self.dispatch.died(number);
            self.end(number);
        }
        let core = &self.cores[number];
        if lent && !core.runs && core.failed_starts <= MAX_FAILED_STARTS {
            self.start(number);
        }
    }

    fn start(&mut self, number: usize) {
        let core = &mut self.cores[number];
        core.failed_starts += 1;
        if core.failed_starts > MAX_FAILED_STARTS {
            let message = "the process that should load the function ends again and again".into();
            return self.say(ToMaster::Broken { message, stack: None });
        }
        core.runs = true;
        self.orders.push_back(CoreOrder::Start(core.id(number)));
    }
}

/// The number of `answers` that fit in a frame of one part: at least one.
pub(super) fn fitting(answers: &[Answer]) -> usize {
    let mut length = 0;
    let fits = |answer: &&Answer| {
        let result = match &answer.result {
            Ok((_, bytes)) => bytes.len(),
            Err(failure) => {
                failure.message.len() + failure.stack.as_ref().map_or(0, String::len) + 64
            }
        };
        length += ANSWER_BYTES + result;
        length <= PART
    };
    answers.iter().take_while(fits).count().max(1)
}
