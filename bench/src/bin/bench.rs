//! Runs the measures and prints a table of their figures.

use clap::{Parser, ValueEnum};
use pando_bench::{
    measures::{Measure, Setup},
    plot::svg,
    system::{load, machine},
    table::{as_json, markdown},
};
use std::path::PathBuf;

/// Measures pando on this machine: prints a table, and how the runs went on standard error
#[derive(Debug, Parser)]
struct Cli {
    /// What to measure [default: everything]
    measures: Vec<Measure>,

    #[command(flatten)]
    setup: Setup,

    /// Write the rows to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Draw the ratios to their limits into this file, as SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let Cli { mut measures, setup, json, plot } = Cli::parse();
    if measures.is_empty() {
        measures = Measure::value_variants().to_vec();
    }
    println!("{}", machine(&setup.chromium.to_string_lossy()));
    println!("Median of {} runs each; load of the machine before: {}", setup.runs, load());
    let (mut rows, mut failed) = (Vec::new(), 0);
    for measure in measures {
        match measure.run(&setup) {
            Ok(more) => rows.extend(more),
            Err(error) => {
                eprintln!("{measure:?} failed: {error:#}");
                failed += 1;
            }
        }
    }
    println!("\n{}", markdown(&rows));
    if let Some(file) = json {
        std::fs::write(file, serde_json::to_string_pretty(&as_json(&rows))?)?;
    }
    if let (Some(file), Some(picture)) = (plot, svg(&rows)) {
        std::fs::write(file, picture)?;
    }
    anyhow::ensure!(failed == 0, "{failed} of the measures failed");
    Ok(())
}
