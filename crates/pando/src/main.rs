//! The program: parses the command line, runs, exits.

use pando::{cli::Cli, run};

fn main() {
    let status = run::run(Cli::read());
    std::process::exit(status);
}
