//! `--exec`: a program in the place of a function. `--confirm`: a program that accepts or rejects
//! each result.

use pando_testing::{DrivenTab, EventsFile, PandoCommand, has_ended, make_pipe, numbers, until};
use std::fs;

/// A program that answers each number with its square, and ends on `boom`.
const SQUARE: &str = "while read x; do if [ $x = boom ]; then exit 3; fi; echo $((x * x)); done";

fn exec(command: &str) -> PandoCommand {
    PandoCommand::bare().args(["--exec", command])
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
    let run = exec(SQUARE)
        .local()
        .args(["--cores", "1", "--on-error", "skip"])
        .stdin("1\n2\nboom\n4\n5\n")
        .run();
    run.ends(1, "1\n4\n16\n25\n").said(&[
        "item 3 failed",
        "exit status: 3",
        "1 item failed and was left out",
    ]);
}

/// The error for a program that writes more lines than it received.
const TALKS: &str = "error: the program wrote lines that answer no value";

#[test]
fn a_program_that_writes_one_line_more_than_it_was_asked_is_an_error() {
    let footer = "while read x; do echo $x; done; echo a footer";
    for command in [footer, "while read x; do echo $x; done; printf more"] {
        for cores in ["1", "2"] {
            let run = exec(command)
                .local()
                .args(["--cores", cores, "--batch-size", "1"])
                .stdin(numbers(50))
                .run();
            run.status(1).said(&[TALKS]);
            // Results that are not written when the line comes are not written any more.
            assert!(numbers(50).starts_with(&run.text()), "{}", run.text());
        }
    }
    let quiet = "while read x; do echo $x; done; echo the end >&2";
    exec(quiet).local().args(["--cores", "2"]).stdin(numbers(50)).run().gives(numbers(50));
}

#[test]
fn what_a_program_writes_besides_its_answers_is_never_a_result() {
    let commands = [
        // The program writes a line before it reads any value, quickly or slowly.
        "echo a banner; while read x; do echo $x; done",
        "echo a banner; while read x; do sleep 0.4; echo $x; done",
        "printf '> '; while read x; do echo $x; done",
        "sleep 0.3; echo a banner; while read x; do echo $x; done",
        "sleep 0.3; echo a banner; while read x; do sleep 0.2; echo $x; done",
        // The program writes more with each value, before or after its answer, in one piece or in
        // several.
        "while read x; do echo begin; echo $x; done",
        "while read x; do echo begin; sleep 0.3; echo $x; done",
        "while read x; do echo $x; echo end; done",
        "while read x; do printf '%s\\nend\\n' $x; done",
        "while read x; do echo $x; printf 'next: '; done",
        // The program writes an empty line more.
        "while read x; do echo $x; echo; done",
        // The program ends after each answer.
        "read x; echo $x; echo end",
    ];
    for command in commands {
        for cores in ["1", "2"] {
            let run = exec(command).local().args(["--cores", cores]).stdin(numbers(20)).run();
            if (run.status, &*run.text()) != (Some(1), "") {
                run.fail(command);
            }
            run.said(&[TALKS]);
        }
    }
    let several = exec(commands[0]).local().args(["--cores", "1", "--concurrency", "3"]);
    several.stdin(numbers(20)).run().ends(1, "").said(&[TALKS]);
}

#[test]
fn a_banner_of_one_child_alone_is_noticed_as_well() {
    let commands = [
        // The child of the second core writes a line, at once or later.
        "mkdir lock 2>/dev/null || echo second; while read x; do sleep 0.02; echo $x; done",
        "mkdir lock 2>/dev/null || { sleep 0.4; echo second; }; while read x; do sleep 0.02; echo $x; done",
        // The child that replaces a crashed one writes a line.
        "if [ -e crashed ]; then echo again; fi; while read x; do if [ $x = 9 ]; then >crashed; exit 3; fi; echo $x; done",
    ];
    for command in commands {
        let run = exec(command).local().args(["--cores", "2"]).stdin(numbers(200)).run();
        if run.status != Some(1) || !numbers(200).starts_with(&run.text()) {
            run.fail(command);
        }
        run.said(&[TALKS]);
    }
}

