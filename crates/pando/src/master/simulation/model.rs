//! The model: what a run may do, simple enough to be believed.

use super::{clock::SECOND, link::Note, plan::Item, seen::Seen, shared::SharedModel};
use crate::{
    config::{FailureLimit, OnError},
    master::{items::Ending, job::Job, registry::Standing, state::RunState},
    protocol::{Answer, Loan, Value},
};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};
use stream_lender::{Index, Order, SubStreamId};

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
    pub(super) fn new(job: Job, items: &[Item], known: &BTreeMap<Index, Bytes>) -> Self {
        let mut fates: Vec<Fate> =
            items.iter().map(|item| Fate { text: item.text.clone(), ..Fate::default() }).collect();
        for (index, result) in known {
            fates[*index as usize].end = Some(End::Result(result.clone()));
        }
        Self {
            shared: SharedModel::new(&job, items),
            job,
            fates,
            fatal: None,
            given_up: None,
            left_out: 0,
            alone: BTreeMap::new(),
            paused: BTreeSet::new(),
            proven: BTreeSet::new(),
            unfit: BTreeSet::new(),
            doubtful: BTreeSet::new(),
            is_over: false,
            next: 0,
            now: 0,
        }
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

    /// Checks a value sent to `sub`.
    pub(super) fn sent(
        &mut self,
        sub: SubStreamId,
        loan: Loan,
        value: &Value,
        fresh: bool,
        state: &RunState,
        seen: &mut Seen,
    ) {
        if let Some(shared) = &mut self.shared {
            return shared.sent(sub, loan, value, state);
        }
        let index = loan.index;
        let cut = self.cut();
        let is_paused = state.registry().get(sub).is_some_and(|device| device.cores() == 0);
        assert!(!fresh || !is_paused, "{sub:?} is lent {index} in a pause");
        let fate = &mut self.fates[index as usize];
        assert_eq!(value.bytes, fate.text, "{index} is another value");
        let old = fate.end.is_some() || cut.is_some_and(|fatal| fatal <= index);
        let copy = !state.items().lender().holds(sub, loan);
        seen.note_if(copy, "copied");
        assert!(fate.sent.insert(loan.number), "{loan:?} is sent twice");
        assert!(
            !copy || self.job.speculate || old || fate.muddled,
            "{sub:?} is sent {index} and does not hold it"
        );
        assert!(
            !old || self.job.speculate || cut.is_some() || fate.muddled,
            "{index} is done, and sent again"
        );
        assert!(
            fate.unconfirmed.is_none() || self.job.speculate || fate.muddled,
            "{index} is being confirmed, and sent again"
        );
        if !old && !copy {
            // A copy on its way may have the attempt number of an earlier time.
            let late = self.job.speculate && value.attempt < fate.failures;
            assert!(
                late || (value.attempt, value.careful) == (fate.failures, fate.careful),
                "{} {} of {index}, not {} {}",
                value.attempt,
                value.careful,
                fate.failures,
                fate.careful
            );
            seen.note_if(value.attempt > 0, "tried again");
            seen.note_if(value.careful, "careful");
            if let Some(alone) =
                self.alone.get(&sub).filter(|alone| cut.is_none_or(|fatal| **alone < fatal))
            {
                // After a result elsewhere, the value is not suspected any more.
                let fate = &self.fates[*alone as usize];
                let open = fate.end.is_none() && fate.unconfirmed.is_none();
                assert!(
                    !open || !fate.with.contains_key(&sub),
                    "{sub:?} is sent {index} besides {alone}, which it is to have alone"
                );
            }
            if state.retries().goes_alone(index) {
                seen.note("alone");
                self.alone.insert(sub, index);
            }
            let fate = &self.fates[index as usize];
            if fresh
                && fate.failed_by.contains(&sub)
                && !self.paused.contains(&sub)
                && self.now < fate.back + UNWANTED
            {
                seen.note("failed by all, lent again");
                let other = state.registry().iter().find(|(other, device)| {
                    device.takes_part()
                        && !self.paused.contains(other)
                        && !fate.failed_by.contains(other)
                });
                assert!(
                    other.is_none(),
                    "{sub:?} has failed {index}, and {:?} is there to try it",
                    other.map(|(sub, _)| sub)
                );
            }
        }
        let fate = &mut self.fates[index as usize];
        let others = fate.with.keys().filter(|other| **other != sub).count();
        let most = if self.job.speculate { 1 } else { 0 };
        assert!(
            others <= most || fate.muddled,
            "{index} is with {:?}, and sent to {sub:?}",
            fate.with
        );
        assert!(
            fate.with.insert(sub, loan.number).is_none() || fate.muddled,
            "{sub:?} is sent {index} twice"
        );
    }

    /// Whether only `sub` has the value, under this loan, and the result is still missing.
    pub(super) fn only_with(&self, sub: SubStreamId, loan: Loan) -> bool {
        let Loan { index, number } = loan;
        let Some(fate) = self.fates.get(index as usize) else { return false };
        let open = fate.end.is_none()
            && fate.unconfirmed.is_none()
            && self.cut().is_none_or(|fatal| index < fatal);
        // With speculation, a device may have a copy of a value while the loan belongs to a
        // session to which the value has not been sent yet.
        self.shared.is_none()
            && open
            && !fate.muddled
            && !self.job.speculate
            && fate.with.iter().eq([(&sub, &number)])
    }

    /// As [`kept`](Self::kept), in a run with `--copies` or `--verify`.
    pub(super) fn kept_shared(&mut self, sub: SubStreamId, kept: &[Loan], state: &RunState) {
        if let Some(shared) = &mut self.shared {
            shared.kept(sub, kept, state);
        }
    }

    /// Notes that `sub` takes up the loans in `kept`.
    pub(super) fn kept(&mut self, sub: SubStreamId, kept: &[Loan]) {
        if self.shared.is_some() {
            return;
        }
        for loan in kept {
            let fate = &mut self.fates[loan.index as usize];
            assert!(
                fate.end.is_none() && (fate.with.is_empty() || self.job.speculate || fate.muddled),
                "{loan:?} is taken up"
            );
            fate.with.insert(sub, loan.number);
        }
    }

    /// Notes a message of `sub`, before `state` receives it.
    pub(super) fn hear(
        &mut self,
        sub: SubStreamId,
        note: &Note,
        state: &RunState,
        seen: &mut Seen,
    ) {
        if let Some(shared) = &mut self.shared {
            return shared.hear(sub, note, state);
        }
        let holds = |loan: Loan| state.items().lender().holds(sub, loan);
        let copied = |loan: Loan| {
            state.registry().get(sub).is_some_and(|device| device.loans().is_copy(loan))
        };
        match note {
            Note::Part | Note::Other => {}
            Note::Paused => self.pauses(sub),
            Note::Returned(ids, careful) => {
                for loan in ids.iter().copied().collect::<BTreeSet<_>>() {
                    let Some(fate) = self.fates.get_mut(loan.index as usize) else { continue };
                    fate.ends(sub, loan, holds(loan) || copied(loan));
                    if holds(loan) {
                        fate.careful |= careful;
                        fate.back = self.now;
                    }
                }
            }
            Note::Answers(answers) => {
                let mut heard = BTreeSet::new();
                let (mut computed, device) = (
                    false,
                    state.registry().get(sub).map(|device| device.key().device.to_string()),
                );
                for answer in answers {
                    let loan = answer.loan;
                    let first = heard.insert(loan);
                    let other =
                        state.items().lender().holder(loan.index) == Some(sub) && !holds(loan);
                    seen.note_if(other, "answered an earlier loan of what it has");
                    let is_for = (first && holds(loan), first && copied(loan));
                    computed |= self.answer(sub, answer, is_for, device.as_deref(), state);
                }
                self.proven.extend(device.filter(|_| computed && !self.job.confirms));
            }
        }
    }

    /// Notes an answer. Returns whether it is an expected result.
    fn answer(
        &mut self,
        sub: SubStreamId,
        answer: &Answer,
        (holds, copied): (bool, bool),
        device: Option<&str>,
        state: &RunState,
    ) -> bool {
        let Loan { index, number } = answer.loan;
        let cut = self.cut().is_some_and(|fatal| fatal <= index);
        let Some(fate) = self.fates.get_mut(index as usize) else { return false };
        fate.ends(sub, answer.loan, holds || copied);
        assert!(
            !copied || self.job.speculate || cut,
            "only with --speculate, or of values that were cut off, there are copies"
        );
        if cut || fate.end.is_some() || fate.unconfirmed.is_some() || !(holds || copied) {
            return false;
        }
        match &answer.result {
            Ok((_, result)) if !result.contains(&b'\n') => {
                let own = format!("{index}:{number} ");
                assert!(
                    result.starts_with(own.as_bytes()) || result.starts_with(b"forged"),
                    "{result:?} is of another loan than {own}"
                );
                if self.job.confirms {
                    fate.unconfirmed = Some((Some(sub), result.clone()));
                } else {
                    fate.end = Some(End::Result(result.clone()));
                    self.doubtful.remove(&index);
                }
                true
            }
            // A failed copy has no effect.
            _ if !holds => false,
            _ => {
                self.failed(index, Some(sub), device, state);
                false
            }
        }
    }

    /// Notes the outcome of a command of `--confirm`.
    pub(super) fn confirmed(&mut self, index: Index, well: bool, state: &RunState) {
        if let Some(shared) = &mut self.shared {
            return shared.confirmed(index, well);
        }
        let cut = self.cut();
        let fate = &mut self.fates[index as usize];
        let Some((by, result)) = fate.unconfirmed.take() else { return };
        let device = by
            .and_then(|by| state.registry().get(by))
            .map(|device| device.key().device.to_string());
        if well {
            self.proven.extend(device.clone());
        }
        if cut.is_some_and(|cut| cut <= index) {
            return;
        }
        if well {
            fate.end = Some(End::Result(result));
            self.doubtful.remove(&index);
        } else {
            self.failed(index, by, device.as_deref(), state);
        }
    }

    /// Notes a failure of `index`, on `device` if the device is still connected.
    fn failed(
        &mut self,
        index: Index,
        by: Option<SubStreamId>,
        device: Option<&str>,
        state: &RunState,
    ) {
        let fate = &mut self.fates[index as usize];
        fate.failures += 1;
        fate.failed_by.extend(by);
        fate.back = self.now;
        let is_unfit = by
            .and_then(|by| state.registry().get(by))
            .is_some_and(|device| state.registry().standing(device.key()) == Standing::Unfit);
        fate.certain +=
            u32::from(device.is_none_or(|device| self.proven.contains(device) && !is_unfit));
        fate.failed_on.extend(device.map(str::to_owned));
        self.doubtful.insert(index);
    }

    /// Checks the master's decisions about failed values.
    pub(super) fn look(&mut self, state: &RunState, seen: &mut Seen) {
        if let Some(shared) = &mut self.shared {
            return shared.look(state);
        }
        if self.is_over {
            return;
        }
        let aside = state
            .registry()
            .iter()
            .filter(|(_, device)| device.stands_back() || device.is_suspect());
        for (sub, device) in aside {
            seen.note_if(device.stands_back(), "stands back");
            seen.note_if(
                state.registry().standing(device.key()) == Standing::Unfit,
                "device is unfit",
            );
            self.paused.insert(sub);
        }
        seen.note_if(state.retries().has_postponed(), "final failure waits");
        let fatal = state.retries().fatal();
        self.check_limit(fatal, state);
        for index in self.doubtful.clone() {
            let is_fatal = fatal == Some(index) && self.fatal != fatal;
            let is_cut_off = [fatal, self.given_up].into_iter().flatten().any(|cut| cut <= index);
            if is_fatal || is_cut_off || state.items().lender().is_settled(index) {
                self.doubtful.remove(&index);
                if is_fatal || !is_cut_off {
                    self.failed_for_good(index, is_fatal, state, seen);
                }
                continue;
            }
            let fate = &mut self.fates[index as usize];
            let attempts = state.retries().attempts(index);
            assert!(
                (fate.attempts..=fate.failures).contains(&attempts),
                "{attempts} attempts at {index}, before {}",
                fate.attempts
            );
            assert!(fate.certain <= self.job.retries, "{index} has failed too often");
            seen.note_if(attempts < fate.failures, "failure that does not count");
            fate.attempts = attempts;
        }
        let unfit = state
            .registry()
            .devices()
            .filter(|device| state.registry().standing(device.key()) == Standing::Unfit);
        self.unfit = unfit.map(|device| device.key().device.to_string()).collect();
    }

    /// Checks that `--max-failures` ends the run at the right time, by item `fatal`.
    fn check_limit(&self, fatal: Option<Index>, state: &RunState) {
        let Some(FailureLimit::Items(most)) = self.job.max_failures else { return };
        if self.job.on_error == OnError::Stop {
            return;
        }
        let (failed, _) = state.retries().counts();
        assert!(fatal.is_some() || failed <= most, "{failed} have failed, more than {most}");
        assert!(fatal.is_none() || failed >= most, "{failed} have failed, fewer than {most}");
    }

    /// Checks a final failure: proven devices have failed `index`, or all connected devices.
    fn failed_for_good(&mut self, index: Index, is_fatal: bool, state: &RunState, seen: &mut Seen) {
        let fate = &mut self.fates[index as usize];
        assert!(fate.failures > self.job.retries, "{index} has failed {} times", fate.failures);
        if fate.certain == 0 {
            seen.note("failed for good by all that are here");
            let other = state.registry().devices().find(|device| {
                let is_unfit = state.registry().standing(device.key()) == Standing::Unfit
                    || self.unfit.contains(&*device.key().device);
                device.is_active() && !is_unfit && !fate.failed_on.contains(&*device.key().device)
            });
            assert!(
                other.is_none(),
                "{index} has failed, and {:?} is there to try it",
                other.map(|device| &device.key().device)
            );
        }
        match self.job.on_error {
            OnError::Stop => self.fatal = Some(self.fatal.map_or(index, |fatal| fatal.min(index))),
            _ if is_fatal => {
                seen.note("too many failures");
                self.fatal = Some(index);
            }
            on_error => {
                self.left_out += 1;
                fate.end = Some(if on_error == OnError::Skip { End::LeftOut } else { End::Told });
            }
        }
    }

    /// Notes that `sub` lends no cores.
    pub(super) fn pauses(&mut self, sub: SubStreamId) {
        self.paused.insert(sub);
    }

    /// Notes that the device of `sub` vanished. A value computed alone has failed.
    pub(super) fn vanished(&mut self, sub: SubStreamId, state: &RunState) {
        if self.shared.is_some() {
            return;
        }
        let Some(device) = state.registry().get(sub) else { return };
        let first = state.items().lender().outstanding(sub).take(device.cores() as usize);
        let told = device
            .loans()
            .running()
            .map(|(loan, _)| loan)
            .filter(|loan| state.items().lender().holds(sub, *loan));
        let computing: BTreeSet<Index> = first.chain(told).map(|loan| loan.index).collect();
        for index in computing.into_iter().filter(|index| state.retries().goes_alone(*index)) {
            if self.cut().is_none_or(|fatal| index < fatal) {
                // This failure counts on any device.
                self.failed(index, Some(sub), None, state);
            }
        }
    }

    /// Notes that `sub` is gone.
    pub(super) fn left(&mut self, sub: SubStreamId) {
        if let Some(shared) = &mut self.shared {
            return shared.left(sub);
        }
        for fate in &mut self.fates {
            if fate.with.remove(&sub).is_some() {
                fate.back = self.now;
            }
            fate.failed_by.retain(|failed| *failed != sub);
            if let Some((by, _)) = &mut fate.unconfirmed {
                *by = by.filter(|by| *by != sub);
            }
        }
    }

    /// Checks an output.
    pub(super) fn output(&mut self, index: Index, output: Result<Bytes, String>) {
        if let Some(shared) = &mut self.shared {
            return shared.output(index, output);
        }
        if self.job.order == Order::OfInput {
            assert_eq!(index, self.skip(), "out of its place");
            assert!(
                self.cut().is_none_or(|fatal| index < fatal),
                "{index} is output, and the run was to end before"
            );
            self.next += 1;
        }
        let fate = &mut self.fates[index as usize];
        assert!(!mem::replace(&mut fate.is_output, true), "{index} is output twice");
        match (&self.fates[index as usize].end, output) {
            (Some(End::Result(result)), Ok(output)) => assert_eq!(*result, output, "of {index}"),
            (Some(End::Told), Err(text)) if self.job.on_error == OnError::Tell => {
                assert!(!text.is_empty())
            }
            (Some(End::Told), Ok(text)) if self.job.on_error == OnError::Report => {
                let report: serde_json::Value =
                    serde_json::from_slice(&text).expect("a report is JSON");
                assert_eq!(report["error"]["index"], index + 1);
            }
            (_, output) => panic!("{index} is output and has none: {output:?}"),
        }
    }

    /// The index of the next output, after values left out.
    fn skip(&mut self) -> Index {
        while let Some(Fate { end: Some(End::LeftOut), .. }) = self.fates.get(self.next as usize) {
            self.next += 1;
        }
        self.next
    }

    /// The number of values that were output or left out, before the value at `end`.
    fn done_before(&self, end: Index) -> u64 {
        let fates = self.fates.iter().take(end as usize);
        let is_done = |fate: &&Fate| fate.is_output || matches!(fate.end, Some(End::LeftOut));
        fates.filter(is_done).count() as u64
    }

    /// Checks the end of the run, after `read` values were read.
    pub(super) fn ended(
        &mut self,
        ending: &Ending,
        read: u64,
        all: bool,
        input_failed: bool,
        seen: &mut Seen,
    ) {
        if let Some(shared) = &mut self.shared {
            return shared.ended(ending, read, all);
        }
        self.is_over = true;
        let is_unordered = self.job.order == Order::OfResults;
        let next = if is_unordered { self.done_before(read) } else { self.skip() };
        seen.note_if(is_unordered, "output as results came");
        let told = matches!(
            ending,
            Ending::InputFailed(_)
                | Ending::ItemFailed(..)
                | Ending::ReaderLeft
                | Ending::CutShort(_)
        );
        assert!(!input_failed || told, "{ending:?}, and the input failed");
        match ending {
            Ending::Complete => assert!(
                all && next == self.fates.len() as u64 && self.left_out == 0,
                "complete, after {next}"
            ),
            Ending::SomeFailed(count) => {
                assert_eq!((*count, next), (self.left_out, read), "failed, and output");
                assert!(*count > 0);
            }
            Ending::ItemFailed(index, _) => {
                let before = self.done_before(*index);
                assert_eq!((Some(*index), before), (self.fatal, *index), "failed, and output");
                assert!(is_unordered || next == before, "{next} are output, and {index} failed");
            }
            Ending::InputFailed(_) | Ending::Interrupted => {
                assert_eq!((next, self.fatal), (read, None), "output, and read")
            }
            Ending::ReaderLeft => {}
            Ending::CutShort(left) => {
                let end = self.fatal.unwrap_or(read);
                let first = self.given_up.expect("values were given up");
                assert_eq!(self.done_before(first), first, "output, of those before");
                let next = if is_unordered { self.done_before(end) } else { next };
                assert!(is_unordered || next == first, "{next} are output, not {first}");
                assert_eq!(next + left.items as u64, end, "output, and left");
            }
            Ending::InDoubt(_) | Ending::CannotRun(_) | Ending::OutputFailed(_) => {
                panic!("{ending:?}")
            }
        }
    }
}
