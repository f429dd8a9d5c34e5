//! Random jobs on random volunteers, to which random things happen.

use clap::Parser;
use pando_bench::chaos::{Options, Summary, chaos};
use std::process::ExitCode;

/// Runs pando with volunteers that die, freeze, lie and come back, kills it and starts it again, and compares what it prints with what it should
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<ExitCode> {
    let Summary { seed, runs, counts, elapsed, violations } = chaos(Cli::parse().options).await?;
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
