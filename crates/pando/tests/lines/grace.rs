//! SIGTERM and SIGHUP come from programs, once. Whatever hangs, items that are not finished within
//! `--grace` are given up.

use pando_testing::{
    Cpu, EventsFile, FunctionGate, PandoCommand, RunningProgram, has_ended, until,
};
use std::{fs, process::Command, time::Duration};

/// A function whose calls never end.
fn never() -> PandoCommand {
    PandoCommand::new("export default () => new Promise(() => {})")
        .local()
        .args(["--cores", "1", "--grace", "500ms"])
}

/// Starts the run, and waits until its call has begun.
fn computing(run: PandoCommand) -> RunningProgram {
    let events = EventsFile::empty();
    let run = run.events(&events).start();
    until("something is computed", || (!events.items("lent").is_empty()).then_some(()));
    run
}

/// Sends these signals without a pause.
fn at_once(run: &RunningProgram, signals: &[&str]) {
    let kills: Vec<_> =
        signals.iter().map(|signal| format!("kill -s {signal} {}", run.pid())).collect();
    assert!(Command::new("sh").args(["-c", &kills.join(";")]).status().unwrap().success());
}

/// Asks the run once to stop. The run must end before its output is read.
fn stops(run: RunningProgram) -> pando_testing::Finished {
    run.signal("TERM");
    until("it has ended", || has_ended(run.pid()).then_some(()));
    run.wait_with_input_open()
}

#[test]
fn a_call_that_never_ends_is_left_when_the_grace_is_over() {
    for signal in ["TERM", "HUP"] {
        let run = computing(never().args(["1"]));
        let children = run.children();
        run.signal(signal);
        let done = run.wait();
        done.ends(1, "").said(&[
            "finishing 1 item on 1 device within 500 ms; again to stop now",
            "stopped: 1 item was not finished",
        ]);
        until("its children end", || children.iter().all(|child| has_ended(*child)).then_some(()));
    }
}

#[test]
fn what_is_finished_within_the_grace_is_output_and_if_that_is_all_the_status_is_0() {
    let gate = FunctionGate::closed();
    let run = PandoCommand::new(&format!(
        "export default async x => {{ await {}; return x }}",
        gate.knock("x")
    ));
    let run = run.local().args(["--cores", "1", "--grace", "1h", "1", "2"]).start();
    gate.waits_for("1");
    run.signal("TERM");
    run.says("within 3600 s");
    gate.open_for_all();
    run.wait().gives("1\n2\n");
}

#[test]
fn signals_that_come_together_are_one() {
    // `timeout` and systemd send signals like this.
    for (signals, words) in
        [(["TERM", "TERM"], " within 1 s"), (["TERM", "HUP"], " within 1 s"), (["INT", "INT"], "")]
    {
        let gate = FunctionGate::closed();
        let run = PandoCommand::new(&format!(
            "export default async x => {{ await {}; return x }}",
            gate.knock("x")
        ));
        let run = run.local().args(["--cores", "1", "--grace", "1s"]).stdin_open();
        let mut run = run.start();
        run.write_line("1");
        gate.waits_for("1");
        at_once(&run, &signals);
        run.says(&format!("finishing 1 item on 1 device{words}; again"));
        gate.open_for_all();
        run.wait_with_input_open().ends(1, "1\n");
    }
}

#[test]
fn a_second_signal_stops_at_once_although_the_grace_is_long() {
    let run = computing(never().args(["--grace", "1h", "1"]));
    run.signal("TERM");
    run.says("again to stop now");
    run.signal("TERM");
    run.wait().ends(1, "").said(&["stopped: 1 item was not finished"]);
}

#[test]
fn while_the_function_is_loaded_a_signal_ends_all_at_once() {
    for signal in ["INT", "TERM", "HUP"] {
        let run =
            PandoCommand::new("module.exports['/pando/1.0.0'] = (x, cb) => cb(null, x); for (;;);")
                .local()
                .args(["1"])
                .start();
        let child = until("a core", || {
            run.children()
                .first()
                .copied()
                .filter(|child| Cpu::of(*child).sum() > Duration::from_millis(200))
        });
        run.signal(signal);
        run.wait().ends(1, "").said(&["stopped: nothing had been read yet"]);
        until("the core ends", || has_ended(child).then_some(()));
    }
}

