//! What the lender costs per value, in nanoseconds: `cargo run --release --example order`.
//!
//! Sub-streams borrow in turn until each holds some values, and give their results in the opposite
//! order, so that the lender has to put them right. Values and results are numbers; nothing is sent
//! anywhere.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a measure needs a clock")]

use std::{hint::black_box, time::Instant};

use stream_lender::{Ask, Lender, Loan, Output, Pull, SubStreamId, Window};

const VALUES: u64 = 10_000_000;

fn main() {
    for (borrowers, held) in [(1, 1), (1, 250), (8, 250), (100, 100), (1_000, 50)] {
        let start = Instant::now();
        let output = run(borrowers, held);
        let ns = start.elapsed().as_nanos() as f64 / output as f64;
        println!("{borrowers:5} sub-streams with {held:3} values each: {ns:5.1} ns per value");
    }
}

/// Passes all values through a lender, and answers how many came out, in order.
fn run(borrowers: usize, held: usize) -> u64 {
    let mut lender: Lender<u64, u64, ()> = Lender::new(Window::default());
    let mut numbers = 0..VALUES;
    let mut input = || Pull::from(numbers.next());
    let subs: Vec<SubStreamId> = (0..borrowers).map(|_| lender.open()).collect();
    let mut lent: Vec<(SubStreamId, Loan, u64)> = Vec::with_capacity(borrowers * held);
    let mut expected = 0;
    loop {
        for _ in 0..held {
            for sub in &subs {
                if let Ask::Value(value) = lender.ask(*sub, &mut input) {
                    lent.push((*sub, value.loan, value.value));
                }
            }
        }
        while let Some((sub, loan, value)) = lent.pop() {
            lender.result(sub, loan, black_box(value + 1)).expect("it is lent");
        }
        while let Output::Item(index, result) = lender.next_output() {
            assert_eq!((index, result), (expected, expected + 1));
            expected += 1;
        }
        while let Some(sub) = lender.next_wake() {
            black_box(sub);
        }
        if lender.is_done() {
            return expected;
        }
    }
}
