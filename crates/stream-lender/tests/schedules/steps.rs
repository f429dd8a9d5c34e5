//! The steps of a schedule. The lender and the model both take each step, and must give the same
//! answer.

use stream_lender::{Ask, Index, Loan, Output, Pull, Refused, SubStreamId};

use crate::{
    model::{Broken, Reading, Thing},
    schedule::Schedule,
    source::thing,
};

impl Schedule {
    pub(crate) fn open(&mut self) {
        if self.model.open.len() as u64 >= self.most_open {
            return;
        }
        let sub = self.lender.open();
        self.say(&format!("open {sub:?}"));
        assert!(!self.opened.contains(&sub), "{sub:?} is used again");
        self.opened.push(sub);
        self.model.open.push(sub);
    }

    pub(crate) fn close(&mut self) {
        let Some(sub) = self.random.pick(&self.opened) else {
            return;
        };
        self.seen.note_if(!self.model.open.contains(&sub), "another close of one closed");
        let held = self.lender.close(sub);
        self.say(&format!("close {sub:?}: {held:?}"));
        self.seen.note_if(!held.is_empty(), "closed with values");
        assert_eq!(held, self.model.close(sub));
    }

    pub(crate) fn pause(&mut self) {
        if let Some(sub) = self.random.pick(&self.opened) {
            self.say(&format!("pause {sub:?}"));
            self.seen.note_if(!self.model.held(sub).is_empty(), "paused with values");
            self.lender.pause(sub);
            self.model.pause(sub);
        }
    }

    pub(crate) fn ask(&mut self) {
        // Mostly an open sub-stream asks.
        let from = if self.random.chance(95) { &self.model.open } else { &self.opened };
        if let Some(sub) = self.random.pick(from) {
            self.ask_for(sub);
        }
    }

    pub(crate) fn ask_for(&mut self, sub: SubStreamId) {
        self.seen.note_if(!self.model.open.contains(&sub), "ask of one closed");
        let full = self.model.is_full();
        self.seen.note_if(full, "full");
        let items = self.model.in_progress().count();
        self.seen.note_if(full && items < self.model.window.items, "bytes full");
        self.model.go_on(sub);
        let reads = self.model.reads(sub);
        let mut pulled = Vec::new();
        let input = &mut self.input;
        let answer = self.lender.ask(sub, &mut || {
            let pull = input.pull();
            pulled.push(pull);
            pull
        });
        self.say(&format!("ask {sub:?}, pulled {pulled:?}: {answer:?}"));
        assert_eq!(pulled.len(), usize::from(reads), "reads of the input");
        self.note_answer(sub, &answer, pulled.first());
        assert_eq!(answer, self.model.ask(sub, pulled.first().copied()));
    }

    fn note_answer(
        &mut self,
        sub: SubStreamId,
        answer: &Ask<Thing>,
        pulled: Option<&Pull<Thing, Broken>>,
    ) {
        match pulled {
            Some(Pull::Pending) => self.seen.note("pending"),
            Some(Pull::Failed(_)) => self.seen.note("input failed"),
            _ => {}
        }
        match answer {
            Ask::Wait => self.seen.note("told to wait"),
            Ask::Done => self.seen.note("told done"),
            Ask::Value(lent) => {
                let Some(value) = self.model.values.get(lent.loan.index as usize) else {
                    return;
                };
                let by_all = self.model.failed_by_all(value);
                let by_some = !value.failed_by.is_empty();
                assert!(
                    by_all || !value.failed_by.contains(&sub),
                    "{sub:?} has failed {} before",
                    lent.loan.index
                );
                self.seen.note_if(by_some && by_all, "failed by all, lent again");
                self.seen.note_if(by_some && !by_all, "failed, lent to another");
            }
        }
    }

    /// A sub-stream gives back a value that it holds.
    pub(crate) fn give_back(&mut self) {
        let Some((sub, loan)) = self.random.pick(&self.model.loans) else {
            return;
        };
        match self.random.below(10) {
            0..7 => self.result(sub, loan),
            7..9 => self.fail(sub, loan),
            _ => self.hand_back(sub, loan),
        }
    }

