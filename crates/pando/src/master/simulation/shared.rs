//! Runs with `--copies` and `--verify`: the plan for them, devices that lie, and a model of what
//! such a run may do.

use super::{
    clock::SECOND,
    link::Note,
    plan::{Item, pick},
    seen::Seen,
    shaped::bare,
    world::World,
};
use crate::{
    config::{OnError, TrustRule},
    journal::{Digest, digest},
    master::{
        items::Ending,
        job::{Job, TrustJob},
        registry::DeviceKey,
        state::RunState,
    },
    protocol::{Loan, Value},
};
use bytes::Bytes;
use fastrand::Rng;
use std::collections::{BTreeMap, BTreeSet};
use stream_lender::{Index, SubStreamId};

/// The seeds of such runs: one in six.
pub(super) fn is_shared(seed: u64) -> bool {
    seed % 6 == 1
}

/// The rule of a run with this seed.
pub(super) fn trust(seed: u64) -> TrustJob {
    let mut rng = Rng::with_seed(seed);
    let rules = [
        TrustRule::Copies(2),
        TrustRule::Copies(3),
        TrustRule::Quorum(2),
        TrustRule::Quorum(2),
        TrustRule::Quorum(3),
        TrustRule::SpotChecks(20.0),
        TrustRule::SpotChecks(10.0),
    ];
    TrustJob { rule: pick(&mut rng, &rules), compares: false, seed }
}

/// Whether the liar of a run with this seed is honest until it is proven.
pub(super) fn sleeps(seed: u64) -> bool {
    is_shared(seed)
        && matches!(trust(seed).rule, TrustRule::SpotChecks(_))
        && !(seed / 6).is_multiple_of(4)
}

/// How many devices lie: one less than could have a wrong result output.
fn liars(rule: TrustRule) -> usize {
    match rule {
        TrustRule::Copies(_) | TrustRule::SpotChecks(_) => 1,
        TrustRule::Quorum(devices) => devices as usize - 1,
    }
}

/// How many reliable devices end every run, although the first ones of all devices lie.
pub(super) fn rescuers(rule: TrustRule) -> usize {
    let honest = match rule {
        TrustRule::Copies(devices) | TrustRule::Quorum(devices) => devices as usize,
        TrustRule::SpotChecks(_) => 2,
    };
    honest + liars(rule)
}

impl World {
    /// The result of a device, in a run in which devices compare their results.
    pub(super) fn shared_result(&mut self, number: usize, loan: Loan, two: bool) -> Bytes {
        let rule = self.plan.job.trust.expect("it is such a run").rule;
        let lies = number < liars(rule) && (!self.sleeps || self.is_liar_proven());
        self.seen.note_if(lies, "a result is wrong");
        let right = right(&self.plan.items[loan.index as usize].text);
        let text = if lies { format!("wrong {right}") } else { right };
        self.shape.result(&text, self.values_in(loan.index), two)
    }

    /// Whether most values of the liar need no check.
    fn is_liar_proven(&self) -> bool {
        self.master.lock().trust().is_some_and(|trust| trust.is_proven(&liar()))
    }

    /// Whether the results of the liar do not count any more.
    pub(super) fn is_liar_caught(&self) -> bool {
        let state = self.master.lock();
        let record = state.trust().and_then(|trust| trust.record(&liar()));
        record.is_some_and(|record| record.is_caught)
    }
}

/// The first device.
fn liar() -> DeviceKey {
    DeviceKey { device: "device 0".into(), local: false }
}

/// The result of a value, which depends on its text alone.
fn right(text: &[u8]) -> String {
    let plain = text.iter().filter(|byte| byte.is_ascii_alphanumeric() || **byte == b' ');
    let plain: Vec<u8> = plain.take(40).copied().collect();
    format!("right {}", String::from_utf8_lossy(&plain))
}

/// The state of all values, and of the output.
pub(super) struct SharedModel {
    job: Job,
    rule: TrustRule,
    on_error: OnError,
    values: Vec<Shared>,
    /// The liar is honest until it is proven, so that a lie may be output.
    sleeps: bool,
    fatal: Option<Index>,
    given_up: bool,
    /// The index of the next output.
    next: Index,
    /// Items without an output, and with a report of their failure.
    left_out: u64,
    reported: u64,
}

/// The state of one value.
#[derive(Default)]
struct Shared {
    text: Bytes,
    /// The sessions that have the value, with their devices and loans.
    with: BTreeMap<SubStreamId, (String, u32)>,
    sent: BTreeSet<u32>,
    /// The devices that have given a result.
    answered: BTreeSet<String>,
    /// The result of an earlier run.
    known: Option<Bytes>,
    /// The result that is output.
    output: Option<Bytes>,
}

impl Shared {
    /// Whether the result is that of an honest device.
    fn is_right(&self, result: &Bytes) -> bool {
        bare(result).starts_with(right(&self.text).as_bytes())
    }
}

