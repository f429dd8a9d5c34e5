use num_bigint::BigUint;

use crate::npm::install;
use crate::program::{apply, leave_early, run};
use pando_testing::Finished;

pub(crate) const RANGES: &str = env!("CARGO_BIN_EXE_collatz-ranges");
pub(crate) const MAX: &str = env!("CARGO_BIN_EXE_collatz-max");

/// The same function with two implementations of large numbers.
pub(crate) const FUNCTIONS: [&str; 2] = ["collatz/collatz.js", "collatz/collatz-bigint.js"];

fn apply_each(input: &str) -> [Finished; 2] {
    install("collatz");
    FUNCTIONS.map(|function| apply(function, input))
}

/// The same search in another language and with another library.
pub(crate) fn most_steps(range: &str) -> String {
    let (start, size) = range.split_once(' ').expect("two numbers");
    let start: BigUint = start.parse().expect("a number");
    let (mut number, mut most) = (start.clone(), None);
    for offset in 0..size.parse::<u32>().expect("a number") {
        let steps = steps(&start + offset);
        if most < Some(steps) {
            (number, most) = (&start + offset, Some(steps));
        }
    }
    format!("{number} {}", most.expect("a range is not empty"))
}

fn steps(mut number: BigUint) -> u32 {
    let mut steps = 0;
    while number > BigUint::from(1_u32) {
        number = if number.bit(0) { number * 3_u32 + 1_u32 } else { number / 2_u32 };
        steps += 1;
    }
    steps
}

#[test]
fn ranges_follow_each_other() {
    assert_eq!(
        run(RANGES, &["--count", "3"], b"").lines(),
        ["3179389980591125407167 100", "3179389980591125407267 100", "3179389980591125407367 100"]
    );
    assert_eq!(
        run(RANGES, &["--start", "8", "--size", "5", "--count", "2"], b"").lines(),
        ["8 5", "13 5"]
    );
}

#[test]
fn ranges_without_an_end_stop_when_nobody_reads() {
    let output = leave_early(RANGES, &[], b"");
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""));
}

#[test]
fn ranges_start_at_one_or_later() {
    assert_eq!(run(RANGES, &["--start", "0"], b"").status, Some(2));
    assert_eq!(run(RANGES, &["--size", "0"], b"").status, Some(2));
}

#[test]
fn the_function_agrees_with_the_reference() {
    let ranges = [
        "1 1",
        "1 30",
        "9 100",
        "9007199254740990 20",
        "3179389980591125407167 40",
        "340282366920938463463374607431768211455 5",
    ];
    let expected: Vec<_> = ranges.iter().map(|range| most_steps(range)).collect();
    for output in apply_each(&(ranges.join("\n") + "\n")) {
        assert_eq!(output.lines(), expected);
    }
    assert_eq!(expected[4], "3179389980591125407167 2760");
}

#[test]
fn the_function_reports_how_many_numbers_it_did() {
    for output in apply_each("5 12\n") {
        assert!(output.stderr.contains(r#""nbItems":12,"units":"numbers""#), "{}", output.stderr);
    }
}

#[test]
fn the_function_refuses_what_is_no_range() {
    for range in ["0 3", "5", "5 0", "-1 2", "1e9 2", "a b"] {
        for output in apply_each(&format!("{range}\n")) {
            assert_eq!(
                (output.status, output.stderr.trim()),
                (Some(1), format!("not \"START SIZE\": {range}").as_str())
            );
        }
    }
}

#[test]
fn max_keeps_each_line_with_more_steps_than_before() {
    let output = run(MAX, &[], b"1 0\n9 19\n12 9\n18 20\n19 20\r\n27 111");
    assert_eq!(output.lines(), ["1 0", "9 19", "18 20", "27 111"]);
}

#[test]
fn max_tells_the_line_it_cannot_read() {
    let output = run(MAX, &[], b"1 0\nnine 19\n12 9\n");
    assert_eq!((output.status, output.stdout.as_slice()), (Some(1), b"1 0\n".as_slice()));
    assert_eq!(output.stderr, "collatz-max: line 2: expected \"NUMBER STEPS\", got \"nine 19\"\n");
}

#[test]
fn max_ends_quietly_when_nobody_reads() {
    let output = leave_early(MAX, &[], b"1 0\n2 1\n");
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""));
}
