//! The recipes of `docs/cluster.md` in `examples/cluster/`, each on the real engine.

mod dask;
mod hyperqueue;
mod kubernetes;
mod slurm;
mod ssh;

use pando_testing::{
    Finished, FunctionGate, PandoCommand, RunningProgram, Stdin, Streams, built, children,
    free_port, kill, make_neutral, numbers, until,
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// The number of values of a run.
const VALUES: u64 = 1000;
/// The number of volunteers of a recipe.
const VOLUNTEERS: u64 = 4;

/// Words before a command: it ends with the test, however the test ends.
const WITH_THE_TEST: [&str; 3] = ["setpriv", "--pdeathsig", "KILL"];
/// … and so do all processes that the command leaves behind. These words are for root.
const WITH_ALL_IT_STARTS: [&str; 5] =
    ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];

/// A run whose first values, one for each volunteer, wait for a gate.
struct GatedRun {
    run: RunningProgram,
    gate: FunctionGate,
}

impl GatedRun {
    fn start() -> Self {
        let gate = FunctionGate::closed();
        let function = format!(
            "async (x, cb) => {{ if (Number(x) <= {VOLUNTEERS}) await {}; cb(null, x) }}",
            gate.knock("x")
        );
        let run = PandoCommand::f(&function)
            .args(["--cores", "0", "--batch-size", "1"])
            .inside(&WITH_THE_TEST.map(str::to_owned))
            .stdin(numbers(VALUES))
            .start();
        Self { run, gate }
    }

    fn url(&self) -> String {
        self.run.url()
    }

    /// Waits until each volunteer holds a value.
    fn all_compute(&self) {
        for value in 1..=VOLUNTEERS {
            self.gate.waits_for(&value.to_string());
        }
    }

    /// Waits for the next message of the run that contains `text`.
    #[track_caller]
    fn hears(&mut self, text: &str) -> String {
        self.run.hears(text).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Opens the gate. All values must have their results, in order, although `lost` volunteers
    /// left with a value.
    #[track_caller]
    fn completes(self, lost: u64) {
        self.gate.open_for_all();
        self.run.wait().gives(numbers(VALUES));
        let knocked = self.gate.knocked();
        assert!(knocked.len() as u64 >= VOLUNTEERS + lost, "nobody lost a value: {knocked:?}");
    }
}

/// The text of a recipe, in which a person has changed some values.
fn recipe(name: &str, changes: &[(&str, &str)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cluster").join(name);
    let text = fs::read_to_string(path).expect("the recipe is there");
    changes.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{name} does not contain {from:?}");
        text.replace(from, to)
    })
}

/// A folder with recipes, for commands that find `pando` on PATH.
struct Desk {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("pando-cluster-").tempdir();
        let folder = folder.expect("the temporary folder can be written");
        let binary = built("pando");
        let path = env::var("PATH").expect("a PATH");
        let path = format!("{}:{path}:/usr/sbin", binary.parent().expect("a folder").display());
        // The gates of these tests need the network.
        let variables = [("PATH", path), ("PANDO_JOIN_TRUST", "true".into())];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Self { folder, variables }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        fs::write(&path, content).expect("a file can be written");
        path
    }

    /// What a file contains; nothing if it is not there.
    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.retain(|(other, _)| other != name);
        self.variables.push((name.to_owned(), value.into()));
    }

    fn command(&self, launcher: &[&str], words: &[&str]) -> Command {
        let all = [launcher, words].concat();
        let mut command = Command::new(all[0]);
        make_neutral(&mut command);
        command.args(&all[1..]).current_dir(self.folder.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts a command whose processes all end with the test.
    fn start(&self, words: &[&str]) -> RunningProgram {
        let is_root = rustix::process::geteuid().is_root();
        let own = if is_root { &[][..] } else { &["--user", "--map-current-user"] };
        let launcher = [&WITH_THE_TEST[..], &WITH_ALL_IT_STARTS, own, &["--"]].concat();
        let streams = Streams { stdin: Stdin::Open, ..Streams::default() };
        RunningProgram::start(&mut self.command(&launcher, words), streams)
    }

    /// Runs a command to its end.
    fn run(&self, words: &[&str]) -> Finished {
        RunningProgram::start(&mut self.command(&WITH_THE_TEST, words), Streams::default()).wait()
    }
}

/// A process below `pid`, by its command line.
#[track_caller]
fn descendant(pid: u32, is_it: impl Fn(&str) -> bool) -> u32 {
    until("the process runs", || descendants(pid, &is_it).first().copied())
}

/// The processes below `pid` with such command lines.
fn descendants(pid: u32, is_it: impl Fn(&str) -> bool) -> Vec<u32> {
    let (mut left, mut found) = (children(pid), Vec::new());
    while let Some(pid) = left.pop() {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if is_it(&String::from_utf8_lossy(&line).replace('\0', " ")) {
            found.push(pid);
        }
        left.extend(children(pid));
    }
    found
}

/// Whether all of `programs` are on PATH, as `scripts/test` installs them.
///
/// # Panics
/// When one is missing although `CI=true` promises that everything is installed, and `scripts/test`
/// does not say that it cannot be had.
fn are_installed(what: &str, programs: &[&str]) -> bool {
    let path = env::var("PATH").expect("a PATH") + ":/usr/sbin";
    let missing = programs
        .iter()
        .find(|program| !env::split_paths(&path).any(|folder| folder.join(program).is_file()));
    let Some(missing) = missing else { return true };
    is_missing(what, &format!("{missing} is not on PATH"))
}

/// Python with the packages that `scripts/test` installs.
fn python() -> Option<String> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let target = env::var_os("CARGO_TARGET_DIR").map_or(target, PathBuf::from);
    let python = target.join("engines-py/bin/python");
    let installed = target.join("engines-py/installed");
    if !installed.exists() {
        let why = format!("{} is not there", installed.display());
        is_missing("Python with the packages of clusters", &why);
        return None;
    }
    // The path of the interpreter must not be resolved: it tells where the packages are.
    Some(std::path::absolute(python).expect("a path").to_str().expect("UTF-8").to_owned())
}

/// Says that something is not installed; returns `false`.
fn is_missing(what: &str, why: &str) -> bool {
    // `scripts/test` sets this variable when it says at its end what cannot be had.
    assert!(
        env::var("CI").as_deref() != Ok("true") || env::var_os("PANDO_TEST_SKIPS").is_some(),
        "{what} is needed: {why}; scripts/test sets it up"
    );
    eprintln!("skipped: {what} cannot be had: {why}; scripts/test sets it up");
    false
}

/// Whether this is root, who may start the daemons of a cluster.
fn is_root(what: &str) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("skipped: {what} needs root");
    }
    is_root
}