    /// A sub-stream gives back a value that it may not hold: late, twice, under another loan, or
    /// invented.
    pub(crate) fn forge(&mut self) {
        let Some(sub) = self.random.pick(&self.opened) else {
            return;
        };
        let index = match self.random.below(20) {
            0 => u64::MAX,
            1 => u64::MAX - 1,
            _ => self.random.below(self.model.values.len() as u64 + 3),
        };
        self.give_back_some(sub, index);
    }

    /// The holder of a value names another loan of it.
    pub(crate) fn confuse(&mut self) {
        if let Some((sub, loan)) = self.random.pick(&self.model.loans) {
            self.give_back_some(sub, loan.index);
        }
    }

    fn give_back_some(&mut self, sub: SubStreamId, index: Index) {
        let loan = self.some_loan(index);
        let other = self.model.holder(index) == Some(sub) && self.model.loan(index) != Some(loan);
        self.seen.note_if(other, "another loan than the one held");
        match self.random.below(3) {
            0 => self.result(sub, loan),
            1 => self.fail(sub, loan),
            _ => self.hand_back(sub, loan),
        }
    }

    /// An earlier loan of this value, the present one, or the next one.
    fn some_loan(&mut self, index: Index) -> Loan {
        let loans = self
            .model
            .values
            .get(usize::try_from(index).unwrap_or(usize::MAX))
            .map_or(0, |value| value.loans);
        Loan { index, number: self.random.below(u64::from(loans) + 1) as u32 }
    }

    pub(crate) fn result(&mut self, sub: SubStreamId, loan: Loan) {
        let result = thing(&mut self.random);
        let answer = self.lender.result(sub, loan, result).map(drop);
        self.say(&format!("result {sub:?} {loan:?} {result:?}: {answer:?}"));
        assert_eq!(answer, self.model.result(sub, loan, result));
        self.note_refused(answer, "result");
    }

    pub(crate) fn fail(&mut self, sub: SubStreamId, loan: Loan) {
        let again = self
            .model
            .values
            .get(loan.index as usize)
            .is_some_and(|value| value.failed_by.contains(&sub));
        let answer = self.lender.fail(sub, loan);
        self.say(&format!("fail {sub:?} {loan:?}: {answer:?}"));
        assert_eq!(answer, self.model.fail(sub, loan));
        self.note_refused(answer, if again { "failed a second time" } else { "failed" });
    }

    fn hand_back(&mut self, sub: SubStreamId, loan: Loan) {
        let answer = self.lender.hand_back(sub, loan);
        self.say(&format!("hand back {sub:?} {loan:?}: {answer:?}"));
        assert_eq!(answer, self.model.hand_back(sub, loan));
        self.note_refused(answer, "handed back");
        if answer.is_ok() && self.random.chance(30) {
            self.ask_for(sub);
            self.seen.note_if(
                self.model.holder(loan.index) == Some(sub),
                "handed back, lent to the same",
            );
        }
    }

    fn note_refused(&mut self, answer: Result<(), Refused>, otherwise: &'static str) {
        self.seen.note(match answer {
            Ok(()) => otherwise,
            Err(Refused::NotHeld) => "not held",
            Err(Refused::UnknownSubStream) => "unknown sub-stream",
        });
    }

    pub(crate) fn resume_loan(&mut self) {
        let Some(sub) = self.random.pick(&self.opened) else {
            return;
        };
        let index = self.random.below(self.model.values.len() as u64 + 2);
        if self.random.chance(50) {
            let answer = self.lender.lend_to(sub, index);
            self.say(&format!("lend to {sub:?} {index}: {answer:?}"));
            self.seen.note_if(answer.is_some(), "lent to somebody");
            return assert_eq!(answer, self.model.lend_to(sub, index));
        }
        let loan = self.some_loan(index);
        let answer = self.lender.resume_loan(sub, loan);
        self.say(&format!("take up {sub:?} {loan:?}: {answer:?}"));
        self.seen.note_if(answer.is_some(), "took up");
        self.seen.note_if(
            answer.is_some() && self.model.values[index as usize].loans > loan.number + 1,
            "took up an earlier loan",
        );
        assert_eq!(answer, self.model.resume_loan(sub, loan));
    }

