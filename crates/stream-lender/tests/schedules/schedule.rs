//! One random schedule: a lender and the model side by side.

use stream_lender::{Ask, Index, Output, Pull, Refused, SubStreamId, Window};

use crate::{
    Lender,
    model::{Broken, Model, Reading, State, Thing},
    random::Random,
    seen::Seen,
    source::{Source, thing},
};

/// More steps than this, and a schedule that should end by itself hangs.
const LONGEST_END: usize = 5_000;

pub(crate) struct Schedule {
    random: Random,
    lender: Lender,
    model: Model,
    input: Source,
    /// Those that have ever been opened.
    opened: Vec<SubStreamId>,
    most_open: u64,
    consuming: bool,
    outputs: Vec<(Index, Thing)>,
    seen: Seen,
    verbose: bool,
}

impl Schedule {
    pub(crate) fn new(seed: u64, verbose: bool, lender: impl FnOnce(Window) -> Lender) -> Self {
        let mut random = Random::new(seed);
        let items = random.pick(&[0, 1, 2, 5, 12, 1_000]).unwrap_or(1);
        let bytes = random.pick(&[0, 50, 200, 100_000, 100_000]).unwrap_or(1);
        let window = Window { items, bytes };
        let input = Source {
            left: random.below(40),
            error: random.chance(25).then_some("broken"),
            pending_percent: random.pick(&[0, 0, 20, 60]).unwrap_or(0),
            random: Random::new(random.next()),
        };
        Schedule {
            lender: lender(window),
            model: Model::new(window),
            input,
            opened: Vec::new(),
            most_open: 1 + random.below(6),
            consuming: true,
            outputs: Vec::new(),
            seen: Seen::default(),
            verbose,
            random,
        }
    }

