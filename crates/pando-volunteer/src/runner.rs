//! How this machine runs functions: with which engine, and in which sandbox. Both are found once,
//! by starting a core.

mod boot;
#[cfg(unix)]
mod embedded;
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
pub(crate) use script::json_frame;

use crate::{
    assets::CoreAssets,
    node::{NodeError, probe},
};
use pando_protocol::volunteer::JobOptions;
use program::EngineProgram;
use sandbox::Sandbox;
use std::{ffi::OsString, fmt, path::PathBuf, str::FromStr};

/// The hidden subcommand of the embedded engine.
const EMBEDDED: &str = "embedded-core";

/// Runs the hidden subcommand `name` with `args`, if there is such a command, and returns its exit
/// status. Programs that make a [`Hold`] with themselves as the helper call this function first.
pub fn hidden_command(name: &str, args: impl Iterator<Item = OsString>) -> Option<i32> {
    match name {
        #[cfg(target_os = "linux")]
        "sandbox-exec" => Some(exec::sandbox_exec(args)),
        #[cfg(unix)]
        EMBEDDED => Some(embedded::embedded_core(args)),
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
    /// Bun.
    Bun,
    /// The engine in this program: QuickJS.
    Embedded,
}

impl FromStr for EngineChoice {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "auto" => Ok(Self::Auto),
            "node" => Ok(Self::Node),
            "deno" => Ok(Self::Deno),
            "bun" => Ok(Self::Bun),
            "embedded" => Ok(Self::Embedded),
            _ => Err("give auto, node, deno, bun or embedded".into()),
        }
    }
}

/// An engine of JavaScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Node,
    Deno,
    Bun,
    Embedded,
}

impl Kind {
    /// The command on PATH.
    fn command(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Deno => "deno",
            Self::Bun => "bun",
            Self::Embedded => EMBEDDED,
        }
    }

    /// The files without which the engine does not start, besides its own.
    fn reads_at_start(self) -> &'static [&'static str] {
        match self {
            Self::Node => &["/etc/ssl/openssl.cnf"],
            // Its settings, and the limits of its stack.
            Self::Bun => &["/dev/null", "/proc/self/maps"],
            Self::Deno | Self::Embedded => &[],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node => "Node.js",
            Self::Deno => "Deno",
            Self::Bun => "Bun",
            Self::Embedded => "QuickJS",
        })
    }
}

/// What a volunteer asks of its engine.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The engine.
    pub engine: EngineChoice,
    /// What a held function may use; `None`: the function may do all that the user may do.
    pub held: Option<Limits>,
    /// The program with the hidden subcommands ([`hidden_command`]): mostly the present program.
    /// Without it, nothing is held, and there is no embedded engine.
    pub helper: Option<PathBuf>,
}

impl Wish {
    /// Whether the user asks for a certain engine or a sandbox, and not for whatever works.
    pub fn is_particular(&self) -> bool {
        self.engine != EngineChoice::Auto || self.held.is_some()
    }
}

/// The sandbox that a function needs.
#[derive(Debug, Clone)]
struct Hold {
    limits: Limits,
    helper: PathBuf,
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

/// What people must know of the embedded engine.
const SLOW: &str =
    ", which is in this program, and 9 to 16 times slower. Install Node.js 20 or later, or Deno";

/// The scripts of the hosts of cores, built from `web/src/node.ts` and `web/src/embedded.ts`. The
/// built files are kept with the sources, so that a native volunteer is built without npm.
const NODE_HOST: &str = include_str!("../scripts/node.js");
const EMBEDDED_HOST: &str = include_str!("../scripts/embedded.js");

/// An engine and its sandbox, found by [`Runner::find`].
#[derive(Debug, Clone)]
pub struct Runner {
    kind: Kind,
    version: String,
    /// The engine's file. `None`: whatever `node` on PATH starts.
    program: Option<EngineProgram>,
    held: Option<(Hold, Sandbox)>,
    /// Why better engines or sandboxes cannot be used.
    shortfalls: Vec<String>,
}

impl Runner {
    /// Finds an engine, and a sandbox if the wish asks for one. Each candidate is tried with the
    /// script of its host.
    ///
    /// # Errors
    /// When no engine can be used, or none can be held.
    pub async fn find(wish: &Wish) -> Result<Self, Refusal> {
        if !cfg!(unix) {
            return Err(NodeError::System.into());
        }
        let Some(limits) = wish.held else { return Self::free(wish).await };
        let Some(helper) = wish.helper.clone() else {
            return Err(Refusal::Unsafe("it needs the program `pando` for that".into()));
        };
        Self::held(wish.engine, &Hold { limits, helper }).await
    }

