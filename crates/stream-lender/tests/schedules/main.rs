//! Random schedules: for every sequence of steps the lender gives the same answers as a naive
//! model.
//!
//! `STREAM_LENDER_SCHEDULES` is the number of schedules (20,000). `STREAM_LENDER_SEED` replays one
//! schedule and prints its steps.

mod model;
mod random;
mod schedule;
mod seen;
mod source;
mod steps;

use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use model::{Broken, Thing};
use schedule::Schedule;
use seen::Seen;
use stream_lender::{Order, Window};

/// The lender under test. `examples/random-testing` runs the same schedules against lenders with a
/// bug.
type Lender = stream_lender::Lender<Thing, Thing, Broken>;

const SCHEDULES: u64 = 20_000;

#[test]
fn random_schedules_go_as_the_model_says() {
    if let Some(seed) = number("STREAM_LENDER_SEED") {
        schedule(seed, true).run();
        return;
    }
    let schedules = number("STREAM_LENDER_SCHEDULES").unwrap_or(SCHEDULES);
    let mut seen = Seen::default();
    for seed in 0..schedules {
        match catch_unwind(AssertUnwindSafe(|| schedule(seed, false).run())) {
            Ok(more) => seen.add(&more),
            Err(panic) => {
                eprintln!(
                    "Schedule {seed} failed. To see its steps: STREAM_LENDER_SEED={seed} cargo test -p stream-lender --test schedules -- --nocapture"
                );
                resume_unwind(panic)
            }
        }
    }
    println!("{schedules} schedules: {seen:?}");
    if schedules >= 1_000 {
        assert_eq!(seen.missing(), Vec::<&str>::new(), "the schedules do not reach everything");
    }
}

/// The schedule of `seed`. In every third one, results are output as they come.
fn schedule(seed: u64, verbose: bool) -> Schedule {
    let order = if seed % 3 == 2 { Order::OfResults } else { Order::OfInput };
    Schedule::new(seed, verbose, |window| lender(window).with_order(order)).with_order(order)
}

fn lender(window: Window) -> Lender {
    Lender::with_weights(window, |value| value.bytes, |result| result.bytes)
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {text}")))
}
