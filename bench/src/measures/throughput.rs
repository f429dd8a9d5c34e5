//! The overhead of pando itself, measured with a function that returns its argument.

use super::Setup;
use crate::{
    lines::GeneratedLines,
    program::{EchoRun, Ran, all_joined, swarm},
    table::{Row, Samples, thousands},
};
use pando_testing::Chromium;

/// The number of values through the swarm: about ten seconds of work.
const MASTER: u64 = 10_000_000;
/// The number of values through a tab.
const TAB: u64 = 3_000_000;

/// The figures of several runs.
#[derive(Default)]
pub(super) struct Figures {
    pub(super) rate: Samples,
    /// The processor time of the master per item, in microseconds.
    pub(super) micros: Samples,
    system: Samples,
}

impl Figures {
    /// Adds and prints the figures of one run. Returns its items per second.
    pub(super) fn add(&mut self, what: &str, run: usize, count: u64, ran: &Ran) -> f64 {
        let rate = count as f64 / ran.elapsed.as_secs_f64();
        let micros = |time: std::time::Duration| time.as_secs_f64() * 1e6 / count as f64;
        let (all, system) = (micros(ran.cpu.sum()), micros(ran.cpu.system));
        eprintln!(
            "{what}, run {run}: {} items/s, {all:.2} µs of the master per item ({system:.2} in the kernel)",
            thousands(rate)
        );
        self.rate.push(rate);
        self.micros.push(all);
        self.system.push(system);
        rate
    }
}

/// Sends `count` numbers through a master with `options` and a swarm with the options
/// `volunteers`.
pub(super) fn through_swarm(
    setup: &Setup,
    options: &[&str],
    volunteers: &[&str],
    count: u64,
) -> anyhow::Result<Ran> {
    let mut pando = EchoRun::start(&setup.pando, &[&["--cores", "0"], options].concat())?;
    let mut volunteers = swarm(&setup.swarm(), &pando.url()?, volunteers)?;
    all_joined(&mut volunteers)?;
    let ran = pando.run(GeneratedLines::numbers(count))?;
    volunteers.succeed()?;
    Ok(ran)
}

/// The speed with eight volunteers of the swarm.
pub(super) fn master(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let count = setup.scaled(MASTER);
    let mut figures = Figures::default();
    for run in setup.runs() {
        figures.add(
            "master",
            run,
            count,
            &through_swarm(setup, &[], &["--volunteers", "8"], count)?,
        );
    }
    let what = format!("no-op, {} lines, 8 light volunteers", thousands(count as f64));
    let (rate, micros) = (figures.rate.median(), figures.micros.median());
    Ok(vec![
        Row::goal(
            what,
            figures.rate.show(|r| thousands(r) + " items/s"),
            "≥ 500,000 items/s",
            rate >= 500_000.0,
        ),
        Row::goal(
            "… processor time of the master",
            figures.micros.show(|m| format!("{m:.2} µs/item")),
            "≤ 2 µs/item",
            micros <= 2.0,
        ),
        Row::plain("… of that, in the kernel", figures.system.show(|m| format!("{m:.2} µs/item"))),
    ])
}

/// The speed with one Chromium tab.
pub(super) fn tab(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let count = setup.scaled(TAB);
    let mut figures = Figures::default();
    for run in setup.runs() {
        let mut pando = EchoRun::start(&setup.pando, &["--cores", "0"])?;
        let url = pando.url()?;
        let _browser = Chromium::at(&setup.chromium).open(&format!("{url}#cores=1;"))?;
        pando.hears("joined with")?;
        figures.add("tab", run, count, &pando.run(GeneratedLines::numbers(count))?);
    }
    let what = format!("no-op, {} lines, one Chromium tab with one core", thousands(count as f64));
    let rate = figures.rate.median();
    Ok(vec![
        Row::goal(
            what,
            figures.rate.show(|r| thousands(r) + " items/s"),
            "≥ 100,000 items/s",
            rate >= 100_000.0,
        ),
        Row::plain(
            "… processor time of the master",
            figures.micros.show(|m| format!("{m:.2} µs/item")),
        ),
    ])
}
