//! The streaming map is lazy and ordered, and runs at the speed of its slowest end.

use pando_testing::{
    BOOM, EventsFile, FunctionGate, PandoCommand, children, kill, lines, numbers, until,
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

const ECHO: &str = "(x, cb) => cb(null, x)";

#[test]
fn the_first_result_comes_while_the_input_is_still_open() {
    let mut run = PandoCommand::f(ECHO).stdin_open().start();
    for n in 0..5 {
        run.write_line(&n.to_string());
        assert_eq!(run.line(), Some(n.to_string()));
    }
    run.wait().gives("0\n1\n2\n3\n4\n");
}

#[test]
fn outputs_are_in_the_order_of_inputs_whatever_the_speeds() {
    let f = "(x, cb) => setTimeout(() => cb(null, x), x * 7919 % 40)";
    PandoCommand::f(f)
        .args(["--cores", "3", "--concurrency", "4"])
        .stdin(numbers(300))
        .run()
        .gives(numbers(300));
}

#[test]
fn results_that_wait_for_an_earlier_one_come_right_after_it() {
    let gate = FunctionGate::closed();
    let f = format!(
        "export default async x => {{ if (x === '1') await {}; return x }}",
        gate.knock("x")
    );
    let events = EventsFile::empty();
    let mut run =
        PandoCommand::new(&f).args(["--concurrency", "4"]).events(&events).stdin_open().start();
    run.write(numbers(100));
    events.wait("result", |event| event["index"] == 100);
    gate.open_for_all();
    for n in 1..=100 {
        assert_eq!(run.line(), Some(n.to_string()));
    }
    run.wait().status(0);
}

#[test]
fn concurrency_keeps_so_many_calls_open_and_no_more() {
    let f = "let open = 0
module.exports['/pando/1.0.0'] = (x, cb) => {
  const now = ++open
  setTimeout(() => { open--; cb(null, now) }, x * 7919 % 30)
}";
    let run = PandoCommand::new(f)
        .args(["--concurrency", "10", "--cores", "1"])
        .stdin(numbers(200))
        .run();
    run.status(0);
    let open: Vec<u32> = run.text().lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!((open.len(), open.iter().max()), (200, Some(&10)));
}

#[test]
fn one_call_at_a_time_per_core_otherwise() {
    let f = "let open = 0
module.exports['/pando/1.0.0'] = (x, cb) => { const now = ++open; setTimeout(() => { open--; cb(null, now) }, 1) }";
    PandoCommand::new(f).args(["--cores", "2"]).stdin(numbers(50)).run().gives("1\n".repeat(50));
}

#[test]
fn several_cores_compute_at_the_same_time() {
    let gate = FunctionGate::closed();
    let run = PandoCommand::new(&format!(
        "export default async x => {{ await {}; return x }}",
        gate.knock("x")
    ))
    .args(["--cores", "3"]);
    let run = run.stdin(numbers(3)).start();
    (1..=3).for_each(|n| gate.waits_for(&n.to_string()));
    assert_eq!(children(run.pid()).len(), 3);
    gate.open_for_all();
    run.wait().gives(numbers(3));
}

#[test]
fn an_endless_producer_into_head() {
    let pando = PandoCommand::f(ECHO).local().args(["-q"]);
    let script = r#"yes hello | { "$@"; echo $? > status; } | head -n 3"#;
    let command = pando.command();
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", script, "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(pando.folder());
    let output = shell.output().expect("sh is there");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hello\nhello\nhello\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let status = pando.folder().join("status");
    let status = until("its status", || {
        std::fs::read_to_string(&status).ok().filter(|text| !text.is_empty())
    });
    assert_eq!(status, "0\n");
}

#[test]
fn a_reader_that_leaves_ends_the_run_quietly_with_status_0() {
    let command = PandoCommand::f(ECHO).local().args(["-q"]);
    let mut run = command.stdin_open().stdout_unread().start();
    let mut input = run.take_stdin();
    let writer = thread::spawn(move || while input.write_all(b"hello\n").is_ok() {});
    let mut reader = BufReader::new(run.take_stdout());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "hello\n");
    drop(reader);
    let done = run.wait_with_input_open();
    done.status(0);
    assert_eq!(done.stderr, "");
    writer.join().unwrap();
}

#[test]
fn a_reader_who_is_gone_before_the_first_result() {
    let mut run = PandoCommand::f(ECHO).local().stdin_open().stdout_unread().start();
    drop(run.take_stdout());
    run.write_line("1");
    run.wait_with_input_open().status(0);
}

#[test]
fn a_slow_reader_of_many_short_lines_loses_none() {
    slow_reader(numbers(30_000));
}

#[test]
fn a_slow_reader_of_five_long_lines_loses_none() {
    slow_reader(lines((1..=5).map(|n| n.to_string().repeat(1_000_000))));
}

