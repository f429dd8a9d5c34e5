//! The program: parses the command line, runs, exits.

use clap::Parser;
use pando::{cli::Cli, run};

fn main() {
    let status = run::run(Cli::parse());
    std::process::exit(status);
}
