//! A random job: its values, its options, and its function.

mod expected;
mod function;
mod options;

pub(crate) use expected::{HEADER, Input};

use super::{
    chance::Chance,
    trust::{RandomTrust, rule},
    values::values,
};
use std::time::Duration;

/// The format of values and results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueFormat {
    Lines,
    Null,
    Json,
}

/// The value of `--on-error`: what follows when every attempt at a value fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AfterFailure {
    Stop,
    Skip,
    Report,
}

/// How values become items, and results lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Each value is an item, and each result a line.
    Plain,
    /// `--chunk`: so many values are an item.
    Chunk(usize),
    /// `--csv`: each value is the text of a row, beside a key.
    Table,
}

/// The last part of a result, after the length and the hash of the value.
#[derive(Debug, Clone, Copy)]
enum Tail {
    Nothing,
    /// The characters of the value in reverse order.
    Reversed,
    /// Digits, fewer than this number; the hash of the value gives the number of digits.
    Digits(u32),
}

/// A random job.
pub(crate) struct RandomJob {
    pub(crate) framing: ValueFormat,
    pub(crate) shape: Shape,
    /// Each result stands beside its input.
    tags: bool,
    /// Several devices compute one value.
    pub(crate) trust: Option<RandomTrust>,
    /// The values of the first master. Later ones may have others.
    pub(crate) values: Vec<String>,
    tail: Tail,
    /// True: the function is the default export of a module, and receives the attempt. False: the
    /// function has a callback.
    modern: bool,
    /// The first attempt fails for about one in so many values.
    flaky: Option<u32>,
    /// Every attempt fails for about one in so many values, with this `--on-error`.
    poison: Option<(u32, AfterFailure)>,
    /// The mean time of one call.
    pub(crate) latency: Duration,
    /// A call computes until its time is over, and does not wait on a timer.
    busy: bool,
    /// The values are words of the command line.
    as_items: bool,
    /// The input comes through a pipe with pauses, not from a file.
    pub(crate) trickles: bool,
    /// Lines end in `\r\n`.
    carriage: bool,
    /// The last value has no separator after it.
    open_end: bool,
    pub(crate) heartbeat: Duration,
    pub(crate) journal: bool,
    /// Results may come in any order.
    pub(crate) unordered: bool,
    options: Vec<String>,
}

impl RandomJob {
    /// A job of `count` values that takes about `time` on `cores` cores.
    pub(crate) fn new(
        chance: &mut Chance,
        count: usize,
        time: Duration,
        cores: u32,
        heartbeat: Duration,
        may_share: bool,
    ) -> Self {
        let framing = chance.one(&[
            ValueFormat::Lines,
            ValueFormat::Lines,
            ValueFormat::Null,
            ValueFormat::Json,
        ]);
        let budget = chance.one(&[100_000, 1_000_000, 3_000_000]);
        let values = values(chance, framing, count, budget);
        let latency =
            time.mul_f64(f64::from(cores) / count.max(1) as f64).min(Duration::from_millis(60));
        let shape = match chance.of_range(0..10) {
            0 | 1 => Shape::Chunk(chance.one(&[1, 2, 3, 10])),
            2 if framing == ValueFormat::Lines => Shape::Table,
            _ => Shape::Plain,
        };
        let trust = (may_share && chance.toss(0.35)).then(|| rule(chance, shape));
        let is_copied = matches!(trust, Some(RandomTrust::Copies(_)));
        let mut job = Self {
            framing,
            shape,
            tags: shape != Shape::Table && !is_copied && chance.toss(0.15),
            trust,
            values,
            tail: chance.one(&[
                Tail::Nothing,
                Tail::Reversed,
                Tail::Reversed,
                Tail::Digits(2000),
                Tail::Digits(200_000),
            ]),
            modern: chance.toss(0.5),
            flaky: None,
            poison: None,
            latency: if chance.toss(0.15) { Duration::ZERO } else { latency },
            busy: chance.toss(0.1),
            as_items: false,
            trickles: chance.toss(0.3),
            carriage: framing == ValueFormat::Lines && shape != Shape::Table && chance.toss(0.1),
            open_end: chance.toss(0.3),
            heartbeat,
            journal: trust.is_none_or(|trust| trust.may_be_kept()) && chance.toss(0.5),
            unordered: false,
            options: Vec::new(),
        };
        if count > 50 && matches!(job.tail, Tail::Digits(_)) {
            job.tail = Tail::Digits(2000);
        }
        let often = [3, 20, 100];
        let may_fail = trust.is_none() && !matches!(shape, Shape::Chunk(_));
        if may_fail && chance.toss(0.2) {
            let what = if framing == ValueFormat::Json && !job.tags {
                AfterFailure::Report
            } else {
                AfterFailure::Stop
            };
            job.poison = Some((
                chance.one(&often),
                chance.one(&[AfterFailure::Skip, AfterFailure::Stop, what]),
            ));
            // A busy machine must not make the master take a device for gone.
            job.heartbeat *= 5;
        } else if job.modern && chance.toss(0.3) {
            job.flaky = Some(chance.one(&often));
        }
        // Where one value stops the run, chance decides which others are output before.
        job.unordered = !matches!(job.poison, Some((_, AfterFailure::Stop))) && chance.toss(0.15);
        job.as_items = count > 0
            && framing != ValueFormat::Null
            && shape != Shape::Table
            && chance.toss(0.1)
            && job.may_be_items();
        job.options = options::options(chance, &job);
        job
    }

    fn may_be_items(&self) -> bool {
        let all: usize = self.values.iter().map(|value| value.len() + 9).sum();
        all < 500_000
            && self.values.iter().all(|value| value.len() < 100_000 && !value.contains('\0'))
    }

    /// Whether a master that starts again may find other values in its input.
    pub(crate) fn may_be_edited(&self) -> bool {
        self.journal && !self.as_items
    }

    /// Whether failed attempts can fail a value, so that faults of devices must not use up its
    /// attempts.
    pub(crate) fn counts_attempts(&self) -> bool {
        self.poison.is_some()
    }

    pub(crate) fn separator(&self) -> u8 {
        if self.framing == ValueFormat::Null { 0 } else { b'\n' }
    }

    /// The words of the command line except files, port, token and items.
    pub(crate) fn options(&self) -> &[String] {
        &self.options
    }

    /// The last words of the command line: the values, if the job passes them as words.
    pub(crate) fn items(&self) -> impl Iterator<Item = String> {
        let values = self.values.iter().cloned();
        self.as_items.then(|| ["--".to_owned()].into_iter().chain(values)).into_iter().flatten()
    }

    /// Whether this machine's own cores take part.
    pub(crate) fn has_local_cores(&self) -> bool {
        !self.options.windows(2).any(|two| two == ["--cores", "0"])
    }
}

/// A description of the job without the values.
impl std::fmt::Display for RandomJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes: usize = self.values.iter().map(String::len).sum();
        let longest = self.values.iter().map(String::len).max().unwrap_or(0);
        write!(
            f,
            "{} values of {bytes} bytes, the longest {longest}; {:?}; {:?} each{}, tail {:?}, flaky: {:?}, poisonous: {:?}; {}; options {}",
            self.values.len(),
            self.shape,
            self.latency,
            if self.busy { " (busy)" } else { "" },
            self.tail,
            self.flaky,
            self.poison,
            match (self.as_items, self.trickles) {
                (true, _) => "words of the command line",
                (_, true) => "the input trickles",
                _ => "the input is a file",
            },
            self.options.join(" ")
        )
    }
}