/// The reader starts after two seconds, and then reads small blocks.
fn slow_reader(text: String) {
    let mut run = PandoCommand::f(ECHO).stdin(text.clone()).stdout_unread().start();
    let mut stdout = run.take_stdout();
    thread::sleep(Duration::from_secs(2));
    let (mut all, mut block) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stdout.read(&mut block) {
        all.extend_from_slice(&block[..read]);
    }
    assert!(all == text.as_bytes(), "{} bytes instead of {}", all.len(), text.len());
    run.wait().status(0);
}

/// Writes lines of 200 kB to `input` until writing fails. Returns a counter of the lines written.
fn long_lines(mut input: impl Write + Send + 'static) -> Arc<AtomicU64> {
    let written = Arc::new(AtomicU64::new(0));
    let counted = written.clone();
    thread::spawn(move || {
        let line = "x".repeat(200_000) + "\n";
        while input.write_all(line.as_bytes()).is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    written
}

#[test]
fn no_more_is_read_than_the_window_while_an_early_value_is_not_done() {
    let gate = FunctionGate::closed();
    let f = format!(
        "let first = true\nexport default async (x, {{ index }}) => {{ if (index === 1) await {}; return index }}",
        gate.knock("index")
    );
    let events = EventsFile::empty();
    let run = PandoCommand::new(&f).args(["--window", "8", "--concurrency", "4"]).events(&events);
    let mut run = run.stdin_open().start();
    let written = long_lines(run.take_stdin());
    run.says("the window is full: 8 values are read and not yet output; all wait for item 1, which this machine has");
    events.wait("result", |event| event["index"] == 8);
    assert_eq!(events.items("lent").into_iter().max(), Some(8));
    // The pipe holds less than one line, and the block that was read ends with less than one line.
    let count = written.load(Ordering::SeqCst);
    assert!((7..=9).contains(&count), "{count} lines were read");
    gate.open_for_all();
    for n in 1..=50 {
        assert_eq!(run.line(), Some(n.to_string()));
    }
}

#[test]
fn nothing_is_read_ahead_of_what_cores_ask_for() {
    let gate = FunctionGate::closed();
    let f = format!(
        "export default async (x, {{ index }}) => {{ await {}; return index }}",
        gate.knock("index")
    );
    let mut run =
        PandoCommand::new(&f).args(["--batch-size", "2", "--cores", "1"]).stdin_open().start();
    let written = long_lines(run.take_stdin());
    gate.waits_for("1");
    // By now the run has had enough time to read more.
    run.says("item 1 has been computing on this machine for 1");
    let count = written.load(Ordering::SeqCst);
    assert!(count <= 3, "{count} lines were read");
    gate.open_for_all();
    assert_eq!(run.line().as_deref(), Some("1"));
}

#[test]
fn nothing_is_read_while_nobody_is_there() {
    let mut run = PandoCommand::f(ECHO).args(["--cores", "0"]).stdin_open().start();
    let written = long_lines(run.take_stdin());
    run.says("nobody has joined yet: open http");
    // The run reads only its first block, in order to know whether the input is empty.
    assert_eq!(written.load(Ordering::SeqCst), 0);
}

#[test]
fn a_window_of_one() {
    PandoCommand::f(ECHO)
        .args(["--window", "1", "--cores", "2"])
        .stdin(numbers(200))
        .run()
        .gives(numbers(200));
}

#[test]
fn a_batch_size_of_one_and_a_large_one() {
    for size in ["1", "5000"] {
        PandoCommand::f(ECHO)
            .args(["--batch-size", size])
            .stdin(numbers(2000))
            .run()
            .gives(numbers(2000));
    }
}

#[test]
fn a_killed_core_is_replaced_and_the_output_complete() {
    let gate = FunctionGate::closed();
    let f = format!(
        "export default async x => {{ if (x === '50') await {}; return x }}",
        gate.knock("x")
    );
    let run = PandoCommand::new(&f).args(["--cores", "2"]).stdin(numbers(100)).start();
    gate.waits_for("50");
    for child in run.children() {
        kill("KILL", child.into());
    }
    gate.open_for_all();
    run.wait().gives(numbers(100)).did_not_say(&["item 49 ", "item 51 "]);
}

#[test]
fn an_item_that_works_at_the_third_attempt() {
    let f = "export default (x, { attempt }) => { if (x === '3' && attempt < 3) throw new Error('not yet ' + attempt); return x + ' ' + attempt }";
    let run = PandoCommand::new(f).stdin(numbers(4)).run();
    run.gives("1 1\n2 1\n3 3\n4 1\n");
    run.said(&[
        "item 3 failed on this machine: ",
        "not yet 1",
        "attempt 1 of 3",
        "not yet 2",
        "attempt 2 of 3",
    ]);
    run.did_not_say(&["item 1 failed", "item 2 failed", "item 4 failed"]);
}

#[test]
fn more_retries_on_request() {
    let f = "export default (x, { attempt }) => { if (attempt < 6) throw new Error('not yet'); return attempt }";
    PandoCommand::new(f).args(["--retries", "5"]).stdin("a\nb\n").run().gives("6\n6\n");
}

#[test]
fn a_run_whose_values_do_not_boom() {
    PandoCommand::f(BOOM).stdin("a\nb\n").run().gives("a\nb\n");
}
