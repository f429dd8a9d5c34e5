//! One connection of a volunteer, from its hello to its end.

use crate::swarm::link::Link;
use bytes::Bytes;
use pando_protocol::volunteer::{
    Answer, Assembler, Binary, Cutter, Frame, Loan, Malformed, ToMaster, Value, encode_results,
};
use std::{collections::HashSet, time::Instant};

/// The state of one connection.
pub(crate) struct Session {
    pub(crate) link: Link,
    /// The loans that this volunteer holds in the master's view, as far as the volunteer can know.
    pub(crate) lent: HashSet<Loan>,
    /// The loans that are over, because the volunteer answered or returned them. No later message
    /// about such a loan over this link may count, although the volunteer may hold the same value
    /// again.
    pub(crate) over: Vec<Loan>,
    /// The loans that the volunteer claimed but does not have, and the time when it gives them
    /// back.
    pub(crate) claimed: Option<(Instant, Vec<Loan>)>,
    /// The volunteer has sent something for which the master may close the channel.
    pub(crate) lied: bool,
    /// The master of this connection, by its number, if it is certain.
    pub(crate) life: Option<usize>,
    incoming: Assembler,
    outgoing: Assembler,
}

impl Session {
    pub(crate) fn new(link: Link, life: Option<usize>) -> Self {
        Self {
            link,
            lent: HashSet::new(),
            over: Vec::new(),
            claimed: None,
            lied: false,
            life,
            incoming: Assembler::default(),
            outgoing: Assembler::default(),
        }
    }

    pub(crate) fn say(&mut self, message: &ToMaster) {
        self.send(Frame::json(message));
    }

    /// Sends a frame, and marks the loans in it as over. Returns the answers that are now sent
    /// whole.
    pub(crate) fn send(&mut self, frame: Frame) -> Vec<Answer> {
        let answers = match &frame {
            Frame::Binary(bytes) => whole(&mut self.outgoing, bytes.clone()),
            Frame::Text(text) => {
                if let Ok(ToMaster::Returned { ids, .. }) = serde_json::from_str(text) {
                    self.end(ids.into_iter());
                }
                None
            }
        };
        self.link.send(frame, Instant::now());
        let Some(Binary::Results(answers)) = answers else { return Vec::new() };
        self.end(answers.iter().map(|answer| answer.loan));
        answers
    }

    /// Sends results, in parts if they are long.
    pub(crate) fn answer(&mut self, answers: &[Answer]) {
        let mut cutter = Cutter::default();
        cutter.start(encode_results(answers));
        while let Some(frame) = cutter.next_frame() {
            self.send(Frame::Binary(frame));
        }
    }

    /// Marks the given loans as over, if the volunteer holds them.
    fn end(&mut self, loans: impl Iterator<Item = Loan>) {
        for loan in loans {
            if self.lent.remove(&loan) {
                self.over.push(loan);
            }
        }
    }

    /// Hands values back to the master.
    pub(crate) fn hand_back(&mut self, ids: Vec<Loan>, careful: bool) {
        self.say(&ToMaster::Returned { ids, careful });
    }

    /// The values of a frame; empty until the last part of a long frame has come.
    pub(crate) fn values(&mut self, frame: Bytes) -> Result<Vec<(Loan, Value)>, Malformed> {
        let mut binary = Binary::decode(frame)?;
        if let Binary::Part { total, bytes } = binary {
            let Some(whole) = self.incoming.part(total, &bytes)? else { return Ok(Vec::new()) };
            binary = Binary::decode(whole)?;
        }
        let Binary::Values(values) = binary else { return Err(Malformed("it is not of values")) };
        self.lent.extend(values.iter().map(|(loan, _)| *loan));
        Ok(values)
    }
}

/// The content of a frame that this volunteer sends, with its last part; `None` for a malformed
/// frame.
fn whole(assembler: &mut Assembler, frame: Bytes) -> Option<Binary> {
    match Binary::decode(frame).ok()? {
        Binary::Part { total, bytes } => Binary::decode(assembler.part(total, &bytes).ok()??).ok(),
        binary => Some(binary),
    }
}
