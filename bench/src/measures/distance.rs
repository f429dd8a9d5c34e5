//! Devices behind a slow link should compute as much as the same devices nearby, without an option.

use super::Setup;
use crate::{
    lines::GeneratedLines,
    program::{EchoRun, Ran, all_joined, launch},
    table::{Row, Samples},
};
use std::time::Duration;

/// The time for the values of one run, if the cores never wait.
const TIME: Duration = Duration::from_secs(6);
/// The time over which a rate is taken at the start of a run.
const WINDOW: Duration = Duration::from_millis(500);

/// A light volunteer: its cores, the time for each value, the delay in each direction, and the
/// share of the speed nearby that it should reach.
struct Case {
    cores: u32,
    compute: Duration,
    delay: Duration,
    goal: f64,
}

const fn case(cores: u32, micros: u64, delay: u64, goal: f64) -> Case {
    Case {
        cores,
        compute: Duration::from_micros(micros),
        delay: Duration::from_millis(delay),
        goal,
    }
}

const CASES: [Case; 5] = [
    case(1, 20, 50, 0.97),
    case(1, 1_000, 50, 0.97),
    case(4, 10_000, 50, 0.97),
    case(4, 100_000, 50, 0.97),
    case(4, 10_000, 100, 0.95),
];

/// Measures each case nearby and far away in turn.
pub(super) fn distance(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for case in CASES {
        let count = TIME.as_secs_f64() / case.compute.as_secs_f64() * f64::from(case.cores);
        let count = setup.scaled(count as u64);
        let what = format!(
            "values of {:?} on {} cores, {} ms round trip",
            case.compute,
            case.cores,
            2 * case.delay.as_millis()
        );
        let (mut ratio, mut warm) = <(Samples, Samples)>::default();
        for run in setup.runs() {
            let near = steady_rate(&through(setup, &case, Duration::ZERO, count)?);
            let ran = through(setup, &case, case.delay, count)?;
            let far = steady_rate(&ran);
            let since = warm_after(&ran, 0.9 * near);
            eprintln!("{what}, run {run}: {near:.0} and {far:.0} items/s, warm after {since:.2} s");
            ratio.push(far / near);
            warm.push(since);
        }
        rows.push(Row::ratio(format!("{what}: steady speed, of that nearby"), ratio, case.goal));
        let reached = warm.median() <= 1.0;
        rows.push(Row::goal(
            "… time from the first value until nine tenths of that speed",
            warm.show(|seconds| format!("{seconds:.2} s")),
            "≤ 1 s",
            reached,
        ));
    }
    Ok(rows)
}

fn through(setup: &Setup, case: &Case, delay: Duration, count: u64) -> anyhow::Result<Ran> {
    let mut pando = EchoRun::start(&setup.pando, &["--cores", "0"])?;
    let (url, cores) = (pando.url()?, case.cores.to_string());
    let [compute, delay] =
        [case.compute, delay].map(|time| humantime::format_duration(time).to_string());
    let mut volunteer = launch(
        &setup.swarm(),
        &[&url, "--volunteers", "1", "--cores", &cores, "--compute", &compute, "--delay", &delay],
    )?;
    all_joined(&mut volunteer)?;
    let ran = pando.run(GeneratedLines::numbers(count))?;
    volunteer.succeed()?;
    Ok(ran)
}

/// The lines per second in the second half of the output.
fn steady_rate(ran: &Ran) -> f64 {
    let Some((end, all)) = ran.lines.last() else { return f64::NAN };
    let half = ran.lines.iter().find(|(_, lines)| *lines >= all / 2);
    let (start, lines) = half.expect("the last entry has all");
    (all - lines) as f64 / (*end - *start).as_secs_f64()
}

/// The start of the first window in which lines come at this rate at least, in seconds since the
/// first byte of input.
fn warm_after(ran: &Ran, rate: f64) -> f64 {
    let enough = rate * WINDOW.as_secs_f64();
    for (at, (start, before)) in ran.lines.iter().enumerate() {
        let within = ran.lines[at..].iter().take_while(|(time, _)| *time - *start <= WINDOW);
        let lines = within.last().map_or(0, |(_, lines)| lines - before);
        if lines as f64 >= enough {
            return start.as_secs_f64();
        }
    }
    f64::INFINITY
}
