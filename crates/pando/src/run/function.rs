//! The function: bundled, and tried in a first core, before anything is served.

use super::Refused;
use crate::{
    cli::Cli,
    console::printable,
    embedded,
    master::Framing,
    protocol::{Form, JobOptions},
    volunteer::{CoreId, Engine, First, FromCore, Message, Node, Program},
};
use pando_bundler::Bundle;
use std::{path::Path, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// Longest time for a module to load.
const LOADING: Duration = Duration::from_secs(30);

/// What a core says of a module without one.
const NO_FUNCTION: &str = "the module exports no function";

/// A function that volunteers can run.
pub(super) struct Function {
    pub(super) bundle: Arc<Bundle>,
    /// The engine for this machine's cores.
    pub(super) local: Option<Local>,
    /// The same, if it is a program.
    pub(super) program: Option<Program>,
}

/// What computes on this machine.
pub(super) struct Local {
    pub(super) engine: Arc<dyn Engine>,
    /// A core that is ready already.
    pub(super) first: Option<First>,
}

impl Function {
    /// The function that the program `command` is (`--exec`): nothing is bundled, and only this machine can run it.
    pub(super) fn program(command: &str, framing: Framing) -> Result<Self, Refused> {
        let program = Program::new(command, framing.separator, framing.form == Form::Json);
        let program = program.map_err(|error| Refused(format!("--exec: no shell can be started: {error}")))?;
        let local = Local { engine: Arc::new(program.clone()), first: None };
        Ok(Self { bundle: Arc::default(), local: Some(local), program: Some(program) })
    }

    /// Bundles the function of `cli` and tries it; what people should know of it is added to `notes`.
    pub(super) async fn load(cli: &Cli, path: &Path, options: &JobOptions, notes: &mut Vec<String>) -> Result<Self, Refused> {
        let bundler = pando_bundler::Options { builtins: embedded::builtin, buffer: cli.files };
        let bundle = pando_bundler::bundle(path, &bundler).await.map_err(|error| Refused(error.to_string()))?;
        notes.extend(bundle.warnings.iter().map(|warning| format!("warning: {warning}")));
        let mut function = Self { bundle: Arc::new(bundle), local: None, program: None };
        if cli.dom {
            return Ok(function);
        }
        match Node::find(embedded::web("node.js").unwrap_or_default(), &function.bundle.code, options).await {
            Ok(node) => {
                notes.extend(node.note());
                let first = Some(first_core(&node, &function.bundle, cli, path, notes).await?);
                function.local = Some(Local { engine: Arc::new(node), first });
            }
            Err(error) if cli.cores == Some(0) || cli.start_idle => drop(error),
            Err(error) => notes.push(error.note()),
        }
        Ok(function)
    }
}

async fn first_core(node: &Node, bundle: &Bundle, cli: &Cli, path: &Path, notes: &mut Vec<String>) -> Result<First, Refused> {
    let (voice, mut said) = mpsc::channel(64);
    let failed = |why: String| Refused(format!("{}: {}", path.display(), printable(&why)));
    let core = node
        .start(CoreId { number: 0, generation: 0 }, voice.clone())
        .map_err(|error| failed(format!("node cannot be started: {error}")))?;
    let mut words = Vec::new();
    let loading = async {
        while let Some((_, what)) = said.recv().await {
            match what {
                FromCore::Message(Message::Ready) => return Ok(()),
                FromCore::Message(Message::Broken { message, stack }) => {
                    if message.starts_with(NO_FUNCTION) {
                        return Err(failed(format!("{message}; {}", pando_bundler::WHAT_TO_WRITE)));
                    }
                    return Err(failed(broken(&message, stack.map(|stack| bundle.trace(&stack)))));
                }
                FromCore::Ended(why) => return Err(failed(format!("loading it ended the process: {why}"))),
                FromCore::Message(Message::Log { entries }) if !cli.quiet => {
                    notes.extend(entries.iter().map(|entry| format!("loading {}: {}", path.display(), entry.text)));
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
        Ok(result) => result?,
        Err(_) => {
            let why = format!(
                "loading it takes longer than {LOADING:?}: is there an endless loop at its top level?\n{}",
                words.join("\n")
            );
            return Err(failed(why.trim_end().to_owned()));
        }
    }
    Ok(First { core, said, voice })
}

fn broken(message: &str, stack: Option<String>) -> String {
    match stack.filter(|stack| !stack.is_empty()) {
        Some(stack) if stack.contains(message) => stack,
        Some(stack) => format!("{message}\n{stack}"),
        None => message.into(),
    }
}
