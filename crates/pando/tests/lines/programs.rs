//! `--exec`: a program in place of a function. `--confirm`: a program that has the last word.

use crate::common::{Driven, Events, Pando, is_alive, numbers, until};
use std::fs;

/// Answers each number with its square, and ends itself on `boom`.
const SQUARE: &str = "while read x; do if [ $x = boom ]; then exit 3; fi; echo $((x * x)); done";

fn exec(command: &str) -> Pando {
    Pando::bare().args(["--exec", command])
}

#[test]
fn each_line_is_answered_with_a_line() {
    let squares: String = (1..=300).map(|n| format!("{}\n", n * n)).collect();
    exec(SQUARE).local().args(["--cores", "2"]).stdin(numbers(300)).run().gives(&squares);
}

#[test]
fn items_of_the_command_line() {
    exec("cat").local().args(["1", "-2", "a b"]).run().gives("1\n-2\na b\n");
}

#[test]
fn values_separated_by_nul_may_hold_newlines() {
    exec("cat").local().args(["-0"]).stdin("a\nb\0c\0").run().gives("a\nb\0c\0");
}

#[test]
fn a_program_that_dies_over_a_value_is_replaced_and_only_that_value_fails() {
    let run = exec(SQUARE).local().args(["--cores", "1", "--on-error", "skip"]).stdin("1\n2\nboom\n4\n5\n").run();
    run.ends(1, "1\n4\n16\n25\n").said(&["item 3 failed", "exit status: 3", "1 item failed and was left out"]);
}

#[test]
fn a_program_that_writes_one_line_more_than_it_was_asked_is_an_error() {
    let banner = "echo a banner; while read x; do echo $x; done";
    let footer = "while read x; do echo $x; done; echo a footer";
    let words = ["error: the program wrote lines that answer no value"];
    for command in [banner, footer, "while read x; do echo $x; done; printf more"] {
        for cores in ["1", "2"] {
            let run = exec(command).local().args(["--cores", cores, "--batch-size", "1"]).stdin(numbers(50)).run();
            run.status(1).said(&words);
        }
    }
    // The last answer is late: as late as others were.
    let slow = "echo a banner; while read x; do sleep 1.2; echo $x; done";
    exec(slow).local().args(["--cores", "1", "--batch-size", "1", "1", "2"]).run().status(1).said(&words);
    let quiet = "while read x; do echo $x; done; echo the end >&2";
    exec(quiet).local().args(["--cores", "2"]).stdin(numbers(50)).run().gives(numbers(50));
}

#[test]
fn a_line_has_its_time_from_when_those_before_it_are_answered() {
    let slow = "while read x; do sleep 1.5; echo $x; done";
    let args = ["--cores", "1", "--concurrency", "2", "--timeout", "2500ms", "--retries", "0", "1", "2"];
    exec(slow).local().args(args).run().gives(numbers(2));
}

#[test]
fn a_program_that_is_not_there() {
    exec("no-such-program-here").local().args(["1", "2"]).run().ends(2, "").said(&["error: the command cannot be run"]);
}

#[test]
fn a_program_that_hangs_is_ended_with_all_that_it_started() {
    let run = exec("while read x; do sleep 1000 & echo $! >pid; wait; done")
        .local()
        .args(["--timeout", "300ms", "--retries", "0", "1"])
        .start();
    let pid = until("the program has started another", || fs::read_to_string(run.folder().join("pid")).ok()?.trim().parse().ok());
    until("what it started is gone", || (!is_alive(pid)).then_some(()));
    run.wait().ends(1, "").said(&["item 1 failed", "no answer within 300 ms"]);
}

#[test]
fn children_end_with_a_master_that_is_killed() {
    let run = exec("echo $$ >pid; sleep 1000; cat").local().stdin_open().start();
    let pid = until("the child is there", || fs::read_to_string(run.folder().join("pid")).ok()?.trim().parse().ok());
    crate::common::kill("KILL", run.pid().into());
    until("the child is gone", || (!is_alive(pid)).then_some(()));
}

#[test]
fn a_job_that_no_tab_can_join_opens_no_port_and_names_no_url() {
    let command = exec("cat").on_the_default_port().args(["--qr", "always"]).stdin_open();
    let mut run = command.start();
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    assert_eq!(listening(run.pid()), 0);
    assert_eq!(run.wait().gives("1\n").stderr, "");
}

#[test]
fn at_a_port_that_was_asked_for_a_tab_is_told_kindly_that_the_job_runs_here_only() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let asked = ["--port", &port.to_string(), "--token", "sesame-open", "--qr", "always"];
    let mut run = exec("cat").args(asked).stdin_open().start();
    run.says("--exec runs on this machine's cores only");
    let mut tab = Driven::open(&format!("http://127.0.0.1:{port}/sesame-open/"), "device=Anna;cores=1;");
    run.says("refused a volunteer");
    until("the page says so", || tab.text("state").contains("Thank you all the same!").then_some(()));
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    run.wait().gives("1\n").did_not_say(&["Serving volunteer code", "\u{2588}"]);
}

/// How many TCP sockets of a process listen.
fn listening(pid: u32) -> usize {
    let own = fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs");
    let links: Vec<String> =
        own.filter_map(|entry| Some(fs::read_link(entry.ok()?.path()).ok()?.display().to_string())).collect();
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|file| fs::read_to_string(file).unwrap_or_default());
    let sockets =
        tables.iter().flat_map(|table| table.lines().skip(1)).map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    sockets.filter(|fields| fields[3] == "0A" && links.contains(&format!("socket:[{}]", fields[9]))).count()
}

#[test]
fn a_result_counts_only_when_it_is_confirmed() {
    let events = Events::new();
    let confirm = "read x; echo $x $PANDO_INDEX $PANDO_INPUT >>seen; test $x != 2 || test $(grep -c '^2 ' seen) -gt 2";
    let run = exec("cat").local().args(["--confirm", confirm]).events(&events).stdin("1\n2\n3\n").run();
    run.gives("1\n2\n3\n").said(&["item 2 failed", "the --confirm command did not succeed", "attempt 2 of 3"]);
    assert_eq!(events.items("unconfirmed"), [2, 2]);
}

#[test]
fn what_a_confirming_command_leaves_running_is_not_waited_for() {
    // It has the command's standard error until it is read.
    let left = tempfile::tempdir().unwrap();
    let fifo = left.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let confirm = format!("cat {0} & echo no place >&2; test $PANDO_INDEX = 1", fifo.display());
    let run = exec("cat").local().args(["--confirm", &confirm, "--retries", "0", "--on-error", "skip", "1", "2"]).run();
    run.ends(1, "1\n").said(&["the --confirm command did not succeed (exit status: 1): no place"]);
    drop(fs::File::options().read(true).write(true).open(&fifo).unwrap());
}

#[test]
fn what_is_never_confirmed_fails() {
    let run = exec("cat").local().args(["--confirm", "echo no place >&2; false", "--retries", "1", "1", "2"]).run();
    run.ends(1, "").said(&["error: item 1 failed", "did not succeed (exit status: 1): no place", "attempts: 2"]);
}
