//! What a run may do: simple enough to be believed.

use super::{clock::SECOND, link::Note, plan::Item, seen::Seen};
use crate::{
    cli::OnError,
    master::{Core, Ending, Job},
    protocol::{Answer, Loan, Value},
};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use stream_lender::{Index, SubStreamId};

/// After so many microseconds a value also goes to who has failed it, whoever else is there.
const UNWANTED: u64 = 10 * SECOND;

/// What is known of the values, and what has come out.
pub(super) struct Model {
    job: Job,
    fates: Vec<Fate>,
    /// The first value that failed for good and ends the run.
    fatal: Option<Index>,
    left_out: u64,
    /// The value that a device was last sent to have it alone.
    alone: BTreeMap<SubStreamId, Index>,
    /// Devices that paused at some time: what they failed before is forgiven.
    paused: BTreeSet<SubStreamId>,
    /// The next that may come out.
    next: Index,
    /// The virtual moment, in microseconds.
    pub(super) now: u64,
}

/// What became of a value.
#[derive(Default)]
struct Fate {
    text: Bytes,
    /// Who was sent it and has not answered, as far as the master heard; and the number of that loan.
    with: BTreeMap<SubStreamId, u32>,
    /// The numbers of the loans that were sent.
    sent: BTreeSet<u32>,
    /// Somebody answered it or gave it back who had not been sent it yet, and guessed the number: nobody knows who has it.
    muddled: bool,
    attempts: u32,
    failed_by: Vec<SubStreamId>,
    /// When somebody last gave it back.
    back: u64,
    careful: bool,
    /// Its result before it is confirmed, and who answered it, if it is still there.
    unconfirmed: Option<(Option<SubStreamId>, Bytes)>,
    end: Option<End>,
}

/// How it ended.
enum End {
    Result(Bytes),
    LeftOut,
    /// Its output says that it failed.
    Told,
}

impl Fate {
    /// `sub` has said what ends a loan; it `counts` for the master, because `sub` has the value under this very loan.
    fn ends(&mut self, sub: SubStreamId, loan: Loan, counts: bool) {
        if self.with.get(&sub) == Some(&loan.number) {
            self.with.remove(&sub);
        } else if counts {
            assert!(!self.sent.contains(&loan.number), "what {sub:?} says of {loan:?} counts, and that is over, or another's");
            self.muddled = true;
        }
    }
}

impl Model {
    /// Of a run that begins; results that are `known` come from a journal.
    pub(super) fn new(job: Job, items: &[Item], known: &BTreeMap<Index, Bytes>) -> Self {
        let mut fates: Vec<Fate> = items.iter().map(|item| Fate { text: item.text.clone(), ..Fate::default() }).collect();
        for (index, result) in known {
            fates[*index as usize].end = Some(End::Result(result.clone()));
        }
        Self { job, fates, fatal: None, left_out: 0, alone: BTreeMap::new(), paused: BTreeSet::new(), next: 0, now: 0 }
    }

    /// Whether values from here on are forgotten.
    pub(super) fn is_cut(&self) -> bool {
        self.fatal.is_some()
    }

    /// The results that there are.
    pub(super) fn results(&self) -> BTreeMap<Index, Bytes> {
        let result = |(index, fate): (usize, &Fate)| match &fate.end {
            Some(End::Result(result)) => Some((index as Index, result.clone())),
            _ => None,
        };
        self.fates.iter().enumerate().filter_map(result).collect()
    }

