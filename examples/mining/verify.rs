//! Checks mined blocks.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::Parser;
use pando_examples::mining::Header;

/// Read mined blocks, "HEADER NONCE ATTEMPTS" per line, and print the hash, the nonce and the
/// attempts of each block; an invalid block is an error.
#[derive(Parser)]
#[command(name = "mining-verify", version)]
struct Options {}

fn main() -> ExitCode {
    Options::parse();
    pando_examples::run("mining-verify", print)
}

fn print() -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    pando_examples::for_each_line(|line| {
        let [header, nonce, attempts] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            anyhow::bail!("expected \"HEADER NONCE ATTEMPTS\", got {line:?}")
        };
        let header: Header = header.parse()?;
        let (nonce, attempts): (u32, u64) =
            (nonce.parse().context("the nonce")?, attempts.parse().context("the attempts")?);
        ensure!(header.nonce() == nonce, "the header's nonce is {}, not {nonce}", header.nonce());
        ensure!(
            header.is_valid(),
            "the hash is {}, more than the target allows",
            hex::encode(header.hash())
        );
        writeln!(out, "{} {nonce} {attempts}", hex::encode(header.hash()))?;
        Ok(out.flush()?)
    })
}
