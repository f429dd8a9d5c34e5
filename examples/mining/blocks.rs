//! Prints headers of blocks for mining, one per line.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use pando_examples::mining::Header;
use sha2::{Digest, Sha256};

/// Print headers of blocks without their nonces, 160 hexadecimal digits per line.
#[derive(Parser)]
#[command(name = "mining-blocks", version)]
struct Options {
    /// Number of blocks
    #[arg(long, default_value_t = 10)]
    count: u32,

    /// Packed target of the blocks, in hexadecimal digits; 1d00ffff was Bitcoin's first, 65536
    /// times as hard as 1f00ffff
    #[arg(long, default_value = "1f00ffff", value_parser = |bits: &str| u32::from_str_radix(bits, 16))]
    bits: u32,
}

fn main() -> ExitCode {
    let options = Options::parse();
    pando_examples::run("mining-blocks", || print(&options))
}

fn print(options: &Options) -> anyhow::Result<()> {
    /// The time of Bitcoin's first block: 2009-01-03 18:15:05 UTC.
    const BEGINNING: u32 = 1_231_006_505;
    let mut out = io::stdout().lock();
    for number in 0..options.count {
        // These are no real blocks: each one can be mined independently of the others.
        let digest = |what: &str| Sha256::digest(format!("{what} {number}")).into();
        let header = Header::new(
            digest("previous"),
            digest("root"),
            BEGINNING + 600 * number,
            options.bits,
            0,
        );
        header.target()?;
        writeln!(out, "{header}")?;
    }
    Ok(())
}
