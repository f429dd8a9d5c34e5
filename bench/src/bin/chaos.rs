//! Runs random jobs on random volunteers while random faults happen to all of them.

use clap::Parser;
use pando_bench::chaos::{ChaosOptions, Summary, chaos};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Runs pando with volunteers that die, freeze, lie and come back, kills pando and starts it
/// again, and compares the output with the expected one
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    options: ChaosOptions,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<ExitCode> {
    let options = Cli::parse().options;
    let mut ended = signal(SignalKind::terminate())?;
    let summary = tokio::select! {
        summary = chaos(options) => summary?,
        // The masters end when this future is dropped.
        _ = tokio::signal::ctrl_c() => return Ok(ExitCode::from(130)),
        _ = ended.recv() => return Ok(ExitCode::from(143)),
    };
    let Summary { seed, runs, counts, elapsed, violations } = summary;
    let seconds = elapsed.as_secs_f64();
    println!(
        "{runs} runs from seed {seed} in {seconds:.1} s, {:.1} a second: {} violations\n{counts}",
        runs as f64 / seconds,
        violations.len()
    );
    for violation in &violations {
        println!("violation with seed {}: {}", violation.seed, violation.what.join("; "));
    }
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
