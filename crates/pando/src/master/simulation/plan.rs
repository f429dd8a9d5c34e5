//! The plan made from a seed: the job, its values and their natures.

use super::{
    clock::{MS, SECOND},
    shaped::RunShape,
    shared,
};
use crate::{
    config::{BatchSize, OnError},
    master::{
        items::Framing,
        job::{InputSize, Job, TrustJob},
        shape::Shape,
    },
    protocol::{Form, JobOptions, PART},
};
use bytes::Bytes;
use fastrand::Rng;
use std::sync::Arc;
use stream_lender::Order;

/// The effect of a value on its computation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Nature {
    /// The call has a result.
    Good,
    /// The call fails on every device.
    Throws,
    /// The result contains a newline, and so would be taken for two results.
    TwoLines,
    /// The call ends its core.
    Kills,
    /// The call never ends.
    Hangs,
    /// This many devices vanish while computing the value; then there is a result.
    Vanishes(u32),
}

/// One value of the input.
pub(super) struct Item {
    pub(super) text: Bytes,
    pub(super) nature: Nature,
    /// The time of a call on a usual device, in microseconds.
    pub(super) micros: u64,
}

/// See the module. Times are in microseconds.
pub(super) struct Plan {
    pub(super) job: Job,
    pub(super) items: Vec<Item>,
    pub(super) heartbeat: u64,
    pub(super) calm_at: u64,
    /// The longest time between two faults.
    pub(super) unrest: u64,
    /// The input ends with an error.
    pub(super) input_fails: bool,
    pub(super) journal: bool,
    /// The most values in a block.
    pub(super) block: usize,
    /// The time until a block is read.
    pub(super) reading: u64,
    /// The number of results taken at once, and the time until the next ones are taken.
    pub(super) taken: usize,
    pub(super) taking: u64,
    /// The most devices at a time.
    pub(super) devices: usize,
}

pub(super) fn chance(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(0..100) < percent
}

pub(super) fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(0..from.len())]
}

impl Plan {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let usual = pick(rng, &[100, MS, 10 * MS, 50 * MS, 300 * MS]);
        let heartbeat = pick(rng, &[20 * usual, 1_000 * MS]).max(100 * MS);
        let timeout = pick(rng, &[None, None, Some(usual * 8)]);
        let most = if chance(rng, 10) { 120 } else { 30 };
        let count = pick(rng, &[0, 1, 2, 3, 5, 8, 12, 20, most]);
        let calm_at = pick(rng, &[0, 1, 3, 10]) * heartbeat + usual * rng.u64(0..20);
        Self {
            items: items(rng, count, usual, timeout.is_some()),
            job: job(rng, heartbeat, timeout),
            heartbeat,
            calm_at,
            unrest: calm_at / pick(rng, &[2, 10, 20]) + 1,
            input_fails: chance(rng, 10),
            journal: chance(rng, 10),
            block: pick(rng, &[1, 3, 10, 1_000]),
            reading: pick(rng, &[0, 0, usual, 5 * usual]),
            taken: pick(rng, &[1, 5, 1_000]),
            taking: pick(rng, &[0, 0, 0, usual, 10 * usual]),
            devices: pick(rng, &[1, 2, 3, 5, 8]),
        }
        .in_some_order(rng.clone())
    }

    /// The same plan, in some runs with results as they come. The random numbers of the run stay
    /// the same.
    fn in_some_order(mut self, mut rng: Rng) -> Self {
        if chance(&mut rng, 25) {
            self.job.order = Order::OfResults;
        }
        self
    }

    /// Changes the plan to one with `--copies` or `--verify`. `sleeps`: the liar is honest until it
    /// is proven, which takes some values.
    pub(super) fn share(&mut self, trust: TrustJob, journal: bool, sleeps: bool) {
        (self.job.trust, self.journal) = (Some(trust), journal);
        self.job.order = Order::OfInput;
        if sleeps {
            let micros = self.items.iter().map(|item| item.micros).max().unwrap_or(MS).min(10 * MS);
            let text = |at: usize| format!("{at} good").into();
            let more = (0..60).map(|at| Item { text: text(at), nature: Nature::Good, micros });
            self.items.extend(more);
        }
    }

    /// Gives the plan another shape. A table has no reports of failures.
    pub(super) fn shape(&mut self, shape: RunShape) {
        shape.apply(&mut self.job, &mut self.items);
        self.journal &= shape.goes_with_journal();
        if shape == RunShape::Rows && self.job.on_error == OnError::Report {
            self.job.on_error = OnError::Skip;
        }
    }

    /// The time within which every run ends once the calm has begun.
    pub(super) fn longest_end(&self) -> u64 {
        let longest = self.items.iter().map(|item| item.micros).max().unwrap_or(0) * 4 + SECOND;
        let attempts = (self.items.len() as u64 + 20) * u64::from(self.job.retries + 4);
        let usual = 60 * SECOND
            + 20 * self.heartbeat
            + attempts * (longest + SECOND)
            + (self.reading + self.taking) * attempts;
        if self.job.trust.is_some() { shared::longest_end(usual) } else { usual }
    }
}

fn items(rng: &mut Rng, count: usize, usual: u64, timeout: bool) -> Vec<Item> {
    let bad = pick(rng, &[0, 0, 3, 15, 60]);
    let stragglers = pick(rng, &[0, 5, 20]);
    let long = chance(rng, 3);
    let item = |at: usize| {
        let nature = match rng.u32(0..6) {
            _ if !chance(rng, bad) => Nature::Good,
            0 | 1 => Nature::Throws,
            2 => Nature::Kills,
            3 if timeout => Nature::Hangs,
            4 => Nature::Vanishes(rng.u32(1..8)),
            _ => Nature::TwoLines,
        };
        let text = if long && chance(rng, 30) {
            "x".repeat(PART / 2 + rng.usize(0..PART))
        } else {
            String::new()
        };
        let times = if chance(rng, stragglers) { 10 } else { 1 };
        Item {
            text: format!("{at}{text}").into(),
            nature,
            micros: (usual / 5 + rng.u64(0..=usual * 2)) * times,
        }
    };
    (0..count).map(item).collect()
}

fn job(rng: &mut Rng, heartbeat: u64, timeout: Option<u64>) -> Job {
    Job {
        id: "first".into(),
        function: Arc::default(),
        options: JobOptions {
            concurrency: pick(rng, &[1, 1, 1, 3]),
            timeout: timeout.map(|micros| micros.div_ceil(MS)),
            dom: false,
            json: false,
            heartbeat: heartbeat / MS,
        },
        framing: Framing { separator: b'\n', form: Form::Text },
        batch_size: pick(
            rng,
            &[BatchSize::Auto, BatchSize::Fixed(1), BatchSize::Fixed(2), BatchSize::Fixed(7)],
        ),
        retries: rng.u32(0..4),
        speculate: chance(rng, 30),
        sync: false,
        gateway: false,
        confirms: chance(rng, 15),
        trust: None,
        files: None,
        shape: Shape::default(),
        shows_first: false,
        on_error: pick(
            rng,
            &[OnError::Stop, OnError::Skip, OnError::Skip, OnError::Report, OnError::Tell],
        ),
        max_failures: None,
        failed: None,
        numbers: None,
        local_only: false,
        program: None,
        answers_lines: false,
        window: pick(rng, &[1, 2, 5, 20, 1_000]),
        order: Order::OfInput,
        size: InputSize::Unknown,
        quiet: false,
        explains: false,
    }
}