    /// `sub` is sent a value.
    pub(super) fn sent(&mut self, sub: SubStreamId, loan: Loan, value: &Value, fresh: bool, core: &Core, seen: &mut Seen) {
        let index = loan.index;
        let fate = &mut self.fates[index as usize];
        assert_eq!(value.bytes, fate.text, "{index} is another value");
        let old = fate.end.is_some() || self.fatal.is_some_and(|fatal| fatal <= index);
        let copy = !core.lender.holds(sub, loan);
        seen.note_if(copy, "copied");
        assert!(fate.sent.insert(loan.number), "{loan:?} is sent twice");
        assert!(!copy || self.job.speculate || old || fate.muddled, "{sub:?} is sent {index} and does not hold it");
        assert!(!old || self.job.speculate || self.fatal.is_some() || fate.muddled, "{index} is done, and sent again");
        assert!(fate.unconfirmed.is_none() || self.job.speculate || fate.muddled, "{index} is being confirmed, and sent again");
        if !old && !copy {
            // A copy that was on its way out when its value failed elsewhere, and was lent to who gets the copy, is as it was.
            let late = self.job.speculate && value.attempt < fate.attempts;
            assert!(
                late || (value.attempt, value.careful) == (fate.attempts, fate.careful),
                "{} {} of {index}, not {} {}",
                value.attempt,
                value.careful,
                fate.attempts,
                fate.careful
            );
            seen.note_if(value.attempt > 0, "tried again");
            seen.note_if(value.careful, "careful");
            if let Some(alone) = self.alone.get(&sub).filter(|alone| self.fatal.is_none_or(|fatal| **alone < fatal)) {
                // With a result of another's it is not what ends devices.
                let fate = &self.fates[*alone as usize];
                let open = fate.end.is_none() && fate.unconfirmed.is_none();
                assert!(
                    !open || !fate.with.contains_key(&sub),
                    "{sub:?} is sent {index} besides {alone}, which it is to have alone"
                );
            }
            if core.failures.goes_alone(index) {
                seen.note("alone");
                self.alone.insert(sub, index);
            }
            let fate = &self.fates[index as usize];
            if fresh && fate.failed_by.contains(&sub) && !self.paused.contains(&sub) && self.now < fate.back + UNWANTED {
                seen.note("failed by all, lent again");
                let other = core
                    .seats
                    .iter()
                    .find(|(other, seat)| !seat.replaced && !self.paused.contains(other) && !fate.failed_by.contains(other));
                assert!(other.is_none(), "{sub:?} has failed {index}, and {:?} is there to try it", other.map(|(sub, _)| sub));
            }
        }
        let fate = &mut self.fates[index as usize];
        let others = fate.with.keys().filter(|other| **other != sub).count();
        let most = if self.job.speculate { 1 } else { 0 };
        assert!(others <= most || fate.muddled, "{index} is with {:?}, and sent to {sub:?}", fate.with);
        assert!(fate.with.insert(sub, loan.number).is_none() || fate.muddled, "{sub:?} is sent {index} twice");
    }

    /// Whether `sub` has a value under this loan, nobody else has, and it is still to be computed.
    pub(super) fn only_with(&self, sub: SubStreamId, loan: Loan) -> bool {
        let Loan { index, number } = loan;
        let Some(fate) = self.fates.get(index as usize) else { return false };
        let open = fate.end.is_none() && fate.unconfirmed.is_none() && self.fatal.is_none_or(|fatal| index < fatal);
        // A copy may be with a device and belong to another, which has not been sent it yet.
        open && !fate.muddled && !self.job.speculate && fate.with.iter().eq([(&sub, &number)])
    }

    /// `sub` takes up what it has.
    pub(super) fn kept(&mut self, sub: SubStreamId, kept: &[Loan]) {
        for loan in kept {
            let fate = &mut self.fates[loan.index as usize];
            assert!(fate.end.is_none() && (fate.with.is_empty() || self.job.speculate || fate.muddled), "{loan:?} is taken up");
            fate.with.insert(sub, loan.number);
        }
    }

    /// `sub` says something; `core` has not heard it yet.
    pub(super) fn hear(&mut self, sub: SubStreamId, note: &Note, core: &Core, seen: &mut Seen) {
        let holds = |loan: Loan| core.lender.holds(sub, loan);
        let stray = |loan: Loan| core.seats.get(&sub).is_some_and(|seat| seat.strays.contains_key(&loan));
        match note {
            Note::Other => {}
            Note::Paused => self.pauses(sub),
            Note::Returned(ids, careful) => {
                for loan in ids.iter().copied().collect::<BTreeSet<_>>() {
                    let Some(fate) = self.fates.get_mut(loan.index as usize) else { continue };
                    fate.ends(sub, loan, holds(loan) || stray(loan));
                    if holds(loan) {
                        fate.careful |= careful;
                        fate.back = self.now;
                    }
                }
            }
            Note::Answers(answers) => {
                let mut heard = BTreeSet::new();
                for answer in answers {
                    let loan = answer.loan;
                    let first = heard.insert(loan);
                    let other = core.lender.holder(loan.index) == Some(sub) && !holds(loan);
                    seen.note_if(other, "answered an earlier loan of what it has");
                    self.answer(sub, answer, first && holds(loan), first && stray(loan));
                }
            }
        }
    }

