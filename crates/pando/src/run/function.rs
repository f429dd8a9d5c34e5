//! The function: bundled, and tried in a first core, before the server starts.

use super::Refused;
use crate::{
    cli::Cli,
    console::printable,
    embedded,
    master::{Framing, MissingFeature},
    protocol::{Form, JobOptions},
    remedy::broken,
    volunteer::{CoreId, Engine, First, FromCore, Node, Program, killed_from_outside},
};
use pando_bundler::Bundle;
use pando_protocol::core::CoreMessage;
use std::{path::Path, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// How long a module may take to load.
const LOADING: Duration = Duration::from_secs(30);
/// How many processes are started to load the function, if the earlier ones are killed.
const TRIES: u32 = 3;

/// The error of a core when the module exports no function.
const NO_FUNCTION: &str = "the module exports no function";

/// A function that volunteers can run.
pub(super) struct Function {
    pub(super) bundle: Arc<Bundle>,
    /// The engine for this machine's cores, if they can run the function.
    pub(super) local: Option<Local>,
    /// The program, if the function is one.
    pub(super) program: Option<Program>,
    /// Why only browsers can load the function, if this machine's cores cannot.
    pub(super) for_browsers: Option<String>,
}

/// The result of loading the function in a first core.
enum Tried {
    Ready(First),
    /// The function needs a feature that only browsers have.
    ForBrowsers(String),
    /// Loading failed for a reason outside the function.
    Hindered(String),
}

/// The engine for this machine's cores.
pub(super) struct Local {
    pub(super) engine: Arc<dyn Engine>,
    /// A core that is already ready.
    pub(super) first: Option<First>,
}

impl Function {
    /// The function for a program `command` (`--exec`): nothing is bundled, and only this machine
    /// can run the program.
    pub(super) fn program(command: &str, framing: Framing) -> Result<Self, Refused> {
        let program = Program::new(command, framing.separator, framing.form == Form::Json);
        let program = program
            .map_err(|error| Refused(format!("--exec: no shell can be started: {error}")))?;
        let local = Local { engine: Arc::new(program.clone()), first: None };
        Ok(Self {
            bundle: Arc::default(),
            local: Some(local),
            program: Some(program),
            for_browsers: None,
        })
    }

    /// Bundles and tries the function of `cli`; adds messages for people to `notes`.
    pub(super) async fn load(
        cli: &Cli,
        path: &Path,
        options: &JobOptions,
        notes: &mut Vec<String>,
    ) -> Result<Self, Refused> {
        let bundler = pando_bundler::Options {
            builtins: embedded::builtin,
            page: cli.dom,
            buffer: cli.files,
        };
        let bundle = pando_bundler::bundle(path, &bundler)
            .await
            .map_err(|error| Refused(error.to_string()))?;
        notes.extend(bundle.warnings.iter().map(|warning| format!("warning: {warning}")));
        let mut function =
            Self { bundle: Arc::new(bundle), local: None, program: None, for_browsers: None };
        if cli.dom {
            return Ok(function);
        }
        match Node::find(
            embedded::web("node.js").unwrap_or_default(),
            &function.bundle.code,
            options,
        )
        .await
        {
            Ok(node) => {
                notes.extend(node.note());
                match try_in_first_core(&node, &function.bundle, cli, path, notes).await? {
                    Tried::Ready(first) => {
                        function.local = Some(Local { engine: Arc::new(node), first: Some(first) })
                    }
                    Tried::ForBrowsers(why) if cli.local => {
                        return Err(Refused(format!(
                            "{}: {}: a browser has it, and --local uses this machine's cores only: leave --local out and open the URL \
                         in a browser, with --dom if it needs a page (document, window)",
                            path.display(),
                            printable(&why)
                        )));
                    }
                    Tried::ForBrowsers(why) => function.for_browsers = Some(why),
                    Tried::Hindered(why) if cli.local => return Err(Refused(why)),
                    Tried::Hindered(_) if cli.cores == Some(0) || cli.start_idle => {}
                    Tried::Hindered(why) => {
                        notes.push(format!("{why}: this machine's cores stay idle"))
                    }
                }
            }
            Err(error) if cli.cores == Some(0) || cli.start_idle => drop(error),
            Err(error) => notes.push(error.note()),
        }
        Ok(function)
    }
}

/// Loads the function in a core, and in another core if the first is killed.
async fn try_in_first_core(
    node: &Node,
    bundle: &Bundle,
    cli: &Cli,
    path: &Path,
    notes: &mut Vec<String>,
) -> Result<Tried, Refused> {
    let mut tries = 1;
    loop {
        match first_core(node, bundle, cli, path, notes).await? {
            Tried::Hindered(why) if tries < TRIES => {
                notes.push(format!("{why}: another one is started"))
            }
            tried => return Ok(tried),
        }
        tries += 1;
    }
}

async fn first_core(
    node: &Node,
    bundle: &Bundle,
    cli: &Cli,
    path: &Path,
    notes: &mut Vec<String>,
) -> Result<Tried, Refused> {
    let (voice, mut said) = mpsc::channel(64);
    let failed = |why: String| Refused(format!("{}: {}", path.display(), printable(&why)));
    let core = match node.start(CoreId { number: 0, generation: 0 }, voice.clone()) {
        Ok(core) => core,
        Err(error) => return Ok(Tried::Hindered(format!("node cannot be started: {error}"))),
    };
    let mut words = Vec::new();
    let loading = async {
        while let Some((_, what)) = said.recv().await {
            match what {
                FromCore::Message(CoreMessage::Ready) => return Ok(None),
                FromCore::Message(CoreMessage::Broken { message, stack }) => {
                    if message.starts_with(NO_FUNCTION) {
                        return Err(failed(format!("{message}; {}", pando_bundler::WHAT_TO_WRITE)));
                    }
                    if let Some(missing) =
                        MissingFeature::of(&message, stack.as_deref(), &bundle.code)
                            .filter(MissingFeature::is_of_browsers)
                    {
                        return Ok(Some(Tried::ForBrowsers(missing.in_words(&message))));
                    }
                    return Err(failed(broken(&message, stack.as_deref(), bundle)));
                }
                FromCore::Ended(why) if killed_from_outside(&why) => {
                    let why =
                        format!("the process that loads {} was killed ({why})", path.display());
                    return Ok(Some(Tried::Hindered(why)));
                }
                FromCore::Ended(why) => {
                    return Err(failed(format!("loading it ended the process: {why}")));
                }
                FromCore::Message(CoreMessage::Log { entries }) if !cli.quiet => {
                    notes.extend(
                        entries
                            .iter()
                            .map(|entry| format!("loading {}: {}", path.display(), entry.text)),
                    );
                }
                FromCore::Stray(text) => {
                    if !cli.quiet {
                        notes.push(text.clone());
                    }
                    words.push(text);
                }
                _ => {}
            }
        }
        Err(failed("loading it ended".into()))
    };
    match tokio::time::timeout(LOADING, loading).await {
        Ok(result) => {
            if let Some(tried) = result? {
                return Ok(tried);
            }
        }
        Err(_) => {
            let why = format!(
                "loading it takes longer than {LOADING:?}: is there an endless loop at its top level?\n{}",
                words.join("\n")
            );
            return Err(failed(why.trim_end().to_owned()));
        }
    }
    Ok(Tried::Ready(First { core, said, voice }))
}