#[test]
fn extra_lines_that_come_late_end_the_run_with_an_error() {
    let commands = [
        "n=0; while read x; do n=$((n+1)); echo $x; if [ $n -ge 3 ]; then echo more; fi; done",
        "while read x; do echo $x; if [ $x = 7 ]; then echo $x; fi; done",
    ];
    for command in commands {
        for concurrency in ["1", "4"] {
            let args = ["--cores", "2", "--concurrency", concurrency];
            exec(command).local().args(args).stdin(numbers(50)).run().status(1).said(&[TALKS]);
        }
    }
}

#[test]
fn a_program_says_that_one_value_failed() {
    let fails = "while read x; do if [ $x = 3 ]; then echo \"$PANDO_ERROR  no such row \"; else echo $x; fi; done";
    let skip = ["--on-error", "skip", "--retries", "0"];
    let run = exec(fails).local().args(skip).stdin(numbers(5)).run();
    run.ends(1, "1\n2\n4\n5\n")
        .said(&["item 3 failed on this machine: no such row (", "1 item failed and was left out"]);
    let run = exec(fails).local().args(["--json", "--on-error", "report"]).stdin(numbers(4)).run();
    let report = r#"{"error":{"index":3,"message":"no such row","input":3}}"#;
    run.ends(1, format!("1\n2\n{report}\n4\n")).said(&["item 3 failed", "attempt 1 of 3"]);
    // An answer that only looks like a failure is an answer, also if it names another run.
    let like = "while read x; do echo '{\"error\":{\"message\":\"x\"}}'; done";
    exec(like).local().args(["--json", "1"]).run().gives("{\"error\":{\"message\":\"x\"}}\n");
    exec("cat").local().args(["error-0123456789abcdef: x"]).run().status(0);
    // One-shot programs say it in the same way.
    let run = exec("read x; echo \"$PANDO_ERROR\"").local().args(skip).args(["1"]).run();
    run.ends(1, "").said(&["item 1 failed on this machine: the program tells a failure"]);
}

#[test]
fn a_line_too_many_ends_the_run_before_it_can_be_taken_for_an_answer() {
    let run =
        exec("while read x; do sleep 0.06; echo $x; if [ $x = 7 ]; then echo seven; fi; done")
            .local();
    let run = run.args(["--cores", "1"]).stdin(numbers(50)).run();
    run.ends(1, numbers(6)).said(&[TALKS]);
}

#[test]
fn a_program_that_ends_after_an_answer_is_started_again_for_the_next_value() {
    let doubled: String = (1..=50).map(|n| format!("{}\n", n * 2)).collect();
    let commands = [
        "read x; echo $((x * 2))",
        // The newline of the answer may be missing. The program ends slowly, or reads on.
        "read x; printf %s $((x * 2))",
        "read x; echo $((x * 2)); sleep 0.1",
        "read x; echo $((x * 2)); read y",
        // Another process keeps the output open, in the same group or not.
        "read x; echo $((x * 2)); sleep 1000 &",
        "read x; echo $((x * 2)); setsid sleep 20 &",
        // The program ends after two or three answers.
        "read x; echo $((x * 2)); read x; echo $((x * 2))",
        "for n in 1 2 3; do read x; echo $((x * 2)); done",
    ];
    for command in commands {
        let run =
            exec(command).local().args(["--cores", "2", "--retries", "0"]).stdin(numbers(50)).run();
        if (run.status, run.text()) != (Some(0), doubled.clone()) {
            run.fail(command);
        }
        run.did_not_say(&["failed"]);
    }
}

