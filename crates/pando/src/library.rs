//! Pando within another Rust program: a stream of values in, a stream of results out.
//!
//! ```
//! use futures_util::{StreamExt, stream};
//! use pando::Pando;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), pando::Error> {
//! let numbers = stream::iter(1..=3);
//! let mut squares = Pando::new("../../examples/square/square.js").options(["--local"]).map::<f64, _>(numbers);
//! while let Some(square) = squares.next().await {
//!     println!("{}", square?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The library is the program `pando` without standard input and output: with the same options,
//! the same links for volunteers, and the same cores of this machine. There are two forms:
//!
//! - [`map`](Pando::map): results come **in the order** of the values. The stream of values is
//!   polled only when a core asks for a value, and no further ahead of the results than `--window`
//!   permits, so it may be endless.
//! - [`feedback`](Pando::feedback): the run asks the program for values as cores become free, and
//!   gives each result as soon as it is there, so that the program can make the next values from
//!   the results. This is the form of `docs/sync-stdio.md`, without another process.
//!
//! Nothing happens before the stream is polled. Dropping the stream ends the run: volunteers are
//! told, and the children on this machine end.
//!
//! The library needs a tokio runtime of any flavour with time and I/O enabled, as `#[tokio::main]`
//! makes it, and, for this machine's cores, Node.js 20 or later on `PATH`. Values and results go
//! through JSON ([`serde`]): the function receives a string for a `String`, an object for a
//! struct. Environment variables for options of the program (`PANDO_…`) are not read.

mod error;
mod feedback;
mod progress;
mod results;

pub use error::Error;
pub use feedback::{Event, Feedback};
pub use results::Results;

use crate::{
    cli::{Cli, OnError, When},
    console::Console,
    master::InputError,
    protocol::{Form, Value},
    run::Open,
};
use clap::{CommandFactory, FromArgMatches};
use futures_util::{Stream, StreamExt};
use progress::Progress;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    convert::Infallible,
    ffi::{OsStr, OsString},
    fmt::Display,
    io::Write,
    path::Path,
};

/// A function, and the options for running it. See the [crate's documentation](crate).
pub struct Pando {
    /// The words of the equivalent command line.
    words: Vec<OsString>,
    function: Option<OsString>,
    messages: Option<Box<dyn Write + Send>>,
}

impl Pando {
    /// Runs the function of a JavaScript or TypeScript file, on this machine's cores and in
    /// browsers with the link open.
    pub fn new(function: impl AsRef<Path>) -> Self {
        Self {
            words: vec!["pando".into()],
            function: Some(function.as_ref().into()),
            messages: None,
        }
    }

    /// Runs a program in any language, one process per core of this machine, as `pando --exec
    /// COMMAND` does. The program reads values as lines of JSON and answers each value with a line
    /// of JSON.
    pub fn exec(command: impl AsRef<OsStr>) -> Self {
        Self {
            words: vec!["pando".into(), "--exec".into(), command.as_ref().into()],
            function: None,
            messages: None,
        }
    }

    /// Adds options of the command line, such as `["--local"]` or `["--timeout", "2s"]`: all
    /// except those about standard input and output. The calling program handles signals itself,
    /// so `--grace` has no effect. If the options are wrong, the stream begins with an error.
    pub fn options(mut self, options: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.words.extend(options.into_iter().map(Into::into));
        self
    }

    /// Writes messages for people (first of all the volunteers' link) to `messages` instead of
    /// standard error, a line at a time. [`std::io::sink`] discards them.
    pub fn messages(mut self, messages: impl Write + Send + 'static) -> Self {
        self.messages = Some(Box::new(messages));
        self
    }

    /// The results of `values`, in their order.
    ///
    /// A value that fails for good ends the stream with [`Error::Failed`], after the results
    /// before it. With `--on-error skip` the value is left out. With `--on-error report` the error
    /// stands in its place, and the stream goes on.
    pub fn map<R, S>(self, values: S) -> Results<R>
    where
        R: DeserializeOwned,
        S: Stream<Item: Serialize> + Send + 'static,
    {
        self.try_map(values.map(Ok::<_, Infallible>))
    }

    /// The results of `values`, in their order, up to the first error of `values`, which becomes
    /// [`Error::Input`]. Otherwise as [`map`](Self::map).
    pub fn try_map<R, S, T, E>(mut self, values: S) -> Results<R>
    where
        R: DeserializeOwned,
        S: Stream<Item = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: Display,
    {
        self.words.push("--json".into());
        let values = values.map(|value| match value {
            Ok(value) => json(&value)
                .map_err(|why| InputError::new(format!("a value has no JSON form: {why}"))),
            Err(error) => Err(InputError::new(error.to_string())),
        });
        Results::new(Progress::new(async move {
            let mut cli = self.cli()?;
            let tells = cli.on_error == OnError::Report;
            if tells {
                cli.on_error = OnError::Tell;
            }
            let mut open = self.open(cli).await?;
            let master = open.master.clone();
            open.beside(async move { master.feed_stream(values).await });
            Ok((open, tells))
        }))
    }

    /// A run in which the calling program makes values from the results so far.
    pub fn feedback<T: Serialize, R: DeserializeOwned>(mut self) -> Feedback<T, R> {
        self.words.push("--sync-stdio".into());
        Feedback::new(Progress::new(async move {
            let cli = self.cli()?;
            Ok((self.open(cli).await?, true))
        }))
    }

    /// Parses the options as the command line does.
    fn cli(&self) -> Result<Cli, Error> {
        let words = self.words.iter().cloned();
        let words =
            words.chain(self.function.iter().flat_map(|function| ["--".into(), function.clone()]));
        let command = Cli::command().mut_args(|option| option.env(None::<&'static str>));
        let mut cli = command
            .try_get_matches_from(words)
            .and_then(|matches| Cli::from_arg_matches(&matches))
            .map_err(|error| {
                Error::Refused(
                    error.to_string().trim_start_matches("error: ").trim_end().to_owned(),
                )
            })?;
        if cli.stdin
            || cli.null
            || !cli.items.is_empty()
            || cli.json == cli.sync_stdio
            || cli.journal.is_some()
        {
            let why = "values come from this program: items, --stdin, --null, --json, --sync-stdio and --journal are for the command line";
            return Err(Error::Refused(why.into()));
        }
        if cli.progress == When::Auto {
            // The terminal belongs to the calling program.
            cli.progress = When::Never;
        }
        if cli.qr == When::Auto && self.messages.is_some() {
            cli.qr = When::Never;
        }
        Ok(cli)
    }

    async fn open(&mut self, cli: Cli) -> Result<Open, Error> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::Refused(
                "there is no tokio runtime: poll the stream within one".into(),
            ));
        }
        let console = match self.messages.take() {
            Some(messages) => Console::to(messages),
            None => Console::start(),
        };
        Open::start(&cli, console).await.map_err(|refused| Error::Refused(refused.0))
    }
}

/// `value` in the form that the function receives.
fn json(value: &impl Serialize) -> serde_json::Result<Value> {
    Ok(Value::new(serde_json::to_vec(value)?.into(), Form::Json))
}
