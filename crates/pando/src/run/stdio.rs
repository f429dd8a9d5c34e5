//! The two ends of a run on the command line: a thread that reads standard input, and a thread
//! that writes standard output.

use crate::{
    config::{InputSource, RunConfig},
    master::{self, Cut, Ending, InputValues, Master},
    threads,
};
use std::{io::Write, sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// Starts the threads that read the input of `config` and write the output. The receiver gets how
/// the run ended.
///
/// # Errors
/// When the system refuses a thread.
pub(super) fn start(
    master: &Arc<Master>,
    config: &RunConfig,
    over_status: bool,
) -> std::io::Result<oneshot::Receiver<Ending>> {
    let (done, ended) = oneshot::channel();
    let (draining, mosaic) = (master.clone(), config.mosaic.clone());
    threads::spawn("output", move || {
        let ending = match (mosaic, draining.job.sync, over_status) {
            (Some(mosaic), _, _) => draining.drain(mosaic),
            (None, true, _) => draining.talk(standard_output()),
            (None, false, true) => draining.drain(OverStatus(standard_output())),
            (None, false, false) => draining.drain(standard_output()),
        };
        let _ = done.send(ending);
    })?;
    match &config.input {
        InputSource::Items(items) => {
            provide(master, master::values_of_items(items.to_vec(), config.framing.form))?;
        }
        InputSource::Failed { list, .. } => {
            provide(master, master::values_of_failed(&list.items, config.framing.form))?;
        }
        InputSource::Stdin => read(master)?,
        InputSource::Grid(grid) => {
            let (feeding, grid) = (master.clone(), grid.clone());
            threads::spawn("input", move || feeding.feed_grid(grid))?;
        }
        InputSource::Stream => {}
    }
    Ok(ended)
}

/// Gives `items`, which are all known already, to `master`.
fn provide(master: &Arc<Master>, items: Vec<Cut>) -> std::io::Result<()> {
    let Some(files) = master.job.files.clone().filter(|files| files.reads) else {
        master.provide(items);
        return Ok(());
    };
    let feeding = master.clone();
    let names = items.into_iter().map(Ok);
    threads::spawn("input", move || feeding.feed_files(&files, names)).map(drop)
}

/// Starts the thread that reads standard input.
fn read(master: &Arc<Master>) -> std::io::Result<()> {
    let feeding = master.clone();
    let stdin = std::io::stdin;
    let thread = if master.job.sync {
        threads::spawn("input", move || feeding.hear(stdin().lock()))
    } else if let Some(files) = master.job.files.clone().filter(|files| files.reads) {
        if files.overwrite {
            master.console.say("--overwrite: all names are read before the first file");
        }
        let names = InputValues::new(stdin(), master.job.framing);
        threads::spawn("input", move || feeding.feed_files(&files, names))
    } else {
        threads::spawn("input", move || feeding.feed(stdin().lock()))
    };
    thread.map(drop)
}

/// The time between two tries to write when the output is full.
#[cfg(unix)]
const FULL: Duration = Duration::from_millis(5);

/// Standard output, without a buffer and without a second file descriptor. (`std::io::Stdout`
/// treats writing to a descriptor that is not open for writing as a success.)
#[cfg(unix)]
struct RawStdout(std::io::Stdout);

#[cfg(unix)]
impl Write for RawStdout {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        loop {
            match rustix::io::write(&self.0, bytes) {
                // Another process with the same descriptor has made writing non-blocking.
                Err(rustix::io::Errno::AGAIN) => std::thread::sleep(FULL),
                written => return Ok(written?),
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(unix)]
fn standard_output() -> RawStdout {
    RawStdout(std::io::stdout())
}

#[cfg(not(unix))]
fn standard_output() -> std::io::StdoutLock<'static> {
    std::io::stdout().lock()
}

/// Standard output on a terminal with a status line. Each write erases the status line, which is
/// drawn again later.
struct OverStatus<W>(W);

impl<W: Write> Write for OverStatus<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(b"\r\x1b[K")?;
        self.0.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
