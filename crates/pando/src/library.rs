//! Pando within another Rust program: a stream of values in, a stream of results out.
//!
//! ```
//! use futures_util::{StreamExt, stream};
//! use pando::Pando;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), pando::Error> {
//! let square = Pando::new("../../examples/square/square.js").local(true).cores(2);
//! let mut squares = square.map::<f64, _>(stream::iter(1..=3)).await?;
//! while let Some(square) = squares.next().await {
//!     println!("{}", square?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The library is the program `pando` without standard input and output: with the same options,
//! the same links for volunteers, and the same cores of this machine. A [`Pando`] is a function
//! and options; there are two forms of opening a run with them:
//!
//! - [`map`](Pando::map): results come **in the order** of the values. The stream of values is
//!   polled only when a core asks for a value, and no further ahead of the results than
//!   [`window`](Pando::window) permits, so it may be endless.
//! - [`feedback`](Pando::feedback): the run asks the program for values as cores become free, and
//!   gives each result as soon as it is there, so that the program can make the next values from
//!   the results. This is the form of `docs/sync-stdio.md`, without another process.
//!
//! Both are ready once volunteers can join. Options that are wrong or make no sense together, a
//! port that is taken and a function that cannot be loaded are errors of this opening. Dropping
//! the stream of results ends the run: volunteers are told, and the children on this machine end.
//!
//! [`summary`](Pando::summary) and [`report`](Pando::report) name files about the run. They are
//! written when the stream of results ends, before its last `None` or error. A stream that is
//! dropped earlier writes none.
//!
//! The library needs a tokio runtime of any flavour with time and I/O enabled, as `#[tokio::main]`
//! makes it, and, for this machine's cores, Node.js 20 or later on `PATH`. Values and results go
//! through JSON ([`serde`]): the function receives a string for a `String`, an object for a
//! struct. Environment variables for options of the program (`PANDO_…`) are not read.

mod error;
mod feedback;
mod options;
mod phase;
mod results;

pub use error::Error;
pub use feedback::{Event, Feedback};
pub use results::Results;

use crate::{
    cli::Cli,
    config::RunConfig,
    console::Console,
    master::InputError,
    protocol::{Form, Value},
    run::OpenRun,
};
use futures_util::{FutureExt, Stream, StreamExt};
use phase::{Afterwards, Phase};
use serde::{Serialize, de::DeserializeOwned};
use std::{convert::Infallible, ffi::OsStr, fmt::Display, io::Write, path::Path};

/// A function, and the options for running it. See the [crate's documentation](crate).
#[must_use = "nothing happens before a run is opened"]
pub struct Pando {
    options: Cli,
    /// The first option that was wrong as it was given.
    wrong: Option<String>,
    messages: Option<Box<dyn Write + Send>>,
}

impl Pando {
    /// Runs the function of a JavaScript or TypeScript file, on this machine's cores and in
    /// browsers with the link open.
    pub fn new(function: impl AsRef<Path>) -> Self {
        Self::with(Cli { function: Some(function.as_ref().into()), ..Cli::defaults() })
    }

    /// Runs a program in any language on the cores of this machine, as `pando --exec COMMAND` does.
    /// A command with `{}` runs once per value: `{}` is the JSON text of the value, as one
    /// argument, and the output is the result. Without `{}` there is one process per core, which
    /// reads values as lines of JSON and answers each value with a line of JSON.
    pub fn exec(command: impl AsRef<OsStr>) -> Self {
        let command = command.as_ref().to_string_lossy().into_owned();
        let mut options = Cli::defaults();
        options.calls.exec = Some(command);
        Self::with(options)
    }

    /// Runs a function given by its code, as `pando -e CODE` does: an expression, or the text of a
    /// module. Packages come from the working directory.
    pub fn eval(code: &str) -> Self {
        let mut options = Cli::defaults();
        options.calls.eval = Some(code.to_owned());
        Self::with(options)
    }

    fn with(options: Cli) -> Self {
        Self { options, wrong: None, messages: None }
    }

    /// Writes messages for people (first of all the volunteers' link) to `messages` instead of
    /// standard error, a line at a time. [`std::io::sink`] discards them.
    pub fn messages(mut self, messages: impl Write + Send + 'static) -> Self {
        self.messages = Some(Box::new(messages));
        self
    }

    /// Opens a run over `values`, whose results come in the order of the values.
    ///
    /// A value that fails for good ends the results with [`Error::Failed`], after those before it.
    /// With [`OnError::Skip`](crate::OnError::Skip) the value is left out. With
    /// [`OnError::Report`](crate::OnError::Report) the error stands in its place, and the results
    /// go on.
    ///
    /// # Errors
    /// [`Error::Refused`] when the options are wrong, or the run cannot start.
    pub async fn map<R, S>(self, values: S) -> Result<Results<R>, Error>
    where
        R: DeserializeOwned,
        S: Stream<Item: Serialize> + Send + 'static,
    {
        self.try_map(values.map(Ok::<_, Infallible>)).await
    }

    /// Opens a run over `values` up to their first error, which becomes [`Error::Input`]. Otherwise
    /// as [`map`](Self::map).
    ///
    /// # Errors
    /// As for [`map`](Self::map).
    pub async fn try_map<R, S, T, E>(self, values: S) -> Result<Results<R>, Error>
    where
        R: DeserializeOwned,
        S: Stream<Item = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: Display,
    {
        let values = values.map(|value| match value {
            Ok(value) => json(&value)
                .map_err(|why| InputError::new(format!("a value has no JSON form: {why}"))),
            Err(error) => Err(InputError::new(error.to_string())),
        });
        let (mut open, afterwards) = self.open(RunConfig::for_stream).await?;
        let master = open.master.clone();
        open.beside(async move { master.feed_stream(values).await });
        Ok(Results::new(Phase::new(open, afterwards)))
    }

    /// Opens a run in which the calling program makes values from the results so far.
    ///
    /// # Errors
    /// As for [`map`](Self::map).
    pub async fn feedback<T: Serialize, R: DeserializeOwned>(
        self,
    ) -> Result<Feedback<T, R>, Error> {
        let (open, afterwards) = self.open(RunConfig::for_feedback).await?;
        Ok(Feedback::new(Phase::new(open, afterwards)))
    }

    /// Opens the run; returns also what counts at its end.
    async fn open(
        self,
        config: impl FnOnce(Cli, bool) -> Result<RunConfig, String>,
    ) -> Result<(OpenRun, Afterwards), Error> {
        if let Some(why) = self.wrong {
            return Err(Error::Refused(why));
        }
        let config = config(self.options, self.messages.is_some()).map_err(Error::Refused)?;
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::Refused(
                "there is no tokio runtime: open the run within one".into(),
            ));
        }
        let console = self.messages.map_or_else(Console::start, Console::to);
        // A boxed future hides its type: it is too deep for the compiler's limit in other crates.
        let open = OpenRun::start(&config, console).boxed().await;
        let open = open.map_err(|refused| Error::Refused(refused.0))?;
        let tells_failures = config.tells_failures();
        Ok((open, Afterwards { tells_failures, report: config.report }))
    }
}

/// `value` in the form that the function receives.
fn json(value: &impl Serialize) -> serde_json::Result<Value> {
    Ok(Value::new(serde_json::to_vec(value)?.into(), Form::Json))
}
