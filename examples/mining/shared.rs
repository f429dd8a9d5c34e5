//! The parts that the programs of the mining example share.

mod header;
mod search;

pub use header::{Header, Number};
pub use search::{Attempt, Cores, Mined, Outcome, Search, Tally};

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{CommandFactory, FromArgMatches, Parser};

/// Read headers of blocks from standard input, 160 hexadecimal digits per line, and search for a
/// nonce that makes each header valid, starting with its own nonce. Print each mined block,
/// "HEADER NONCE ATTEMPTS".
#[derive(Parser)]
#[command(version)]
pub struct Options {
    /// Nonces in an attempt
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub size: u32,

    /// The function: mining.js
    pub function: PathBuf,

    /// Options for pando, for example --local
    #[arg(value_name = "OPTIONS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub pando: Vec<OsString>,
}

impl Options {
    /// Reads the command line of `program`.
    pub fn read(program: &'static str) -> Self {
        let matches = Self::command().name(program).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// The headers on standard input. Each one is read on demand.
pub fn headers() -> impl Iterator<Item = anyhow::Result<Header>> {
    io::stdin().lines().enumerate().map(|(index, line)| {
        let header = line.map_err(anyhow::Error::from).and_then(|line| line.trim().parse());
        header.with_context(|| format!("line {}", index + 1))
    })
}

/// Prints a mined block, if there is one.
pub fn print(mined: Option<Mined>, out: &mut impl Write) -> anyhow::Result<()> {
    if let Some(mined) = mined {
        writeln!(out, "{mined}")?;
        out.flush()?;
    }
    Ok(())
}
