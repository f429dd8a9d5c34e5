//! The state of a run, guarded by one lock: the items, the devices, and the machines that decide.
//! This file composes them; each knows only what it is given.

mod confirm;
mod io;
#[cfg(test)]
mod tests;
mod trust;

use super::{
    exchange::Exchange,
    forecast::Forecast,
    items::{Ending, Items, Loop},
    job::Job,
    policy::{
        Confirmations, Decision, Oldest, ResultBackPressure, Retries, RunContext, Speculation,
        Trust, Unwanted,
        backpressure::{self, WaitingResults},
        owner, stand_back, stragglers,
        watch::{self, Watcher},
    },
    registry::{Newcomer, News, Registry},
    said::{PrintedLine, PrintedLines, no_lines},
    shutdown::Shutdown,
};
use bytes::Bytes;
use std::{collections::HashMap, path::PathBuf, time::Instant};
use stream_lender::{Index, Lent, Loan, SubStreamId, Window};

/// See the module.
pub(crate) struct RunState {
    items: Items,
    registry: Registry,
    retries: Retries,
    confirmations: Confirmations,
    speculation: Speculation,
    trust: Option<Trust>,
    unwanted: Unwanted,
    backpressure: ResultBackPressure,
    forecast: Forecast,
    oldest: Oldest,
    printed: PrintedLines,
    shutdown: Shutdown,
}

/// Whom to wake after a change.
pub(crate) struct Wakes {
    /// The reader of the input.
    pub(crate) input: bool,
    /// The task that confirms results.
    pub(crate) confirmer: bool,
    /// The task that compares results.
    pub(crate) comparer: bool,
    /// The writer of the output.
    pub(crate) output: bool,
    /// Whether back-pressure applies, if this may have changed.
    pub(crate) holds_back: Option<bool>,
}

/// A session that was opened.
pub(crate) struct Joined {
    pub(crate) sub: SubStreamId,
    /// The name of the device, which no other device has.
    pub(crate) name: String,
    /// The loans that the device keeps.
    pub(crate) keep: Vec<Loan>,
    /// The device rests first.
    pub(crate) rests: bool,
    /// The device had a session on another route, and goes on by this one.
    pub(crate) moves: bool,
    pub(crate) room: usize,
}

/// The next output.
pub(crate) enum Emitted {
    /// An item with its result, or with the message about its failure, if there is any.
    Item(Index, Result<Bytes, Option<String>>, Option<PathBuf>),
    Pending,
    Ended(Ending),
}

impl RunState {
    /// The state before anything is read.
    pub(super) fn new(job: &Job) -> Self {
        let window = Window { items: job.window, ..Window::default() };
        let calls = job.options.concurrency.into();
        let mut items = Items::new(window, job.order, job.sync.then(|| Loop::new(job.per_core())));
        if job.packs() {
            items.keep_inputs();
        }
        items.share(job.gateway);
        Self {
            items,
            registry: Registry::new(job.batch_size, calls, job.heartbeat(), Instant::now()),
            retries: Retries::new(),
            confirmations: Confirmations::default(),
            speculation: Speculation::default(),
            trust: job.trust.map(Trust::new),
            unwanted: Unwanted::default(),
            backpressure: ResultBackPressure::default(),
            forecast: Forecast::new(Instant::now()),
            oldest: Oldest::default(),
            printed: no_lines(),
            shutdown: Shutdown::default(),
        }
    }

    pub(crate) fn items(&self) -> &Items {
        &self.items
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) fn retries(&self) -> &Retries {
        &self.retries
    }

    pub(crate) fn speculation(&self) -> &Speculation {
        &self.speculation
    }

    pub(crate) fn forecast(&self) -> &Forecast {
        &self.forecast
    }

    pub(crate) fn oldest(&self) -> &Oldest {
        &self.oldest
    }

    pub(crate) fn confirmations(&self) -> &Confirmations {
        &self.confirmations
    }

    pub(crate) fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// The newest lines that the function printed.
    pub(crate) fn printed(&self) -> &PrintedLines {
        &self.printed
    }

    /// Keeps lines that the function printed.
    pub(crate) fn note_printed(&mut self, lines: Vec<PrintedLine>) {
        lines.into_iter().for_each(|line| self.printed.push(line.shortened()));
    }

