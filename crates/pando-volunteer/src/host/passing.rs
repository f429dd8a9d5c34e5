//! The host of a gateway: it has no cores, and passes the values on to the devices behind it.

use super::{Host, Introduction, cores::fitting, outbox::Results};
use pando_protocol::volunteer::{Answer, Loan, ToMaster, Value};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    mem,
    time::Instant,
};

/// What the driver of a gateway has to do with the values of its master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassedOn {
    /// Have these values computed. [`Host::pass_up`] takes the answers.
    Values(Vec<(Loan, Value)>),
    /// Return those of these values that no core has begun. The gateway still has the others.
    Recall(Vec<Loan>),
    /// Nobody needs these values any more.
    Forget(Vec<Loan>),
}

/// What the devices behind a gateway say to its master.
#[derive(Debug, Default)]
pub struct PassedUp {
    /// Answers. They name the values; the numbers of their loans say nothing to the master.
    pub answers: Vec<Answer>,
    /// The values that nobody has begun, and nobody of these devices will.
    pub returned: Vec<u64>,
    /// What the devices say besides.
    pub messages: Vec<ToMaster>,
    /// The number of cores of all devices, if it has changed.
    pub cores: Option<u32>,
}

/// The values that are passed on, and what is to be done with them.
#[derive(Debug, Default)]
pub(super) struct Passing {
    /// The values without an answer, each with the number of its loan.
    held: HashMap<u64, u32>,
    orders: VecDeque<PassedOn>,
}

impl Passing {
    pub(super) fn held(&self) -> impl Iterator<Item = Loan> {
        self.held.iter().map(|(index, number)| Loan { index: *index, number: *number })
    }

    pub(super) fn pass_on(&mut self, values: Vec<(Loan, Value)>) {
        self.held.extend(values.iter().map(|(loan, _)| (loan.index, loan.number)));
        self.orders.push_back(PassedOn::Values(values));
    }

    pub(super) fn keep(&mut self, kept: &HashSet<&Loan>) {
        let (kept, others) = self.held().partition::<Vec<_>, _>(|loan| kept.contains(loan));
        self.held = kept.into_iter().map(|loan| (loan.index, loan.number)).collect();
        if !others.is_empty() {
            self.orders.push_back(PassedOn::Forget(others));
        }
    }

    /// Takes the present loan of the value at `index`, which is settled.
    fn take(&mut self, index: u64) -> Option<Loan> {
        self.held.remove(&index).map(|number| Loan { index, number })
    }
}

/// A gateway.
impl Host {
    /// The host of a gateway, which lends the cores of the devices behind it. The number of these
    /// cores may change at any time ([`Host::lend`]).
    pub fn gateway(introduction: Introduction) -> Self {
        Self { passing: Some(Passing::default()), ..Self::new(introduction) }
    }

    /// Whether the host has no cores of its own, because it is that of a gateway.
    pub fn is_gateway(&self) -> bool {
        self.passing.is_some()
    }

    /// What a gateway does next with the values of its master.
    pub fn next_passed_on(&mut self) -> Option<PassedOn> {
        self.passing.as_mut()?.orders.pop_front()
    }

    /// Tells the master what the devices behind the gateway say. Values go under the loans under
    /// which the gateway has them now; what is said of other values is dropped.
    pub fn pass_up(&mut self, said: PassedUp, now: Instant) {
        let PassedUp { answers, returned, messages, cores } = said;
        if let Some(cores) = cores {
            self.lend(cores, now);
        }
        messages.into_iter().for_each(|message| self.tell(message));
        self.answer(answers);
        let Some(passing) = &mut self.passing else { return };
        let loans = returned.into_iter().filter_map(|index| passing.take(index)).collect();
        self.say_returned(loans, false);
    }

    fn answer(&mut self, mut answers: Vec<Answer>) {
        let Some(passing) = &mut self.passing else { return };
        answers.retain_mut(|answer| match passing.take(answer.loan.index) {
            Some(loan) => {
                answer.loan = loan;
                true
            }
            None => false,
        });
        self.computed += answers.len() as u64;
        let mut rest = &answers[..];
        while !rest.is_empty() {
            let (some, others) = rest.split_at(fitting(rest));
            self.outbox.add(Results::of(some));
            rest = others;
        }
    }

    fn tell(&mut self, mut message: ToMaster) {
        let Some(passing) = &self.passing else { return };
        if let ToMaster::Started { items, .. } = &mut message {
            items.retain_mut(|call| match passing.held.get(&call.id.index) {
                Some(number) => {
                    call.id.number = *number;
                    true
                }
                None => false,
            });
        }
        self.say(message);
    }

    /// The master asks for these values, as far as nobody has begun them.
    pub(super) fn recall(&mut self, loans: Vec<Loan>, now: Instant) {
        if let Some(passing) = &mut self.passing {
            return passing.orders.push_back(PassedOn::Recall(loans));
        }
        let loans = self.dispatch.recall(&loans);
        self.say_returned(loans, false);
        self.feed(now);
    }

    /// Forgets all values of a gateway.
    pub(super) fn forget_passed_on(&mut self) {
        self.passing.iter_mut().for_each(|passing| drop(mem::take(passing)));
    }
}
