//! The computations of simulated devices: cores which take the orders of a real host.

use super::{
    clock::{Event, MS},
    plan::{Nature, chance},
    world::World,
};
use crate::{
    protocol::{Answer, Failure, Form, Loan, Value},
    volunteer::{CoreEvent, CoreId, CoreOrder},
};
use bytes::Bytes;
use pando_protocol::core::CoreMessage;
use std::collections::VecDeque;

/// The time until a core is ready at first, in microseconds.
const START: u64 = 10 * MS;
/// The time until a core that replaces another is ready, in microseconds.
const RESTART: u64 = 50 * MS;

/// One core.
#[derive(Default)]
pub(super) struct Worker {
    /// Counts the processes of this core: events of an earlier process are ignored.
    pub(super) generation: u32,
    pub(super) queue: VecDeque<(Loan, Value)>,
    pub(super) open: Vec<Loan>,
    /// The calls that take too long, as the input was when they began.
    slow: Vec<Loan>,
    unflushed: Vec<Answer>,
    after_careful: bool,
}

impl Worker {
    /// Ends the process of the core.
    pub(super) fn end(&mut self) {
        *self = Self { generation: self.generation + 1, ..Self::default() };
    }
}

impl World {
    /// Carries out an order of the host.
    pub(super) fn obey(&mut self, number: usize, order: CoreOrder) {
        match order {
            CoreOrder::Start(CoreId { number: core, generation }) => {
                self.devices[number].workers[core].generation = generation;
                let delay = if generation == 0 { START } else { RESTART };
                self.clock.after(delay, Event::CoreReady(number, core, generation));
            }
            CoreOrder::Compute(id, values) => {
                self.devices[number].workers[id.number].queue.extend(values);
                self.begin(number, id.number);
            }
            CoreOrder::End(id) => self.end_core(number, id.number),
        }
    }

    /// Begins as many calls as may be open.
    fn begin(&mut self, number: usize, core: usize) {
        let concurrency = self.plan.job.options.concurrency as usize;
        loop {
            let device = &mut self.devices[number];
            let worker = &mut device.workers[core];
            if worker.open.len() >= concurrency {
                return;
            }
            let Some((loan, value)) = worker.queue.pop_front() else { return };
            let tells = worker.open.is_empty()
                || value.careful
                || worker.after_careful
                || chance(&mut self.rng, 50);
            worker.after_careful = value.careful;
            worker.open.push(loan);
            let generation = worker.generation;
            if tells {
                self.flush(number, core);
                let started = CoreEvent::Message(CoreMessage::Started { id: loan });
                self.tell_host(number, core, started);
            }
            if self.is_too_slow(number, loan.index) {
                self.devices[number].workers[core].slow.push(loan);
            }
            let item = &self.plan.items[loan.index as usize];
            // A device may still have values of the run before the input was edited.
            assert!(value.bytes == item.text || self.edited, "{loan:?} came as another value");
            let micros = (item.micros * self.devices[number].slowness).max(1);
            say!(
                self,
                "device {number} begins {loan:?} ({:?}) on core {core} for {micros} us",
                item.nature
            );
            if item.nature != Nature::Hangs {
                let until = self.plan.job.options.timeout.map_or(micros, |ms| micros.min(ms * MS));
                self.clock.after(until, Event::CallEnds(number, core, generation, loan));
            }
        }
    }

