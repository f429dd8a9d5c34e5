//! What readers of the monitoring page cost the master, with a thousand volunteers.

use super::Setup;
use crate::{
    lines::GeneratedLines,
    program::{EchoRun, all_joined, launch},
    table::{Row, Samples, megabytes},
};
use anyhow::{Context, ensure};
use pando_testing::{Cpu, connect, has_ended, memory};
use std::{
    io::{Read, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

/// With 500 ms per value, a thousand cores compute 2,000 values per second: enough for all phases.
const VALUES: u64 = 64_000;
/// The numbers of readers, one phase after the other.
const READERS: [usize; 3] = [0, 1, 3];
/// The time before the first phase, and before each measurement.
const SETTLING: Duration = Duration::from_secs(2);
/// The time of a measurement.
const MEASURED: Duration = Duration::from_secs(6);
/// The most of a core that one reader may cost.
const GOAL: f64 = 0.05;

/// The figures of a phase.
#[derive(Debug, Default)]
struct Phase {
    /// The master's processor time, as a share of a core.
    share: Samples,
    /// The same, relative to the phase without readers.
    ratio: Samples,
    /// The master's resident memory, in bytes.
    memory: Samples,
}

/// Measures a run without readers of the events, then with one, then with three.
pub(super) fn monitoring(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let mut phases: [Phase; READERS.len()] = Default::default();
    let (mut more, mut state) = (Samples::default(), Samples::default());
    for run in setup.runs() {
        let mut pando = EchoRun::start(&setup.pando, &["--cores", "0"])?;
        let url = pando.url()?;
        let page = pando.hears("Serving monitoring page at ")?;
        let page = page.rsplit(' ').next().context("the line has a URL")?.to_owned();
        let options = [&url, "--volunteers", "1000", "--compute", "500ms"];
        let mut volunteers = launch(&setup.swarm(), &options)?;
        all_joined(&mut volunteers)?;
        let id = pando.id();
        let measured = thread::spawn(move || measure(id, &page));
        pando.run(GeneratedLines::numbers(VALUES))?;
        volunteers.succeed()?;
        let (shares, state_bytes) = measured.join().expect("no panic")?;
        for (phase, (share, bytes)) in phases.iter_mut().zip(&shares) {
            phase.share.push(*share);
            phase.ratio.push(share / shares[0].0);
            phase.memory.push(*bytes as f64);
        }
        more.push(shares[1].0 - shares[0].0);
        state.push(state_bytes);
        eprintln!("monitoring, run {run}: shares and memory {shares:?}, {state_bytes:.0} bytes/s");
    }
    Ok(rows(&phases, &more, &state))
}

/// The master's share of a core and its memory in each phase, and the bytes that a reader gets per
/// second.
fn measure(id: u32, page: &str) -> anyhow::Result<(Vec<(f64, u64)>, f64)> {
    let (mut phases, mut readers, mut rate) = (Vec::new(), Vec::new(), 0.0);
    thread::sleep(SETTLING);
    for count in READERS {
        while readers.len() < count {
            readers.push(read_events(page)?);
        }
        thread::sleep(SETTLING);
        let read = || readers.first().map_or(0, |bytes| bytes.load(Relaxed));
        let (cpu, start, before) = (Cpu::of(id), Instant::now(), read());
        thread::sleep(MEASURED);
        let seconds = start.elapsed().as_secs_f64();
        let share = Cpu::of(id).since(cpu).sum().as_secs_f64() / seconds;
        rate = (read() - before) as f64 / seconds;
        ensure!(!has_ended(id), "the run was too short for the measure");
        ensure!(count == 0 || rate > 0.0, "no events came");
        phases.push((share, memory(id).context("the process has no memory")?));
    }
    Ok((phases, rate))
}

/// Reads the events of the monitoring page in a thread. Returns the number of bytes read so far.
fn read_events(page: &str) -> anyhow::Result<Arc<AtomicU64>> {
    let place = page.trim_start_matches("http://");
    let (host, path) = place.split_once('/').context("the page has a token")?;
    let mut socket = connect(host);
    // To a client of HTTP/1.0, a server sends no chunks.
    write!(socket, "GET /{path}events HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let bytes = Arc::new(AtomicU64::new(0));
    let count = bytes.clone();
    thread::spawn(move || {
        let mut block = vec![0; 64 * 1024];
        while let Ok(length) = socket.read(&mut block)
            && length > 0
        {
            count.fetch_add(length as u64, Relaxed);
        }
    });
    Ok(bytes)
}

fn rows(phases: &[Phase; READERS.len()], more: &Samples, state: &Samples) -> Vec<Row> {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let mut rows = Vec::new();
    for (readers, phase) in READERS.iter().zip(phases) {
        let (share, memory) = (phase.share.show(percent), phase.memory.show(megabytes));
        let ratio = phase.ratio.show(|ratio| format!("× {ratio:.2}"));
        let (what, figures) = match readers {
            0 => (
                "1,000 volunteers, 2,000 items/s, no reader of the monitoring page: the master's share of a core; its memory".to_owned(),
                format!("{share}; {memory}"),
            ),
            1 => ("… one reader".to_owned(), format!("{share}, {ratio}; {memory}")),
            several => (format!("… {several} readers"), format!("{share}, {ratio}; {memory}")),
        };
        rows.push(Row::plain(what, figures));
    }
    rows.push(Row::goal(
        "… what the first reader costs, of a core",
        more.show(percent),
        "≤ 5 %",
        more.median() <= GOAL,
    ));
    let kilobytes = |bytes: f64| format!("{:.0} kB/s", bytes / 1e3);
    rows.push(Row::plain("… what a reader gets", state.show(kilobytes)));
    rows
}
