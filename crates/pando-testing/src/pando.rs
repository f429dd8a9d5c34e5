//! Prepares and starts `pando`.

use super::{
    EventsFile,
    finished::Finished,
    program::{Output, RunningProgram, Stdin, Streams, built},
    surroundings,
};
use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

/// The variable that names the engine of this machine's cores, for all runs of the tests.
const ENGINE: &str = "PANDO_TEST_ENGINE";

/// The command line of a run and its surroundings. `--port 0` is added unless the arguments
/// contain `--port`, `--local`, `--help` or the like.
#[derive(Debug)]
pub struct PandoCommand {
    folder: TempDir,
    function: Option<PathBuf>,
    args: Vec<OsString>,
    /// The words before the binary's name.
    launcher: Vec<String>,
    environment: Vec<(OsString, OsString)>,
    streams: Streams,
    port: bool,
}

impl PandoCommand {
    /// A run without a function.
    pub fn bare() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("pando-test-")
            .tempdir()
            .expect("the temporary folder can be written");
        Self {
            folder,
            function: None,
            args: Vec::new(),
            launcher: Vec::new(),
            environment: Vec::new(),
            streams: Streams::default(),
            port: true,
        }
    }

    /// A run of the source code of a module, CommonJS or ES.
    pub fn new(source: &str) -> Self {
        Self::bare().with_file("f.js", source).function("f.js")
    }

    /// A run of a function that takes a callback: `(x, cb) => cb(null, x)`.
    pub fn f(function: &str) -> Self {
        Self::new(&format!("module.exports['/pando/1.0.0'] = {function}\n"))
    }

    /// A run of the function in an existing file.
    pub fn path(path: impl AsRef<Path>) -> Self {
        Self::bare().function(path)
    }

    /// Sets the file of the function, relative to the folder of this run.
    pub fn function(mut self, path: impl AsRef<Path>) -> Self {
        self.function = Some(self.folder.path().join(path));
        self
    }

    /// Writes a file into the folder of this run.
    pub fn with_file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        fs::write(path, content).expect("a file can be written");
        self
    }

    /// The folder of this run, which is also its working directory.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Appends arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Uses only this machine's cores.
    pub fn local(self) -> Self {
        self.args(["--local"])
    }

    /// Writes events to `events`.
    pub fn events(self, events: &EventsFile) -> Self {
        self.args(["--events".as_ref(), events.path()])
    }

    /// Puts these words before the command, as in `ip netns exec NAME`.
    pub fn inside(mut self, launcher: &[String]) -> Self {
        self.launcher = launcher.to_vec();
        self
    }

    /// Starts the run with these redirections of a shell, as in `> out`.
    pub fn redirected(self, redirections: &str) -> Self {
        self.inside(&["sh", "-c", &format!("exec \"$@\" {redirections}"), "sh"].map(str::to_owned))
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Uses the default port.
    pub fn on_the_default_port(mut self) -> Self {
        self.port = false;
        self
    }

    /// Sets the bytes of standard input, which then ends.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.streams.stdin = Stdin::Bytes(bytes.into());
        self
    }

    /// Takes standard input from a file.
    pub fn stdin_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.streams.stdin = Stdin::File(path.into());
        self
    }

    /// Keeps standard input open for `RunningProgram::write_line` and
    /// `RunningProgram::close_stdin`.
    pub fn stdin_open(mut self) -> Self {
        self.streams.stdin = Stdin::Open;
        self
    }

    /// Leaves standard output unread until `RunningProgram::take_stdout`.
    pub fn stdout_unread(mut self) -> Self {
        self.streams.stdout = Output::Unread;
        self
    }

    /// Leaves standard error unread for ever. The pipe stays open.
    pub fn stderr_unread(mut self) -> Self {
        self.streams.stderr = Output::Unread;
        self
    }

    /// Replaces the limit [`LONGEST_RUN`](crate::LONGEST_RUN).
    pub fn longest(mut self, longest: Duration) -> Self {
        self.streams.longest = longest;
        self
    }

    /// The command, for tests that start the process themselves.
    pub fn command(&self) -> Command {
        let binary = built("pando");
        let mut words = self.launcher.iter().map(OsStr::new).chain([binary.as_os_str()]);
        let mut command = Command::new(words.next().expect("the binary at least"));
        command.args(words);
        surroundings::make_neutral(&mut command);
        command.current_dir(self.folder.path());
        // Keeping the machine awake takes one more child process. Tests of this feature override
        // the variable.
        command.env("PANDO_ALLOW_SLEEP", "true");
        if let Some(engine) = env::var_os(ENGINE) {
            command.env("PANDO_ENGINE", engine);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        const WITHOUT_PORT: [&str; 5] = ["--port", "--local", "--help", "--version", "-h"];
        if self.port
            && !self.args.iter().any(|arg| {
                WITHOUT_PORT.iter().any(|other| arg.to_string_lossy().starts_with(other))
            })
        {
            command.args(["--port", "0"]);
        }
        command.args(&self.function).args(&self.args);
        command
    }

    /// Starts the run.
    pub fn start(self) -> RunningProgram {
        RunningProgram::start(&mut self.command(), self.streams).with_folder(self.folder)
    }

    /// Starts the run, and waits for its end.
    pub fn run(self) -> Finished {
        self.start().wait()
    }
}
