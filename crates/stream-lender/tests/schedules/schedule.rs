//! One random schedule for a lender and the model side by side.

use stream_lender::{Ask, Index, Order, Pull, SubStreamId, Window};

use crate::{
    Lender,
    model::{Model, State, Thing},
    random::Random,
    seen::Seen,
    source::Source,
};

/// The greatest number of rounds until the end. A schedule that needs more rounds hangs.
const LONGEST_END: usize = 5_000;

pub(crate) struct Schedule {
    pub(crate) random: Random,
    pub(crate) lender: Lender,
    pub(crate) model: Model,
    pub(crate) input: Source,
    /// All sub-streams that were ever opened.
    pub(crate) opened: Vec<SubStreamId>,
    pub(crate) most_open: u64,
    pub(crate) consuming: bool,
    /// Whether results are output as they come.
    pub(crate) by_results: bool,
    pub(crate) outputs: Vec<(Index, Thing)>,
    pub(crate) seen: Seen,
    pub(crate) verbose: bool,
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
            by_results: false,
            outputs: Vec::new(),
            seen: Seen::default(),
            verbose,
            random,
        }
    }

    /// The same schedule for a lender with this order of the output.
    #[allow(dead_code, reason = "an example runs these schedules in the order of the input alone")]
    pub(crate) fn with_order(mut self, order: Order) -> Self {
        self.model.order = order;
        self.by_results = order == Order::OfResults;
        self
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
            58..60 => self.forge(),
            60..62 => self.confuse(),
            62..65 => self.resume_loan(),
            65 => self.copy(),
            66..68 => self.replace(),
            68..73 => self.input_ready(),
            73..75 => self.read_finished(),
            75..85 => self.output(),
            85..88 => self.consuming = !self.consuming,
            88..99 => self.wake(),
            _ => self.stop(),
        }
    }

    /// From now on every sub-stream behaves well: all results must come out, and the lender must
    /// end.
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
                    Some(loan) if self.random.chance(10) => self.fail(sub, *loan),
                    Some(loan) => self.result(sub, *loan),
                    None => {}
                }
            }
            self.compare();
        }
        panic!("no end: {:?}", self.lender);
    }

    fn check_the_end(&mut self) {
        let is_sorted = self.outputs.is_sorted_by_key(|(index, _)| *index);
        self.seen.note_if(!is_sorted, "output not in the order of the input");
        if self.by_results {
            self.outputs.sort_by_key(|(index, _)| *index);
            self.outputs.dedup_by_key(|(index, _)| *index);
        } else {
            for (place, (index, _)) in self.outputs.iter().enumerate() {
                assert_eq!(*index, place as Index, "out of order");
            }
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

    /// Compares all visible state of the lender with the model.
    fn compare(&self) {
        let (lender, model) = (&self.lender, &self.model);
        assert!(lender.in_progress() <= model.window.items.max(1), "beyond the window");
        assert_eq!(lender.in_progress(), model.in_progress().count());
        assert_eq!(lender.bytes_in_progress(), model.bytes());
        assert_eq!(lender.is_full(), model.is_full());
        assert_eq!(lender.is_done(), model.is_done());
        assert_eq!(lender.has_room(), model.has_room());
        assert_eq!(lender.values_read(), model.values.len() as u64);
        assert_eq!(lender.results_output(), model.output);
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
            assert_eq!(
                (lender.holder(index), lender.loan(index)),
                (model.holder(index), model.loan(index))
            );
            assert_eq!(lender.value(index), model.value(index));
        }
    }

    pub(crate) fn say(&self, what: &str) {
        if self.verbose {
            eprintln!("{what}");
        }
    }
}
