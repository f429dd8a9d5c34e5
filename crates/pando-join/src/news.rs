//! Messages for the people at this machine: a line when something changes, and on a terminal one
//! line that follows the work.

use pando_process::{
    console::{Console, printable},
    number::count,
};
use std::time::Duration;

/// How long the last messages may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What the line on a terminal shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JoinProgress {
    /// The number of values that the cores have answered.
    pub(crate) computed: u64,
    /// The number of values that this machine has.
    pub(crate) held: usize,
    /// Whether the master is there.
    pub(crate) connected: bool,
}

/// See the module.
#[derive(Clone)]
pub(crate) struct JoinNews {
    console: Console,
    quiet: bool,
    live: bool,
}

impl JoinNews {
    /// With `quiet`, only what goes wrong is said.
    pub(crate) fn new(quiet: bool) -> Self {
        Self { console: Console::start(), quiet, live: Console::is_terminal() && !quiet }
    }

    /// The console.
    pub(crate) fn console(&self) -> &Console {
        &self.console
    }

    /// Says that something has changed.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            self.console.say(printable(text));
        }
    }

    /// Says what goes wrong.
    pub(crate) fn warn(&self, text: &str) {
        self.console.say(printable(text));
    }

    /// Replaces the line on a terminal. `what`: the purpose of the run.
    pub(crate) fn show(&self, what: &str, progress: JoinProgress) {
        if !self.live {
            return;
        }
        let JoinProgress { computed, held, connected } = progress;
        let state = if connected { "connected" } else { "connecting again" };
        let computed = format!("computed {}", count(computed, "value"));
        let what = if what.is_empty() { "the run" } else { what };
        let what = printable(what).replace('\n', " ");
        self.console.status(vec![
            format!("{what}: {computed}, {held} here; {state}; Ctrl-C leaves"),
            format!("{computed}, {held} here; {state}; Ctrl-C leaves"),
            format!("{computed}; {state}"),
            computed,
        ]);
    }

    /// Removes the line on a terminal.
    pub(crate) fn hide(&self) {
        self.console.status(Vec::new());
    }

    /// Waits a moment until all messages are written.
    pub(crate) fn finish(&self) {
        self.hide();
        self.console.finish(LAST_WORDS);
    }
}
