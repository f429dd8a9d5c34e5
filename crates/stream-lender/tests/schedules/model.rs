//! A model of the lender: slow, and so simple that it is easy to verify. All searches go through
//! lists.

use stream_lender::{Ask, Index, Lent, Loan, Order, Output, Pull, Refused, SubStreamId, Window};

/// A value or a result: a number, and its weight in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Thing {
    pub(crate) number: u64,
    pub(crate) bytes: u64,
}

/// The error of the input.
pub(crate) type Broken = &'static str;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    ToLend,
    Lent,
    Finished(Thing),
    Output,
    Cut,
}

pub(crate) struct Value {
    pub(crate) value: Thing,
    pub(crate) state: State,
    pub(crate) failed_by: Vec<SubStreamId>,
    /// The number of loans of this value so far, including copies.
    pub(crate) loans: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reading {
    Ready,
    Pending,
    Ended,
    Failed(Broken),
}

pub(crate) struct Model {
    pub(crate) window: Window,
    /// All values that were read, by index.
    pub(crate) values: Vec<Value>,
    pub(crate) open: Vec<SubStreamId>,
    /// The open sub-streams that have not asked since they were paused.
    pub(crate) paused: Vec<SubStreamId>,
    /// The holders and their loans, in the order of lending.
    pub(crate) loans: Vec<(SubStreamId, Loan)>,
    /// The sub-streams that wait, in the order of their asks.
    pub(crate) waiting: Vec<SubStreamId>,
    pub(crate) reading: Reading,
    pub(crate) output: u64,
    pub(crate) order: Order,
    /// The values with results that are not yet output, in the order of the results.
    pub(crate) finished: Vec<Index>,
}

impl Model {
    pub(crate) fn new(window: Window) -> Self {
        let reading = Reading::Ready;
        let (values, open, paused, loans, waiting, order, finished) = Default::default();
        Model { window, values, open, paused, loans, waiting, reading, output: 0, order, finished }
    }

    pub(crate) fn pause(&mut self, sub: SubStreamId) {
        if self.open.contains(&sub) {
            self.stop_waiting(sub);
            self.forgive(sub);
            self.paused.push(sub);
        }
    }

    /// Ends the pause of a sub-stream, which is about to ask.
    pub(crate) fn go_on(&mut self, sub: SubStreamId) {
        self.paused.retain(|paused| *paused != sub);
    }

    pub(crate) fn close(&mut self, sub: SubStreamId) -> Vec<Index> {
        let held: Vec<Index> = self.held(sub).iter().map(|loan| loan.index).collect();
        for index in &held {
            self.values[*index as usize].state = State::ToLend;
        }
        self.open.retain(|open| *open != sub);
        self.loans.retain(|(holder, _)| *holder != sub);
        self.stop_waiting(sub);
        self.forgive(sub);
        self.go_on(sub);
        held
    }

    fn forgive(&mut self, sub: SubStreamId) {
        for value in &mut self.values {
            value.failed_by.retain(|failer| *failer != sub);
        }
    }

    /// Whether this ask must read the input. Only then does [`Model::ask`] receive a pull.
    pub(crate) fn reads(&self, sub: SubStreamId) -> bool {
        self.open.contains(&sub) && self.oldest_for(sub).is_none() && self.has_room()
    }

    pub(crate) fn ask(
        &mut self,
        sub: SubStreamId,
        pulled: Option<Pull<Thing, Broken>>,
    ) -> Ask<Thing> {
        if !self.open.contains(&sub) {
            return Ask::Done;
        }
        if let Some(index) = self.oldest_for(sub) {
            self.stop_waiting(sub);
            return Ask::Value(self.lend_anew(sub, index));
        }
        match pulled {
            Some(Pull::Value(value)) => {
                self.stop_waiting(sub);
                self.reading = Reading::Ready;
                self.values.push(Value {
                    value,
                    state: State::ToLend,
                    failed_by: Vec::new(),
                    loans: 0,
                });
                return Ask::Value(self.lend_anew(sub, self.values.len() as Index - 1));
            }
            Some(Pull::At(..)) => unreachable!("the values of a schedule come without loans"),
            Some(Pull::Pending) => self.reading = Reading::Pending,
            Some(Pull::End) => self.reading = Reading::Ended,
            Some(Pull::Failed(error)) => self.reading = Reading::Failed(error),
            None => {}
        }
        if self.all_have_results() {
            self.stop_waiting(sub);
            return Ask::Done;
        }
        if !self.waiting.contains(&sub) {
            self.waiting.push(sub);
        }
        Ask::Wait
    }