    fn answer(&mut self, sub: SubStreamId, answer: &Answer, holds: bool, stray: bool) {
        let Loan { index, number } = answer.loan;
        let cut = self.fatal.is_some_and(|fatal| fatal <= index);
        let Some(fate) = self.fates.get_mut(index as usize) else { return };
        fate.ends(sub, answer.loan, holds || stray);
        assert!(!stray || self.job.speculate, "only copies are strays");
        if cut || fate.end.is_some() || fate.unconfirmed.is_some() || !(holds || stray) {
            return;
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
                }
            }
            // A copy in vain.
            _ if !holds => {}
            _ => self.failed(index, Some(sub)),
        }
    }

    /// The command of `--confirm` has spoken.
    pub(super) fn confirmed(&mut self, index: Index, well: bool) {
        let fate = &mut self.fates[index as usize];
        let Some((by, result)) = fate.unconfirmed.take() else { return };
        if self.fatal.is_some_and(|fatal| fatal <= index) {
            return;
        }
        if well {
            fate.end = Some(End::Result(result));
        } else {
            self.failed(index, by);
        }
    }

    fn failed(&mut self, index: Index, by: Option<SubStreamId>) {
        let fate = &mut self.fates[index as usize];
        fate.attempts += 1;
        fate.failed_by.extend(by);
        fate.back = self.now;
        if fate.attempts <= self.job.retries {
            return;
        }
        match self.job.on_error {
            OnError::Stop => self.fatal = Some(self.fatal.map_or(index, |fatal| fatal.min(index))),
            on_error => {
                self.left_out += 1;
                fate.end = Some(if on_error == OnError::Skip { End::LeftOut } else { End::Told });
            }
        }
    }

    /// `sub` lends no core.
    pub(super) fn pauses(&mut self, sub: SubStreamId) {
        self.paused.insert(sub);
    }

    /// `sub` is gone without a word: what it computed alone, because it may be what makes devices vanish, has failed.
    pub(super) fn vanished(&mut self, sub: SubStreamId, core: &Core) {
        let Some(seat) = core.seats.get(&sub) else { return };
        let first = core.lender.outstanding(sub).take(seat.cores as usize);
        let told = seat.running.keys().copied().filter(|loan| core.lender.holds(sub, *loan));
        let computing: BTreeSet<Index> = first.chain(told).map(|loan| loan.index).collect();
        for index in computing.into_iter().filter(|index| core.failures.goes_alone(*index)) {
            if self.fatal.is_none_or(|fatal| index < fatal) {
                self.failed(index, Some(sub));
            }
        }
    }

    /// `sub` is gone.
    pub(super) fn left(&mut self, sub: SubStreamId) {
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

    /// Something comes out.
    pub(super) fn output(&mut self, index: Index, output: Result<Bytes, String>) {
        assert_eq!(index, self.skip(), "out of its place");
        assert!(self.fatal.is_none_or(|fatal| index < fatal), "{index} is output, and the run was to end before");
        self.next += 1;
        match (&self.fates[index as usize].end, output) {
            (Some(End::Result(result)), Ok(output)) => assert_eq!(*result, output, "of {index}"),
            (Some(End::Told), Err(text)) if self.job.on_error == OnError::Tell => assert!(!text.is_empty()),
            (Some(End::Told), Ok(text)) if self.job.on_error == OnError::Report => {
                let report: serde_json::Value = serde_json::from_slice(&text).expect("a report is JSON");
                assert_eq!(report["error"]["index"], index + 1);
            }
            (_, output) => panic!("{index} is output and has none: {output:?}"),
        }
    }

    /// The next that has an output, or is to have one.
    fn skip(&mut self) -> Index {
        while let Some(Fate { end: Some(End::LeftOut), .. }) = self.fates.get(self.next as usize) {
            self.next += 1;
        }
        self.next
    }

    /// The run says that it has ended, when `read` values had been read.
    pub(super) fn ended(&mut self, ending: &Ending, read: u64, all: bool, input_failed: bool) {
        let next = self.skip();
        let told = matches!(ending, Ending::InputFailed(_) | Ending::ItemFailed(..) | Ending::ReaderLeft);
        assert!(!input_failed || told, "{ending:?}, and the input failed");
        match ending {
            Ending::Complete => assert!(all && next == self.fates.len() as u64 && self.left_out == 0, "complete, after {next}"),
            Ending::SomeFailed(count) => {
                assert_eq!((*count, next), (self.left_out, read), "failed, and output");
                assert!(*count > 0);
            }
            Ending::ItemFailed(index, _) => assert_eq!((Some(*index), next), (self.fatal, *index), "failed, and output"),
            Ending::InputFailed(_) | Ending::Interrupted => assert_eq!((next, self.fatal), (read, None), "output, and read"),
            Ending::ReaderLeft => {}
            Ending::CannotRun(_) | Ending::OutputFailed(_) => panic!("{ending:?}"),
        }
    }
}