    pub(crate) fn registry_mut(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// The number of items with a result, or left out.
    pub(crate) fn settled(&self) -> u64 {
        self.items.settled() + self.trust.as_ref().map_or(0, Trust::provisional)
    }

    /// How results are trusted, if several devices compute each value.
    pub(crate) fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    /// Wakes the sessions which may ask or be read, and returns whom else to wake.
    pub(super) fn take_wakes(&mut self, job: &Job) -> Wakes {
        let comparer = self.trust.is_some() && self.serve_by_trust(job);
        self.items.take_finished();
        while let Some(sub) = self.items.lender_mut().next_wake() {
            if let Some(device) = self.registry.get(sub) {
                device.wake();
            }
        }
        let holds_back = self.resume_channels();
        self.ask_program();
        self.serve_upstream();
        let output = self.items.has_output() && self.shutdown.end_wait();
        let confirmer = !self.confirmations.is_empty();
        Wakes { input: self.items.wants_input(), confirmer, comparer, output, holds_back }
    }

    /// Asks the program in the loop for one value per free core.
    fn ask_program(&mut self) {
        let Self { items, registry, .. } = self;
        items.ask_program(|lender, per_core| {
            let devices = registry.iter().filter(|(_, d)| !d.is_replaced() && !d.stands_back());
            let free = devices.map(|(sub, device)| {
                (u64::from(device.cores()) * per_core).saturating_sub(lender.held(sub) as u64)
            });
            free.sum()
        });
    }

    fn waiting_results(&self) -> WaitingResults<'_> {
        let Self { items, confirmations, trust, .. } = self;
        WaitingResults { items, confirmations, trust: trust.as_ref() }
    }

    /// Whether too many bytes of results wait.
    pub(super) fn holds_back(&self) -> bool {
        self.backpressure.applies(self.waiting_results())
    }

    /// Wakes the sessions whose channels may be read again. Returns whether back-pressure applies,
    /// if this may have changed.
    pub(super) fn resume_channels(&mut self) -> Option<bool> {
        let Self { items, registry, confirmations, trust, backpressure, .. } = self;
        let results = WaitingResults { items, confirmations, trust: trust.as_ref() };
        backpressure.resume(results, registry)
    }

    /// Pauses the reading of a session's channel, if back-pressure demands this. Returns whether
    /// the channel may be read.
    pub(super) fn pause_channel_if_due(&mut self, sub: SubStreamId) -> bool {
        let Self { items, registry, confirmations, trust, backpressure, .. } = self;
        let results = WaitingResults { items, confirmations, trust: trust.as_ref() };
        backpressure.pause_if_due(results, registry, sub)
    }
}

/// Sessions come and go.
impl RunState {
    /// Opens a session for a device, which keeps the loans that it `holds`, as far as they are
    /// still its own.
    pub(crate) fn join(
        &mut self,
        newcomer: Newcomer,
        holds: impl Iterator<Item = Loan>,
        now: Instant,
    ) -> Joined {
        let Self { items, registry, retries, trust, .. } = self;
        if newcomer.reloaded {
            registry.evidence_mut().judge_anew(&newcomer.key);
        }
        let old = registry.replace(&newcomer.key);
        let moves = old.is_some_and(|(_, path)| path != newcomer.path);
        if let Some((old, _)) = old {
            items.lender_mut().close(old);
            if let (Some(trust), Some(device)) = (trust.as_mut(), registry.get(old)) {
                trust.left(old, device);
            }
        }
        let lender = items.lender_mut();
        let sub = lender.open();
        let id = newcomer.key.device.clone();
        let rests = registry.evidence().rest_before(&id).is_some();
        let name = registry.join(sub, newcomer, now);
        let mut keep = Vec::new();
        let mut holds: Vec<Loan> = holds.filter(|_| !rests).collect();
        let mut last = HashMap::new();
        for Loan { index, number } in &holds {
            let last = last.entry(*index).or_insert(*number);
            *last = (*last).max(*number);
        }
        if let Some(trust) = trust {
            for loan in holds.drain(..).filter(|loan| last[&loan.index] == loan.number) {
                if trust.resume(items, registry, sub, loan) {
                    retries.came_back(loan.index, &id);
                    keep.push(loan);
                }
            }
        }
        let lender = items.lender_mut();
        let device = registry.get_mut(sub).expect("the device has just joined");
        if device.cores() == 0 || rests {
            lender.pause(sub);
        }
        // Of several loans of an item, only the last one can be the present one.
        for loan in holds.into_iter().filter(|loan| last[&loan.index] == loan.number) {
            if let Some(lent) = lender.resume_loan(sub, loan) {
                retries.came_back(loan.index, &id);
                device.loans_mut().add(1, lent.value.bytes.len() as u64);
                keep.push(loan);
            }
        }
        Joined { sub, name, keep, rests, moves, room: device.loans().room() }
    }

