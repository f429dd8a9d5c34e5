//! The ends of a run: who reads the input, who takes the output, and who confirms results.

use super::{
    clock::{Event, MS},
    plan::{chance, pick},
    world::World,
};
use crate::master::{Ending, InputError};
use crate::protocol::{Form, Value};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Commands that run at a time.
const AT_ONCE: usize = 2;
/// Values that are offered at once: their results of an earlier run are few enough for the master not to wait for room, which would be for ever here.
const OFFERED: usize = 5;

/// Whether the master has woken who waits for it.
#[derive(Default)]
pub(super) struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Who reads the input.
#[derive(Default)]
pub(super) struct Source {
    pub(super) flag: Arc<Flag>,
    /// Values that it has read.
    read: usize,
    /// A block is on its way.
    busy: bool,
    ended: bool,
}

/// Who takes the output.
#[derive(Default)]
pub(super) struct Sink {
    pub(super) flag: Arc<Flag>,
    /// It does something else for a while.
    busy: bool,
    stopped: bool,
}

impl World {
    /// Who waits at an end and was woken, goes on; gives whether anybody was.
    pub(super) fn serve_ends(&mut self) -> bool {
        let mut any = false;
        if !self.source.busy && self.source.flag.0.swap(false, Ordering::Relaxed) {
            self.wait_until_wanted();
            any = true;
        }
        if !self.sink.busy && !self.sink.stopped && self.sink.flag.0.swap(false, Ordering::Relaxed) {
            self.take();
            any = true;
        }
        any | self.begin_confirming()
    }

    /// The first block is read unasked.
    pub(super) fn begin_ends(&mut self) {
        (self.source, self.sink) = (Source { busy: true, ..Source::default() }, Sink::default());
        self.clock.after(self.plan.reading, Event::Read);
        self.take();
    }

    /// As the thread that reads does.
    fn wait_until_wanted(&mut self) {
        let core = self.master.lock();
        if self.source.ended {
        } else if core.wants_input() {
            self.source.busy = true;
            self.clock.after(self.plan.reading, Event::Read);
        } else {
            self.master.input_task.register(&Waker::from(self.source.flag.clone()));
        }
    }

    /// A block has been read.
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
            let values = values.iter().map(|item| (Ok(Value::new(item.text.clone(), Form::Text)), None));
            self.master.offer(values).expect("the values are those of the journal");
        }
        if end == most && chance(&mut self.rng, 70) || self.source.read == most && most == 0 {
            self.source.ended = true;
            let how = if self.plan.input_fails { Err(InputError::new("it cannot be read".into())) } else { Ok(()) };
            return self.master.end_input(how);
        }
        self.wait_until_wanted();
    }

    /// Takes results, as many as are taken at a time.
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
                    self.model.output(index, output);
                }
                Poll::Ready(Err(ending)) => return self.end(ending),
            }
        }
        self.sink.busy = true;
        self.clock.after(self.plan.taking.max(1), Event::Take);
    }

    /// Whoever takes the output stops doing so, or goes on.
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

    /// Somebody interrupts the run, or its reader goes away.
    pub(super) fn disturb_the_ends(&mut self) {
        if chance(&mut self.rng, 50) {
            say!(self, "interrupted");
            self.master.interrupt();
            if chance(&mut self.rng, 30) {
                say!(self, "given up");
                let first = self.master.lock().first_unsettled();
                self.master.give_up();
                if self.master.lock().left > 0 {
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
            let core = self.master.lock();
            (core.lender.read(), core.interrupted)
        };
        let (all, input_failed) =
            (read == self.plan.items.len() as u64, self.source.ended && self.plan.input_fails && !interrupted);
        self.seen.note(match &ending {
            Ending::Complete => "complete",
            Ending::ReaderLeft => "reader left",
            Ending::InputFailed(_) => "input failed",
            Ending::ItemFailed(..) => "item failed",
            Ending::SomeFailed(_) => "some failed",
            Ending::Interrupted => "interrupted",
            Ending::CutShort(_) => "cut short",
            Ending::CannotRun(_) | Ending::OutputFailed(_) => panic!("{ending:?}"),
        });
        self.model.ended(&ending, read, all, input_failed);
        self.ending = Some(ending);
        self.master.finish();
    }

    /// As the task of `--confirm` does, with a command that takes its time.
    fn begin_confirming(&mut self) -> bool {
        let mut any = false;
        while self.confirming.iter().flatten().count() < AT_ONCE
            && let Some(unconfirmed) = self.master.with(|core| core.unconfirmed.pop_front())
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

    /// A command has ended.
    pub(super) fn confirmed(&mut self, at: usize) {
        let Some(unconfirmed) = self.confirming.get_mut(at).and_then(Option::take) else { return };
        let well = chance(&mut self.rng, if self.calm { 100 } else { 80 });
        self.seen.note(if well { "confirmed" } else { "not confirmed" });
        self.model.confirmed(unconfirmed.loan.index, well, &self.master.lock());
        self.master.confirmed(unconfirmed, (!well).then(|| "no".into()), self.clock.instant());
        self.model.look(&self.master.lock(), &mut self.seen);
    }
}
