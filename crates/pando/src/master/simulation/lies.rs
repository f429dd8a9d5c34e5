//! What a device says that is not so, or not agreed.

use super::{link::Note, world::World};
use crate::protocol::{Answer, Failure, Form, Frame, Running, ToMaster, encode_results};

impl World {
    /// The device lies, or breaks the protocol.
    pub(super) fn lie(&mut self, number: usize) {
        self.seen.note("lie");
        self.devices[number].lied = true;
        let id = self.rng.u64(0..self.plan.items.len() as u64 + 2);
        say!(self, "device {number} lies about {id}");
        match self.rng.u32(0..20) {
            0..8 => {
                // As if it had it, or had not answered it before.
                self.answers += 1;
                let result = Ok((Form::Text, format!("forged {}", self.answers).into()));
                self.forge(number, Answer { id, micros: 1, result });
            }
            8..10 => {
                let failure = Failure { message: "forged".into(), stack: None, kind: "throw".into() };
                self.forge(number, Answer { id, micros: 1, result: Err(failure) });
            }
            10..14 => self.give_back(number, vec![id, id + 1], self.answers.is_multiple_of(2)),
            14 => self.say(number, &ToMaster::Started { items: vec![Running { id, ms: 100_000 }], loading: None }),
            15 => self.say(number, &ToMaster::Started { items: vec![Running { id, ms: u64::MAX }], loading: Some(u64::MAX) }),
            16 => self.send_up(number, Frame::Binary(vec![9, 9].into()), Note::Other),
            17 => self.send_up(number, Frame::Text("{}".into()), Note::Other),
            18 => self.say(number, &ToMaster::Broken { message: "cannot".into(), stack: None }),
            _ => {
                let cores = self.rng.u32(0..9);
                self.lend(number, Some("tablet".into()), cores);
            }
        }
    }

    fn forge(&mut self, number: usize, answer: Answer) {
        let (frame, twice) = (encode_results([&answer, &answer]), vec![answer.clone(), answer]);
        self.send_up(number, Frame::Binary(frame), Note::Answers(twice));
    }
}
