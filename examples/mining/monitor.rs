//! Mines blocks with pando as a child process, over `--sync-stdio`. Programs in any language can
//! do the same.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, Command, ExitCode, Stdio};

use anyhow::{Context, anyhow, ensure};
use pando_examples::mining::{self, Attempt, Cores, Options, Outcome, Search};
use serde::Deserialize;
use serde_json::{Value, json};

/// A message from pando.
#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    Ask { ask: u64 },
    Result { result: Outcome, index: u64 },
    Error { error: String, index: u64 },
}

/// The standard input of pando.
struct Child(ChildStdin);

fn main() -> ExitCode {
    let options = Options::read("mining-monitor");
    pando_examples::run("mining-monitor", || mine(&options))
}

fn mine(options: &Options) -> anyhow::Result<()> {
    let mut pando = Command::new(pando())
        .arg("--sync-stdio")
        .arg(&options.function)
        .args(&options.pando)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("pando cannot be started")?;
    let mut cores = Child(pando.stdin.take().context("piped")?);
    let said = BufReader::new(pando.stdout.take().context("piped")?);
    let mut search = Search::new(mining::headers(), options.size);
    let mut out = io::stdout().lock();
    for line in said.lines() {
        let line = line?;
        match serde_json::from_str(&line).with_context(|| format!("pando says {line:?}"))? {
            Said::Ask { ask } => search.asked(ask, &mut cores)?,
            Said::Result { result, index } => {
                mining::print(search.result(index, result, &mut cores)?, &mut out)?
            }
            Said::Error { error, index } => search.failed(index, &error)?,
        }
    }
    let status = pando.wait()?;
    ensure!(status.success(), "pando ended with {status}");
    eprintln!("{}", search.tally());
    Ok(())
}

/// The pando beside this program, or otherwise the one on PATH.
fn pando() -> PathBuf {
    let beside = env::current_exe()
        .map(|own| own.with_file_name(format!("pando{}", env::consts::EXE_SUFFIX)));
    beside.ok().filter(|pando| pando.exists()).unwrap_or_else(|| "pando".into())
}

impl Child {
    fn say(&mut self, message: &Value) -> anyhow::Result<()> {
        let said = writeln!(self.0, "{message}").and_then(|()| self.0.flush());
        said.map_err(|error| anyhow!("pando does not listen any more: {error}"))
    }
}

impl Cores for Child {
    fn give(&mut self, attempt: &Attempt) -> anyhow::Result<()> {
        self.say(&json!({"value": attempt}))
    }

    fn cancel(&mut self, index: u64) -> anyhow::Result<()> {
        self.say(&json!({"cancel": index}))
    }

    fn end(&mut self) -> anyhow::Result<()> {
        self.say(&json!({"end": true}))
    }
}