impl SharedModel {
    /// The model of a run in which the results in `known` come from a journal; `sleeps`: the liar
    /// is honest until it is proven.
    pub(super) fn new(
        job: &Job,
        items: &[Item],
        known: &BTreeMap<Index, Bytes>,
        sleeps: bool,
    ) -> Option<Self> {
        let value = |(index, item): (usize, &Item)| Shared {
            text: item.text.clone(),
            known: known.get(&(index as Index)).cloned(),
            ..Shared::default()
        };
        Some(Self {
            job: job.clone(),
            rule: job.trust?.rule,
            on_error: job.on_error,
            values: items.iter().enumerate().map(value).collect(),
            sleeps,
            fatal: None,
            given_up: false,
            next: 0,
            left_out: 0,
            reported: 0,
        })
    }

    pub(super) fn give_up(&mut self) {
        self.given_up = true;
    }

    pub(super) fn is_cut(&self) -> bool {
        self.fatal.is_some() || self.given_up
    }

    /// Checks a value sent to `sub`: no device gets a value that it has answered or has.
    pub(super) fn sent(&mut self, sub: SubStreamId, loan: Loan, value: &Value, state: &RunState) {
        let device = device(sub, state);
        let is_over = self.is_cut() || state.items().lender().is_settled(loan.index);
        let shared = &mut self.values[loan.index as usize];
        assert_eq!(value.bytes, shared.text, "{loan:?} is another value");
        assert!(is_over || shared.known.is_none(), "{loan:?} was in the journal");
        assert!(shared.sent.insert(loan.number), "{loan:?} is sent twice");
        assert!(is_over || !shared.answered.contains(&device), "{device} has answered {loan:?}");
        let has = shared.with.values().any(|(other, _)| *other == device);
        assert!(is_over || !has, "{device} has {loan:?} already");
        shared.with.insert(sub, (device, loan.number));
        let devices: BTreeSet<&String> =
            shared.with.values().map(|(device, _)| device).chain(&shared.answered).collect();
        if let TrustRule::Copies(most) = self.rule {
            let most = most as usize + usize::from(self.job.speculate);
            assert!(is_over || devices.len() <= most, "{loan:?} is with {devices:?}");
        }
    }

