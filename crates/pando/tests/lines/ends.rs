//! Signals that end a run. An ended run leaves no processes and no files behind.

use pando_testing::{Cpu, FunctionGate, PandoCommand, RunningProgram, has_ended, until};
use std::time::Duration;

/// A function that waits at the gate with each value.
fn at(gate: &FunctionGate) -> PandoCommand {
    PandoCommand::new(&format!(
        "export default async x => {{ await {}; return x }}",
        gate.knock("x")
    ))
}

/// Starts a run in which three values are lent, the first is being computed, and the input stays
/// open.
fn three_lent(gate: &FunctionGate) -> RunningProgram {
    let mut run = at(gate).args(["--batch-size", "4", "--cores", "1"]).stdin_open().start();
    run.write("1\n2\n3\n");
    gate.waits_for("1");
    run
}

fn first_signal_finishes(signal: &str, words: &str) {
    let gate = FunctionGate::closed();
    let run = three_lent(&gate);
    run.signal(signal);
    run.says(&format!("finishing 3 items on 1 device{words}; again to stop now"));
    gate.open_for_all();
    run.wait_with_input_open().ends(1, "1\n2\n3\n");
}

#[test]
fn ctrl_c_finishes_what_has_been_read_and_ends_with_status_1() {
    first_signal_finishes("INT", "");
}

#[test]
fn sigterm_finishes_what_has_been_read_and_ends_with_status_1() {
    first_signal_finishes("TERM", " within 25 s");
}

#[test]
fn sighup_finishes_what_has_been_read_and_ends_with_status_1() {
    first_signal_finishes("HUP", " within 25 s");
}

#[cfg(target_os = "linux")]
#[test]
fn under_nohup_a_run_outlives_its_terminal() {
    let gate = FunctionGate::closed();
    let words = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"].map(str::to_owned);
    let run = PandoCommand::new(&format!(
        "export default async x => {{ await {}; return x }}",
        gate.knock("x")
    ));
    let run = run.args(["--cores", "1"]).inside(&words).stdin("1\n2\n").start();
    gate.waits_for("1");
    run.signal("HUP");
    gate.open_for_all();
    run.wait().gives("1\n2\n").did_not_say(&["finishing"]);
}

#[test]
fn a_second_ctrl_c_stops_now() {
    let gate = FunctionGate::closed();
    let run = three_lent(&gate);
    let children = run.children();
    run.signal("INT");
    run.says("again to stop now");
    run.signal("INT");
    run.wait_with_input_open().ends(1, "").said(&["3 items were not finished"]);
    until("its children end", || children.iter().all(|child| has_ended(*child)).then_some(()));
}

#[test]
fn a_second_signal_may_be_another_one() {
    let gate = FunctionGate::closed();
    let run = three_lent(&gate);
    run.signal("INT");
    run.says("again to stop now");
    run.signal("TERM");
    run.wait_with_input_open().ends(1, "");
}

#[test]
fn ctrl_c_during_an_endless_loop_and_again() {
    let run = PandoCommand::f("(x, cb) => { for (;;); }").stdin("1\n2\n").start();
    busy_child(&run);
    run.signal("INT");
    run.says("again to stop now");
    run.signal("INT");
    run.wait().ends(1, "");
}

#[test]
fn ctrl_c_while_nothing_is_read_ends_the_run() {
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)").stdin_open().start();
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    run.signal("INT");
    run.wait_with_input_open().ends(1, "1\n");
}

#[test]
fn ctrl_c_while_nobody_is_there_ends_the_run() {
    let run = PandoCommand::f("(x, cb) => cb(null, x)").args(["--cores", "0"]).stdin_open().start();
    run.url();
    run.signal("INT");
    run.wait_with_input_open().ends(1, "");
}

/// The bundler's tasks panic if they outlive the runtime.
#[test]
fn ctrl_c_while_the_function_is_bundled_ends_the_run_without_another_word() {
    let large: String =
        (0..200_000).map(|n| format!("export const f{n} = x => [x, {n}, 'text'];\n")).collect();
    let run = PandoCommand::new("export { f0 as default } from './large.mjs'")
        .with_file("large.mjs", large)
        .args(["--local", "1"])
        .start();
    // The time is more than reading the options takes, and less than the bundling does.
    until("it bundles", || (Cpu::of(run.pid()).sum() > Duration::from_millis(200)).then_some(()));
    run.signal("INT");
    let finished = run.wait();
    finished.ends(1, "");
    assert_eq!(finished.stderr, "stopped: nothing had been read yet\n");
}

