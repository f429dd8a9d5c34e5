//! The engine for a job: each core is a process that runs the job's bundle.

use super::{Kind, Launch, Runner, boot, program};
use crate::{
    assets::CoreAssets,
    engine::{Core, CoreEvent, CoreEvents, CoreId, Engine},
    node::probe,
};
use pando_protocol::{
    core::{CoreMessage, ToCore},
    volunteer::JobOptions,
};
use std::{ffi::OsString, path::Path, sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::timeout};

/// How long a core without a function may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// The engine for one job. Cheap to clone.
#[derive(Debug, Clone)]
#[cfg_attr(not(unix), allow(dead_code))]
pub struct ScriptEngine {
    /// The first frame for a core: the source of its host.
    host: Arc<Vec<u8>>,
    /// The second frame for a core: the job.
    init: Arc<Vec<u8>>,
    launch: Arc<Launch>,
}

impl ScriptEngine {
    pub(super) fn new(
        runner: &Runner,
        code: &str,
        options: &JobOptions,
        assets: Option<CoreAssets>,
        network: bool,
    ) -> Self {
        let launch = launch(runner, assets.as_ref().map(CoreAssets::readable), network);
        let init = ToCore::Init {
            code: code.to_owned(),
            options: options.clone(),
            assets: assets.as_ref().map(|assets| assets.folder().clone()),
            // A sandbox ends a held core with its master, and hides the master from the core.
            parent: runner.held.is_none().then(std::process::id),
        };
        Self {
            host: Arc::new(runner.host().as_bytes().to_vec()),
            init: Arc::new(json_frame(&init)),
            launch: Arc::new(Launch { assets, ..launch }),
        }
    }
}

/// A message for a core, as a frame.
pub(crate) fn json_frame(message: &ToCore) -> Vec<u8> {
    let mut bytes = vec![0];
    serde_json::to_writer(&mut bytes, message).expect("plain data");
    bytes
}

impl Engine for ScriptEngine {
    #[cfg(unix)]
    fn start(&self, id: CoreId, events: CoreEvents) -> std::io::Result<Core> {
        crate::child::start(&self.launch, [self.host.clone(), self.init.clone()], id, events)
    }

    #[cfg(not(unix))]
    fn start(&self, _: CoreId, _: CoreEvents) -> std::io::Result<Core> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

/// How the cores of `runner` start, with this folder of assets.
fn launch(runner: &Runner, assets: Option<&Path>, network: bool) -> Launch {
    let Some(program) = &runner.program else {
        return probe::launch(boot::REQUIRED);
    };
    let held = runner.held.as_ref();
    let memory = held.map(|(hold, _)| hold.limits.memory);
    let rights = Rights { is_held: held.is_some(), memory, assets, network };
    let free = Launch {
        words: words(runner.kind, program.path.clone().into(), &rights),
        env: env(runner.kind, held.is_some()),
        memory,
        ..Launch::default()
    };
    match held {
        Some((hold, sandbox)) => sandbox.around(free, runner.kind, program, hold, assets, network),
        None => free,
    }
}

/// What a core may do and use, as far as the engine's own options restrict it.
struct Rights<'a> {
    is_held: bool,
    memory: Option<u64>,
    assets: Option<&'a Path>,
    network: bool,
}

/// The command line of an engine, whose file is `file`.
fn words(kind: Kind, file: OsString, rights: &Rights<'_>) -> Vec<OsString> {
    let heap = rights.memory.map(|bytes| format!("--max-old-space-size={}", bytes >> 20));
    let mut words = vec![file];
    let mut add = |more: &[&str]| words.extend(more.iter().map(OsString::from));
    match kind {
        Kind::Deno => {
            add(&["run"]);
            if rights.is_held {
                add(&["--no-prompt", "--no-remote", "--no-npm"]);
                if let Some(folder) = rights.assets {
                    // Commas separate folders, and two of them stand for one.
                    add(&[&format!(
                        "--allow-read={}",
                        folder.display().to_string().replace(',', ",,")
                    )]);
                }
                if rights.network {
                    add(&["--allow-net"]);
                }
            } else {
                add(&["--allow-all"]);
            }
            add(&["--no-config", "--no-lock"]);
            if let Some(heap) = heap {
                add(&[&format!("--v8-flags={heap}")]);
            }
            add(&[&boot::data_url()]);
        }
        Kind::Bun => {
            add(&program::BUN_WITHOUT_FILES);
            add(&["-e", boot::REQUIRED]);
        }
        Kind::Embedded => {
            add(&[kind.command()]);
            if let Some(memory) = rights.memory {
                add(&[&memory.to_string()]);
            }
        }
        Kind::Node => {
            if let Some(heap) = heap {
                add(&[&heap]);
            }
            add(&["--input-type=commonjs", "-e", boot::REQUIRED]);
        }
    }
    words
}

/// The variables that an engine needs.
fn env(kind: Kind, is_held: bool) -> Vec<(OsString, OsString)> {
    let mut env = vec![("NO_COLOR".into(), "1".into())];
    if kind == Kind::Deno && is_held {
        // Deno would keep what functions store (localStorage, caches) below this folder.
        env.push(("DENO_DIR".into(), "/dev/null/none".into()));
    }
    env
}

/// Starts a core without a function, to see whether the engine works in its sandbox.
///
/// # Errors
/// When the core does not start, in words for people.
pub(super) async fn try_core(runner: &Runner) -> Result<(), String> {
    let options = JobOptions { concurrency: 1, ..JobOptions::default() };
    let engine = ScriptEngine::new(runner, "", &options, None, false);
    let (events, mut said) = mpsc::channel(64);
    let core = engine.start(CoreId::default(), events).map_err(|error| error.to_string())?;
    let answer = async {
        while let Some((_, event)) = said.recv().await {
            match event {
                // There is no function; the core has run so far that it says so.
                CoreEvent::Message(CoreMessage::Broken { .. } | CoreMessage::Ready) => {
                    return Ok(());
                }
                CoreEvent::Ended(why) => return Err(why),
                _ => {}
            }
        }
        Err("it ended".into())
    };
    let answer = timeout(PATIENCE, answer).await;
    drop(core);
    answer.unwrap_or_else(|_| Err(format!("no core was ready within {} s", PATIENCE.as_secs())))
}
