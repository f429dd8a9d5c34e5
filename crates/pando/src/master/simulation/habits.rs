//! What devices do once per heartbeat.

use super::{clock::Event, world::World};
use crate::protocol::{Answer, Cutter, Frame, Loan, ToMaster, ToVolunteer, encode_results};

impl World {
    /// Once per heartbeat: checks that the master is not silent, and repeats earlier messages.
    pub(super) fn beat(&mut self, number: usize, link: usize) {
        let device = &self.devices[number];
        if device.link != Some(link) {
            return;
        }
        self.clock.after(self.plan.heartbeat, Event::Beat(number, link));
        if device.frozen {
            return;
        }
        if device.host.silent_at().is_some_and(|at| at <= self.clock.instant()) {
            say!(self, "device {number} has not heard of the master for long");
            self.links[link].cut = true;
            return self.link_lost(number);
        }
        self.stutter(number);
        let device = &self.devices[number];
        if device.idles && device.refuses && !device.deaf {
            // The host returns what nobody has asked for, as if the master had.
            let ids = device.host.held().collect();
            self.pass_on(number, Frame::json(&ToVolunteer::Recall { ids }));
        }
    }

    /// Repeats an earlier answer and return, although the value may have been lent again.
    fn stutter(&mut self, number: usize) {
        let device = &self.devices[number];
        if !device.stutters || device.said.is_empty() {
            return;
        }
        let answer = device.said[self.rng.usize(0..device.said.len())].clone();
        let again = device.returned.get(self.rng.usize(0..=device.returned.len()));
        let ids: Vec<Loan> = again.copied().into_iter().collect();
        say!(self, "device {number} says again {:?}, and gives back {ids:?}", answer.loan);
        self.send_answer(number, answer);
        self.say(number, &ToMaster::Returned { ids, careful: true });
    }

    /// Sends an earlier answer again, in parts if the answer is long.
    fn send_answer(&mut self, number: usize, answer: Answer) {
        let mut cutter = Cutter::default();
        cutter.start(encode_results(&[answer]));
        while let Some(frame) = cutter.next_frame() {
            self.send_up(number, Frame::Binary(frame));
        }
    }
}