#[test]
fn ctrl_c_after_the_end_of_the_input_finishes_all_that_was_lent() {
    let gate = FunctionGate::closed();
    let run = at(&gate).args(["--batch-size", "4", "--cores", "1"]).stdin("1\n2\n").start();
    gate.waits_for("1");
    run.signal("INT");
    run.says("finishing 2 items on 1 device");
    gate.open_for_all();
    let done = run.wait();
    assert_eq!(done.text(), "1\n2\n", "{done:?}");
}

/// The core's process, after it has used a second of processor time beyond its start.
fn busy_child(run: &RunningProgram) -> u32 {
    run.url();
    let child = until("a core", || run.children().first().copied());
    let before = Cpu::of(child);
    until("it computes", || {
        (Cpu::of(child).since(before).sum() > Duration::from_secs(1)).then_some(())
    });
    child
}

#[test]
fn the_cores_end_with_a_killed_master_even_in_an_endless_loop() {
    let run = PandoCommand::f("(x, cb) => { for (;;); }").stdin("1\n2\n").start();
    let child = busy_child(&run);
    run.signal("KILL");
    assert_eq!(run.wait().status, None);
    until("the core ends", || has_ended(child).then_some(()));
}

#[test]
fn the_cores_end_with_a_killed_master_while_they_load_the_function_without_end() {
    let run =
        PandoCommand::new("module.exports['/pando/1.0.0'] = (x, cb) => cb(null, x); for (;;);")
            .args(["--cores", "1"])
            .stdin("1\n")
            .start();
    let child = until("a core", || {
        run.children()
            .first()
            .copied()
            .filter(|child| Cpu::of(*child).sum() > Duration::from_secs(1))
    });
    run.signal("KILL");
    assert_eq!(run.wait().status, None);
    until("the core ends", || has_ended(child).then_some(()));
}

#[test]
fn a_master_that_was_stopped_goes_on_with_its_cores() {
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)")
        .local()
        .args(["--heartbeat", "100ms", "--cores", "1"])
        .stdin_open()
        .start();
    for number in 1..=3 {
        run.write_line(&number.to_string());
        assert_eq!(run.line(), Some(number.to_string()));
        run.signal("STOP");
        std::thread::sleep(Duration::from_secs(1));
        run.signal("CONT");
    }
    run.wait().gives("1\n2\n3\n").did_not_say(&["silent"]);
}

#[test]
fn the_cores_end_with_a_killed_master_also_when_they_wait() {
    let gate = FunctionGate::closed();
    let run = three_lent(&gate);
    let children = run.children();
    assert!(!children.is_empty());
    run.signal("KILL");
    assert_eq!(run.wait().status, None);
    until("the cores end", || children.iter().all(|child| has_ended(*child)).then_some(()));
}

#[test]
fn a_run_that_ends_leaves_no_process_and_no_file_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)")
        .env("TMPDIR", temporary.path())
        .args(["--cores", "2"])
        .stdin_open()
        .start();
    run.write_line("1");
    run.line();
    let children = run.children();
    assert_eq!(children.len(), 2);
    run.wait().gives("1\n");
    until("its children end", || children.iter().all(|child| has_ended(*child)).then_some(()));
    let left: Vec<_> = std::fs::read_dir(temporary.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_core_s_ctrl_c_is_the_master_s() {
    // A terminal signals its whole foreground process group, so the cores are in their own groups.
    let gate = FunctionGate::closed();
    let run = three_lent(&gate);
    let group = |pid: u32| {
        std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .unwrap()
            .rsplit_once(") ")
            .unwrap()
            .1
            .split(' ')
            .nth(2)
            .unwrap()
            .to_owned()
    };
    for child in run.children() {
        assert_ne!(group(child), group(run.pid()));
    }
}