#[test]
fn a_value_over_which_a_program_ends_without_an_answer_fails() {
    let run = exec("read x; if [ $x = 3 ]; then exit 0; fi; echo $x").local();
    let run =
        run.args(["--cores", "1", "--retries", "1", "--on-error", "skip"]).stdin(numbers(5)).run();
    run.ends(1, "1\n2\n4\n5\n").said(&[
        "item 3 failed",
        "(exit status: 0, without an answer)",
        "attempts: 2",
        "1 item failed and was left out",
    ]);
}

#[test]
fn a_program_that_ends_before_it_is_given_a_value_cannot_be_run() {
    for command in ["true", "exit 4"] {
        let run = exec(command).local().args(["1", "2"]).run();
        run.ends(2, "").said(&["error: the command ends before it has been given a value"]);
    }
}

#[test]
fn a_program_that_answers_only_when_it_has_several_values_is_given_several() {
    let pairs = "while read a; do read b; echo $a; echo $b; done";
    exec(pairs)
        .local()
        .args(["--cores", "1", "--concurrency", "2", "1", "2", "3", "4"])
        .run()
        .gives(numbers(4));
}

#[test]
fn a_program_that_keeps_its_answers_in_a_buffer_is_told_what_to_do() {
    // The program reads everything before it writes anything, as with a buffer.
    let run = exec("sort").local().args(["--cores", "1"]).stdin("1\n2\n").start();
    let line = run.says("item 1 has been computing on this machine for 1");
    assert!(line.contains("stdbuf -oL"), "{line}");
}

#[test]
fn programs_see_no_secrets() {
    let secrets = [
        ("PANDO_SECRET", "s3cret"),
        ("PANDO_TOKEN", "t0kens3cret"),
        ("PANDO_ICE_SERVERS", "turn:me:s3cret@127.0.0.1:1"),
    ];
    let with = |run: PandoCommand| {
        secrets.iter().fold(run, |run, (name, value)| run.env(name, value).env("PLAIN", "seen"))
    };
    let command =
        "read x; env | grep -c -e s3cret; echo $PLAIN >plain; env | grep PANDO_SEE >>plain";
    let run = with(exec(command).local().env("PANDO_SEE", "1").args(["1"])).start();
    let plain = run.folder().join("plain");
    let seen = until("it has run", || {
        fs::read_to_string(&plain).ok().filter(|text| text.lines().count() == 2)
    });
    assert_eq!(seen, "seen\nPANDO_SEE=1\n");
    run.wait().status(0);
    // The program of `--confirm`, and the other child processes.
    let confirm = "test $(env | grep -c -e s3cret) = 0";
    let mut run = with(exec("cat").local().args(["--confirm", confirm, "--retries", "0"]))
        .stdin_open()
        .start();
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    let of = |pid: &u32| fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let children = run.children();
    assert!(!children.is_empty());
    assert!(
        !children
            .iter()
            .map(of)
            .any(|environ| String::from_utf8_lossy(&environ).contains("s3cret"))
    );
    run.wait().gives("1\n");
    let mut run = with(PandoCommand::f("(x, cb) => cb(null, x)").local()).stdin_open().start();
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    assert!(
        !run.children()
            .iter()
            .map(of)
            .any(|environ| String::from_utf8_lossy(&environ).contains("s3cret"))
    );
    run.wait().gives("1\n");
}

#[test]
fn a_line_has_its_time_from_when_those_before_it_are_answered() {
    let slow = "while read x; do sleep 1.5; echo $x; done";
    let args =
        ["--cores", "1", "--concurrency", "2", "--timeout", "2500ms", "--retries", "0", "1", "2"];
    exec(slow).local().args(args).run().gives(numbers(2));
}

#[test]
fn a_program_that_is_not_there() {
    exec("no-such-program-here")
        .local()
        .args(["1", "2"])
        .run()
        .ends(2, "")
        .said(&["error: the command cannot be run"]);
}