    pub(crate) fn copy(&mut self) {
        let index = self.random.below(self.model.values.len() as u64 + 2);
        let answer = self.lender.copy(index);
        self.say(&format!("copy {index}: {answer:?}"));
        self.seen.note_if(answer.is_some(), "copied");
        assert_eq!(answer, self.model.copy(index));
    }

    pub(crate) fn replace(&mut self) {
        let index = self.random.below(self.model.values.len() as u64 + 2);
        let value = thing(&mut self.random);
        self.seen.note_if(self.model.value(index).is_some(), "replaced");
        self.say(&format!("replace {index} {value:?}"));
        self.lender.replace_value(index, value);
        self.model.replace_value(index, value);
    }

    pub(crate) fn input_ready(&mut self) {
        self.lender.input_ready();
        self.model.input_ready();
    }

    /// The input has a value with a known result.
    pub(crate) fn read_finished(&mut self) {
        let result = thing(&mut self.random);
        let answer = self.lender.read_finished(result);
        self.say(&format!("read finished {result:?}: {answer:?}"));
        self.seen.note_if(answer.is_ok(), "read finished");
        assert_eq!(answer, self.model.read_finished(result));
    }

    pub(crate) fn output(&mut self) {
        if !self.consuming {
            return;
        }
        let before = self.outputs.len();
        loop {
            let output = self.lender.next_output();
            assert_eq!(output, self.model.next_output());
            match output {
                Output::Item(index, result) => {
                    let newest = self.outputs.iter().map(|(index, _)| *index).max();
                    let is_late = newest.is_some_and(|newest| newest > index + 12);
                    self.seen.note_if(is_late, "output long after newer ones");
                    self.outputs.push((index, result));
                }
                Output::Failed(_) => self.seen.note("output failed"),
                Output::Pending | Output::Done => break,
            }
        }
        let items = self.outputs.len() - before;
        self.seen.note_if(items > 1, "output after the consumer stopped");
        self.say(&format!("output {items}"));
    }

    /// Wakes one waiting sub-stream or all. The woken ones ask at once, later, or not at all.
    pub(crate) fn wake(&mut self) {
        let (all, asks) = (self.random.chance(70), self.random.chance(80));
        while let Some(sub) = self.wake_one() {
            match asks {
                true => self.ask_for(sub),
                false => self.seen.note("woken, did not ask"),
            }
            if !all {
                return;
            }
        }
    }

    pub(crate) fn wake_and_ask(&mut self) {
        let open = self.model.open.len();
        let mut in_vain = 0;
        while let Some(sub) = self.wake_one() {
            self.ask_for(sub);
            in_vain += usize::from(self.model.waiting.contains(&sub));
            assert!(in_vain <= open, "woken again and again in vain");
        }
    }

    fn wake_one(&mut self) -> Option<SubStreamId> {
        let woken = self.lender.next_wake();
        self.say(&format!("wake {woken:?}"));
        assert_eq!(woken, self.model.next_wake());
        self.seen.note_if(woken.is_some(), "woken");
        woken
    }

    /// Ends or cuts the input, or drops the output. These steps are rare.
    pub(crate) fn stop(&mut self) {
        let end = self.random.below(self.model.values.len() as u64 + 4);
        let failed = matches!(self.model.reading, Reading::Failed(_));
        self.seen
            .note_if(self.model.input_is_open() && self.input.left > 0, "end before all was read");
        match self.random.below(4) {
            0 => {
                self.say("end the input");
                self.lender.end_input();
                self.model.end_input();
            }
            1 => {
                self.say("drop the output");
                self.seen.note("output dropped");
                self.lender.drop_output();
                self.model.drop_output();
            }
            _ => {
                self.say(&format!("truncate at {end}"));
                self.lender.truncate(end);
                self.model.truncate(end);
            }
        }
        let cut = failed && !matches!(self.model.reading, Reading::Failed(_));
        self.seen.note_if(cut, "input failed but was cut");
    }
}
