//! How this machine runs functions: with which engine, and in which sandbox. Both are found once,
//! by starting a core.

mod boot;
#[cfg(target_os = "linux")]
mod exec;
mod launch;
mod limits;
mod program;
mod sandbox;
mod script;

pub(crate) use launch::Launch;
pub(crate) use limits::limit_memory;
pub use limits::{Limits, memory_per_core};
pub use script::ScriptEngine;

use crate::node::{NodeError, probe};
use pando_protocol::{core::AssetsFolder, volunteer::JobOptions};
use program::Program;
use sandbox::Sandbox;
use std::{ffi::OsString, fmt, path::PathBuf, str::FromStr};

/// Runs the hidden subcommand `name` with `args`, if there is such a command, and returns its exit
/// status. Programs that make a [`Hold`] with themselves as the helper call this function first.
pub fn hidden_command(name: &str, args: impl Iterator<Item = OsString>) -> Option<i32> {
    match name {
        #[cfg(target_os = "linux")]
        "sandbox-exec" => Some(exec::sandbox_exec(args)),
        _ => {
            drop(args);
            None
        }
    }
}

/// The engine that a user asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// The best engine that is here.
    #[default]
    Auto,
    /// Node.js.
    Node,
    /// Deno.
    Deno,
}

impl FromStr for EngineChoice {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "auto" => Ok(Self::Auto),
            "node" => Ok(Self::Node),
            "deno" => Ok(Self::Deno),
            // Tried with Bun 1.4: its sockets do not read from an inherited file descriptor.
            "bun" => Err("Bun cannot take over the connection of a core: give node or deno".into()),
            _ => Err("give auto, node or deno".into()),
        }
    }
}

/// An engine of JavaScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Node,
    Deno,
}

impl Kind {
    /// The command on PATH.
    fn command(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Deno => "deno",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node => "Node.js",
            Self::Deno => "Deno",
        })
    }
}

/// What a volunteer asks of its engine.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The engine.
    pub engine: EngineChoice,
    /// What holds the function; `None`: the function may do all that the user may do.
    pub held: Option<Hold>,
}

impl Wish {
    /// Whether the user asks for a certain engine or a sandbox, and not for whatever works.
    pub fn is_particular(&self) -> bool {
        self.engine != EngineChoice::Auto || self.held.is_some()
    }
}

/// The sandbox that a function needs.
#[derive(Debug, Clone)]
pub struct Hold {
    /// What a held core may use.
    pub limits: Limits,
    /// The program with the hidden subcommands of [`crate::hidden_command`]: mostly the present
    /// program.
    pub helper: PathBuf,
}

/// Why no engine can run the function.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Node cannot be used, and nothing else was asked for.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The engine that was asked for cannot be used.
    #[error("{0}")]
    Engine(String),
    /// No engine can be held.
    #[error("this machine cannot run other people's functions safely: {0}")]
    Unsafe(String),
}

impl Refusal {
    /// A note for the master's people: the reason, and a remedy.
    pub fn note(&self) -> String {
        match self {
            Self::Node(error) => error.note(),
            Self::Engine(_) | Self::Unsafe(_) => {
                format!("{self}: this machine's cores stay idle")
            }
        }
    }
}

/// An engine and its sandbox, found by [`Runner::find`].
#[derive(Debug, Clone)]
pub struct Runner {
    kind: Kind,
    version: String,
    /// The engine's file. `None`: whatever `node` on PATH starts.
    program: Option<Program>,
    held: Option<(Hold, Sandbox)>,
    /// Why better engines or sandboxes cannot be used.
    shortfalls: Vec<String>,
}

impl Runner {
    /// Finds an engine, and a sandbox if the wish asks for one. `host` is the script of a core's
    /// host, with which each candidate is tried.
    ///
    /// # Errors
    /// When no engine can be used, or none can be held.
    pub async fn find(wish: &Wish, host: &str) -> Result<Self, Refusal> {
        if !cfg!(unix) {
            return Err(NodeError::System.into());
        }
        match &wish.held {
            Some(hold) => Self::held(wish.engine, hold, host).await,
            None => Self::free(wish.engine).await,
        }
    }

    /// Finds an engine that is not held.
    async fn free(choice: EngineChoice) -> Result<Self, Refusal> {
        match choice {
            EngineChoice::Auto | EngineChoice::Node => {
                Ok(Self::new(Kind::Node, probe::supported().await?, None, None))
            }
            EngineChoice::Deno => {
                let program = Program::find(Kind::Deno).await.map_err(Refusal::Engine)?;
                Ok(Self::new(Kind::Deno, program.version.clone(), Some(program), None))
            }
        }
    }

    fn new(
        kind: Kind,
        version: String,
        program: Option<Program>,
        held: Option<(Hold, Sandbox)>,
    ) -> Self {
        Self { kind, version, program, held, shortfalls: Vec::new() }
    }

    /// Finds an engine that a sandbox holds: the first pair that starts a core.
    async fn held(choice: EngineChoice, hold: &Hold, host: &str) -> Result<Self, Refusal> {
        let kinds: &[Kind] = match choice {
            EngineChoice::Auto => &[Kind::Deno, Kind::Node],
            EngineChoice::Node => &[Kind::Node],
            EngineChoice::Deno => &[Kind::Deno],
        };
        let mut shortfalls: Vec<String> = Vec::new();
        if cfg!(target_os = "linux") && probe::on_path("bwrap").is_none() {
            shortfalls.push("bubblewrap was not found (`bwrap` is not on PATH)".into());
        }
        let helper = program::libraries(&hold.helper).await;
        for kind in kinds {
            let program = match Program::find(*kind).await {
                Ok(program) => program.with_libraries().await,
                Err(why) => {
                    shortfalls.push(why);
                    continue;
                }
            };
            for sandbox in Sandbox::all(*kind, &helper) {
                let mut runner = Self::new(
                    *kind,
                    program.version.clone(),
                    Some(program.clone()),
                    Some((hold.clone(), sandbox.clone())),
                );
                match script::try_core(&runner, host).await {
                    Ok(()) => {
                        runner.shortfalls = shortfalls;
                        return Ok(runner);
                    }
                    Err(why) => {
                        let why = sandbox.fails_with(*kind, &why);
                        if !shortfalls.contains(&why) {
                            shortfalls.push(why);
                        }
                    }
                }
            }
        }
        Err(Refusal::Unsafe(shortfalls.join(", and ")))
    }

    /// The engine for a job: its bundle `code` with this folder of `assets`, run by the script
    /// `host`. `network` permits connections to a held function.
    pub fn engine(
        &self,
        host: &str,
        code: &str,
        options: &JobOptions,
        assets: Option<AssetsFolder>,
        network: bool,
    ) -> ScriptEngine {
        ScriptEngine::new(self, host, code, options, assets, network)
    }

    /// The engine with its version and sandbox, for people: `Deno 2.9.6 inside bubblewrap`.
    pub fn name(&self) -> String {
        let engine = format!("{} {}", self.kind, self.version);
        match &self.held {
            Some((_, sandbox)) => format!("{engine} {}", sandbox.words()),
            None => engine,
        }
    }

    /// Why no better engine or sandbox is used, for people, if there would be a better one.
    pub fn shortfall(&self) -> Option<String> {
        (!self.shortfalls.is_empty()).then(|| self.shortfalls.join(", and "))
    }

    /// A note for people about how cores start, if there is one.
    pub fn note(&self) -> Option<String> {
        (self.kind == Kind::Node && self.held.is_none()).then(probe::note).flatten()
    }
}
