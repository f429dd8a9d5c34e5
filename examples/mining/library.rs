//! Mines blocks with pando as a library. Does the same as `mining-monitor`, but in one process.

use std::io;
use std::process::ExitCode;

use futures_util::StreamExt;
use pando::{Event, Feedback, Pando};
use pando_examples::mining::{self, Attempt, Cores, Options, Outcome, Search};

/// A run of pando.
struct Run(Feedback<Attempt, Outcome>);

fn main() -> ExitCode {
    let options = Options::read("mining-library");
    pando_examples::run("mining-library", || mine(&options))
}

/// Standard input is read on this thread. Meanwhile the other threads of the runtime serve
/// devices.
#[tokio::main]
async fn mine(options: &Options) -> anyhow::Result<()> {
    let mut run = Run(Pando::new(&options.function).options(&options.pando).feedback().await?);
    let mut search = Search::new(mining::headers(), options.size);
    let mut out = io::stdout().lock();
    while let Some(event) = run.0.next().await {
        match event? {
            Event::Ask(count) => search.asked(count, &mut run)?,
            Event::Result { index, result } => {
                mining::print(search.result(index, result, &mut run)?, &mut out)?
            }
            Event::Failed { index, message } => search.failed(index, &message)?,
        }
    }
    eprintln!("{}", search.tally());
    Ok(())
}

impl Cores for Run {
    fn give(&mut self, attempt: &Attempt) -> anyhow::Result<()> {
        self.0.give(attempt)?;
        Ok(())
    }

    fn cancel(&mut self, index: u64) -> anyhow::Result<()> {
        self.0.cancel(index);
        Ok(())
    }

    fn end(&mut self) -> anyhow::Result<()> {
        self.0.end();
        Ok(())
    }
}
