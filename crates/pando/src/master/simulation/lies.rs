//! Wrong and malformed messages of a device.

use super::{plan::pick, world::World};
use crate::protocol::{Answer, Failure, Form, Frame, Loan, Running, ToMaster};
use bytes::Bytes;

impl World {
    /// Makes the device lie or break the protocol.
    pub(super) fn lie(&mut self, number: usize) {
        self.seen.note("lie");
        self.devices[number].lied = true;
        let loan = self.some_loan();
        say!(self, "device {number} lies about {loan:?}");
        match self.rng.u32(0..26) {
            0..6 => {
                // A result for a loan which the device does not hold, or has answered before.
                let result = self.forged(loan);
                self.forge(number, loan, result);
            }
            6..8 => self.forge(number, loan, failed()),
            8..12 => self.answer_what_is_over(number),
            12..16 => self.answer_twice(number),
            16..20 => {
                let next = Loan { index: loan.index + 1, ..loan };
                let careful = self.answers.is_multiple_of(2);
                self.say(number, &ToMaster::Returned { ids: vec![loan, next], careful });
            }
            20 => self.say(
                number,
                &ToMaster::Started {
                    items: vec![Running { id: loan, ms: 100_000 }],
                    loading: None,
                },
            ),
            21 => {
                let items = vec![Running { id: loan, ms: u64::MAX }];
                self.say(number, &ToMaster::Started { items, loading: Some(u64::MAX) });
            }
            22 => self.send_up(number, Frame::Binary(vec![9, 9].into())),
            23 => self.send_up(number, Frame::Text("{}".into())),
            24 => self.say(number, &ToMaster::Broken { message: "cannot".into(), stack: None }),
            _ => {
                let cores = Some(self.rng.u32(0..9));
                self.say(number, &ToMaster::Update { name: Some("tablet".into()), cores });
            }
        }
    }

    /// A loan of a random item, which may not exist. The number may be that of the present loan,
    /// as a guess.
    fn some_loan(&mut self) -> Loan {
        let index = self.rng.u64(0..self.plan.items.len() as u64 + 2);
        let present = self.master.lock().items().lender().loan(index).map_or(0, |loan| loan.number);
        Loan { index, number: pick(&mut self.rng, &[0, present, present, present + 1]) }
    }

    /// Sends another result for a loan which the device has answered or returned. Some device may
    /// hold the value again by now.
    fn answer_what_is_over(&mut self, number: usize) {
        let device = &self.devices[number];
        let over: Vec<Loan> = device
            .said
            .iter()
            .map(|answer| answer.loan)
            .chain(device.returned.iter().copied())
            .collect();
        if !over.is_empty() {
            let loan = pick(&mut self.rng, &over);
            let result = self.forged(loan);
            self.forge(number, loan, result);
        }
    }

    /// Sends an error and a result for one loan, in random order, in one frame or in two.
    fn answer_twice(&mut self, number: usize) {
        let has: Vec<Loan> = self.devices[number].host.held().collect();
        if has.is_empty() {
            return;
        }
        let loan = pick(&mut self.rng, &has);
        let (first, then) = (failed(), self.forged(loan));
        let (first, then) = if self.rng.bool() { (first, then) } else { (then, first) };
        let [first, then] = [first, then].map(|result| Answer { loan, micros: 1, result });
        self.seen.note("answered in two ways");
        match self.rng.bool() {
            true => self.answer(number, &[first, then]),
            false => [first, then]
                .iter()
                .for_each(|answer| self.answer(number, std::slice::from_ref(answer))),
        }
    }

    fn forged(&mut self, loan: Loan) -> Result<(Form, Bytes), Box<Failure>> {
        self.answers += 1;
        let text = format!("forged {}", self.answers);
        Ok((Form::Text, self.shape.result(&text, self.values_in(loan.index), false)))
    }

    /// Sends an answer twice.
    fn forge(&mut self, number: usize, loan: Loan, result: Result<(Form, Bytes), Box<Failure>>) {
        let answer = Answer { loan, micros: 1, result };
        self.answer(number, &[answer.clone(), answer]);
    }
}

fn failed() -> Result<(Form, Bytes), Box<Failure>> {
    Err(Failure::new("forged", "throw").into())
}