#[test]
fn a_reader_that_takes_nothing_is_not_waited_for_beyond_the_grace() {
    let events = EventsFile::empty();
    let long = "export default x => 'x'.repeat(100000)";
    let run = PandoCommand::new(long)
        .local()
        .args(["--grace", "500ms", "1", "2", "3"])
        .events(&events)
        .stdout_unread()
        .start();
    until("all is computed", || (events.items("result").len() == 3).then_some(()));
    stops(run).status(1).said(&[
        "finishing 3 items",
        "stopped: 3 items were not finished: nobody reads standard output",
    ]);
}

#[test]
fn an_input_that_does_not_come_is_not_waited_for() {
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)")
        .local()
        .args(["--grace", "1h"])
        .stdin_open()
        .start();
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    run.write("half a line");
    stops(run).ends(1, "1\n");
}

#[test]
fn a_program_in_the_loop_that_says_nothing_is_not_waited_for() {
    let gate = FunctionGate::closed();
    let f = format!("export default async x => {{ await {}; return x }}", gate.knock("x"));
    let mut run = PandoCommand::new(&f)
        .local()
        .args(["--sync-stdio", "--cores", "1", "--grace", "500ms"])
        .stdin_open()
        .start();
    run.write_line(r#"{"value":"1"}"#);
    gate.waits_for("1");
    stops(run)
        .status(1)
        .said(&["finishing 1 item on 1 device within 500 ms", "stopped: 1 item was not finished"]);
}

#[test]
fn programs_that_ignore_their_end_end_with_all_that_they_started() {
    let stubborn = "trap '' TERM INT HUP; while read x; do sleep 1000 & echo $! >pid; wait; done";
    let waits = |run: RunningProgram| {
        let pid = || fs::read_to_string(run.folder().join("pid")).ok()?.trim().parse().ok();
        let pid: u32 = until("the program has started another", pid);
        stops(run).ends(1, "").said(&["within 500 ms", "stopped: 1 item was not finished"]);
        until("what it started is gone", || has_ended(pid).then_some(()));
    };
    let bare = || PandoCommand::bare().local().args(["--cores", "1", "--grace", "500ms", "1"]);
    waits(bare().args(["--exec", stubborn]).start());
    waits(bare().args(["--exec", "cat", "--confirm", stubborn]).start());
}

#[test]
fn the_journal_keeps_what_is_finished_and_the_same_command_goes_on() {
    let (folder, gate) = (tempfile::tempdir().unwrap(), FunctionGate::closed());
    let journal = folder.path().join("journal");
    let f = format!(
        "export default async x => {{ if (x == 1) await {}; return x * x }}",
        gate.knock("x")
    );
    let job = |events: &EventsFile| {
        let run = PandoCommand::new(&f).local().args([
            "--cores",
            "1",
            "--concurrency",
            "2",
            "--grace",
            "500ms",
            "--journal",
        ]);
        run.args([&journal]).args(["1", "2", "3"]).events(events).start()
    };
    let events = EventsFile::empty();
    let run = job(&events);
    until("the others are computed", || (events.items("result") == [2, 3]).then_some(()));
    stops(run)
        .ends(1, "")
        .said(&["stopped: 3 items were not finished; the same command goes on there"]);
    gate.open_for_all();
    let events = EventsFile::empty();
    job(&events).wait().gives("1\n4\n9\n").said(&["2 results are there"]);
    assert_eq!(events.items("result"), [1]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_standard_error_that_is_full_or_closed_keeps_nothing_from_ending() {
    for stderr in ["/dev/full", "&-"] {
        let words = ["sh", "-c", &format!("exec \"$@\" 2>{stderr}"), "sh"].map(str::to_owned);
        let run = computing(never().args(["1"]).inside(&words));
        stops(run).ends(1, "");
        // The messages about a failed start cannot be written either.
        PandoCommand::f("(x, cb) => cb(null, x)")
            .args(["--no-such-option"])
            .inside(&words)
            .run()
            .ends(2, "");
    }
}
