//! The function: bundled, and tried in a first core, before the server starts.

use super::{StartError, used};
use crate::{
    config::{FunctionSource, RunConfig, SharedFunction},
    console::printable,
    embedded,
    master::MissingFeature,
    monitor::Ingredients,
    remedy::broken,
    volunteer::{
        CoreAssets, CoreEvent, CoreId, Engine, ExecCommand, First, Program, ProgramOptions, Runner,
        ScriptEngine, killed_from_outside,
    },
};
use pando_bundler::{Bundle, name_of};
use pando_protocol::core::CoreMessage;
use std::{
    env, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

/// How long a module may take to load.
const LOADING: Duration = Duration::from_secs(30);
/// How long a function may take to come through a pipe.
const PIPE: Duration = Duration::from_secs(60);
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
    /// The engine of this machine's cores with its version; empty if there is none.
    engine: String,
    /// The file of the function; `None` for a program.
    pub(super) entry: Option<PathBuf>,
    /// The folder of a source that is in no file of the user.
    _folder: Option<TempDir>,
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
    /// The function of `config`; adds messages for people to `notes`.
    pub(super) async fn of(
        config: &RunConfig,
        notes: &mut Vec<String>,
    ) -> Result<Self, StartError> {
        match &config.function {
            FunctionSource::Command { command, .. } => Self::program(command, config),
            FunctionSource::Shared(shared) => Ok(Self::shared(shared)),
            FunctionSource::Module(path) => {
                used::check_function(path)?;
                used::check_function_on_stdin(path, config)?;
                if used::is_piped(path) {
                    let text = read_pipe(path).await?;
                    let name = pando_bundler::inline_file(&path.to_string_lossy());
                    let module = pando_bundler::inline_module(&text);
                    return Self::load_unpacked(config, &name, &module, notes).await;
                }
                Self::load(config, path, notes).await
            }
            FunctionSource::Inline(code) => {
                let name = pando_bundler::inline_file("-e");
                let module = pando_bundler::inline_module(code);
                Self::load_unpacked(config, &name, &module, notes).await
            }
            FunctionSource::Embedded { name, source } => {
                Self::load_unpacked(config, name, source, notes).await
            }
        }
    }

    /// What a run of this function is made of.
    pub(super) fn ingredients(&self) -> Ingredients {
        Ingredients {
            function: self.bundle.hash.clone(),
            engine: self.engine.clone(),
            system: format!("{} ({})", env::consts::OS, env::consts::ARCH),
        }
    }

    /// The function for a program `command` (`--exec`): nothing is bundled, and only this machine
    /// can run the program.
    fn program(command: &ExecCommand, config: &RunConfig) -> Result<Self, StartError> {
        let program = Program::new(ProgramOptions {
            command: command.clone(),
            separator: config.framing.separator,
            json: config.job.json,
            to_files: config.files.as_ref().is_some_and(|files| files.output_dir.is_some()),
            assets: config.assets.as_ref().map(|assets| assets.root().to_owned()),
            concurrency: config.job.concurrency,
            timeout: config.job.timeout.map(Duration::from_millis),
        });
        let program = program
            .map_err(|error| StartError(format!("--exec: no shell can be started: {error}")))?;
        let local = Local { engine: Arc::new(program.clone()), first: None };
        Ok(Self {
            bundle: Arc::default(),
            local: Some(local),
            program: Some(program),
            for_browsers: None,
            engine: String::new(),
            entry: None,
            _folder: None,
        })
    }

    /// The function of another run, of which nothing is checked anew.
    fn shared(shared: &SharedFunction) -> Self {
        let mut bundle = Bundle::default();
        (bundle.code, bundle.hash) = (shared.code.clone(), shared.hash.clone());
        let local = |engine: &Arc<dyn Engine>| Local { engine: engine.clone(), first: None };
        Self {
            bundle: Arc::new(bundle),
            local: shared.engine.as_ref().map(local),
            program: None,
            for_browsers: None,
            engine: String::new(),
            entry: None,
            _folder: None,
        }
    }

    /// Bundles and tries a function whose source is in no file.
    async fn load_unpacked(
        config: &RunConfig,
        name: &str,
        source: &str,
        notes: &mut Vec<String>,
    ) -> Result<Self, StartError> {
        let (folder, path) = unpack(name, source)
            .map_err(|error| StartError(format!("no temporary file can be written: {error}")))?;
        let function = Self::load(config, &path, notes).await?;
        Ok(Self { _folder: Some(folder), ..function })
    }

    /// Bundles and tries the function at `path`.
    async fn load(
        config: &RunConfig,
        path: &Path,
        notes: &mut Vec<String>,
    ) -> Result<Self, StartError> {
        let bundler = pando_bundler::Options {
            builtins: embedded::builtin,
            page: config.job.dom,
            buffer: config.reads_files(),
            env: config.env.clone(),
            files: config.reads_files(),
            assets: config.assets.is_some(),
        };
        let bundle = pando_bundler::bundle(path, &bundler)
            .await
            .map_err(|error| StartError(error.to_string()))?;
        notes.extend(bundle.warnings.iter().map(|warning| format!("warning: {warning}")));
        let mut function = Self {
            bundle: Arc::new(bundle),
            local: None,
            program: None,
            for_browsers: None,
            engine: String::new(),
            entry: Some(path.to_owned()),
            _folder: None,
        };
        if config.job.dom {
            return Ok(function);
        }
        let assets = config.assets.as_ref();
        let assets = assets.map(|assets| CoreAssets::all_in(assets.root(), assets.given()));
        match Runner::find(&config.engine).await {
            Ok(runner) => {
                if config.cores > 0 {
                    notes.extend(runner.note());
                }
                if config.engine.held.is_some() && config.cores > 0 {
                    notes.push(held_by(&runner));
                }
                function.engine = runner.name();
                let engine = runner.engine(&function.bundle.code, &config.job, assets, false);
                let tried = function.try_locally(engine, config, path, notes).await;
                // The makeshift engine lacks things that tabs have.
                let others_may = runner.is_makeshift() && config.takes_volunteers();
                match tried {
                    Err(StartError(why)) if others_may => {
                        notes.push(format!("{why}: this machine's cores stay idle"));
                    }
                    tried => tried?,
                }
            }
            Err(_) if config.cores == 0 => {}
            // Somebody who asks for a sandbox or an engine does not mean another one.
            Err(error) if config.engine.is_particular() => {
                return Err(StartError(error.to_string()));
            }
            Err(error) => notes.push(error.note()),
        }
        Ok(function)
    }

    /// Tries whether `engine` can run the function, for this machine's cores.
    async fn try_locally(
        &mut self,
        engine: ScriptEngine,
        config: &RunConfig,
        path: &Path,
        notes: &mut Vec<String>,
    ) -> Result<(), StartError> {
        let is_only_way = !config.takes_volunteers() && !config.dry_run;
        match try_in_first_core(&engine, &self.bundle, config.report.quiet, path, notes).await? {
            Tried::Ready(first) => {
                self.local = Some(Local { engine: Arc::new(engine), first: Some(first) })
            }
            Tried::ForBrowsers(why) if is_only_way => {
                return Err(StartError(format!(
                    "{}: {}: a browser has it, and --local uses this machine's cores only: leave --local out and open the URL \
                     in a browser, with --dom if it needs a page (document, window)",
                    name_of(path),
                    printable(&why)
                )));
            }
            Tried::ForBrowsers(why) => self.for_browsers = Some(why),
            Tried::Hindered(why) if is_only_way => return Err(StartError(why)),
            Tried::Hindered(_) if config.cores == 0 => {}
            Tried::Hindered(why) => notes.push(format!("{why}: this machine's cores stay idle")),
        }
        Ok(())
    }
}

