//! Results larger than the memory limit wait on the devices that computed them.

use crate::ECHO;
use bytes::Bytes;
use pando_protocol::volunteer::{Answer, Binary, Cutter, Form, Loan, encode_results};
use pando_testing::{PandoCommand, Received, RunningProgram, WebSocket, numbers, until};
use std::{
    io::{BufRead, BufReader},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

const DEVICES: u64 = 8;
/// The number of values that each device holds.
const HELD: u64 = 2;
/// The limit for results in the master's memory, in bytes.
const KEPT: u64 = 256 << 20;

/// A simulated device, with the first values that it was lent.
struct HoldingDevice {
    socket: WebSocket,
    lent: Vec<Loan>,
    result: Arc<Vec<u8>>,
}

impl HoldingDevice {
    fn join(url: &str, number: u64, result: &Arc<Vec<u8>>) -> Self {
        let mut socket = WebSocket::join(url, &format!("device {number}"), 1);
        let lent = values(&mut socket).expect("it is lent values");
        Self { socket, lent, result: result.clone() }
    }

    /// Answers `loan` with the index of its value and a long text.
    fn answer(&mut self, loan: Loan) {
        let text = [format!("{} ", loan.index).as_bytes(), &self.result].concat();
        let mut cutter = Cutter::default();
        cutter.start(encode_results([&Answer {
            loan,
            micros: 1,
            result: Ok((Form::Text, Bytes::from(text))),
        }]));
        while let Some(part) = cutter.next_frame() {
            self.socket.binary(&part);
        }
    }

    /// Answers all values of the device until the run ends.
    fn work(mut self) {
        let mut lent = std::mem::take(&mut self.lent);
        loop {
            lent.into_iter().for_each(|loan| self.answer(loan));
            match values(&mut self.socket) {
                Some(more) => lent = more,
                None => return,
            }
        }
    }
}

/// The next values; `None` at the end of the connection.
fn values(socket: &mut WebSocket) -> Option<Vec<Loan>> {
    loop {
        match socket.receive() {
            Received::Binary(frame) => match Binary::decode(frame.into()) {
                Ok(Binary::Values(values)) => {
                    return Some(values.into_iter().map(|(loan, _)| loan).collect());
                }
                other => panic!("values are expected: {other:?}"),
            },
            Received::Text(text) if text.contains("\"ping\"") => {
                socket.text(r#"{"type":"pong","t":0}"#)
            }
            Received::Text(_) => {}
            Received::Closed => return None,
        }
    }
}

/// A run whose output nobody reads. All devices except the first compute, and produce results of
/// `length` bytes.
fn begun(length: usize) -> (RunningProgram, HoldingDevice) {
    // The devices send long results, and have no time for pings.
    let run = PandoCommand::f(ECHO).args([
        "--cores",
        "0",
        "--heartbeat",
        "30s",
        "--batch-size",
        &HELD.to_string(),
    ]);
    let mut run = run.stdin_open().stdout_unread().start();
    run.write(numbers(DEVICES * HELD));
    let (url, result) = (run.url(), Arc::new(vec![b'x'; length]));
    let first = HoldingDevice::join(&url, 0, &result);
    assert_eq!(first.lent, [0, 1].map(Loan::first));
    for number in 1..DEVICES {
        let device = HoldingDevice::join(&url, number, &result);
        thread::spawn(move || device.work());
    }
    (run, first)
}

/// A run as in [`begun`], in which all other results wait for item 1, so the devices have to keep
/// them.
fn stuck(length: usize) -> (RunningProgram, HoldingDevice) {
    let (run, first) = begun(length);
    run.says("all wait for item 1, which device 0 has");
    (run, first)
}

/// Checks that all results come in order, and that the peak memory is below `most` bytes.
fn comes(mut run: RunningProgram, length: usize, most: u64) {
    let mut output = BufReader::with_capacity(1 << 20, run.take_stdout());
    let mut line = Vec::new();
    for id in 0..DEVICES * HELD {
        line.clear();
        output.read_until(b'\n', &mut line).expect("it writes its output");
        assert!(
            line.starts_with(format!("{id} xxx").as_bytes()) && line.len() > length,
            "result {id}: {} bytes",
            line.len()
        );
    }
    let peak = run.peak_memory();
    assert!(peak < most, "{} MB", peak / 1_000_000);
    println!("{} results of {length} bytes in {} MB", DEVICES * HELD, peak / 1_000_000);
    run.close_stdin();
    let mut rest = Vec::new();
    output.read_until(b'\n', &mut rest).expect("it ends its output");
    assert!(rest.is_empty());
    run.wait().status(0);
}

/// The limit for results, two results of the device with the oldest value, and other memory.
fn bound(length: usize) -> u64 {
    KEPT + 2 * length as u64 + (100 << 20)
}

fn results_wait(length: usize) {
    let (run, mut first) = stuck(length);
    // The result that all others wait for comes last.
    first.answer(Loan::first(1));
    first.answer(Loan::first(0));
    comes(run, length, bound(length));
}

#[test]
fn large_results_of_all_devices_wait_where_they_are_and_the_one_that_is_waited_for_comes_through() {
    results_wait(32 << 20);
}

/// This test needs two gigabytes of memory, so it runs only with `PANDO_LARGE=1`.
#[test]
fn results_of_100_megabytes() {
    if std::env::var_os("PANDO_LARGE").is_some() {
        results_wait(100 << 20);
    }
}

#[test]
fn large_results_wait_where_they_are_while_nobody_reads_the_output() {
    let length = 32 << 20;
    let (run, first) = begun(length);
    thread::spawn(move || first.work());
    let mut last = (0, Instant::now());
    until("it takes no more", || {
        let peak = run.peak_memory();
        if peak != last.0 {
            last = (peak, Instant::now());
        }
        (peak > KEPT && last.1.elapsed() > Duration::from_secs(2)).then_some(())
    });
    comes(run, length, bound(length));
}

#[test]
fn what_is_waited_for_comes_from_another_when_its_device_leaves() {
    let length = 32 << 20;
    let (run, first) = stuck(length);
    drop(first);
    comes(run, length, bound(length) + 2 * length as u64);
}
