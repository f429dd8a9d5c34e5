//! Waits for the file of a result, for `pando --confirm`.

use std::{io, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Parser;
use pando_examples::results::Received;

/// Succeed when the folder contains the file of the result on standard input, with its length and
/// hash.
#[derive(Parser)]
#[command(name = "landsat-arrived", version)]
struct Options {
    /// Folder of the results
    results: PathBuf,

    /// How long to wait for the file, in seconds
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS", value_parser = seconds)]
    patience: f64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    pando_examples::run("landsat-arrived", || {
        let result: Received =
            serde_json::from_reader(io::stdin().lock()).context("this is not a result")?;
        result.wait(&options.results, Duration::from_secs_f64(options.patience))
    })
}

fn seconds(text: &str) -> Result<f64, String> {
    let fine = |seconds: &f64| (0.0..=1e9).contains(seconds);
    text.parse().ok().filter(fine).ok_or_else(|| "give a number of seconds".to_owned())
}
