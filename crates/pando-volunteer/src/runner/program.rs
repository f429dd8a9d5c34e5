//! The file of an engine, and the libraries that it loads.

use super::Kind;
use crate::{group, node::probe};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{process::Command, time::timeout};

/// How long an engine may take to tell its version. Its command may belong to a version manager.
const PATIENCE: Duration = Duration::from_secs(10);

/// Options that keep Bun from reading the files of the working directory (`bunfig.toml`, which may
/// name scripts to run; `.env`), and from installing packages.
pub(super) const BUN_WITHOUT_FILES: [&str; 3] =
    ["--config=/dev/null", "--no-env-file", "--no-install"];

/// The file of an engine.
#[derive(Debug, Clone)]
pub(super) struct EngineProgram {
    /// The path, without symbolic links.
    pub(super) path: PathBuf,
    /// The version.
    pub(super) version: String,
    /// The shared libraries that the file loads, with their loader, for a sandbox.
    pub(super) libraries: Vec<PathBuf>,
}

impl EngineProgram {
    /// The embedded engine in the program `helper`.
    pub(super) fn embedded(helper: &Path) -> Self {
        let version = format!("of pando {}", env!("CARGO_PKG_VERSION"));
        Self { path: helper.to_owned(), version, libraries: Vec::new() }
    }

    /// Finds the file behind the command of `kind`, which may be a script of a version manager.
    ///
    /// # Errors
    /// When the command is missing or fails, in words for people.
    pub(super) async fn find(kind: Kind) -> Result<Self, String> {
        let said = match kind {
            Kind::Node => {
                probe::supported().await.map_err(|error| error.to_string())?;
                let tell = "console.log(process.execPath); console.log(process.versions.node)";
                output(probe::command(), &["-e", tell]).await
            }
            Kind::Bun => {
                let tell = "console.log(process.execPath); console.log(process.versions.bun)";
                output(command(kind), &[&BUN_WITHOUT_FILES[..], &["-e", tell]].concat()).await
            }
            Kind::Deno | Kind::Embedded => {
                let tell = "console.log(Deno.execPath()); console.log(Deno.version.deno)";
                output(command(kind), &["eval", "--no-config", "--no-lock", tell]).await
            }
        };
        let said = said.map_err(|why| match why.is_empty() {
            true => format!("{kind} was not found (`{}` is not on PATH)", kind.command()),
            false => format!("{kind} does not start ({why})"),
        })?;
        let mut lines = said.lines().rev();
        match (lines.next(), lines.next().and_then(|path| Path::new(path).canonicalize().ok())) {
            (Some(version), Some(path)) => {
                Ok(Self { path, version: version.to_owned(), libraries: Vec::new() })
            }
            _ => Err(format!("{kind} does not say where its file is")),
        }
    }

    /// Finds the libraries, for a sandbox.
    pub(super) async fn with_libraries(self) -> Self {
        Self { libraries: libraries(&self.path).await, ..self }
    }
}

/// The shared libraries that a program loads, with their loader. The loader of glibc prints the
/// list, and does not run the program.
pub(super) async fn libraries(program: &Path) -> Vec<PathBuf> {
    let mut trace = Command::new(program);
    trace.env("LD_TRACE_LOADED_OBJECTS", "1");
    let said = output(trace, &["--version"]).await.unwrap_or_default();
    let paths = said.lines().filter_map(|line| {
        let path = line.split_whitespace().find(|word| word.starts_with('/'))?;
        Some(PathBuf::from(path))
    });
    paths.filter(|path| path.exists()).collect()
}

fn command(kind: Kind) -> Command {
    let mut command = pando_process::secrets::command(kind.command());
    command.env("NO_COLOR", "1");
    group::leader(command.into())
}

/// The output of a command. The error has the first line of what it complains about, or nothing if
/// there is no such command.
async fn output(mut command: Command, args: &[&str]) -> Result<String, String> {
    let child = command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let child = child.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => String::new(),
        _ => error.to_string(),
    })?;
    let ended = timeout(PATIENCE, child.wait_with_output()).await;
    let output = ended
        .map_err(|_| format!("it has not ended within {} s", PATIENCE.as_secs()))?
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{}: {}", output.status, complaint.lines().next().unwrap_or_default()))
}