    pub(crate) fn run(mut self) -> Seen {
        for _ in 0..20 + self.random.below(100) {
            self.step();
            self.compare();
        }
        self.finish();
        self.seen
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..8 => self.open(),
            8..11 => self.close(),
            11..13 => self.pause(),
            13..40 => self.ask(),
            40..58 => self.give_back(),
            58..62 => self.forge(),
            62..65 => self.take_up(),
            65..68 => self.replace(),
            68..73 => self.input_ready(),
            73..75 => self.read_finished(),
            75..85 => self.output(),
            85..88 => self.consuming = !self.consuming,
            88..99 => self.wake(),
            _ => self.stop(),
        }
    }

    /// From here on everyone does what is expected: all must come out, and end.
    fn finish(&mut self) {
        self.consuming = true;
        self.open();
        for _ in 0..LONGEST_END {
            self.input_ready();
            self.output();
            self.wake_and_ask();
            if self.lender.is_done() {
                self.seen.note("end");
                return self.check_the_end();
            }
            let subs = self.model.open.clone();
            for sub in subs {
                self.ask_for(sub);
                match self.model.held(sub).first() {
                    Some(index) if self.random.chance(10) => self.fail(sub, *index),
                    Some(index) => self.result(sub, *index),
                    None => {}
                }
            }
            self.compare();
        }
        panic!("no end: {:?}", self.lender);
    }

    fn check_the_end(&mut self) {
        for (place, (index, _)) in self.outputs.iter().enumerate() {
            assert_eq!(*index, place as Index, "out of order");
        }
        let cut = self.model.values.iter().filter(|value| value.state == State::Cut).count();
        self.seen.note_if(cut > 0, "cut values");
        assert_eq!(self.outputs.len() + cut, self.model.values.len(), "something is lost");
        let sub = self.lender.open();
        let mut read = false;
        let answer = self.lender.ask(sub, &mut || {
            read = true;
            Pull::End
        });
        assert_eq!((answer, read), (Ask::Done, false), "asking after the end");
    }

    fn open(&mut self) {
        if self.model.open.len() as u64 >= self.most_open {
            return;
        }
        let sub = self.lender.open();
        self.say(&format!("open {sub:?}"));
        assert!(!self.opened.contains(&sub), "{sub:?} is used again");
        self.opened.push(sub);
        self.model.open.push(sub);
    }

    fn close(&mut self) {
        let Some(sub) = self.random.pick(&self.opened) else {
            return;
        };
        self.seen.note_if(!self.model.open.contains(&sub), "another close of one closed");
        let held = self.lender.close(sub);
        self.say(&format!("close {sub:?}: {held:?}"));
        self.seen.note_if(!held.is_empty(), "closed with values");
        assert_eq!(held, self.model.close(sub));
    }

    fn pause(&mut self) {
        if let Some(sub) = self.random.pick(&self.opened) {
            self.say(&format!("pause {sub:?}"));
            self.seen.note_if(!self.model.held(sub).is_empty(), "paused with values");
            self.lender.pause(sub);
            self.model.pause(sub);
        }
    }

    fn ask(&mut self) {
        // Mostly one that is open.
        let from = if self.random.chance(95) { &self.model.open } else { &self.opened };
        if let Some(sub) = self.random.pick(from) {
            self.ask_for(sub);
        }
    }

    fn ask_for(&mut self, sub: SubStreamId) {
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

    fn note_answer(&mut self, sub: SubStreamId, answer: &Ask<Thing>, pulled: Option<&Pull<Thing, Broken>>) {
        match pulled {
            Some(Pull::Pending) => self.seen.note("pending"),
            Some(Pull::Failed(_)) => self.seen.note("input failed"),
            _ => {}
        }
        match answer {
            Ask::Wait => self.seen.note("told to wait"),
            Ask::Done => self.seen.note("told done"),
            Ask::Value(lent) => {
                let Some(value) = self.model.values.get(lent.index as usize) else {
                    return;
                };
                let by_all = self.model.failed_by_all(value);
                let by_some = !value.failed_by.is_empty();
                assert!(by_all || !value.failed_by.contains(&sub), "{sub:?} has failed {} before", lent.index);
                self.seen.note_if(by_some && by_all, "failed by all, lent again");
                self.seen.note_if(by_some && !by_all, "failed, lent to another");
            }
        }
    }

    /// Somebody gives back something that it holds.
    fn give_back(&mut self) {
        let Some((sub, index)) = self.random.pick(&self.model.loans) else {
            return;
        };
        match self.random.below(10) {
            0..7 => self.result(sub, index),
            7..9 => self.fail(sub, index),
            _ => self.hand_back(sub, index),
        }
    }

    /// Somebody gives back something, held or not: late, doubled or invented.
    fn forge(&mut self) {
        let Some(sub) = self.random.pick(&self.opened) else {
            return;
        };
        let index = match self.random.below(20) {
            0 => u64::MAX,
            1 => u64::MAX - 1,
            _ => self.random.below(self.model.values.len() as u64 + 3),
        };
        match self.random.below(3) {
            0 => self.result(sub, index),
            1 => self.fail(sub, index),
            _ => self.hand_back(sub, index),
        }
    }

    fn result(&mut self, sub: SubStreamId, index: Index) {
        let result = thing(&mut self.random);
        let answer = self.lender.result(sub, index, result);
        self.say(&format!("result {sub:?} {index} {result:?}: {answer:?}"));
        assert_eq!(answer, self.model.result(sub, index, result));
        self.note_refused(answer, "result");
    }

    fn fail(&mut self, sub: SubStreamId, index: Index) {
        let again = self.model.values.get(index as usize).is_some_and(|value| value.failed_by.contains(&sub));
        let answer = self.lender.fail(sub, index);
        self.say(&format!("fail {sub:?} {index}: {answer:?}"));
        assert_eq!(answer, self.model.fail(sub, index));
        self.note_refused(answer, if again { "failed a second time" } else { "failed" });
    }

    fn hand_back(&mut self, sub: SubStreamId, index: Index) {
        let answer = self.lender.hand_back(sub, index);
        self.say(&format!("hand back {sub:?} {index}: {answer:?}"));
        assert_eq!(answer, self.model.hand_back(sub, index));
        self.note_refused(answer, "handed back");
        if answer.is_ok() && self.random.chance(30) {
            self.ask_for(sub);
            self.seen.note_if(self.model.holder(index) == Some(sub), "handed back, lent to the same");
        }
    }

    fn note_refused(&mut self, answer: Result<(), Refused>, otherwise: &'static str) {
        self.seen.note(match answer {
            Ok(()) => otherwise,
            Err(Refused::NotHeld) => "not held",
            Err(Refused::UnknownSubStream) => "unknown sub-stream",
        });
    }

    fn take_up(&mut self) {
        let Some(sub) = self.random.pick(&self.opened) else {
            return;
        };
        let index = self.random.below(self.model.values.len() as u64 + 2);
        let answer = self.lender.take_up(sub, index);
        self.say(&format!("take up {sub:?} {index}: {answer:?}"));
        self.seen.note_if(answer.is_some(), "took up");
        assert_eq!(answer, self.model.take_up(sub, index));
    }

    fn replace(&mut self) {
        let index = self.random.below(self.model.values.len() as u64 + 2);
        let value = thing(&mut self.random);
        self.seen.note_if(self.model.value(index).is_some(), "replaced");
        self.say(&format!("replace {index} {value:?}"));
        self.lender.replace_value(index, value);
        self.model.replace_value(index, value);
    }

    fn input_ready(&mut self) {
        self.lender.input_ready();
        self.model.input_ready();
    }

    /// The input has a value whose result is known.
    fn read_finished(&mut self) {
        let result = thing(&mut self.random);
        let answer = self.lender.read_finished(result);
        self.say(&format!("read finished {result:?}: {answer:?}"));
        self.seen.note_if(answer.is_ok(), "read finished");
        assert_eq!(answer, self.model.read_finished(result));
    }

    fn output(&mut self) {
        if !self.consuming {
            return;
        }
        let before = self.outputs.len();
        loop {
            let output = self.lender.next_output();
            assert_eq!(output, self.model.next_output());
            match output {
                Output::Item(index, result) => self.outputs.push((index, result)),
                Output::Failed(_) => self.seen.note("output failed"),
                Output::Pending | Output::Done => break,
            }
        }
        let items = self.outputs.len() - before;
        self.seen.note_if(items > 1, "output after the consumer stopped");
        self.say(&format!("output {items}"));
    }

    /// Wakes one or all that wait; what they do then is theirs: they ask at once, later, or not at all.
    fn wake(&mut self) {
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

    fn wake_and_ask(&mut self) {
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

    /// The rare things.
    fn stop(&mut self) {
        let end = self.random.below(self.model.values.len() as u64 + 4);
        let failed = matches!(self.model.reading, Reading::Failed(_));
        self.seen.note_if(self.model.input_is_open() && self.input.left > 0, "end before all was read");
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
                self.model.truncate(0);
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

    /// All that can be seen of the lender is as in the model.
    fn compare(&self) {
        let (lender, model) = (&self.lender, &self.model);
        assert!(lender.in_progress() <= model.window.items.max(1), "beyond the window");
        assert_eq!(lender.in_progress(), model.in_progress().count());
        assert_eq!(lender.bytes_in_progress(), model.bytes());
        assert_eq!(lender.is_full(), model.is_full());
        assert_eq!(lender.is_done(), model.is_done());
        assert_eq!(lender.has_room(), model.has_room());
        assert_eq!(lender.read(), model.values.len() as u64);
        assert_eq!(lender.output(), model.output);
        assert_eq!(lender.sub_streams(), model.open.len());
        assert_eq!(lender.oldest(), model.oldest());
        let wants = !model.waiting.is_empty() && model.input_is_open() && !model.is_full();
        assert_eq!(lender.wants_input(), wants);
        for sub in &self.opened {
            let held = model.held(*sub);
            assert_eq!(lender.held(*sub), held.len());
            assert!(lender.outstanding(*sub).eq(held));
        }
        for index in 0..model.values.len() as Index + 1 {
            assert_eq!(lender.holder(index), model.holder(index));
            assert_eq!(lender.value(index), model.value(index));
        }
    }

    fn say(&self, what: &str) {
        if self.verbose {
            eprintln!("{what}");
        }
    }
}
