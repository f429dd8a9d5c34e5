//! Many values, and large values.

use pando_testing::PandoCommand;
use std::{
    io::{BufWriter, Write},
    thread,
    time::Duration,
};

#[test]
fn a_line_of_20_megabytes() {
    a_line_of(20_000_000, Duration::from_secs(180));
}

/// This test needs a minute and a gigabyte of memory, so it runs only with `PANDO_LARGE=1`.
#[test]
fn a_line_of_200_megabytes() {
    if std::env::var_os("PANDO_LARGE").is_some() {
        a_line_of(200_000_000, Duration::from_secs(900));
    }
}

fn a_line_of(length: usize, longest: Duration) {
    let input = ["before\n", &"é".repeat(length / 2), "\nafter\n"].concat();
    PandoCommand::f("(x, cb) => cb(null, x)")
        .longest(longest)
        .stdin(input.clone())
        .run()
        .gives(input);
}

#[test]
fn many_lines_of_a_megabyte() {
    let input: String =
        (0..40).map(|n| format!("{n}").repeat(1_000_000 / n.to_string().len()) + "\n").collect();
    PandoCommand::f("(x, cb) => cb(null, x)").stdin(input.clone()).run().gives(input);
}

#[test]
fn a_million_lines_in_little_memory() {
    let count = 1_000_000;
    // Each line has 100 bytes: 100 MB in total.
    let line = |n: u32| format!("{n:099}");
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)").stdin_open().start();
    let mut input = BufWriter::new(run.take_stdin());
    let writer = thread::spawn(move || {
        (0..count).for_each(|n| writeln!(input, "{}", line(n)).expect("it reads its input"));
        input.into_inner().expect("it reads its input")
    });
    for n in 0..count {
        assert_eq!(run.line(), Some(line(n)));
    }
    let input = writer.join().expect("the input is written");
    let peak = run.peak_memory();
    assert!(peak < 300_000_000, "{} MB", peak / 1_000_000);
    drop(input);
    run.wait().status(0);
}
