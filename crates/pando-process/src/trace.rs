//! A trace of what the program decides, for its developers: off unless `PANDO_LOG` asks for it.

use crate::console::{Console, printable};
use std::{
    env,
    io::{self, Write},
};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// The variable with the wanted levels, for example `debug` or `pando::master=trace,info`.
const VARIABLE: &str = "PANDO_LOG";

/// Starts writing the events that the environment variable `PANDO_LOG` asks for to `console`.
///
/// # Errors
/// When the variable has no known form; the text is for people.
pub fn start(console: &Console) -> Result<(), String> {
    let wanted = env::var(VARIABLE).unwrap_or_default();
    if wanted.is_empty() {
        return Ok(());
    }
    let levels: Targets = wanted.parse().map_err(|error| {
        format!("{VARIABLE}={wanted} is not understood ({error}): write debug, or pando::master=trace,info")
    })?;
    let console = console.clone();
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(move || ConsoleWriter(console.clone()));
    tracing_subscriber::registry().with(levels).with(lines).init();
    Ok(())
}

/// Writes each event as one line.
struct ConsoleWriter(Console);

impl Write for ConsoleWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.say(printable(String::from_utf8_lossy(line).trim_end()));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
