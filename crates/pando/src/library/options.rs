//! The options of a run, by methods. Each does what the option of the same name does for the
//! program; `pando --help` has them all.

use super::Pando;
use crate::config::{OnError, SummaryOption};
use std::{ffi::OsString, fmt::Display, net::IpAddr, path::Path, time::Duration};

impl Pando {
    /// The port for volunteers; 0 is any. By default 5000, or the next free port.
    pub fn port(self, port: u16) -> Self {
        self.option("--port", port)
    }

    /// The address to listen on. By default all addresses of IPv4.
    pub fn bind(self, address: IpAddr) -> Self {
        self.option("--bind", address)
    }

    /// The join token in the volunteers' link: 4 to 64 letters, digits, `-` or `_`. By default a
    /// fresh one.
    pub fn token(self, token: &str) -> Self {
        self.option("--token", token)
    }

    /// Lets volunteers outside the local network join through the relay at `url`, whose operator
    /// gave the `secret`.
    pub fn relay(self, url: &str, secret: &str) -> Self {
        self.option("--host", url).option("--secret", secret)
    }

    /// How many cores of this machine compute; 0 leaves it idle. By default all but one.
    pub fn cores(self, cores: usize) -> Self {
        self.option("--cores", cores)
    }

    /// Whether only this machine's cores compute, and no port is opened.
    pub fn local(mut self, local: bool) -> Self {
        self.options.devices.local = local;
        self
    }

    /// Gives this variable of the environment to the function, on all devices. Every volunteer can
    /// read it.
    pub fn env(self, name: &str, value: &str) -> Self {
        self.option("--env", format_args!("{name}={value}"))
    }

    /// The folder of files that the function reads by `context.asset` and `context.assetUrl`.
    pub fn assets(mut self, folder: impl AsRef<Path>) -> Self {
        self.options.calls.assets = Some(folder.as_ref().into());
        self
    }

    /// Whether the function runs in the page of a browser, and not in workers.
    pub fn dom(mut self, dom: bool) -> Self {
        self.options.calls.dom = dom;
        self
    }

    /// Whether the function in tabs is kept from the network.
    pub fn deny_net(mut self, deny: bool) -> Self {
        self.options.network.deny_net = deny;
        self
    }

    /// Whether a volunteer tab is opened in this machine's browser.
    pub fn open_tab(mut self, open: bool) -> Self {
        self.options.devices.open = open;
        self
    }

    /// How many calls of an asynchronous function are open at a time on each core: 1 to 10,000. By
    /// default 1.
    pub fn concurrency(self, calls: u32) -> Self {
        self.option("--concurrency", calls)
    }

    /// How many values a device holds for each lent core, at least 1. By default that follows the
    /// device's speed and distance.
    pub fn batch_size(self, values: u32) -> Self {
        self.option("--batch-size", values)
    }

    /// The most values that are read and not yet output: 1 to 16,777,216. By default 65,536.
    pub fn window(self, values: u32) -> Self {
        self.option("--window", values)
    }

    /// Whether results come as they are computed, not in the order of the values.
    pub fn unordered(mut self, unordered: bool) -> Self {
        self.options.rows.unordered = unordered;
        self
    }

    /// The longest time for one call of the function, at least a millisecond. By default there is
    /// no limit.
    pub fn timeout(self, time: Duration) -> Self {
        self.option("--timeout", time.as_secs_f64())
    }

    /// The time between signs of life; a device that is silent for three is gone. By default five
    /// seconds.
    pub fn heartbeat(self, time: Duration) -> Self {
        self.option("--heartbeat", time.as_secs_f64())
    }

    /// How many further attempts are made at a value that failed. By default 2.
    pub fn retries(self, attempts: u32) -> Self {
        self.option("--retries", attempts)
    }

    /// What follows when a value has failed for good. By default the run ends there.
    pub fn on_error(mut self, what: OnError) -> Self {
        self.options.failures.on_error = Some(what);
        self
    }

    /// Whether idle devices compute the oldest unfinished value once more.
    pub fn speculate(mut self, speculate: bool) -> Self {
        self.options.devices.speculate = speculate;
        self
    }

    /// The file to which all that happens is appended, one JSON object per line.
    pub fn events(mut self, path: impl AsRef<Path>) -> Self {
        self.options.messages.events = Some(path.as_ref().into());
        self
    }

    /// The file to which the summary of the run is written as JSON, when the stream of results ends.
    pub fn summary(mut self, path: impl AsRef<Path>) -> Self {
        self.options.messages.summary = SummaryOption::File(path.as_ref().into());
        self
    }

    /// The file to which a web page about the run is written, when the stream of results ends.
    pub fn report(mut self, path: impl AsRef<Path>) -> Self {
        self.options.messages.report = Some(path.as_ref().into());
        self
    }

    /// A command for this machine's shell, which gets the summary as JSON on its standard input. It
    /// runs when the stream of results ends, and the stream waits for it.
    pub fn on_finish(mut self, command: &str) -> Self {
        self.options.messages.on_finish = Some(command.into());
        self
    }

    /// Whether output and reports of the function are hidden.
    pub fn quiet(mut self, quiet: bool) -> Self {
        self.options.messages.quiet = quiet;
        self
    }

    /// Sets options by the words of the command line, such as `["--allow-host", "name.example"]`:
    /// all except those about standard input and output. What is set later counts. The calling
    /// program handles signals itself, so `--grace` has no effect.
    pub fn options(mut self, words: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        if let Err(why) = self.options.set(words.into_iter().map(Into::into)) {
            self.wrong.get_or_insert(why);
        }
        self
    }

    /// Sets one option, whose value the command line checks.
    fn option(self, name: &str, value: impl Display) -> Self {
        self.options([format!("{name}={value}")])
    }
}
