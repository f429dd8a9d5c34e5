//! Few file descriptors, and many devices that try to join.

use pando_testing::{Cpu, PandoCommand, RelayProcess, RunningProgram, WebSocket, connect, until};
use std::{
    io::{Read, Write},
    net::TcpStream,
    thread::sleep,
    time::Duration,
};

/// A launcher that limits the number of open files of a process.
fn limited(files: u32) -> Vec<String> {
    ["bash", "-c", &format!("ulimit -n {files}; exec \"$@\""), "bash"].map(str::to_owned).to_vec()
}

/// The connections of `count` devices, as far as the run accepts them.
fn crowd(url: &str, count: usize) -> Vec<WebSocket> {
    (0..count).filter_map(|_| WebSocket::try_open(url)).collect()
}

/// The processor time of the run during half a second without work.
fn idles_at(run: &RunningProgram) -> Duration {
    let before = Cpu::of(run.pid());
    sleep(Duration::from_millis(500));
    Cpu::of(run.pid()).since(before).sum()
}

#[test]
fn with_few_files_those_who_fit_compute_and_the_run_goes_on_with_its_journal_and_its_files() {
    for files in [64, 128] {
        let dir = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        let mut run = PandoCommand::f("(bytes, cb) => cb(null, bytes)").args([
            "--cores",
            "1",
            "--files",
            "--journal",
            "j",
            "--output-dir",
        ]);
        for name in &names {
            run = run.with_file(name, name);
        }
        let mut run = run.args([dir.path()]).inside(&limited(files)).stdin_open().start();
        let url = run.url();
        let joined = crowd(&url, 200);
        assert!(
            (files as usize / 3..=files as usize / 2).contains(&joined.len()),
            "{} of {files}",
            joined.len()
        );
        let line = run
            .says("there are too many connections for the files that this process may have open");
        assert!(line.contains("ulimit -n"), "{line}");
        assert!(idles_at(&run) < Duration::from_millis(250), "it does not spin");
        for name in &names {
            run.write_line(name);
        }
        // The local core keeps the file descriptors of its pipes, so the run goes on.
        for name in &names {
            assert_eq!(run.line(), Some(dir.path().join(name).display().to_string()));
        }
        drop(joined);
        until("there is room again", || WebSocket::try_open(&url));
        let run = run.wait();
        run.status(0);
        assert_eq!(run.stderr.matches("too many connections").count(), 1, "{}", run.stderr);
    }
}

#[test]
fn when_there_is_no_descriptor_at_all_who_comes_waits_and_is_let_in_later() {
    // Half of the descriptors are for connections, and more than half are in use.
    let files = 20;
    let run = PandoCommand::f("(x, cb) => cb(null, x)").args(["--cores", "0"]).stdin_open();
    let run = run.inside(&limited(files)).start();
    let url = run.url();
    let host = url.split('/').nth(2).unwrap();
    // The number of connections stays below the limit, so that the run refuses none.
    let mut waiting: Vec<TcpStream> = (0..files / 2).map(|_| connect(host)).collect();
    let line = run.says("a new connection cannot be accepted now (");
    assert!(line.contains("open files"), "{line}");
    assert!(idles_at(&run) < Duration::from_millis(250), "it does not spin");
    let mut last = waiting.pop().unwrap();
    drop(waiting);
    write!(last, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    last.read_to_string(&mut answer).expect("it is answered once there is room");
    run.wait().gives("");
}

#[test]
fn a_relay_with_few_files_keeps_its_rooms_and_lets_others_in_when_there_is_room() {
    let relay = RelayProcess::start_inside(&limited(64), &[]);
    relay.run.says("few-files");
    let host = &relay.host;
    let run = relay
        .used_by(PandoCommand::f("(x, cb) => cb(null, x)"))
        .args(["--cores", "0"])
        .stdin_open()
        .start();
    run.says("Serving volunteer code at http://127.0.0.1:");
    let mut crowd: Vec<TcpStream> = (0..100).map(|_| connect(host)).collect();
    let line = relay.run.says("connection-refused");
    assert!(line.contains("ulimit -n"), "{line}");
    assert!(idles_at(&relay.run) < Duration::from_millis(250), "it does not spin");
    crowd.clear();
    until("there is room again", || {
        let mut socket = connect(host);
        socket
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .ok()?;
        let mut answer = String::new();
        (socket.read_to_string(&mut answer).is_ok() && answer.contains("\"rooms\":1")).then_some(())
    });
    run.wait().gives("").did_not_say(&["out of reach"]);
}
