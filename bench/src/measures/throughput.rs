//! The overhead of pando itself, measured with a function that returns its argument.

use super::Setup;
use crate::{
    lines::GeneratedLines,
    program::{EchoRun, Ran, all_joined, launch},
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

    /// Sends `count` numbers through a tab at the page of `master`, and adds the figures.
    fn add_tab(
        &mut self,
        setup: &Setup,
        what: &str,
        run: usize,
        mut master: EchoRun,
        count: u64,
        fragment: &str,
    ) -> anyhow::Result<f64> {
        let url = master.url()?;
        let _browser = Chromium::at(&setup.chromium).open(&format!("{url}#{fragment}"))?;
        master.hears("joined with")?;
        Ok(self.add(what, run, count, &master.run(GeneratedLines::numbers(count))?))
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
    let url = pando.url()?;
    let mut volunteers = launch(&setup.swarm(), &[&[&*url], volunteers].concat())?;
    all_joined(&mut volunteers)?;
    let ran = pando.run(GeneratedLines::numbers(count))?;
    volunteers.succeed()?;
    Ok(ran)
}

/// The speed with eight volunteers of the swarm, and in turn that of the prototypes.
pub(super) fn master(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let count = setup.scaled(MASTER);
    let light = ["--volunteers", "8"];
    let (mut figures, mut bare, mut ratio) = <(Figures, Figures, Samples)>::default();
    for run in setup.runs() {
        let rate = figures.add("master", run, count, &through_swarm(setup, &[], &light, count)?);
        let mut master = EchoRun::start_bare(&setup.bare())?;
        let url = master.url()?;
        let options = [&["volunteers", &*url], &light[..]].concat();
        let mut volunteers = launch(&setup.bare(), &options)?;
        all_joined(&mut volunteers)?;
        let limit = bare.add("… bare", run, count, &master.run(GeneratedLines::numbers(count))?);
        volunteers.succeed()?;
        ratio.push(rate / limit);
    }
    let what = format!("no-op, {} lines, 8 light volunteers", thousands(count as f64));
    let mut rows = compared(&what, "8 light volunteers", &figures, &bare, (ratio, 0.75));
    let micros = figures.micros.median();
    rows[2] = Row::goal(
        "… processor time of the master",
        figures.micros.show(micros_per_item),
        "≤ 0.15 µs/item",
        micros <= 0.15,
    );
    rows.push(Row::plain("… of that, in the kernel", figures.system.show(micros_per_item)));
    Ok(rows)
}

/// The speed with one Chromium tab, and in turn that of the prototypes in the same browser. In one
/// prototype, the worker of the socket computes; in the other one, a second worker computes, as in
/// Pando, so that a function cannot hold up the socket.
pub(super) fn tab(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let count = setup.scaled(TAB);
    let (mut figures, mut bare, mut ratio) = <(Figures, Figures, Samples)>::default();
    let (mut apart, mut ratio_apart) = <(Figures, Samples)>::default();
    for run in setup.runs() {
        let pando = EchoRun::start(&setup.pando, &["--cores", "0"])?;
        let measured = |what, master, fragment, figures: &mut Figures| {
            figures.add_tab(setup, what, run, master, count, fragment)
        };
        let rate = measured("tab", pando, "cores=1;", &mut figures)?;
        let master = || EchoRun::start_bare(&setup.bare());
        ratio.push(rate / measured("… bare", master()?, "", &mut bare)?);
        let two = measured("… bare, two workers", master()?, "apart", &mut apart)?;
        ratio_apart.push(rate / two);
    }
    let what = format!("no-op, {} lines, one Chromium tab with one core", thousands(count as f64));
    let mut rows = compared(&what, "one tab", &figures, &bare, (ratio, 0.85));
    let ratio = ratio_apart.show(|ratio| format!("{ratio:.2}"));
    rows.push(Row::plain("… speed of that of the prototype with a second worker", ratio));
    Ok(rows)
}

/// The rows of Pando and of its limit; the ratio of both, and its goal.
fn compared(
    what: &str,
    short: &str,
    pando: &Figures,
    bare: &Figures,
    (ratio, goal): (Samples, f64),
) -> Vec<Row> {
    let rate = |rate| thousands(rate) + " items/s";
    vec![
        Row::plain(what, pando.rate.show(rate)),
        Row::ratio(format!("… {short}: speed of that of the bare prototype"), ratio, goal),
        Row::plain("… processor time of the master", pando.micros.show(micros_per_item)),
        Row::plain("… the bare prototype", bare.rate.show(rate)),
        Row::plain("… its processor time", bare.micros.show(micros_per_item)),
    ]
}

fn micros_per_item(micros: f64) -> String {
    format!("{micros:.2} µs/item")
}
