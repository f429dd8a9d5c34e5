//! The engine for the job of a master.

use crate::{
    assets::AssetsOnDisk,
    options::JoinOptions,
    settings::{self, Unknown},
    share::{OwnCores, Share, Shared, SharedJob},
};
use pando_client::WebServer;
use pando_process::{console::Console, number::count};
use pando_protocol::{
    page::PageSettings,
    volunteer::{JobProgram, Welcome},
};
use pando_volunteer::{
    CoreAssets, Engine, ExecCommand, Limits, NodeError, Program, ProgramOptions, Refusal, Runner,
    Wish, memory_per_core,
};
use std::{env, sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long the function may take to come.
const LOADING: Duration = Duration::from_secs(600);
/// Longest function, in bytes.
const LONGEST: usize = 1 << 30;

/// What computes the values of a job.
pub(crate) struct Prepared {
    pub(crate) work: PreparedWork,
    /// The assets of the run, if it has some: they go with this value.
    pub(crate) assets: Option<AssetsOnDisk>,
    /// What computes, for people.
    pub(crate) name: String,
    /// The purpose of the run, for people.
    pub(crate) title: String,
}

/// See [`Prepared`].
pub(crate) enum PreparedWork {
    /// An engine that can run the job's function, on cores of this machine.
    Engine(Arc<dyn Engine>),
    /// Further devices.
    Shared(Box<dyn Shared>),
}

/// The gateway with this id, which shares the jobs of its run.
#[derive(Clone)]
pub(crate) struct Gateway {
    pub(crate) id: String,
    pub(crate) share: Arc<dyn Share>,
    pub(crate) console: Console,
}

/// An engine for cores of this machine.
struct Own {
    engine: Arc<dyn Engine>,
    /// The engine with its version, for people.
    name: String,
}

/// Why there is no engine for a job.
#[derive(Debug)]
pub(crate) enum NoEngine {
    /// The job is gone, or the function did not come: the link is opened again.
    Lost(String),
    /// This machine cannot run the function, in words.
    Unfit(String),
}

/// Requests the function of the job that `welcome` describes, and finds an engine for it, or opens
/// the job to further devices.
///
/// # Errors
/// When there is none.
pub(crate) async fn prepare(
    server: WebServer,
    options: JoinOptions,
    welcome: Welcome,
    runner: Option<Arc<Runner>>,
    gateway: Option<Gateway>,
) -> Result<Prepared, NoEngine> {
    let address = options.url.clone();
    let settings = settings::request(&server, &address).await.map_err(|unknown| match unknown {
        Unknown::NoRun(why) => NoEngine::Lost(why),
        Unknown::Unfit(why) => NoEngine::Unfit(why),
    })?;
    if settings.options.function != welcome.function {
        return Err(NoEngine::Lost("there is another run at the address now".into()));
    }
    let id = gateway.as_ref().map(|gateway| &*gateway.id);
    settings::check(&settings, &address, id).map_err(NoEngine::Unfit)?;
    let code = match welcome.program {
        Some(_) => String::new(),
        None => request_function(&server).await?,
    };
    let title = settings.options.title.clone();
    let has_assets = settings.options.assets && welcome.program.is_none();
    let assets = has_assets.then(|| AssetsOnDisk::of(server)).transpose();
    let assets = assets.map_err(NoEngine::Unfit)?;
    let own_engine = || {
        let assets = assets.as_ref().map(AssetsOnDisk::for_cores);
        own_engine(&options, &welcome, &settings, runner, &code, assets)
    };
    let Some(gateway) = gateway else {
        let Own { engine, name } = own_engine()?;
        return Ok(Prepared { work: PreparedWork::Engine(engine), assets, name, title });
    };
    let cores = if settings.options.dom { 0 } else { options.cores() };
    let (own, name) = match cores {
        0 => (None, "the cores of this machine stay idle".to_owned()),
        _ => {
            let Own { engine, name } = own_engine()?;
            let s = if cores == 1 { "s" } else { "" };
            let name =
                format!("{} of this machine compute{s} with {name}", count(cores.into(), "core"));
            (Some(OwnCores { engine, cores }), name)
        }
    };
    let Gateway { id: device, share, console } = gateway;
    let for_devices = assets.as_ref().map(AssetsOnDisk::for_devices);
    let job = SharedJob { device, welcome, settings, code, own, assets: for_devices, console };
    let shared = share.open(job).await.map_err(NoEngine::Unfit)?;
    Ok(Prepared { work: PreparedWork::Shared(shared), assets, name, title })
}

async fn request_function(server: &WebServer) -> Result<String, NoEngine> {
    let lost = |why: String| NoEngine::Lost(format!("the function did not come: {why}"));
    let function = match timeout(LOADING, server.get("function.js", LONGEST)).await {
        Ok(Ok(answer)) if answer.is_ok() => answer.content,
        Ok(Ok(answer)) => return Err(lost(format!("the answer was {}", answer.status))),
        Ok(Err(error)) => return Err(lost(error.to_string())),
        Err(_) => return Err(lost("it took too long".into())),
    };
    String::from_utf8(function.into()).map_err(|_| lost("its text is not UTF-8".into()))
}

/// The engine for cores of this machine.
fn own_engine(
    options: &JoinOptions,
    welcome: &Welcome,
    settings: &PageSettings,
    runner: Option<Arc<Runner>>,
    code: &str,
    assets: Option<CoreAssets>,
) -> Result<Own, NoEngine> {
    if let Some(program) = &welcome.program {
        return run_program(program, options, welcome);
    }
    let Some(runner) = runner else {
        return Err(NoEngine::Unfit(
            "the run computes with a function, and not with a program: leave --exec out".into(),
        ));
    };
    // Both sides must permit a held function to use the network.
    let network = options.allow_net && !settings.options.deny_net;
    let engine = runner.engine(code, &welcome.options, assets, network);
    Ok(Own { name: runner.name(), engine: Arc::new(engine) })
}

/// Finds the engine of this machine, and what holds the function unless its sender is trusted. With
/// `--exec`, and without cores, this machine runs no function.
///
/// # Errors
/// When this machine cannot compute, with a remedy.
pub(crate) async fn find(options: &JoinOptions) -> Result<Option<Runner>, String> {
    if options.exec.is_some() || options.cores() == 0 {
        return Ok(None);
    }
    let memory = memory_per_core(options.cores() as usize);
    let wish = Wish {
        engine: options.engine,
        held: (!options.trust).then_some(Limits { memory }),
        helper: env::current_exe().ok(),
    };
    Runner::find(&wish).await.map(Some).map_err(|error| match error {
        Refusal::Node(error) => without_node(&error),
        Refusal::Unsafe(_) => format!("{error}. {REMEDY}"),
        Refusal::Engine(why) => why,
    })
}

/// The engine for a run of programs: the volunteer's own command, or that of the run.
fn run_program(
    program: &JobProgram,
    options: &JoinOptions,
    welcome: &Welcome,
) -> Result<Own, NoEngine> {
    let exec = options.exec.as_deref();
    if exec.is_none() && !options.trust {
        return Err(NoEngine::Unfit(format!(
            "the run's machine runs this command for each value: {}. Give --exec with the command that this machine is to run, or \
             --trust to run the same one",
            program.command
        )));
    }
    let text = exec.unwrap_or(&program.command);
    let command = ExecCommand::parse(text)
        .ok()
        .filter(ExecCommand::is_per_value)
        .ok_or_else(|| NoEngine::Unfit(format!("the run's command cannot run here: {text}")))?;
    let engine = Program::new(ProgramOptions {
        command,
        separator: if program.null { 0 } else { b'\n' },
        json: welcome.options.json,
        to_files: program.files,
        assets: None,
        concurrency: welcome.options.concurrency,
        timeout: welcome.options.timeout.map(Duration::from_millis),
    });
    let engine =
        engine.map_err(|error| NoEngine::Unfit(format!("no shell can be started: {error}")))?;
    let name = format!("the command: {text}");
    Ok(Own { engine: Arc::new(engine), name })
}

/// What helps a machine that cannot hold functions.
const REMEDY: &str = "Install Deno (npm install -g deno, or deno.com), or open the address in a browser instead. \
    --trust runs the function with all that you may do, if you trust its sender";

/// Why this machine cannot compute, with a remedy.
fn without_node(error: &NodeError) -> String {
    let remedy = match error {
        NodeError::Fails(_) => "mend that",
        NodeError::Missing | NodeError::Old(_) => "install Node.js 20 or later",
        NodeError::System => "join from another system",
    };
    format!("{}: {remedy}, or open the address in a browser", error.to_string().trim_end())
}