#[test]
fn a_program_that_hangs_is_ended_with_all_that_it_started() {
    let run = exec("while read x; do sleep 1000 & echo $! >pid; wait; done")
        .local()
        .args(["--timeout", "300ms", "--retries", "0", "1"])
        .start();
    let pid = until("the program has started another", || {
        fs::read_to_string(run.folder().join("pid")).ok()?.trim().parse().ok()
    });
    until("what it started is gone", || has_ended(pid).then_some(()));
    run.wait().ends(1, "").said(&["item 1 failed", "no answer within 300 ms"]);
}

#[test]
fn children_end_with_a_master_that_is_killed() {
    let run = exec("echo $$ >pid; sleep 1000; cat").local().stdin_open().start();
    let pid = until("the child is there", || {
        fs::read_to_string(run.folder().join("pid")).ok()?.trim().parse().ok()
    });
    pando_testing::kill("KILL", run.pid().into());
    until("the child is gone", || has_ended(pid).then_some(()));
}

#[test]
fn a_quiet_job_that_no_tab_can_join_opens_no_port_and_names_no_url() {
    let command = exec("cat").on_the_default_port().args(["-q", "--qr", "always"]).stdin_open();
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
    let mut tab =
        DrivenTab::open(&format!("http://127.0.0.1:{port}/sesame-open/#device=Anna;cores=1;"))
            .expect("a browser");
    run.says("refused a volunteer");
    tab.wait_for(
        "document.getElementById('state')?.textContent.includes('Thank you all the same!')",
    )
    .expect("the page says so");
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    run.wait().gives("1\n").did_not_say(&["Serving volunteer code", "\u{2588}"]);
}

/// The number of listening TCP sockets of a process.
fn listening(pid: u32) -> usize {
    let own = fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs");
    let links: Vec<String> = own
        .filter_map(|entry| Some(fs::read_link(entry.ok()?.path()).ok()?.display().to_string()))
        .collect();
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"]
        .map(|file| fs::read_to_string(file).unwrap_or_default());
    let sockets = tables
        .iter()
        .flat_map(|table| table.lines().skip(1))
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    sockets
        .filter(|fields| fields[3] == "0A" && links.contains(&format!("socket:[{}]", fields[9])))
        .count()
}

#[test]
fn a_result_counts_only_when_it_is_confirmed() {
    let events = EventsFile::empty();
    let confirm = "read x; echo $x $PANDO_INDEX $PANDO_INPUT >>seen; test $x != 2 || test $(grep -c '^2 ' seen) -gt 2";
    let run =
        exec("cat").local().args(["--confirm", confirm]).events(&events).stdin("1\n2\n3\n").run();
    run.gives("1\n2\n3\n").said(&[
        "item 2 failed",
        "the --confirm command did not succeed",
        "attempt 2 of 3",
    ]);
    assert_eq!(events.items("unconfirmed"), [2, 2]);
}

#[test]
fn what_a_confirming_command_leaves_running_is_not_waited_for() {
    // The background process keeps the command's standard error open until the pipe is opened.
    let left = tempfile::tempdir().unwrap();
    let fifo = left.path().join("fifo");
    make_pipe(&fifo);
    let confirm = format!("cat {0} & echo no place >&2; test $PANDO_INDEX = 1", fifo.display());
    let run = exec("cat")
        .local()
        .args(["--confirm", &confirm, "--retries", "0", "--on-error", "skip", "1", "2"])
        .run();
    run.ends(1, "1\n").said(&["the --confirm command did not succeed (exit status: 1): no place"]);
    drop(fs::File::options().read(true).write(true).open(&fifo).unwrap());
}

#[test]
fn what_is_never_confirmed_fails() {
    let run = exec("cat")
        .local()
        .args(["--confirm", "echo no place >&2; false", "--retries", "1", "1", "2"])
        .run();
    run.ends(1, "").said(&[
        "error: item 1 failed",
        "did not succeed (exit status: 1): no place",
        "attempts: 2",
    ]);
}
