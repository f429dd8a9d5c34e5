//! Native volunteers: `pando join`.

pub(crate) mod assets;
mod ends;
mod programs;
mod reaching;
mod refusals;
mod small;

use crate::idle;
use pando_testing::{
    CuttablePort, FunctionGate, JoinCommand, PandoCommand, RelayProcess, RunningProgram, numbers,
};

/// A run of `function` without local cores.
fn without_cores(function: &str) -> PandoCommand {
    PandoCommand::f(function).args(["--cores", "0"])
}

/// The host and port of a URL.
fn host(url: &str) -> &str {
    url.trim_start_matches("http://").split('/').next().expect("a part")
}

#[test]
fn results_come_in_the_order_of_their_inputs() {
    let run = idle(500).args(["--title", "echoes"]).start();
    let url = run.url();
    let volunteer = JoinCommand::to(&url).args(["--cores", "2"]).named("node 7").start();
    run.says("node 7 joined");
    run.wait().gives(numbers(500));
    let done = volunteer.wait();
    done.status(0).said(&["as node 7: 2 cores compute for echoes with Node.js", "The job is done"]);
    done.said(&["This machine computed 500 values."]);
}

#[test]
fn a_name_tells_the_system_and_the_host() {
    let run = idle(1).start();
    let _volunteer = JoinCommand::to(&run.url()).start();
    let line = run.says(" joined");
    assert!(line.contains(std::env::consts::ARCH) && line.contains('('), "{line}");
    run.wait().gives("1\n");
}

#[test]
fn values_of_a_killed_volunteer_go_to_another() {
    let gate = FunctionGate::closed();
    let function = format!("async (x, cb) => {{ await {}; cb(null, x) }}", gate.knock("x"));
    let run = without_cores(&function).args(["--heartbeat", "60"]).stdin(numbers(4)).start();
    let url = run.url();
    let mut doomed = JoinCommand::to(&url).named("doomed").start();
    gate.waits_for("1");
    let _other = JoinCommand::to(&url).named("other").start();
    run.says("other joined");
    doomed.kill();
    run.says("doomed is gone");
    gate.open_for_all();
    run.wait().gives(numbers(4));
}

#[test]
fn bytes_are_results() {
    let run = without_cores("(x, cb) => cb(null, new Uint8Array([x.length, 0, 255]))")
        .args(["--output-dir", "out", "--ext", "bin"])
        .stdin("a\nbb\n")
        .start();
    let folder = run.folder().to_owned();
    let _volunteer = JoinCommand::to(&run.url()).start();
    let (done, files) = run.wait_and(|| {
        ["000001.bin", "000002.bin"].map(|name| std::fs::read(folder.join("out").join(name)).ok())
    });
    done.status(0);
    assert_eq!(files, [Some(vec![1, 0, 255]), Some(vec![2, 0, 255])]);
}

#[test]
fn long_values_come_whole() {
    let length = 3_000_000;
    let run = without_cores("(x, cb) => cb(null, x + x)").stdin("x".repeat(length) + "\n").start();
    let _volunteer = JoinCommand::to(&run.url()).start();
    run.wait().gives("x".repeat(2 * length) + "\n");
}

#[test]
fn an_error_of_the_function_is_that_of_its_item() {
    let run = without_cores("(x, cb) => cb(new Error('boom'))")
        .args(["--retries", "0"])
        .stdin("1\n")
        .start();
    let volunteer = JoinCommand::to(&run.url()).named("node 7").start();
    let done = run.wait();
    done.status(1).said(&["item 1", "boom"]);
    // The volunteer did its part.
    volunteer.wait().status(0).said(&["an item of it failed"]);
}

#[test]
fn a_call_that_never_ends_is_ended() {
    let run = without_cores("(x, cb) => { if (x === '2') for (;;); cb(null, x) }")
        .args(["--timeout", "300ms", "--retries", "0", "--on-error", "skip"])
        .stdin(numbers(3))
        .start();
    let _volunteer = JoinCommand::to(&run.url()).start();
    let done = run.wait();
    done.ends(1, "1\n3\n").said(&["no answer within 300 ms"]);
}

#[test]
fn a_volunteer_keeps_its_value_across_a_cut() {
    let gate = FunctionGate::closed();
    let function = format!("async (x, cb) => {{ await {}; cb(null, x) }}", gate.knock("x"));
    let run = without_cores(&function).args(["--batch-size", "1"]).stdin("1\n2\n").start();
    let url = run.url();
    let port = CuttablePort::to(host(&url));
    let volunteer = JoinCommand::to(&port.url(&url)).named("node 7").start();
    gate.waits_for("1");
    port.cut();
    volunteer.says("the connection is lost");
    volunteer.says("connected again");
    gate.open_for_all();
    run.wait().gives("1\n2\n");
    assert_eq!(gate.knocked(), ["1", "2"], "each value is computed once");
    volunteer.wait().status(0);
}

#[test]
fn a_volunteer_joins_through_a_relay() {
    let relay = RelayProcess::start(&[]);
    let run = relay
        .used_by(PandoCommand::f("(x, cb) => cb(null, x)"))
        .args(["--cores", "0"])
        .stdin(numbers(300))
        .start();
    let volunteer = JoinCommand::to(&run.room()).named("node 7").start();
    run.says("node 7 joined");
    run.wait().gives(numbers(300));
    volunteer.wait().status(0).said(&["This machine computed 300 values."]);
}

#[test]
fn a_volunteer_waits_for_the_next_run_at_its_address() {
    let port = pando_testing::free_port().to_string();
    let run = |count| -> RunningProgram {
        let at = ["--token", "k7d2m9qx4tab", "--port", &port];
        idle(count).args(at).start()
    };
    let url = format!("http://127.0.0.1:{port}/k7d2m9qx4tab/");
    let volunteer = JoinCommand::to(&url).args(["--wait"]).named("node 7").start();
    volunteer.says("(waiting for a run)");
    run(3).wait().gives(numbers(3));
    volunteer.says("This machine computed 3 values.");
    run(5).wait().gives(numbers(5));
    volunteer.says("This machine computed 5 values.");
    volunteer.signal("TERM");
    volunteer.wait().status(0);
}
