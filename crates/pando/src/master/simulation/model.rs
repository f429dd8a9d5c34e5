//! The model: what a run may do, simple enough to be believed.

mod answers;
mod failures;
mod lending;
mod output;

use super::{clock::SECOND, plan::Item, shared::SharedModel};
use crate::{master::job::Job, protocol::Loan};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use stream_lender::{Index, SubStreamId};

/// The time in microseconds after which a value is also lent to a device which has failed the
/// value.
const UNWANTED: u64 = 10 * SECOND;

/// The state of all values, and of the output.
pub(super) struct Model {
    job: Job,
    fates: Vec<Fate>,
    /// The first value which failed for good and so ends the run.
    fatal: Option<Index>,
    /// The first value that was given up.
    given_up: Option<Index>,
    left_out: u64,
    /// For each session, the last value sent to be computed alone.
    alone: BTreeMap<SubStreamId, Index>,
    /// Sessions that paused at some time: the lender forgets their earlier failures.
    paused: BTreeSet<SubStreamId>,
    /// Identifiers of devices that have computed something.
    proven: BTreeSet<String>,
    /// Identifiers of devices whose results come from devices behind them.
    pub(super) gateways: BTreeSet<String>,
    /// Devices that were unfit at the last check: a final failure may lift the doubts about a
    /// device at the same moment.
    unfit: BTreeSet<String>,
    /// Values which some device failed, and which have no known end yet.
    doubtful: BTreeSet<Index>,
    /// The run has ended.
    is_over: bool,
    /// The index of the next output, if the output is in the order of the input.
    next: Index,
    /// The model of a run with `--copies` or `--verify`, in place of all above.
    shared: Option<SharedModel>,
    /// The virtual time in microseconds.
    pub(super) now: u64,
}

/// The state of one value.
#[derive(Default)]
struct Fate {
    text: Bytes,
    /// The sessions to which the value was sent and whose answer the master has not received, each
    /// with the number of its loan.
    with: BTreeMap<SubStreamId, u32>,
    /// The numbers of all loans sent.
    sent: BTreeSet<u32>,
    /// A device answered or returned a loan before it was sent, by guessing the number: the model
    /// no longer knows the holder of the value.
    muddled: bool,
    attempts: u32,
    failed_by: Vec<SubStreamId>,
    /// All failures.
    failures: u32,
    /// Devices that failed the value.
    failed_on: BTreeSet<String>,
    /// Failures that always count, because the device had computed something.
    certain: u32,
    /// The time when the value was last returned or failed.
    back: u64,
    careful: bool,
    /// The result waiting for confirmation, and the session which answered, if it still exists.
    unconfirmed: Option<(Option<SubStreamId>, Bytes)>,
    end: Option<End>,
    /// The value has been output.
    is_output: bool,
}

/// The end of a value.
enum End {
    Result(Bytes),
    LeftOut,
    /// The output reports the failure.
    Told,
}

impl Fate {
    /// Ends a loan of `sub`. With `counts`, the master accepts the message, because `sub` holds
    /// this very loan.
    fn ends(&mut self, sub: SubStreamId, loan: Loan, counts: bool) {
        if self.with.get(&sub) == Some(&loan.number) {
            self.with.remove(&sub);
        } else if counts {
            assert!(
                !self.sent.contains(&loan.number),
                "what {sub:?} says of {loan:?} counts, and that is over, or another's"
            );
            self.muddled = true;
        }
    }
}

impl Model {
    /// Creates the model of a new run. The results in `known` come from a journal.
    /// `sleeps` is for [`SharedModel::new`].
    pub(super) fn new(
        job: Job,
        items: &[Item],
        known: &BTreeMap<Index, Bytes>,
        sleeps: bool,
    ) -> Self {
        let mut fates: Vec<Fate> =
            items.iter().map(|item| Fate { text: item.text.clone(), ..Fate::default() }).collect();
        for (index, result) in known {
            fates[*index as usize].end = Some(End::Result(result.clone()));
        }
        Self {
            shared: SharedModel::new(&job, items, known, sleeps),
            job,
            fates,
            fatal: None,
            given_up: None,
            left_out: 0,
            alone: BTreeMap::new(),
            paused: BTreeSet::new(),
            proven: BTreeSet::new(),
            gateways: BTreeSet::new(),
            unfit: BTreeSet::new(),
            doubtful: BTreeSet::new(),
            is_over: false,
            next: 0,
            now: 0,
        }
    }

    /// The model of a run with `--copies` or `--verify`.
    pub(super) fn shared(&self) -> Option<&SharedModel> {
        self.shared.as_ref()
    }

    /// Whether the run drops its last values.
    pub(super) fn is_cut(&self) -> bool {
        self.cut().is_some() || self.shared.as_ref().is_some_and(SharedModel::is_cut)
    }

    /// Whether the run has dropped values without waiting for earlier ones.
    pub(super) fn has_given_up(&self) -> bool {
        self.given_up.is_some()
    }

    /// The first dropped value.
    fn cut(&self) -> Option<Index> {
        [self.fatal, self.given_up].into_iter().flatten().min()
    }

    /// Notes that values from `index` on are given up.
    pub(super) fn give_up(&mut self, index: Index) {
        self.shared.iter_mut().for_each(SharedModel::give_up);
        self.given_up = Some(index);
    }

    /// The results so far.
    pub(super) fn results(&self) -> BTreeMap<Index, Bytes> {
        let result = |(index, fate): (usize, &Fate)| match &fate.end {
            Some(End::Result(result)) => Some((index as Index, result.clone())),
            _ => None,
        };
        self.fates.iter().enumerate().filter_map(result).collect()
    }
}
