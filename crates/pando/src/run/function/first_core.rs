//! The function is loaded in a first core before the server starts.

use super::super::StartError;
use crate::{
    console::printable,
    master::MissingFeature,
    remedy::broken,
    volunteer::{CoreEvent, CoreId, Engine, First, ScriptEngine, killed_from_outside},
};
use pando_bundler::{Bundle, name_of};
use pando_protocol::core::CoreMessage;
use std::{path::Path, time::Duration};
use tokio::{sync::mpsc, time::timeout};

/// How long a module may take to load.
const LOADING: Duration = Duration::from_secs(30);
/// How many processes are started to load the function, if the earlier ones are killed.
const TRIES: u32 = 3;

/// The error of a core when the module exports no function.
const NO_FUNCTION: &str = "the module exports no function";

/// The result of loading the function in a first core.
pub(super) enum Tried {
    Ready(First),
    /// The function needs a feature that only browsers have.
    ForBrowsers(String),
    /// Loading failed for a reason outside the function, which another process may not meet.
    Hindered(String),
    /// The process ended, or hung, before it came to the function.
    NoEngine(String),
}

/// Loads the function in a core, and in another core if the first is killed.
pub(super) async fn try_in_first_core(
    engine: &ScriptEngine,
    bundle: &Bundle,
    quiet: bool,
    path: &Path,
    notes: &mut Vec<String>,
) -> Result<Tried, StartError> {
    let mut tries = 1;
    loop {
        match first_core(engine, bundle, quiet, path, notes).await? {
            Tried::Hindered(why) if tries < TRIES => {
                notes.push(format!("{why}: another one is started"))
            }
            tried => return Ok(tried),
        }
        tries += 1;
    }
}

async fn first_core(
    engine: &ScriptEngine,
    bundle: &Bundle,
    quiet: bool,
    path: &Path,
    notes: &mut Vec<String>,
) -> Result<Tried, StartError> {
    let (events, mut said) = mpsc::channel(64);
    let failed = |why: String| StartError(format!("{}: {}", name_of(path), printable(&why)));
    let core = match engine.start(CoreId { number: 0, generation: 0 }, events.clone()) {
        Ok(core) => core,
        Err(error) => return Ok(Tried::Hindered(format!("no core can be started: {error}"))),
    };
    let mut words = Vec::new();
    // No code of the function runs before the process has said so.
    let mut has_begun = false;
    let loading = async {
        while let Some((_, what)) = said.recv().await {
            match what {
                CoreEvent::Message(CoreMessage::Booted) => has_begun = true,
                CoreEvent::Message(CoreMessage::Ready) => return Ok(None),
                CoreEvent::Message(CoreMessage::Broken { message, stack }) => {
                    if message.starts_with(NO_FUNCTION) {
                        return Err(failed(format!(
                            "{message}: neither a default export nor '/pando/1.0.0'; {}",
                            pando_bundler::WHAT_TO_WRITE
                        )));
                    }
                    if let Some(missing) =
                        MissingFeature::of(&message, stack.as_deref(), &bundle.code)
                            .filter(MissingFeature::is_of_browsers)
                    {
                        return Ok(Some(Tried::ForBrowsers(missing.in_words(&message))));
                    }
                    return Err(failed(broken(&message, stack.as_deref(), bundle)));
                }
                CoreEvent::Ended(why) if killed_from_outside(&why) => {
                    let why =
                        format!("the process that loads {} was killed ({why})", name_of(path));
                    return Ok(Some(Tried::Hindered(why)));
                }
                CoreEvent::Ended(why) if !has_begun => {
                    let words = if why.contains('\n') { String::new() } else { words.join("\n") };
                    let why = format!(
                        "the process that loads the function ended before it had begun: {why}\n{words}"
                    );
                    return Ok(Some(Tried::NoEngine(printable(why.trim_end()))));
                }
                CoreEvent::Ended(why) => {
                    return Err(failed(format!("loading it ended the process: {why}")));
                }
                CoreEvent::Message(CoreMessage::Log { entries }) if !quiet => {
                    notes.extend(
                        entries
                            .iter()
                            .map(|entry| format!("loading {}: {}", name_of(path), entry.text)),
                    );
                }
                CoreEvent::Stray(text) => {
                    if !quiet {
                        notes.push(text.clone());
                    }
                    words.push(text);
                }
                _ => {}
            }
        }
        Err(failed("loading it ended".into()))
    };
    match timeout(LOADING, loading).await {
        Ok(result) => {
            if let Some(tried) = result? {
                return Ok(tried);
            }
        }
        Err(_) if !has_begun => {
            let why = format!(
                "the process that loads the function has not begun within {LOADING:?}: does `node` on PATH lead to a script that hangs, \
                 or that reads standard input?\n{}",
                words.join("\n")
            );
            return Ok(Tried::NoEngine(printable(why.trim_end())));
        }
        Err(_) => {
            let why = format!(
                "loading it takes longer than {LOADING:?}: is there an endless loop at its top level?\n{}",
                words.join("\n")
            );
            return Err(failed(why.trim_end().to_owned()));
        }
    }
    Ok(Tried::Ready(First { core, said, events }))
}