    /// Finds an engine that is not held: by default Node, else Deno, else Bun, else the embedded
    /// engine.
    async fn free(wish: &Wish) -> Result<Self, Refusal> {
        let free = |kind, version, program| Self::new(kind, version, program, None);
        let embedded = || wish.helper.as_deref().map(EngineProgram::embedded);
        let of = |kind, program: EngineProgram| free(kind, program.version.clone(), Some(program));
        match wish.engine {
            EngineChoice::Node => Ok(free(Kind::Node, probe::supported().await?, None)),
            EngineChoice::Deno | EngineChoice::Bun => {
                let kind = if wish.engine == EngineChoice::Deno { Kind::Deno } else { Kind::Bun };
                Ok(of(kind, EngineProgram::find(kind).await.map_err(Refusal::Engine)?))
            }
            EngineChoice::Embedded => embedded()
                .map(|program| of(Kind::Embedded, program))
                .ok_or_else(|| Refusal::Engine("only the program `pando` has that engine".into())),
            EngineChoice::Auto => {
                let error = match probe::supported().await {
                    Ok(version) => return Ok(free(Kind::Node, version, None)),
                    // A Node that is there and fails is to be mended.
                    Err(error @ (NodeError::Fails(_) | NodeError::System)) => {
                        return Err(error.into());
                    }
                    Err(error) => error,
                };
                let mut found = if let Ok(deno) = EngineProgram::find(Kind::Deno).await {
                    of(Kind::Deno, deno)
                } else if let Ok(bun) = EngineProgram::find(Kind::Bun).await {
                    of(Kind::Bun, bun)
                } else if let Some(program) = embedded() {
                    of(Kind::Embedded, program)
                } else {
                    return Err(error.into());
                };
                found.shortfalls.push(error.to_string());
                Ok(found)
            }
        }
    }

    fn new(
        kind: Kind,
        version: String,
        program: Option<EngineProgram>,
        held: Option<(Hold, Sandbox)>,
    ) -> Self {
        Self { kind, version, program, held, shortfalls: Vec::new() }
    }

    /// Finds an engine that a sandbox holds: the first pair that starts a core.
    async fn held(choice: EngineChoice, hold: &Hold) -> Result<Self, Refusal> {
        let kinds: &[Kind] = match choice {
            EngineChoice::Auto => &[Kind::Deno, Kind::Node, Kind::Embedded],
            EngineChoice::Node => &[Kind::Node],
            EngineChoice::Deno => &[Kind::Deno],
            EngineChoice::Bun => &[Kind::Bun],
            EngineChoice::Embedded => &[Kind::Embedded],
        };
        let mut shortfalls: Vec<String> = Vec::new();
        if cfg!(target_os = "linux") && probe::on_path("bwrap").is_none() {
            shortfalls.push("bubblewrap was not found (`bwrap` is not on PATH)".into());
        }
        let helper = program::libraries(&hold.helper).await;
        for kind in kinds {
            let found = match kind {
                Kind::Embedded => Ok(EngineProgram::embedded(&hold.helper)),
                Kind::Node | Kind::Deno | Kind::Bun => EngineProgram::find(*kind).await,
            };
            let program = match found {
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
                match script::try_core(&runner).await {
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

    /// The engine for a job: its bundle `code` with these `assets`. `network` permits connections
    /// to a held function.
    pub fn engine(
        &self,
        code: &str,
        options: &JobOptions,
        assets: Option<CoreAssets>,
        network: bool,
    ) -> ScriptEngine {
        ScriptEngine::new(self, code, options, assets, network)
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

    /// Whether the embedded engine takes the place of a better one that nobody found.
    pub fn is_makeshift(&self) -> bool {
        self.kind == Kind::Embedded && !self.shortfalls.is_empty()
    }

    /// The script of a core's host.
    fn host(&self) -> &'static str {
        if self.kind == Kind::Embedded { EMBEDDED_HOST } else { NODE_HOST }
    }

    /// A note for people about how cores start, if there is one.
    pub fn note(&self) -> Option<String> {
        if self.held.is_none() && self.kind != Kind::Node {
            let why = self.shortfall()?;
            let slow = if self.kind == Kind::Embedded { SLOW } else { "" };
            return Some(format!("{why}: this machine's cores compute with {}{slow}", self.name()));
        }
        (self.kind == Kind::Node && self.held.is_none()).then(probe::note).flatten()
    }
}
