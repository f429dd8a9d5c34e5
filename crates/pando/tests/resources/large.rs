//! Results that are larger than the memory that they may take: they wait where they were computed.

use crate::{
    ECHO,
    common::{Pando, Received, Running, WebSocket, numbers, until},
};
use bytes::Bytes;
use pando_protocol::volunteer::{Answer, Binary, Cutter, Form, Loan, encode_results};
use std::{
    io::{BufRead, BufReader},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

const DEVICES: u64 = 8;
/// Values that each device has.
const HELD: u64 = 2;
/// Bytes of results that are kept in memory.
const KEPT: u64 = 256 << 20;

/// A device by hand, with the first values that it was lent.
struct Device {
    socket: WebSocket,
    lent: Vec<Loan>,
    result: Arc<Vec<u8>>,
}

impl Device {
    fn join(url: &str, number: u64, result: &Arc<Vec<u8>>) -> Self {
        let mut socket = WebSocket::open(url);
        socket.hello(url, &format!("device {number}"), 1);
        let lent = values(&mut socket).expect("it is lent values");
        Self { socket, lent, result: result.clone() }
    }

    /// Answers `loan` with the number of its value and the long rest.
    fn answer(&mut self, loan: Loan) {
        let text = [format!("{} ", loan.index).as_bytes(), &self.result].concat();
        let mut cutter = Cutter::default();
        cutter.start(encode_results([&Answer { loan, micros: 1, result: Ok((Form::Text, Bytes::from(text))) }]));
        while let Some(part) = cutter.next_frame() {
            self.socket.binary(&part);
        }
    }

    /// Answers all that it has and gets, to the end.
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

/// The next values that come; none at the end.
fn values(socket: &mut WebSocket) -> Option<Vec<Loan>> {
    loop {
        match socket.receive() {
            Received::Binary(frame) => match Binary::decode(frame.into()) {
                Ok(Binary::Values(values)) => return Some(values.into_iter().map(|(loan, _)| loan).collect()),
                other => panic!("values are expected: {other:?}"),
            },
            Received::Text(text) if text.contains("\"ping\"") => socket.text(r#"{"type":"pong","t":0}"#),
            Received::Text(_) => {}
            Received::Closed => return None,
        }
    }
}

/// A run whose output is not read; all of its devices but the first compute, and have results of so many bytes.
fn begun(length: usize) -> (Running, Device) {
    // It has no time for pings.
    let run = Pando::f(ECHO).args(["--cores", "0", "--heartbeat", "30s", "--batch-size", &HELD.to_string()]);
    let mut run = run.stdin_open().stdout_unread().start();
    run.write(numbers(DEVICES * HELD));
    let (url, result) = (run.url(), Arc::new(vec![b'x'; length]));
    let first = Device::join(&url, 0, &result);
    assert_eq!(first.lent, [0, 1].map(Loan::first));
    for number in 1..DEVICES {
        let device = Device::join(&url, number, &result);
        thread::spawn(move || device.work());
    }
    (run, first)
}

/// The same; they want to be rid of their results, and may not: all wait for item 1.
fn stuck(length: usize) -> (Running, Device) {
    let (run, first) = begun(length);
    run.says("all wait for item 1, which device 0 has");
    (run, first)
}

/// All results come, in order, in so many bytes of memory.
fn comes(mut run: Running, length: usize, most: u64) {
    let mut output = BufReader::with_capacity(1 << 20, run.take_stdout());
    let mut line = Vec::new();
    for id in 0..DEVICES * HELD {
        line.clear();
        output.read_until(b'\n', &mut line).expect("it writes its output");
        assert!(line.starts_with(format!("{id} xxx").as_bytes()) && line.len() > length, "result {id}: {} bytes", line.len());
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

/// What is kept, two results of who has the oldest value, and what else there is.
fn bound(length: usize) -> u64 {
    KEPT + 2 * length as u64 + (100 << 20)
}

fn results_wait(length: usize) {
    let (run, mut first) = stuck(length);
    // What all wait for comes last.
    first.answer(Loan::first(1));
    first.answer(Loan::first(0));
    comes(run, length, bound(length));
}

#[test]
fn large_results_of_all_devices_wait_where_they_are_and_the_one_that_is_waited_for_comes_through() {
    results_wait(32 << 20);
}

/// It needs two gigabytes: `PANDO_LARGE=1`.
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