    /// Notes that `sub` takes up the loans in `kept`.
    pub(super) fn kept(
        &mut self,
        sub: SubStreamId,
        kept: &[Loan],
        state: &RunState,
        seen: &mut Seen,
    ) {
        seen.note_if(!kept.is_empty(), "a share is taken up");
        let device = device(sub, state);
        for loan in kept {
            let shared = &mut self.values[loan.index as usize];
            assert!(!shared.answered.contains(&device), "{device} has answered {loan:?}");
            shared.with.insert(sub, (device.clone(), loan.number));
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
        let device = device(sub, state);
        let computes = |loan: Loan| {
            state.registry().get(sub).is_some_and(|device| device.loans().is_copy(loan))
        };
        match note {
            Note::Part | Note::Other | Note::Paused => {}
            Note::Returned(loans, _) => loans.iter().for_each(|loan| {
                seen.note_if(computes(*loan), "a share comes back");
                self.over(sub, *loan);
            }),
            Note::Answers(answers) => {
                for answer in answers {
                    let is_result =
                        answer.result.as_ref().is_ok_and(|(_, result)| !result.contains(&b'\n'));
                    if let Some(shared) = self.over(sub, answer.loan)
                        && is_result
                        && computes(answer.loan)
                    {
                        shared.answered.insert(device.clone());
                    }
                }
            }
        }
    }

    /// Notes that `sub` does not have the value of `loan` any more.
    fn over(&mut self, sub: SubStreamId, loan: Loan) -> Option<&mut Shared> {
        let shared = self.values.get_mut(loan.index as usize)?;
        if shared.with.get(&sub).is_some_and(|(_, number)| *number == loan.number) {
            shared.with.remove(&sub);
        }
        Some(shared)
    }

    /// Looks at what the master has decided.
    pub(super) fn look(&mut self, state: &RunState) {
        self.fatal = state.retries().fatal();
    }

    /// Notes the outcome of a command of `--confirm`: a refused value is computed again.
    pub(super) fn confirmed(&mut self, index: Index, well: bool) {
        if !well {
            self.values[index as usize].answered.clear();
        }
    }

    /// Notes that `sub` is gone.
    pub(super) fn left(&mut self, sub: SubStreamId) {
        self.values.iter_mut().for_each(|shared| drop(shared.with.remove(&sub)));
    }

    /// Checks an output: it is right, and in its place.
    pub(super) fn output(&mut self, index: Index, output: Result<Bytes, String>) {
        assert!(index >= self.next, "{index} is output again");
        assert!(self.fatal.is_none_or(|fatal| index < fatal), "{index} comes after the end");
        let skipped = index - self.next;
        assert!(skipped == 0 || self.on_error == OnError::Skip, "{} is missing", self.next);
        self.left_out += (self.next..index).map(|index| self.job.values_in(index)).sum::<u64>();
        self.next = index + 1;
        let shared = &mut self.values[index as usize];
        let answered = shared.answered.len();
        if let Some(known) = &shared.known {
            shared.output = Some(known.clone());
            return assert_eq!(output, Ok(known.clone()), "of {index}, from the journal");
        }
        shared.output = output.as_ref().ok().cloned();
        let is_right = output.as_ref().is_ok_and(|text| shared.is_right(text));
        match output {
            Err(_) if self.on_error == OnError::Tell => self.reported += self.job.values_in(index),
            Ok(text) if self.on_error == OnError::Report && text.starts_with(b"{\"error\"") => {
                self.reported += self.job.values_in(index);
            }
            Ok(text) => match self.rule {
                TrustRule::Copies(devices) => {
                    let answers: Vec<serde_json::Value> =
                        serde_json::from_slice(&text).expect("a JSON array");
                    match self.job.shape.chunks {
                        None => assert_eq!(answers.len(), devices as usize, "answers to {index}"),
                        Some(_) => answers.iter().for_each(|of_value| {
                            let given = of_value.as_array().map(Vec::len);
                            assert_eq!(given, Some(devices as usize), "answers in chunk {index}");
                        }),
                    }
                    assert!(answered >= devices as usize, "devices that have answered {index}");
                }
                TrustRule::Quorum(devices) => {
                    assert!(is_right, "{text:?} of {index}");
                    assert!(answered >= devices as usize, "devices that have answered {index}");
                }
                TrustRule::SpotChecks(_) => assert!(is_right || self.sleeps, "{text:?} of {index}"),
            },
            Err(text) => panic!("{index} has no output: {text}"),
        }
    }

    /// Checks what the journal has when the master dies or ends. `is_caught`: the results on the
    /// word of the liar alone do not count.
    pub(super) fn check_kept(
        &self,
        kept: &BTreeMap<Digest, Bytes>,
        is_caught: bool,
        seen: &mut Seen,
    ) {
        for shared in &self.values {
            let kept = kept.get(&digest(&shared.text));
            match (kept, &shared.output) {
                (None, Some(output)) if !output.starts_with(b"{\"error\"") => {
                    assert!(is_caught, "{output:?} is output, and not kept");
                    seen.note("the journal is without the results of a liar");
                }
                (Some(kept), _) if !matches!(self.rule, TrustRule::Copies(_)) => {
                    let counts = shared.is_right(kept) || self.sleeps && !is_caught;
                    assert!(counts || shared.known.as_ref() == Some(kept), "{kept:?} is kept");
                }
                _ => {}
            }
        }
    }

    /// Checks at the end whether people are told of lies that are output.
    pub(super) fn check_doubts(&self, is_told: bool, is_caught: bool, seen: &mut Seen) {
        let is_lie = |shared: &&Shared| {
            let output = shared.output.as_ref().filter(|_| shared.known.is_none());
            output.is_some_and(|output| bare(output).starts_with(b"wrong"))
        };
        let lies = self.values.iter().filter(is_lie).count();
        assert!(lies == 0 || !is_caught || is_told, "{lies} lies are output, and nobody is told");
        seen.note_if(lies > 0 && is_told, "a lie is output, and told");
    }

    /// Checks the end of the run, after `read` values were read.
    pub(super) fn ended(&mut self, ending: &Ending, read: u64, all: bool) {
        match ending {
            Ending::Complete => {
                assert_eq!((all, self.next, self.left_out), (true, self.values.len() as u64, 0));
                assert_eq!(self.reported, 0);
            }
            Ending::SomeFailed(count) => {
                let last: u64 = (self.next..read).map(|index| self.job.values_in(index)).sum();
                assert_eq!(*count, self.left_out + self.reported + last);
            }
            Ending::ItemFailed(index, _) => assert_eq!(self.next, *index),
            Ending::Interrupted | Ending::InputFailed(_) => {
                let is_whole = self.next == read || self.on_error == OnError::Skip;
                assert!(is_whole, "{} of {read} are output", self.next);
            }
            Ending::ReaderLeft | Ending::CutShort(_) => {}
            Ending::InDoubt(_) | Ending::CannotRun(_) | Ending::OutputFailed(_) => {
                panic!("{ending:?}")
            }
        }
    }
}

fn device(sub: SubStreamId, state: &RunState) -> String {
    let device = state.registry().get(sub).expect("who is sent something has a session");
    device.key().device.to_string()
}

/// The longest time that such a run takes after the calm, given that of a usual run.
pub(super) fn longest_end(usual: u64) -> u64 {
    usual * 6 + 600 * SECOND
}