    /// Removes and returns the first waiting sub-stream that would get an answer, or whose ask
    /// would read an input that may be ready.
    pub(crate) fn next_wake(&mut self) -> Option<SubStreamId> {
        let input = self.reading == Reading::Ready && !self.is_full();
        let worth = |sub: &&SubStreamId| {
            input || self.all_have_results() || self.oldest_for(**sub).is_some()
        };
        let sub = *self.waiting.iter().find(worth)?;
        self.stop_waiting(sub);
        Some(sub)
    }

    pub(crate) fn result(
        &mut self,
        sub: SubStreamId,
        loan: Loan,
        result: Thing,
    ) -> Result<(), Refused> {
        self.give_back(sub, loan, State::Finished(result))?;
        self.finished.push(loan.index);
        Ok(())
    }

    pub(crate) fn hand_back(&mut self, sub: SubStreamId, loan: Loan) -> Result<(), Refused> {
        self.give_back(sub, loan, State::ToLend)
    }

    pub(crate) fn fail(&mut self, sub: SubStreamId, loan: Loan) -> Result<(), Refused> {
        self.give_back(sub, loan, State::ToLend)?;
        let failed_by = &mut self.values[loan.index as usize].failed_by;
        if !failed_by.contains(&sub) && !self.paused.contains(&sub) {
            failed_by.push(sub);
        }
        Ok(())
    }

    pub(crate) fn resume_loan(&mut self, sub: SubStreamId, loan: Loan) -> Option<Lent<Thing>> {
        let was =
            self.values.get(loan.index as usize).is_some_and(|value| loan.number < value.loans);
        (was && self.waits_for(sub, loan.index)).then(|| self.lend(sub, loan))
    }

    pub(crate) fn lend_to(&mut self, sub: SubStreamId, index: Index) -> Option<Lent<Thing>> {
        self.waits_for(sub, index).then(|| self.lend_anew(sub, index))
    }

    pub(crate) fn copy(&mut self, index: Index) -> Option<Lent<Thing>> {
        let value = *self.value(index)?;
        Some(Lent { loan: self.new_loan(index), value })
    }

    fn waits_for(&self, sub: SubStreamId, index: Index) -> bool {
        self.open.contains(&sub)
            && self.values.get(index as usize).is_some_and(|value| value.state == State::ToLend)
    }

    pub(crate) fn replace_value(&mut self, index: Index, value: Thing) {
        if self.value(index).is_some() {
            self.values[index as usize].value = value;
        }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.input_is_open() && !self.is_full()
    }

    pub(crate) fn read_finished(&mut self, result: Thing) -> Result<Index, Thing> {
        if !self.has_room() {
            return Err(result);
        }
        self.values.push(Value {
            value: result,
            state: State::Finished(result),
            failed_by: Vec::new(),
            loans: 0,
        });
        let index = self.values.len() as Index - 1;
        self.finished.push(index);
        Ok(index)
    }

    pub(crate) fn input_ready(&mut self) {
        if self.reading == Reading::Pending {
            self.reading = Reading::Ready;
        }
    }

    pub(crate) fn end_input(&mut self) {
        if self.input_is_open() {
            self.reading = Reading::Ended;
        }
    }

    pub(crate) fn truncate(&mut self, end: Index) {
        if self.input_is_open() || end <= self.values.len() as Index {
            self.reading = Reading::Ended;
        }
        for index in end..self.values.len() as Index {
            let state = &mut self.values[index as usize].state;
            match state {
                State::Output => {}
                State::Finished(_) if self.order == Order::OfResults => {}
                _ => {
                    *state = State::Cut;
                    self.loans.retain(|(_, lent)| lent.index != index);
                }
            }
        }
    }

    pub(crate) fn drop_output(&mut self) {
        self.truncate(0);
        self.order = Order::OfInput;
        self.truncate(0);
        self.finished.clear();
    }

