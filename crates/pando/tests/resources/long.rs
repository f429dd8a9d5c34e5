//! A run for days: finished items and departed devices leave no data behind.

use pando_protocol::volunteer::{Running as Call, ToMaster};
use pando_testing::{
    PandoCommand, RunningProgram, WebSocket, until,
    volunteer::{answer, fail, serve, values},
};
use serde_json::json;
use std::{
    fs,
    io::Write,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

/// A device that answers values with themselves until the run ends.
fn computes(url: &str) {
    let mut socket = WebSocket::join(url, "faithful", 2);
    thread::spawn(move || serve(&mut socket, answer));
}

/// Joins as a new device, prints, reports, fails a value, and leaves with the next one.
fn comes_and_goes(url: &str, number: u64) {
    let mut socket = WebSocket::join(url, &format!("device {number}"), 1);
    let loan = values(&mut socket)[0].0;
    let id = loan.index;
    let entry = json!({"level": "log", "text": format!("line {number}"), "id": id, "count": 3});
    socket.text(&json!({"type": "log", "entries": [entry]}).to_string());
    socket.text(&json!({"type": "report", "id": id, "report": {"nbItems": 1, "units": format!("unit {number}")}}).to_string());
    let started = ToMaster::Started { items: vec![Call { id: loan, ms: 600 }], loading: None };
    socket.text(&serde_json::to_string(&started).expect("plain data"));
    fail(&mut socket, loan, "no");
    if number.is_multiple_of(2) {
        socket.text(r#"{"type":"bye","reason":"left"}"#);
    }
}

fn resident(run: &RunningProgram) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", run.pid())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux tells it");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// The growth of a run's memory in bytes, between `warm` and `end` departures of devices.
fn grows_by(warm: u64, end: u64) -> u64 {
    let args = [
        "--cores",
        "0",
        "--on-error",
        "skip",
        "--retries",
        "0",
        "--events",
        "/dev/null",
        "--reporting-interval",
        "100ms",
    ];
    // A full window of values would vary more than the growth that the test looks for.
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(args)
        .args(["--window", "1000"])
        .stdin_open()
        .start();
    let (url, mut input) = (run.url(), run.take_stdin());
    // Writes as fast as the run reads, until the run ends.
    thread::spawn(move || while input.write_all(&b"1234567\n".repeat(1000)).is_ok() {});
    computes(&url);
    let (next, mut before) = (AtomicU64::new(0), 0);
    for until_number in [warm, end] {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while next.load(Ordering::Relaxed) < until_number {
                        comes_and_goes(&url, next.fetch_add(1, Ordering::Relaxed));
                    }
                });
            }
        });
        let gone = format!("device {} ", until_number - 1);
        until("the last one is gone", || (run.stderr().contains(&gone)).then_some(()));
        if until_number == warm {
            before = resident(&run);
        }
    }
    let after = resident(&run);
    println!("{} KB after {warm} departures, {} KB after {end}", before >> 10, after >> 10);
    after.saturating_sub(before)
}

#[test]
fn devices_that_come_and_go_leave_nothing_behind() {
    // The run tells apart the first 1,000 devices that leave, for its summary.
    let (warm, end) = (2_000, 7_000);
    let grown = grows_by(warm, end);
    // The limit per device is the size of a seat that is never freed.
    assert!(grown < (end - warm) * 800, "{grown} bytes");
}