    /// Ends a call, as the nature of its value demands.
    pub(super) fn call_ends(&mut self, number: usize, core: usize, generation: u32, loan: Loan) {
        let id = loan.index;
        let device = &self.devices[number];
        if device.workers[core].generation != generation {
            return;
        }
        let item = &self.plan.items[id as usize];
        let (micros, late) = (item.micros * device.slowness, self.is_too_slow(number, id));
        let failed = |message: &str| Err(Failure::new(message, "throw").into());
        let vanishes =
            matches!(item.nature, Nature::Vanishes(times) if self.vanished[id as usize] < times);
        let result = match item.nature {
            _ if late => failed("too slow"),
            _ if vanishes => {
                self.vanished[id as usize] += 1;
                self.seen.note("vanished with an item");
                return self.vanish(number, true);
            }
            Nature::Kills => {
                self.devices[number].guilty.insert(loan);
                return self.tell_host(number, core, CoreEvent::Ended("it was killed".into()));
            }
            Nature::Throws => failed("no"),
            _ if chance(&mut self.rng, self.devices[number].flaky) => failed("not here"),
            nature => Ok((Form::Text, self.result_of(number, loan, nature == Nature::TwoLines))),
        };
        let worker = &mut self.devices[number].workers[core];
        worker.open.retain(|open| *open != loan);
        worker.unflushed.push(Answer { loan, micros, result });
        if worker.unflushed.len() == 1 {
            let delay = self.devices[number].flush;
            self.clock.after(delay, Event::Flush(number, core, generation));
        }
        self.begin(number, core);
    }

    /// A unique result, which also names its loan; in a run in which devices compare their results,
    /// one that depends on the value alone.
    fn result_of(&mut self, number: usize, loan: Loan, two: bool) -> Bytes {
        if self.plan.job.trust.is_some() {
            return self.shared_result(number, loan, two);
        }
        self.answers += 1;
        let rest = if self.plan.items[loan.index as usize].text.len() > 1_000 {
            "y".repeat(200_000)
        } else {
            String::new()
        };
        let text = format!("{}:{} {}{rest}", loan.index, loan.number, self.answers);
        self.shape.result(&text, self.values_in(loan.index), two)
    }

    /// Passes the answers of a core to its host.
    pub(super) fn flush(&mut self, number: usize, core: usize) {
        let device = &mut self.devices[number];
        let worker = &mut device.workers[core];
        let answers = std::mem::take(&mut worker.unflushed);
        if answers.is_empty() {
            return;
        }
        let id = CoreId { number: core, generation: worker.generation };
        say!(
            self,
            "device {number} answers {:?}",
            answers.iter().map(|a| (a.loan, a.result.is_ok())).collect::<Vec<_>>()
        );
        let late = answers.iter().filter(|answer| device.stutters && !device.holds(answer.loan));
        let late: Vec<Answer> = late.cloned().collect();
        device.host.answered(id, &answers, self.clock.instant());
        if !late.is_empty() {
            self.answer(number, &late);
        }
    }

    fn tell_host(&mut self, number: usize, core: usize, event: CoreEvent) {
        let device = &mut self.devices[number];
        let id = CoreId { number: core, generation: device.workers[core].generation };
        device.host.hear(id, event, self.clock.instant());
    }

    /// Ends a core, as its host demands. The host may blame calls that take too long.
    fn end_core(&mut self, number: usize, core: usize) {
        let device = &self.devices[number];
        let worker = &device.workers[core];
        say!(self, "core {core} of device {number} ends at {:?}", worker.open);
        let is_needed = |loan: &Loan| device.holds(*loan);
        let is_forgotten = !worker.open.is_empty() && !worker.open.iter().any(is_needed);
        let given = worker.open.iter().chain(worker.unflushed.iter().map(|answer| &answer.loan));
        // After a freeze, a device finds its calls too slow.
        let late = |loan: &&Loan| device.froze || worker.slow.contains(loan);
        let guilty: Vec<Loan> = given.filter(late).copied().collect();
        self.seen.note_if(is_forgotten, "at what nobody waits for");
        self.devices[number].guilty.extend(guilty);
        self.devices[number].workers[core].end();
    }

    fn is_too_slow(&self, number: usize, id: u64) -> bool {
        let item = &self.plan.items[id as usize];
        let micros = item.micros * self.devices[number].slowness;
        item.nature == Nature::Hangs
            || self.plan.job.options.timeout.is_some_and(|ms| micros > ms * MS)
    }
}