/// What holds the function, for people.
fn held_by(runner: &Runner) -> String {
    let better = runner.shortfall().map_or_else(String::new, |why| format!(" ({why})"));
    format!("--sandbox: the function runs in {}{better}", runner.name())
}

/// The text of a function that comes through the pipe at `path`.
async fn read_pipe(path: &Path) -> Result<String, StartError> {
    let (read, text) = oneshot::channel();
    let pipe = path.to_owned();
    // The thread may wait for ever. A thread of the runtime would keep the process from ending.
    thread::spawn(move || drop(read.send(fs::read_to_string(pipe))));
    let refused = |why: String| StartError(format!("{}: {why}", path.display()));
    match timeout(PIPE, text).await {
        Ok(Ok(Ok(text))) => Ok(text),
        Ok(Ok(Err(error))) => Err(refused(format!("the function cannot be read: {error}"))),
        Ok(Err(_)) | Err(_) => Err(refused(format!(
            "the function did not end within {PIPE:?}: does the command that writes it hang?"
        ))),
    }
}

/// Writes a function into a temporary folder, which is removed when dropped; also returns the path.
fn unpack(name: &str, source: &str) -> io::Result<(TempDir, PathBuf)> {
    let folder = tempfile::Builder::new().prefix("pando-").tempdir()?;
    let path = folder.path().join(name);
    fs::write(&path, source)?;
    Ok((folder, path))
}

/// Loads the function in a core, and in another core if the first is killed.
async fn try_in_first_core(
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
    let loading = async {
        while let Some((_, what)) = said.recv().await {
            match what {
                CoreEvent::Message(CoreMessage::Ready) => return Ok(None),
                CoreEvent::Message(CoreMessage::Broken { message, stack }) => {
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
                CoreEvent::Ended(why) if killed_from_outside(&why) => {
                    let why =
                        format!("the process that loads {} was killed ({why})", name_of(path));
                    return Ok(Some(Tried::Hindered(why)));
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