    pub(crate) fn next_output(&mut self) -> Output<Thing, Broken> {
        let next = match self.order {
            Order::OfInput => self.output,
            Order::OfResults => self.finished.first().copied().unwrap_or(Index::MAX),
        };
        match self.values.get(next as usize).map(|value| value.state) {
            Some(State::Finished(result)) => {
                self.values[next as usize].state = State::Output;
                self.finished.retain(|index| *index != next);
                self.output += 1;
                Output::Item(next, result)
            }
            _ if self.in_progress().next().is_some() => Output::Pending,
            _ => match self.reading {
                Reading::Ready | Reading::Pending => Output::Pending,
                Reading::Ended => Output::Done,
                Reading::Failed(error) => {
                    self.reading = Reading::Ended;
                    Output::Failed(error)
                }
            },
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.in_progress().next().is_none() && self.reading == Reading::Ended
    }

    pub(crate) fn is_full(&self) -> bool {
        let items = self.in_progress().count();
        items > 0 && (items >= self.window.items || self.bytes() >= self.window.bytes)
    }

    pub(crate) fn bytes(&self) -> u64 {
        let bytes = |value: &Value| match value.state {
            State::Finished(result) => result.bytes,
            _ => value.value.bytes,
        };
        self.in_progress().map(bytes).sum()
    }

    pub(crate) fn in_progress(&self) -> impl Iterator<Item = &Value> {
        self.values.iter().filter(|value| !matches!(value.state, State::Output | State::Cut))
    }

    pub(crate) fn oldest(&self) -> Option<(Index, Option<SubStreamId>)> {
        let index = (0..self.values.len() as Index).find(|index| self.value(*index).is_some())?;
        Some((index, self.holder(index)))
    }

    pub(crate) fn holder(&self, index: Index) -> Option<SubStreamId> {
        self.loans.iter().find(|(_, lent)| lent.index == index).map(|(holder, _)| *holder)
    }

    pub(crate) fn loan(&self, index: Index) -> Option<Loan> {
        self.loans.iter().find(|(_, lent)| lent.index == index).map(|(_, loan)| *loan)
    }

    pub(crate) fn held(&self, sub: SubStreamId) -> Vec<Loan> {
        self.loans.iter().filter(|(holder, _)| *holder == sub).map(|(_, loan)| *loan).collect()
    }

    /// The value at `index`, if it has no result.
    pub(crate) fn value(&self, index: Index) -> Option<&Thing> {
        let value = self.values.get(usize::try_from(index).ok()?)?;
        matches!(value.state, State::ToLend | State::Lent).then_some(&value.value)
    }

    pub(crate) fn input_is_open(&self) -> bool {
        matches!(self.reading, Reading::Ready | Reading::Pending)
    }

    pub(crate) fn failed_by_all(&self, value: &Value) -> bool {
        self.open
            .iter()
            .filter(|sub| !self.paused.contains(sub))
            .all(|sub| value.failed_by.contains(sub))
    }

    fn all_have_results(&self) -> bool {
        !self.input_is_open() && self.oldest().is_none()
    }

    fn oldest_for(&self, sub: SubStreamId) -> Option<Index> {
        let may_take = |value: &Value| {
            value.state == State::ToLend
                && (!value.failed_by.contains(&sub) || self.failed_by_all(value))
        };
        self.values.iter().position(may_take).map(|index| index as Index)
    }

    fn stop_waiting(&mut self, sub: SubStreamId) {
        self.waiting.retain(|waiting| *waiting != sub);
    }

    fn new_loan(&mut self, index: Index) -> Loan {
        let value = &mut self.values[index as usize];
        value.loans += 1;
        Loan { index, number: value.loans - 1 }
    }

    fn lend_anew(&mut self, sub: SubStreamId, index: Index) -> Lent<Thing> {
        let loan = self.new_loan(index);
        self.lend(sub, loan)
    }

    fn lend(&mut self, sub: SubStreamId, loan: Loan) -> Lent<Thing> {
        self.loans.push((sub, loan));
        let value = &mut self.values[loan.index as usize];
        value.state = State::Lent;
        Lent { loan, value: value.value }
    }

    fn give_back(&mut self, sub: SubStreamId, loan: Loan, state: State) -> Result<(), Refused> {
        if !self.open.contains(&sub) {
            return Err(Refused::UnknownSubStream);
        }
        let place =
            self.loans.iter().position(|held| *held == (sub, loan)).ok_or(Refused::NotHeld)?;
        self.loans.remove(place);
        self.values[loan.index as usize].state = state;
        Ok(())
    }
}
