//! The function: bundled, and tried in a first core, before the server starts.

mod first_core;

use super::{StartError, used};
use crate::{
    config::{FunctionSource, RunConfig, SharedFunction},
    console::printable,
    embedded,
    monitor::Ingredients,
    volunteer::{
        CoreAssets, Engine, ExecCommand, First, Program, ProgramOptions, Runner, ScriptEngine,
    },
};
use first_core::{Tried, try_in_first_core};
use pando_bundler::{Bundle, name_of};
use std::{
    env, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{sync::oneshot, time::timeout};

/// How long a function may take to come through a pipe.
const PIPE: Duration = Duration::from_secs(60);

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
            Tried::Hindered(why) | Tried::NoEngine(why) if is_only_way => {
                return Err(StartError(why));
            }
            Tried::Hindered(_) | Tried::NoEngine(_) if config.cores == 0 => {}
            Tried::Hindered(why) | Tried::NoEngine(why) => {
                notes.push(format!("{why}: this machine's cores stay idle"))
            }
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
