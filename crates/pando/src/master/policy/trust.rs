//! `--copies` and `--verify`: several devices compute one value, each a copy of its own.
//!
//! For the lender, a sub-stream of the master holds the value: the *keeper*. It never asks. Each
//! device computes a copy, under a loan of its own. The answers are kept here until they are
//! enough by the [`TrustRule`]; then the keeper gives the result. So every rule about one value
//! that several devices compute stands here, and the lender knows only one holder of each value.
//!
//! With spot checks, a result on the word of one proven device counts only when its turn in the
//! output comes. Until then the value can be computed again, should the device turn out to lie.

mod answers;
mod comparisons;
mod decide;
mod records;
mod returned;
mod shortage;
mod words;

pub(crate) use comparisons::Comparison;
pub(crate) use decide::{Answered, Around};
pub(crate) use records::DeviceRecord;

use crate::{
    config::TrustRule,
    master::{
        items::{Items, Lender},
        job::TrustJob,
        registry::{Device, DeviceKey, Registry},
    },
    protocol::Value,
};
use answers::ItemAnswers;
use comparisons::Comparisons;
use records::{Doubt, Records};
use shortage::ShortageNotice;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
    time::Instant,
};
use stream_lender::{Index, Lent, Loan, SubStreamId};

/// See the module.
#[derive(Debug)]
pub(crate) struct Trust {
    rule: TrustRule,
    compares: bool,
    /// The sub-stream that holds the values, once there is one.
    keeper: Option<SubStreamId>,
    /// The values without a result.
    open: BTreeMap<Index, ItemAnswers>,
    /// The open values that want another device.
    wanting: BTreeSet<Index>,
    /// For each session: the first value in `wanting` that is still to be looked at. The device
    /// may take none before this one.
    next: HashMap<SubStreamId, Index>,
    /// No number in `next` is greater.
    most: Index,
    /// The sessions whose last ask was in vain.
    waiting: BTreeSet<SubStreamId>,
    /// Whether a waiting session may have something to do now.
    may_serve: bool,
    /// Open values with an answer that counts when the value's turn comes.
    provisional: BTreeSet<Index>,
    /// Open values whose answers have changed.
    undecided: BTreeSet<Index>,
    comparisons: Comparisons,
    records: Records,
    /// The bytes of all answers.
    bytes: u64,
    /// How many values two devices have agreed on.
    agreements: u64,
    /// Descriptions of values on which all devices differ, while none have ever agreed.
    differences: Vec<String>,
    doubts: Vec<Doubt>,
    notice: ShortageNotice,
    /// The time of the last event.
    now: Instant,
}

impl Trust {
    /// Nothing computed yet.
    pub(crate) fn new(job: TrustJob) -> Self {
        Self {
            rule: job.rule,
            compares: job.compares,
            keeper: None,
            open: BTreeMap::new(),
            wanting: BTreeSet::new(),
            next: HashMap::new(),
            most: 0,
            waiting: BTreeSet::new(),
            may_serve: false,
            provisional: BTreeSet::new(),
            undecided: BTreeSet::new(),
            comparisons: Comparisons::default(),
            records: Records::new(job.seed),
            bytes: 0,
            agreements: 0,
            differences: Vec::new(),
            doubts: Vec::new(),
            notice: ShortageNotice::default(),
            now: Instant::now(),
        }
    }

    /// The time of the last event here.
    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    /// Bytes of answers that are kept here.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The number of values with an answer that counts when the value's turn comes.
    pub(crate) fn provisional(&self) -> u64 {
        self.provisional.len() as u64
    }

    /// Whether some value wants another device.
    pub(crate) fn has_wanting(&self) -> bool {
        !self.wanting.is_empty()
    }

    /// What is known of the honesty of a device.
    pub(crate) fn record(&self, key: &DeviceKey) -> Option<&DeviceRecord> {
        self.records.find(key)
    }

    /// The next comparison for the command of `--verify-with`.
    pub(crate) fn take_comparison(&mut self) -> Option<Comparison> {
        self.comparisons.take_next()
    }

    /// Whether a comparison waits for the command of `--verify-with`.
    pub(crate) fn has_comparison(&self) -> bool {
        self.comparisons.has_next()
    }

    fn keeper(&mut self, items: &mut Items) -> SubStreamId {
        *self.keeper.get_or_insert_with(|| items.open_paused())
    }

    /// Open items without answers.
    fn untouched(&self) -> ItemAnswers {
        ItemAnswers::wants(match self.rule {
            TrustRule::Copies(devices) | TrustRule::Quorum(devices) => devices as usize,
            TrustRule::SpotChecks(_) => 1,
        })
    }
}

/// What the simulation checks.
#[cfg(test)]
impl Trust {
    pub(crate) fn has_keeper(&self) -> bool {
        self.keeper.is_some()
    }

    pub(crate) fn is_proven(&self, key: &DeviceKey) -> bool {
        self.records.is_proven(key)
    }

    /// Whether nothing is kept of any value, apart from what is dropped at the next look.
    pub(crate) fn is_clear(&self, lender: &Lender) -> bool {
        let mut kept = self.open.keys().chain(&self.wanting).chain(&self.provisional);
        kept.all(|index| lender.value(*index).is_none())
    }
}

