//! What devices say, and that they are gone.

use super::{End, Model};
use crate::{
    master::{
        registry::Standing,
        simulation::{link::Note, seen::Seen, shaped::bare},
        state::RunState,
    },
    protocol::{Answer, Loan},
};
use std::collections::BTreeSet;
use stream_lender::{Index, SubStreamId};

impl Model {
    /// Notes a message of `sub`, before `state` receives it.
    pub(in crate::master::simulation) fn hear(
        &mut self,
        sub: SubStreamId,
        note: &Note,
        state: &RunState,
        seen: &mut Seen,
    ) {
        if let Some(shared) = &mut self.shared {
            return shared.hear(sub, note, state, seen);
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
        let is_gateway = device.is_some_and(|device| self.gateways.contains(device));
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
                let text = bare(result);
                // The loans of devices behind a gateway are its own.
                let own = if is_gateway { format!("{index}:") } else { own };
                assert!(
                    text.starts_with(own.as_bytes()) || text.starts_with(b"forged"),
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
            Err(failure) if failure.kind == "vanished" => {
                // This failure counts on any device.
                self.failed(index, Some(sub), None, state);
                false
            }
            _ => {
                self.failed(index, Some(sub), device, state);
                false
            }
        }
    }

    /// Notes the outcome of a command of `--confirm`.
    pub(in crate::master::simulation) fn confirmed(
        &mut self,
        index: Index,
        well: bool,
        state: &RunState,
    ) {
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
        let is_unfit = by.and_then(|by| state.registry().get(by)).is_some_and(|device| {
            state.registry().evidence().standing(device.key()) == Standing::Unfit
        });
        fate.certain +=
            u32::from(device.is_none_or(|device| self.proven.contains(device) && !is_unfit));
        fate.failed_on.extend(device.map(str::to_owned));
        self.doubtful.insert(index);
    }

    /// Notes that `sub` lends no cores.
    pub(in crate::master::simulation) fn pauses(&mut self, sub: SubStreamId) {
        self.paused.insert(sub);
    }

    /// Notes that the device of `sub` vanished. A value computed alone has failed.
    pub(in crate::master::simulation) fn vanished(&mut self, sub: SubStreamId, state: &RunState) {
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
    pub(in crate::master::simulation) fn left(&mut self, sub: SubStreamId) {
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
}
