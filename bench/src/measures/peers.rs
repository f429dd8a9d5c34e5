//! The same work by other programs that spread it over the cores of one machine.

use super::Setup;
use crate::{
    lines::{GeneratedLines, verify},
    table::{Row, Samples, thousands},
};
use anyhow::{Context, ensure};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The time for one value, and the number of values.
const WORK: [(Duration, u64); 3] = [
    (Duration::ZERO, 100_000),
    (Duration::from_millis(1), 4_000),
    (Duration::from_millis(100), 60),
];
/// The number of cores, and of values for programs that are started once per value.
const CORES: u64 = 2;
const PROGRAMS: u64 = 500;

/// The function: it computes for a time, and returns its argument.
const FUNCTION: &str = "(x, cb) => {
  const end = performance.now() + Number(process.env.MILLIS)
  while (performance.now() < end);
  cb(null, x)
}";

const PISCINA: &str = "const { Piscina } = require('piscina')
const { isMainThread } = require('node:worker_threads')
const f = FUNCTION
module.exports = (x) => new Promise((resolve) => f(x, (error, y) => resolve(y)))
const main = async () => {
  const pool = new Piscina({ filename: __filename, minThreads: 2, maxThreads: 2 })
  const results = []
  const print = async () => process.stdout.write((await results.shift()) + '\\n')
  for await (const line of require('node:readline').createInterface({ input: process.stdin })) {
    results.push(pool.run(line))
    if (results.length > 1000) await print()
  }
  while (results.length) await print()
  await pool.destroy()
}
if (isMainThread) main()
";

const POOL: &str = "import os, sys, time
from concurrent.futures import ProcessPoolExecutor
seconds = float(os.environ['MILLIS']) / 1000
def f(line):
    end = time.perf_counter() + seconds
    while seconds and time.perf_counter() < end: pass
    return line
if __name__ == '__main__':
    with ProcessPoolExecutor(2) as pool:
        for result in pool.map(f, sys.stdin, chunksize=int(sys.argv[1])):
            sys.stdout.write(result)
";

/// One way to do the work: its name, a program that it needs, and its command for a shell.
struct Way {
    name: &'static str,
    needs: &'static str,
    command: String,
}

fn way(name: &'static str, needs: &'static str, command: impl Into<String>) -> Way {
    Way { name, needs, command: command.into() }
}

/// Measures each way in turn. Ways whose programs are missing are left out, in words.
pub(super) fn peers(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let pando = std::path::absolute(&setup.pando)?;
    let pando = pando.display();
    let module = format!("module.exports = {FUNCTION}\n");
    fs::write(folder.path().join("f.js"), module)?;
    fs::write(folder.path().join("pool.py"), POOL)?;
    fs::write(folder.path().join("pool.cjs"), PISCINA.replace("FUNCTION", FUNCTION))?;
    let npm = ["install", "--silent", "--no-audit", "--no-fund", "piscina@5"];
    let has_piscina = Command::new("npm")
        .args(npm)
        .current_dir(folder.path())
        .status()
        .is_ok_and(|s| s.success());
    let functions = [
        way("pando", "node", format!("{pando} --local --cores 2 --env MILLIS f.js --stdin")),
        way("Piscina (Node)", if has_piscina { "node" } else { "piscina" }, "node pool.cjs"),
        way("ProcessPoolExecutor (Python)", "python3", "python3 pool.py 1"),
        way("… with chunks of 100 values", "python3", "python3 pool.py 100"),
    ];
    let mut rows = Vec::new();
    for (time, count) in WORK {
        let what = match time {
            Duration::ZERO => "nothing".into(),
            time => format!("{time:?}"),
        };
        let count = setup.scaled(count);
        let ideal = time.as_secs_f64() * count as f64 / CORES as f64;
        rows.extend(compare(setup, folder.path(), &functions, count, time, ideal, &what)?);
    }
    let programs = [
        way("pando --exec", "sh", format!("{pando} --local --cores 2 --exec 'echo {{}}' --stdin")),
        way("GNU parallel", "parallel", "parallel --will-cite -k -j2 echo {}"),
        way("xargs", "xargs", "xargs -P2 -n1 echo"),
    ];
    let count = setup.scaled(PROGRAMS);
    rows.extend(compare(
        setup,
        folder.path(),
        &programs,
        count,
        Duration::ZERO,
        0.0,
        "a program (`echo`)",
    )?);
    Ok(rows)
}

fn compare(
    setup: &Setup,
    folder: &Path,
    ways: &[Way],
    count: u64,
    time: Duration,
    ideal: f64,
    what: &str,
) -> anyhow::Result<Vec<Row>> {
    let mut figures: Vec<(Samples, Samples)> = vec![Default::default(); ways.len()];
    for run in setup.runs() {
        for (way, (rate, micros)) in ways.iter().zip(&mut figures) {
            if !is_there(way.needs) {
                eprintln!("{} is left out: there is no {}", way.name, way.needs);
                continue;
            }
            let (elapsed, cpu) = through(folder, way, count, time)
                .with_context(|| format!("{}: {}", way.name, way.command))?;
            eprintln!("{what} for each value, {}, run {run}: {elapsed:.2} s", way.name);
            rate.push(count as f64 / elapsed);
            micros.push((cpu - time.as_secs_f64() * count as f64) * 1e6 / count as f64);
        }
    }
    let rows = ways.iter().zip(&figures).filter(|(_, (rate, _))| !rate.sorted().is_empty());
    let rows = rows.map(|(way, (rate, micros))| {
        let show = |rate: f64| match ideal {
            0.0 => format!("{} items/s", thousands(rate)),
            ideal => format!("{:.0} % of the ideal", rate * ideal / count as f64 * 100.0),
        };
        let name = format!("{} values, {what} for each: {}", thousands(count as f64), way.name);
        let beside = micros.show(|micros| format!("{micros:.0}"));
        Row::plain(name, format!("{}; {beside} µs of a core beside the work", rate.show(show)))
    });
    Ok(rows.collect())
}

fn is_there(program: &str) -> bool {
    let look = format!("command -v {program} >/dev/null");
    Command::new("sh").args(["-c", &look]).status().is_ok_and(|status| status.success())
}

/// Runs a way from its start to its end. Returns the time, and the processor time of all its
/// processes, in seconds.
fn through(folder: &Path, way: &Way, count: u64, time: Duration) -> anyhow::Result<(f64, f64)> {
    let before = children_cpu();
    let start = Instant::now();
    let mut child = Command::new("sh")
        .args(["-c", &way.command])
        .current_dir(folder)
        .env("MILLIS", (time.as_secs_f64() * 1e3).to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut input = child.stdin.take().context("standard input is a pipe")?;
    let feeder =
        thread::spawn(move || std::io::copy(&mut GeneratedLines::numbers(count), &mut input));
    let output = child.stdout.take().context("standard output is a pipe")?;
    if way.name == "xargs" {
        // The order of its lines is that of their ends.
        std::io::copy(&mut { output }, &mut std::io::sink())?;
    } else {
        verify(output, GeneratedLines::numbers(count))?;
    }
    feeder.join().expect("no panic")?;
    ensure!(child.wait()?.success(), "it failed");
    Ok((start.elapsed().as_secs_f64(), children_cpu() - before))
}

/// The processor time of all child processes that have ended, in seconds.
fn children_cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // `cutime` and `cstime`, in hundredths of a second.
    fields
        .get(13..15)
        .into_iter()
        .flatten()
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}
