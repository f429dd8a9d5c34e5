//! The calls of a volunteer's simulated cores.

use crate::{
    chaos::{chance::Chance, job::RandomJob, trust::Lie},
    swarm::cores::Function,
};
use bytes::Bytes;
use pando_protocol::volunteer::{Failure, Form, Value};
use std::time::Duration;

/// The function of the job, as this volunteer computes it.
pub(super) struct Calls<'a> {
    pub(super) job: &'a RandomJob,
    pub(super) chance: &'a mut Chance,
    /// The longest time of a call.
    pub(super) longest: Duration,
    /// How this volunteer lies, and the number of its right answers so far.
    pub(super) lie: Option<&'a Lie>,
    pub(super) right: &'a mut usize,
    pub(super) fails: bool,
    pub(super) forges: bool,
    pub(super) shuffles: bool,
}

impl Function for Calls<'_> {
    fn time(&mut self) -> Duration {
        self.chance.time(self.longest)
    }

    fn answer(&mut self, value: Value) -> Result<(Form, Bytes), Failure> {
        if self.fails {
            let kind = self.chance.one(&["error", "throw", "timeout", "died"]);
            let own = Failure::new("it fails for a while", kind);
            // An item that fails everywhere may be told in the words of any device: all have the
            // same.
            return Err(self.job.answer(&value, None).err().unwrap_or(own));
        }
        if self.forges && self.chance.toss(0.02) {
            return Ok((value.form, "\"forged\"".into()));
        }
        let lie = self.lie.filter(|lie| *self.right >= lie.after);
        *self.right += 1;
        self.job.answer(&value, lie)
    }

    fn choose(&mut self, count: usize) -> usize {
        if self.shuffles { self.chance.0.usize(..count.min(16)) } else { 0 }
    }
}
