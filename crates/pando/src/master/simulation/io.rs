//! The ends of a run: the reader of the input, the writer of the output, and the confirmation of
//! results.

use super::{
    clock::{Event, MS},
    plan::{chance, pick},
    shaped::values_of_chunk,
    world::World,
};
use crate::master::{
    items::{Ending, InputError},
    state::RunState,
};
use crate::protocol::{Form, Value};
use std::{
    iter,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// The number of commands that run at once.
const AT_ONCE: usize = 2;
/// The number of values offered to the master at once: so few that their earlier results always
/// fit. Otherwise the master would block here for ever.
const OFFERED: usize = 5;

/// Whether the master has woken the task at this end.
#[derive(Default)]
pub(super) struct Flag(pub(super) AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The reader of the input.
#[derive(Default)]
pub(super) struct Source {
    pub(super) flag: Arc<Flag>,
    /// Values read so far.
    read: usize,
    /// A block is being read.
    busy: bool,
    ended: bool,
}

/// The writer of the output.
#[derive(Default)]
pub(super) struct Sink {
    pub(super) flag: Arc<Flag>,
    /// The writer is busy for a while.
    busy: bool,
    stopped: bool,
}

impl World {
    /// Lets the tasks at the ends go on if they were woken. Returns whether any was.
    pub(super) fn serve_ends(&mut self) -> bool {
        let mut any = false;
        if !self.source.busy && self.source.flag.0.swap(false, Ordering::Relaxed) {
            self.wait_until_wanted();
            any = true;
        }
        if !self.sink.busy && !self.sink.stopped && self.sink.flag.0.swap(false, Ordering::Relaxed)
        {
            self.take();
            any = true;
        }
        any | self.begin_confirming()
    }

    /// Starts the ends. The first block is read at once.
    pub(super) fn begin_ends(&mut self) {
        (self.source, self.sink) = (Source { busy: true, ..Source::default() }, Sink::default());
        self.clock.after(self.plan.reading, Event::Read);
        self.take();
    }

    /// Acts like the reading thread of the master.
    fn wait_until_wanted(&mut self) {
        let state = self.master.lock();
        if self.source.ended {
        } else if state.items().wants_input() {
            self.source.busy = true;
            self.clock.after(self.plan.reading, Event::Read);
        } else {
            let waker = Waker::from(self.source.flag.clone());
            self.master.wake_for_input(&Context::from_waker(&waker));
        }
    }

    /// Handles the arrival of a block.
    pub(super) fn read(&mut self) {
        self.source.busy = false;
        if self.source.ended {
            return;
        }
        let most = self.plan.items.len();
        let end = most.min(self.source.read + self.rng.usize(1..=self.plan.block));
        let values = &self.plan.items[self.source.read..end];
        say!(self, "{} values are read", values.len());
        self.source.read = end;
        for values in values.chunks(OFFERED) {
            let chunker = self.shaped.as_mut().and_then(|ends| ends.chunker.as_mut());
            let offered = match chunker {
                Some(chunker) => {
                    let texts = values.iter().flat_map(values_of_chunk);
                    let texts = texts.map(|text| Ok(Value::new(text.into(), Form::Text)));
                    // The last chunk is shorter than the others.
                    self.master.offer_chunks(chunker, texts, false)
                }
                None => {
                    let form = self.plan.job.framing.form;
                    let values =
                        values.iter().map(|item| (Ok(Value::new(item.text.clone(), form)), None));
                    self.master.offer(values)
                }
            };
            offered.expect("the values are those of the journal");
        }
        if end == most
            && let Some(chunker) = self.shaped.as_mut().and_then(|ends| ends.chunker.as_mut())
        {
            self.master.offer_chunks(chunker, iter::empty(), true).expect("nothing is unusable");
        }
        if end == most && chance(&mut self.rng, 70) || self.source.read == most && most == 0 {
            self.source.ended = true;
            let how = if self.plan.input_fails {
                Err(InputError::new("it cannot be read".into()))
            } else {
                Ok(())
            };
            return self.master.end_input(how);
        }
        self.wait_until_wanted();
    }

    /// Takes as many results as the plan says.
    pub(super) fn take(&mut self) {
        self.sink.busy = false;
        if self.sink.stopped || self.ending.is_some() {
            return;
        }
        let waker = Waker::from(self.sink.flag.clone());
        for _ in 0..self.plan.taken {
            match self.master.poll_output(&mut Context::from_waker(&waker)) {
                Poll::Pending => return,
                Poll::Ready(Ok((index, output))) => {
                    say!(self, "{index} comes out");
                    let output = output.map(|packed| self.unpack(index, &packed));
                    self.model.output(index, output);
                }
                Poll::Ready(Err(ending)) => return self.end(ending),
            }
        }
        self.sink.busy = true;
        self.clock.after(self.plan.taking.max(1), Event::Take);
    }

    /// Makes the reader of the output stop, or go on.
    pub(super) fn stop_or_go_on(&mut self) {
        say!(self, "the reader stops: {}", !self.sink.stopped);
        if self.sink.stopped {
            return self.go_on_reading();
        }
        self.seen.note("reader stopped");
        self.sink.stopped = true;
    }

    pub(super) fn go_on_reading(&mut self) {
        self.sink.stopped = false;
        if !self.sink.busy {
            self.take();
        }
    }

    /// Interrupts the run, or makes the reader of the output leave.
    pub(super) fn disturb_the_ends(&mut self) {
        if chance(&mut self.rng, 50) {
            say!(self, "interrupted");
            self.master.interrupt();
            if chance(&mut self.rng, 30) {
                say!(self, "given up");
                let first = self.master.lock().items().first_unsettled();
                self.master.give_up();
                if self.master.lock().left() > 0 {
                    self.model.give_up(first);
                }
            }
        } else {
            say!(self, "the reader leaves");
            self.reader_left = true;
            let ending = self.master.cannot_write(&std::io::ErrorKind::BrokenPipe.into());
            self.end(ending);
        }
    }

    fn end(&mut self, ending: Ending) {
        say!(self, "{ending:?}");
        let ending = self.master.close_journal(ending);
        let (read, interrupted) = {
            let state = self.master.lock();
            (state.items().lender().values_read(), state.is_interrupted())
        };
        let (all, input_failed) = (
            read == self.plan.items.len() as u64,
            self.source.ended && self.plan.input_fails && !interrupted,
        );
        self.seen.note(match &ending {
            Ending::Complete => "complete",
            Ending::ReaderLeft => "reader left",
            Ending::InputFailed(_) => "input failed",
            Ending::ItemFailed(..) => "item failed",
            Ending::SomeFailed(_) => "some failed",
            Ending::Interrupted => "interrupted",
            Ending::CutShort(_) => "cut short",
            Ending::InDoubt(_) => "in doubt",
            Ending::CannotRun(_) | Ending::OutputFailed(_) => panic!("{ending:?}"),
        });
        self.model.ended(&ending, read, all, input_failed, &mut self.seen);
        if let Some(shared) = self.model.shared() {
            let doubts = self.master.doubts();
            shared.check_doubts(doubts.is_some(), self.is_liar_caught(), &mut self.seen);
            if let Some(journal) = &self.journal {
                shared.check_kept(&journal.results(), self.is_liar_caught(), &mut self.seen);
            }
        }
        self.ending = Some(ending);
        self.master.finish();
    }

    /// Acts like the task of `--confirm`, with commands of random length.
    fn begin_confirming(&mut self) -> bool {
        let mut any = false;
        while self.confirming.iter().flatten().count() < AT_ONCE
            && let Some(unconfirmed) = self.master.with(RunState::take_unconfirmed)
        {
            any = true;
            if self.master.to_confirm(&unconfirmed).is_none() {
                continue;
            }
            self.confirming.push(Some(unconfirmed));
            let time = pick(&mut self.rng, &[0, MS, 500 * MS]);
            self.clock.after(time, Event::Confirmed(self.confirming.len() - 1));
        }
        any
    }

    /// Handles the end of a command.
    pub(super) fn confirmed(&mut self, at: usize) {
        let Some(unconfirmed) = self.confirming.get_mut(at).and_then(Option::take) else { return };
        let well = chance(&mut self.rng, if self.calm { 100 } else { 80 });
        self.seen.note(if well { "confirmed" } else { "not confirmed" });
        self.model.confirmed(unconfirmed.loan().index, well, &self.master.lock());
        self.master.confirmed(unconfirmed, (!well).then(|| "no".into()), self.clock.instant());
        self.model.look(&self.master.lock(), &mut self.seen);
    }
}
