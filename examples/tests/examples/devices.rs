//! The devices for the applications: the real `pando`, this machine's cores, browser tabs.

use std::{io::Write, process::Command, thread};

use pando_testing::{RunningProgram, Stdin, Streams, Tab, built};

/// What the page of a tab is told of its device.
pub(crate) const TAB: &str = "device=Tab;cores=1;";

/// The `pando` that was built together with the programs of the examples.
pub(crate) fn pando() -> Command {
    let mut command = Command::new(built("pando"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Maps `input` over one core of this machine and one tab. Returns the output and the messages of
/// pando.
pub(crate) fn map(function: &str, input: Vec<u8>) -> (Vec<u8>, String) {
    let mut command = pando();
    command.args([function, "--stdin"]);
    feed(command, input)
}

/// Sends `input` to a command that accepts options of pando, after one core of this machine and
/// one tab have joined. Returns the output and the messages.
pub(crate) fn feed(mut command: Command, input: Vec<u8>) -> (Vec<u8>, String) {
    command.args(["--port", "0", "--cores", "1"]);
    let streams = Streams { stdin: Stdin::Open, ..Streams::without_input() };
    let mut run = RunningProgram::start(&mut command, streams);
    let _tab = Tab::open(&run.url(), TAB);
    // Fast cores would finish before the browser has started.
    run.says("Tab joined with 1 core");
    let mut stdin = run.take_stdin();
    thread::spawn(move || stdin.write_all(&input));
    let done = run.wait();
    done.status(0);
    (done.stdout, done.stderr)
}
