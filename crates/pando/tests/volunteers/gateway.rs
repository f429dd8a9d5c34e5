//! Gateways: `pando join --share`.

mod assets;
mod attempts;
mod ends;
mod faults;
mod refusals;
mod together;

use crate::{answer, echo, idle};
use pando_testing::{
    CuttablePort, EventsFile, FunctionGate, JoinCommand, PandoCommand, RunningProgram, Tab,
    WebSocket, numbers, until,
};

/// A gateway to the run at `url`, whose own machine stays idle.
fn gateway(url: &str) -> JoinCommand {
    JoinCommand::bare().args(["--share", "--cores", "0", "--allow-sleep", "--name", "gateway", url])
}

/// The same on any free port.
fn any_gateway(url: &str) -> RunningProgram {
    gateway(url).args(["--port", "0"]).start()
}

/// The same gateway each time: its address, and a function to start it.
fn fixed_gateway(url: &str) -> (String, impl Fn() -> RunningProgram + use<>) {
    let (port, url) = (pando_testing::free_port().to_string(), url.to_owned());
    let address = format!("http://127.0.0.1:{port}/k7d2m9qx4tab/");
    (address, move || gateway(&url).args(["--port", &port, "--token", "k7d2m9qx4tab"]).start())
}

/// The host and port of a URL.
fn host(url: &str) -> &str {
    url.split('/').nth(2).expect("a host")
}

/// A run of a function that waits at `gate` with each value.
fn gated(gate: &FunctionGate) -> PandoCommand {
    let function = format!("async (x, cb) => {{ await {}; cb(null, x) }}", gate.knock("x"));
    PandoCommand::f(&function).args(["--cores", "0"])
}

#[test]
fn tabs_and_machines_behind_a_gateway_compute_for_its_run() {
    let mut run = idle(0).args(["--title", "echoes"]).stdin_open().start();
    let gateway = any_gateway(&run.url());
    gateway.says("to share the job for echoes: the cores of this machine stay idle");
    let url = gateway.url();
    let _tabs = ["a", "b"].map(|name| Tab::open(&url, &format!("device={name};cores=1;")));
    let machine = JoinCommand::to(&url).named("node 7").start();
    run.says("gateway joined with 0 cores");
    for name in ["a", "b", "node 7"] {
        gateway.says(&format!("{name} joined with 1 core"));
    }
    run.write(numbers(3000));
    run.close_stdin();
    run.wait().gives(numbers(3000));
    gateway.wait().status(0).said(&["The job is done", "computed 3,000 values"]);
    machine.wait().status(0).said(&["The job is done, thank you!"]);
}

#[test]
fn own_cores_of_a_gateway_compute_as_well() {
    let run = idle(300).start();
    let gateway = JoinCommand::to(&run.url()).args(["--share", "--port", "0", "--allow-sleep"]);
    let gateway = gateway.start();
    gateway.says("1 core of this machine computes with Node.js");
    run.wait().gives(numbers(300));
    gateway.wait().status(0).said(&["This machine computed 300 values."]);
}

#[test]
fn a_function_behind_a_gateway_knows_the_number_of_its_value() {
    let function = "module.exports = (x, context) => context(null, x + ' ' + context.index)";
    let run = PandoCommand::new(function)
        .args(["--cores", "0", "--batch-size", "3"])
        .stdin(numbers(400))
        .start();
    let gateway = any_gateway(&run.url());
    let _child = JoinCommand::to(&gateway.url()).start();
    let _direct = JoinCommand::to(&run.url()).start();
    let expected: String = (1..=400).map(|n| format!("{n} {n}\n")).collect();
    run.wait().gives(expected);
}

#[test]
fn a_gateway_without_devices_gets_no_values() {
    let events = EventsFile::empty();
    let run = idle(50).events(&events).start();
    let url = run.url();
    let gateway = any_gateway(&url);
    run.says("gateway joined with 0 cores");
    echo(&mut WebSocket::join(&url, "phone", 1));
    run.wait().gives(numbers(50));
    assert!(events.of("lent").iter().all(|lent| lent["device"] == "phone"));
    gateway.wait().status(0);
}

#[test]
fn a_gateway_has_the_cores_of_its_devices_at_present() {
    let run = idle(1).stdin_open().start();
    let url = run.url();
    let status = || {
        let page = run.says("Serving monitoring page at ");
        let page = page.rsplit(' ').next().expect("a URL").to_owned();
        pando_testing::get(&format!("{page}status.json")).body
    };
    let gateway = any_gateway(&url);
    run.says("gateway joined with 0 cores");
    let _phone = WebSocket::join(&gateway.url(), "phone", 2);
    let laptop = WebSocket::join(&gateway.url(), "laptop", 3);
    let has = |cores: u32| {
        let words = format!("\"cores\":{cores}");
        until(&words, || status().contains(&words).then_some(()));
    };
    has(5);
    drop(laptop);
    has(2);
}