/// Values go to devices.
impl Trust {
    /// Lends the session a copy of the oldest value that wants another device and is new to this
    /// one.
    pub(crate) fn lend(
        &mut self,
        items: &mut Items,
        registry: &mut Registry,
        sub: SubStreamId,
    ) -> Option<Lent<Value>> {
        self.waiting.remove(&sub);
        let index = self.first_for(items.lender(), registry, sub)?;
        self.lend_copy(items, registry, sub, index)
    }

    /// Takes a value that the lender has just lent to the session, and lends the session a copy,
    /// if the device may compute the value.
    pub(crate) fn take_in(
        &mut self,
        items: &mut Items,
        registry: &mut Registry,
        sub: SubStreamId,
        loan: Loan,
    ) -> Option<Lent<Value>> {
        let keeper = self.keeper(items);
        let lender = items.lender_mut();
        let _ = lender.hand_back(sub, loan);
        lender.resume_loan(keeper, loan)?;
        self.open_again(loan.index);
        let device = registry.get(sub)?;
        self.may_take(lender, registry, loan.index, device)
            .then(|| self.lend_copy(items, registry, sub, loan.index))
            .flatten()
    }

    /// Lends the session a copy of the value, which the device may compute.
    pub(crate) fn lend_copy(
        &mut self,
        items: &mut Items,
        registry: &mut Registry,
        sub: SubStreamId,
        index: Index,
    ) -> Option<Lent<Value>> {
        let device = registry.get_mut(sub)?;
        let lent = items.lender_mut().copy(index)?;
        self.begin(device, sub, lent.loan, lent.value.bytes.len() as u64);
        Some(lent)
    }

    /// Notes that the session computes a value, of `bytes` bytes, under `loan`.
    fn begin(&mut self, device: &mut Device, sub: SubStreamId, loan: Loan, bytes: u64) {
        let key = device.key().clone();
        device.loans_mut().add_copy(loan, bytes);
        let Some(item) = self.open.get_mut(&loan.index) else { return };
        if let TrustRule::SpotChecks(percent) = self.rule
            && item.is_untouched()
        {
            item.set_wanted(1 + usize::from(self.records.draw_check(&key, percent)));
        }
        item.begin(sub, key);
        match item.missing() {
            0 => drop(self.wanting.remove(&loan.index)),
            _ if self.wanting.contains(&loan.index) => {}
            _ => self.open_again(loan.index),
        }
    }

    /// Notes that the last ask of the session was in vain.
    pub(crate) fn waits(&mut self, sub: SubStreamId) {
        self.waiting.insert(sub);
    }

    /// Wakes the waiting sessions for which there is a value.
    pub(crate) fn wake(&mut self, lender: &Lender, registry: &Registry) {
        if !mem::take(&mut self.may_serve) || self.wanting.is_empty() {
            return;
        }
        for sub in self.waiting.clone() {
            match registry.get(sub) {
                None => drop(self.waiting.remove(&sub)),
                Some(device) => {
                    if self.first_for(lender, registry, sub).is_some() {
                        self.waiting.remove(&sub);
                        device.wake();
                    }
                }
            }
        }
    }

    /// The oldest value that the session may take.
    fn first_for(
        &mut self,
        lender: &Lender,
        registry: &Registry,
        sub: SubStreamId,
    ) -> Option<Index> {
        let last = *self.wanting.last()?;
        let device = registry.get(sub)?;
        let from = self.next.get(&sub).copied().unwrap_or_default();
        let mut wanting = self.wanting.range(from..).copied();
        let found = wanting.find(|index| self.may_take(lender, registry, *index, device));
        let next = found.unwrap_or(from.max(last + 1));
        self.next.insert(sub, next);
        self.most = self.most.max(next);
        found
    }

    /// Whether a device may compute the value: it is new to the device, and the keeper has it. A
    /// device that failed it comes last. After a refused confirmation, a device may still compute
    /// the value, although nobody waits for that answer.
    fn may_take(
        &self,
        lender: &Lender,
        registry: &Registry,
        index: Index,
        device: &Device,
    ) -> bool {
        let Some(item) = self.open.get(&index) else { return false };
        let key = device.key();
        let may = |key: &DeviceKey| item.is_new_to(key) && !self.records.is_caught(key);
        let others = || {
            registry.devices().any(|device| {
                let key = device.key();
                device.takes_part() && may(key) && !item.has_failed(key)
            })
        };
        item.missing() > 0
            && self.is_here(lender, index)
            && may(key)
            && device.loans().copy_of(index).is_none()
            && (!item.has_failed(key) || !others())
    }

    /// Whether a device may compute the value besides all the devices that it wants, so that one of
    /// them may be slow (`--speculate`).
    pub(crate) fn may_take_besides(&self, lender: &Lender, index: Index, key: &DeviceKey) -> bool {
        self.open.get(&index).is_some_and(ItemAnswers::is_just_enough)
            && !self.provisional.contains(&index)
            && self.is_here(lender, index)
            && self.suits(index, key)
    }

    /// Whether the value is new to a device, which has not failed it.
    pub(crate) fn suits(&self, index: Index, key: &DeviceKey) -> bool {
        let item = self.open.get(&index);
        item.is_some_and(|item| item.is_new_to(key) && !item.has_failed(key))
            && !self.records.is_caught(key)
    }

    /// Whether the value has no result, and nobody but the keeper holds it.
    fn is_here(&self, lender: &Lender, index: Index) -> bool {
        let holder = lender.holder(index);
        lender.value(index).is_some() && (holder.is_none() || holder == self.keeper)
    }
}