    /// Takes the news for a session, and returns how many values more there is room for.
    pub(crate) fn take_news(&mut self, sub: SubStreamId) -> (News, usize) {
        let news = self.registry.take_news(sub, self.shutdown.is_finished());
        let Some(device) = self.registry.get_mut(sub) else { return (news, 0) };
        for Lent { loan, .. } in &news.values {
            if self.retries.goes_alone(loan.index) {
                device.loans_mut().set_alone(loan.index);
            }
        }
        (news, device.loans().room())
    }

    /// Ends the output, because no device can ever run the function.
    pub(crate) fn cannot_run(&mut self, why: String) {
        self.retries.cannot_run(&mut self.items, why);
    }

    /// Ends the run, and wakes every session to say so.
    pub(super) fn finish(&mut self) {
        self.shutdown.finish();
        self.registry.wake_all();
    }
}

/// Decisions, and the way of values.
impl RunState {
    /// What goes between the lender and the session `sub`.
    pub(super) fn exchange<'a>(
        &'a mut self,
        sub: SubStreamId,
        job: &'a Job,
        now: Instant,
    ) -> Exchange<'a> {
        let Self {
            items, registry, retries, speculation, trust, confirmations, backpressure, ..
        } = self;
        let context = RunContext { items, registry, job, now };
        Exchange { sub, context, retries, speculation, trust, confirmations, backpressure }
    }

    /// Applies a decision of the owner about the device with this number. Returns a line for
    /// people.
    ///
    /// # Errors
    /// When the decision is not possible, with a sentence for people.
    pub(super) fn decide(
        &mut self,
        (number, decision): (u64, Decision),
        job: &Job,
        now: Instant,
    ) -> Result<Option<String>, &'static str> {
        let Self { items, registry, .. } = self;
        owner::decide(&mut RunContext { items, registry, job, now }, number, decision)
    }

    /// Performs one check, ten times a second: settles postponed failures, wakes devices standing
    /// back, recalls values, and lends waiting values and copies. Returns lines for people.
    pub(super) fn look_for_stragglers(&mut self, job: &Job, now: Instant) -> Vec<String> {
        let Self { items, registry, retries, speculation, trust, unwanted, shutdown, .. } = self;
        let mut context = RunContext { items, registry, job, now };
        let mut lines = retries.settle_due(&mut context, shutdown.is_interrupted());
        lines.extend(retries.take_notices(&mut context));
        lines.extend(stand_back::look_after_unfit(&mut context));
        lines.extend(retries.tell_that_nobody_can(&context));
        let mut explained = stragglers::recall_from_stalled(&mut context);
        stragglers::end_waits(&mut context, trust.as_ref());
        explained.extend(stragglers::recall_stragglers(&mut context, trust.as_ref()));
        match trust {
            Some(trust) => lines.extend(trust.look_after(&context)),
            None => explained.extend(unwanted.lend(&mut context, retries)),
        }
        if job.speculate {
            explained.extend(speculation.lend_copies(&mut context, retries, trust.as_mut()));
        }
        if job.explains {
            lines.extend(explained);
        }
        lines
    }

    /// Performs one check, once a second. Returns lines for people.
    pub(super) fn look_after(
        &mut self,
        watcher: &mut Watcher,
        job: &Job,
        now: Instant,
    ) -> Vec<String> {
        let holds_back = self.holds_back();
        let (settled, cores) = (self.settled(), self.registry.computing_cores());
        let Self { items, registry, forecast, oldest, .. } = self;
        forecast.observe(settled, cores, now);
        oldest.look(items.lender().oldest().map(|(index, _)| index), now);
        let late = watcher.take_lateness(now);
        let mut context = RunContext { items, registry, job, now };
        if late.is_zero() {
            backpressure::check_parts(context.items, context.registry, now);
            watch::end_overdue(&mut context);
        } else {
            watch::excuse(context.registry, late, now);
        }
        let mut lines = watch::tell_long_calls(&mut context);
        lines.extend(watch::tell_stalled(&mut context));
        lines.extend(watcher.look_at_window(context.items, context.registry, holds_back, now));
        lines
    }
}

/// What the simulation checks.
#[cfg(test)]
impl RunState {
    pub(crate) fn is_interrupted(&self) -> bool {
        self.shutdown.is_interrupted()
    }

    /// Values that were given up.
    pub(crate) fn left(&self) -> usize {
        self.shutdown.left()
    }
}
