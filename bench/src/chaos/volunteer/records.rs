//! What a volunteer remembers of its answers, and what it notes about them for the judge.

use super::{MS, Volunteer};
use crate::chaos::{session::Session, trust::RandomTrust};
use pando_protocol::volunteer::{Answer, Form, Frame, Loan, ToVolunteer, Value, Welcome};
use std::time::Instant;

impl Volunteer {
    /// Takes up the work for a master, which keeps some of the loans of this volunteer.
    pub(super) fn welcomed(&mut self, session: &mut Session, welcome: Welcome, now: Instant) {
        self.tell(&format!("is welcome, keeps {:?}", welcome.keep));
        if self.job.replace(welcome.job.clone()).is_some_and(|job| job != welcome.job) {
            self.said.clear();
        }
        session.lent.extend(&welcome.keep);
        let held = self.held();
        let (keep, others): (Vec<Loan>, Vec<Loan>) =
            welcome.keep.iter().partition(|loan| held.contains(loan));
        self.tell_host(Frame::json(&ToVolunteer::Welcome(Welcome { keep, ..welcome })), now);
        self.said.retain(|answer| others.contains(&answer.loan));
        session.answer(self.said.make_contiguous());
        let is_new = |loan: &Loan| self.said.iter().all(|answer| answer.loan != *loan);
        let claimed: Vec<Loan> = others.into_iter().filter(is_new).collect();
        session.claimed =
            (!claimed.is_empty()).then(|| (now + self.chance.time(300 * MS), claimed));
    }

    /// Notes the results that are right, where it matters how many devices gave them.
    pub(super) fn note_right(&self, session: &Session, answers: &[Answer]) {
        let job = &self.context.plan.job;
        let (Some(life), Some(RandomTrust::Quorum(_))) = (session.life, job.trust) else { return };
        let input = self.context.lives()[life].0.clone();
        for Answer { loan, result, .. } in answers {
            let Some(item) = input.items.get(loan.index as usize) else { continue };
            let item = Value { attempt: 1, ..Value::new(item.clone(), Form::Text) };
            if matches!((result, job.answer(&item, None)), (Ok(told), Ok(right)) if *told == right)
            {
                self.context.note(session.life, |computed| {
                    let devices = computed.right.entry(loan.index).or_default();
                    devices.insert(self.device.clone());
                });
            }
        }
    }
}
