//! The computations of simulated devices: cores which get values from a real
//! [`Dispatch`](crate::volunteer::Dispatch).

use super::{
    clock::{Clock, Event, MS},
    plan::{Nature, chance},
    world::World,
};
use crate::protocol::{Answer, Failure, Form, Loan, Running, ToMaster, Value};
use bytes::Bytes;
use std::collections::VecDeque;

/// The time until a core is restarted, in microseconds.
const RESTART: u64 = 50 * MS;

/// One core.
#[derive(Default)]
pub(super) struct Worker {
    /// Counts the processes of this core: events of an earlier process are ignored.
    pub(super) generation: u32,
    pub(super) queue: VecDeque<(Loan, Value)>,
    pub(super) open: Vec<Loan>,
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
    /// Gives the cores of a device as many values as they want.
    pub(super) fn feed(&mut self, number: usize) {
        while let Some((core, values)) = self.devices[number].dispatch.feed(self.clock.instant()) {
            self.devices[number].workers[core].queue.extend(values);
            self.begin(number, core);
        }
        self.look_for_overdue(number);
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
                self.devices[number].dispatch.started(core, loan, self.clock.instant());
            }
            let item = &self.plan.items[loan.index as usize];
            assert_eq!(value.bytes, item.text, "{loan:?} came as another value");
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
        let failed = |message: &str| {
            Err(Failure { message: message.into(), stack: None, kind: "throw".into() })
        };
        let vanishes =
            matches!(item.nature, Nature::Vanishes(times) if self.vanished[id as usize] < times);
        let result = match item.nature {
            _ if late => failed("too slow"),
            _ if vanishes => {
                self.vanished[id as usize] += 1;
                self.seen.note("vanished with an item");
                return self.vanish(number, true);
            }
            Nature::Kills => return self.core_died(number, core, &[loan]),
            Nature::Throws => failed("no"),
            _ if chance(&mut self.rng, self.devices[number].flaky) => failed("not here"),
            nature => Ok((Form::Text, self.result_of(loan, nature == Nature::TwoLines))),
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

    /// A unique result, which also names its loan.
    fn result_of(&mut self, loan: Loan, two: bool) -> Bytes {
        self.answers += 1;
        let separator = if two { "\n" } else { " " };
        let rest = if self.plan.items[loan.index as usize].text.len() > 1_000 {
            "y".repeat(200_000)
        } else {
            String::new()
        };
        format!("{}:{}{separator}{}{rest}", loan.index, loan.number, self.answers).into()
    }

    /// Passes the answers of a core to its host, and on to the master.
    pub(super) fn flush(&mut self, number: usize, core: usize) {
        let now = self.clock.instant();
        let device = &mut self.devices[number];
        let answers = std::mem::take(&mut device.workers[core].unflushed);
        if answers.is_empty() {
            return;
        }
        let micros = answers.iter().map(|answer| answer.micros).sum();
        device.dispatch.answered(core, answers.iter().map(|answer| answer.loan), micros, now);
        say!(
            self,
            "device {number} answers {:?}",
            answers.iter().map(|a| (a.loan, a.result.is_ok())).collect::<Vec<_>>()
        );
        self.answer(number, answers);
    }

    /// Ends a core because of one of `causes`, and checks that the host blames no other loan.
    fn core_died(&mut self, number: usize, core: usize, causes: &[Loan]) {
        let device = &mut self.devices[number];
        let verdict = device.dispatch.died(core);
        device.workers[core].end();
        say!(self, "core {core} of device {number} ends because of {causes:?}: {verdict:?}");
        if let Some(loan) = verdict.culprit {
            assert!(causes.contains(&loan), "{loan:?} is innocent of what {causes:?} did");
            let failure =
                Failure { message: "it ended its core".into(), stack: None, kind: "died".into() };
            self.answer(number, vec![Answer { loan, micros: 0, result: Err(failure) }]);
        }
        if !verdict.returned.is_empty() {
            self.give_back(number, verdict.returned, verdict.careful);
        }
        let generation = self.devices[number].workers[core].generation;
        self.clock.after(RESTART, Event::CoreReady(number, core, generation));
    }

    /// Ends the cores whose calls have taken too long.
    pub(super) fn end_overdue(&mut self, number: usize) {
        let now = self.clock.instant();
        self.devices[number].dispatch.tick(now);
        for core in self.devices[number].dispatch.overdue(now) {
            let worker = &self.devices[number].workers[core];
            let given = worker
                .open
                .iter()
                .copied()
                .chain(worker.unflushed.iter().map(|answer| answer.loan));
            // After a freeze, a device finds its calls too slow.
            let causes: Vec<Loan> = given
                .filter(|loan| self.devices[number].froze || self.is_too_slow(number, loan.index))
                .collect();
            self.core_died(number, core, &causes);
        }
        self.look_for_overdue(number);
    }

    fn is_too_slow(&self, number: usize, id: u64) -> bool {
        let item = &self.plan.items[id as usize];
        let micros = item.micros * self.devices[number].slowness;
        item.nature == Nature::Hangs
            || self.plan.job.options.timeout.is_some_and(|ms| micros > ms * MS)
    }

    fn look_for_overdue(&mut self, number: usize) {
        let device = &mut self.devices[number];
        let Some(at) = device.dispatch.next_overdue().map(Clock::micros) else { return };
        if at != device.overdue_at {
            device.overdue_at = at;
            self.clock.after(at.saturating_sub(self.clock.now()), Event::Overdue(number));
        }
    }

    /// Ends the cores which compute only forgotten values, and returns their other values.
    fn end_forgotten(&mut self, number: usize) {
        for core in self.devices[number].dispatch.forgotten(self.clock.instant()) {
            let device = &mut self.devices[number];
            let worker = &mut device.workers[core];
            say!(self, "core {core} of device {number} is at {:?} for nobody", worker.open);
            self.seen.note("at what nobody waits for");
            worker.end();
            let generation = worker.generation;
            let (_, others) = device.dispatch.spoiled(core, false);
            self.give_back(number, others, false);
            self.clock.after(RESTART, Event::CoreReady(number, core, generation));
        }
    }

    /// Lets the hosts of all devices look at the clock: ends what nobody waits for, and reports
    /// the calls which have become long.
    pub(super) fn tick_devices(&mut self) {
        for number in 0..self.devices.len() {
            let device = &mut self.devices[number];
            if device.frozen {
                continue;
            }
            device.dispatch.tick(self.clock.instant());
            self.end_forgotten(number);
            let calls = self.devices[number].dispatch.long_calls(self.clock.instant());
            if !calls.is_empty() {
                let items = calls.into_iter().map(|(id, ms)| Running { id, ms }).collect();
                self.say(number, &ToMaster::Started { items, loading: None });
            }
        }
    }
}