#[test]
fn gateways_have_gateways() {
    let run = idle(500).args(["--batch-size", "20"]).start();
    let first = any_gateway(&run.url());
    let second = any_gateway(&first.url());
    let _near = JoinCommand::to(&first.url()).named("near").start();
    let far = JoinCommand::to(&second.url()).named("far").start();
    second.says("far joined");
    run.wait().gives(numbers(500));
    for program in [first, second, far] {
        program.wait().status(0).said(&["The job is done"]);
    }
}

#[test]
fn what_devices_print_and_report_comes_with_their_names() {
    let events = EventsFile::empty();
    let function = "(x, cb) => { console.log('hello ' + x); require('pando-computing').report({ units: 'u', nbItems: 1 }); cb(null, x) }";
    let run = PandoCommand::f(function).args(["--cores", "0"]).events(&events).stdin("1\n").start();
    let gateway = any_gateway(&run.url());
    let _child = JoinCommand::to(&gateway.url()).named("node 7").start();
    run.wait().gives("1\n").said(&["node 7 at gateway, item 1: hello 1"]);
    let report = events.of("report").pop().expect("there is one");
    assert_eq!((&report["index"], &report["report"]["units"]), (&1.into(), &"u".into()));
}

#[test]
fn bytes_go_through_a_gateway() {
    let all: Vec<u8> = (0..=255).collect();
    let run = PandoCommand::f("(x, cb) => cb(null, Buffer.concat([x, x]))")
        .with_file("in.bin", &all)
        .args(["--cores", "0", "--files", "--output-dir", "out", "in.bin"])
        .start();
    let folder = run.folder().to_owned();
    let gateway = any_gateway(&run.url());
    let _child = JoinCommand::to(&gateway.url()).start();
    let (done, file) = run.wait_and(|| std::fs::read(folder.join("out/in.bin")).ok());
    done.status(0);
    assert_eq!(file, Some([&all[..], &all].concat()));
}

#[test]
fn long_values_go_through_a_gateway() {
    let length = 3_000_000;
    let run = PandoCommand::f("(x, cb) => cb(null, x + x)")
        .args(["--cores", "0"])
        .stdin("x".repeat(length) + "\n")
        .start();
    let gateway = any_gateway(&run.url());
    let _child = JoinCommand::to(&gateway.url()).start();
    run.wait().gives("x".repeat(2 * length) + "\n");
}

#[test]
fn pages_behind_a_gateway_compute_what_needs_a_page() {
    let run = PandoCommand::f("(x, cb) => cb(null, x + document.title.length * 0)")
        .args(["--dom"])
        .stdin("1\n2\n")
        .start();
    let gateway = JoinCommand::to(&run.url()).args(["--share", "--port", "0", "--allow-sleep"]);
    let gateway = gateway.start();
    gateway.says("the cores of this machine stay idle");
    let _tab = Tab::open(&gateway.url(), "");
    run.wait().gives("10\n20\n");
}

#[test]
fn machines_behind_a_gateway_run_their_own_commands() {
    let waits = "until test -e go; do sleep 0.01; done; echo {}";
    let run = PandoCommand::bare()
        .args(["--exec", waits, "--cores", "1", "--port", "0", "--batch-size", "1"])
        .stdin(numbers(20))
        .start();
    let line = run.says("Other machines can run a command per value");
    let port = line.trim_end_matches('/').rsplit(':').next().expect("a port").to_owned();
    let gateway = any_gateway(&format!("http://127.0.0.1:{port}"));
    let line = gateway.says("Other machines can run a command per value");
    let url = line.rsplit(' ').next().expect("a URL");
    let port = url.split(':').next_back().expect("a port");
    let last = run.folder().join("done-20");
    let command = format!("touch {}/done-{{}}; echo own {{}}", run.folder().display());
    let url = format!("http://127.0.0.1:{port}");
    let _child = JoinCommand::bare().args(["--cores", "1", "--exec", &command, &url]).start();
    until("the last value is computed", || last.exists().then_some(()));
    std::fs::write(run.folder().join("go"), "").expect("the folder can be written");
    let others = (2..=20).map(|number| format!("own {number}\n"));
    run.wait().gives("1\n".to_owned() + &others.collect::<String>());
}
