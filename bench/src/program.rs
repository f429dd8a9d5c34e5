//! Runs of the real program and of the swarm.

use crate::lines::{Came, GeneratedLines, verify};
use anyhow::{Context, bail};
use pando_testing::{
    Cpu, Output, RunningProgram, Stdin, Streams, children, has_ended, peak_memory,
};
use std::{
    collections::HashMap,
    ffi::OsStr,
    io::{BufRead, BufReader, ErrorKind, Write},
    path::Path,
    process::{ChildStdin, Command},
    thread,
    time::{Duration, Instant},
};

/// The number of bytes in one write to the program.
const BLOCK: usize = 64 * 1024;
/// The function of most measures.
const SAME: &str = "module.exports['/pando/1.0.0'] = (x, cb) => cb(null, x)\n";
/// The pause between two measurements of a process's memory.
const LOOK: Duration = Duration::from_millis(10);

/// A run of pando that has started, but has no input yet. The function returns its argument.
#[derive(Debug)]
pub struct EchoRun {
    program: RunningProgram,
    started: Instant,
    _folder: tempfile::TempDir,
}

/// The figures of a run.
#[derive(Debug)]
pub struct Ran {
    /// The time from the program's start to its first output.
    pub first: Duration,
    /// The time from the first byte of input to the last byte of output.
    pub elapsed: Duration,
    /// The processor time of the master in `elapsed`.
    pub cpu: Cpu,
    /// The peak resident memory of the master, in bytes.
    pub peak: u64,
    /// The highest peak of resident memory among the child processes, in bytes.
    pub child_peak: u64,
    /// The number of lines of output at some times since the first byte of input.
    pub lines: Vec<(Duration, u64)>,
}

impl EchoRun {
    /// Starts `binary` on a free port of the loopback device.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(binary: &Path, options: &[&str]) -> anyhow::Result<Self> {
        Self::start_inside(&[], binary, options)
    }

    /// Starts `binary` with the words of `launcher` before the command.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start_inside(
        launcher: &[String],
        binary: &Path,
        options: &[&str],
    ) -> anyhow::Result<Self> {
        Self::start_function(launcher, binary, SAME, options)
    }

    /// Starts `binary` with this text as the module of its function, which returns its argument.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start_function(
        launcher: &[String],
        binary: &Path,
        module: &str,
        options: &[&str],
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let function = folder.path().join("function.js");
        std::fs::write(&function, module)?;
        let mut words = launcher.iter().map(OsStr::new).chain([binary.as_os_str()]);
        let mut command = Command::new(words.next().context("there is a binary at least")?);
        command.args(words).arg(&function).arg("--stdin").args(options);
        if !options.contains(&"--local") && !options.contains(&"--bind") {
            command.args(["--bind", "127.0.0.1", "--port", "0"]);
        }
        Self::launch(&mut command, folder)
    }

    /// Starts the prototype of a master: `binary` is the program `bare`.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start_bare(binary: &Path) -> anyhow::Result<Self> {
        Self::launch(Command::new(binary).arg("master"), tempfile::tempdir()?)
    }

    fn launch(command: &mut Command, folder: tempfile::TempDir) -> anyhow::Result<Self> {
        let started = Instant::now();
        let streams =
            Streams { stdin: Stdin::Open, stdout: Output::Unread, ..Streams::without_input() };
        let program = RunningProgram::try_start(command, streams)?;
        Ok(Self { program, started, _folder: folder })
    }

    /// The URL for volunteers.
    ///
    /// # Errors
    /// When the master prints no URL.
    pub fn url(&mut self) -> anyhow::Result<String> {
        let line = self.hears("Serving volunteer code at ")?;
        Ok(line.rsplit(' ').next().unwrap_or_default().to_owned())
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.program.pid()
    }

    /// Waits for the next line on standard error that contains `text`.
    ///
    /// # Errors
    /// When no such line comes in time.
    pub fn hears(&mut self, text: &str) -> anyhow::Result<String> {
        self.program.hears(text)
    }

    /// Sends `count` values through the run, each after the result of the one before it. Returns
    /// the times between a value and its result.
    ///
    /// # Errors
    /// When a result is wrong, or the program fails.
    pub fn one_by_one(self, count: u64) -> anyhow::Result<Vec<Duration>> {
        let Self { mut program, _folder, .. } = self;
        let (mut input, output) = (program.take_stdin(), program.take_stdout());
        let mut output = BufReader::new(output).lines();
        let mut times = Vec::new();
        for number in 0..count {
            let start = Instant::now();
            input.write_all(format!("{number}\n").as_bytes())?;
            let result = output.next().context("a result is missing")??;
            times.push(start.elapsed());
            anyhow::ensure!(result == number.to_string(), "{result} is not {number}");
        }
        drop(input);
        program.succeed()?;
        Ok(times)
    }

    /// Sends `lines` through the run, and verifies that the output equals the input.
    ///
    /// # Errors
    /// When the output differs, or the program fails.
    pub fn run(self, lines: GeneratedLines) -> anyhow::Result<Ran> {
        let expected = lines.clone();
        self.run_expecting(lines, expected)
    }

    /// Sends `lines` through the run, and verifies that the output is `expected`.
    ///
    /// # Errors
    /// When the output differs, or the program fails.
    pub fn run_expecting(
        self,
        lines: GeneratedLines,
        expected: GeneratedLines,
    ) -> anyhow::Result<Ran> {
        let Self { mut program, started, _folder } = self;
        let (mut input, output) = (program.take_stdin(), program.take_stdout());
        let id = program.pid();
        let (cpu, start) = (Cpu::of(id), Instant::now());
        let feeder = thread::spawn(move || feed(&mut input, lines));
        let watcher = thread::spawn(move || watch(id));
        let Came { first, last, lines } = match verify(output, expected) {
            Ok(came) => came,
            Err(error) => bail!("{error:#}; it said: {}", program.wait().stderr),
        };
        let (peak, child_peak) = watcher.join().expect("no panic");
        let cpu = Cpu::of(id).since(cpu);
        feeder.join().expect("no panic").context("the input cannot be written")?;
        program.succeed()?;
        let lines = lines.into_iter().map(|(time, lines)| (time - start, lines)).collect();
        Ok(Ran { first: first - started, elapsed: last - start, cpu, peak, child_peak, lines })
    }
}

fn feed(input: &mut ChildStdin, mut lines: GeneratedLines) -> std::io::Result<()> {
    let mut block = vec![0; BLOCK];
    loop {
        match lines.fill(&mut block) {
            0 => return Ok(()),
            length => match input.write_all(&block[..length]) {
                // The output shows why the program stopped reading.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                other => other?,
            },
        }
    }
}

/// The peak memory of process `id`, and the highest peak among its children, until the process
/// ends.
fn watch(id: u32) -> (u64, u64) {
    let mut peak = 0;
    let mut peaks: HashMap<u32, u64> = HashMap::new();
    while !has_ended(id) {
        peak = peak_memory(id).unwrap_or(peak).max(peak);
        for child in children(id) {
            let most = peaks.entry(child).or_default();
            *most = peak_memory(child).unwrap_or(0).max(*most);
        }
        thread::sleep(LOOK);
    }
    (peak, peaks.into_values().max().unwrap_or(0))
}

/// Starts `pando relay` with `options`.
///
/// # Errors
/// When the relay cannot be started.
pub fn relay(binary: &Path, options: &[&str]) -> anyhow::Result<RunningProgram> {
    let mut command = Command::new(binary);
    RunningProgram::try_start(command.arg("relay").args(options), Streams::without_input())
}

/// Starts a program of volunteers: `swarm`, or the prototype of it.
///
/// # Errors
/// When the program cannot be started.
pub fn launch(binary: &Path, arguments: &[&str]) -> anyhow::Result<RunningProgram> {
    let mut command = Command::new(binary);
    RunningProgram::try_start(command.args(arguments), Streams::without_input())
}

/// Waits until all volunteers of the swarm have joined, and returns the line that says so.
///
/// # Errors
/// When the swarm ends before.
pub fn all_joined(swarm: &mut RunningProgram) -> anyhow::Result<String> {
    loop {
        let line = swarm.line().context("the swarm ended before all volunteers joined")?;
        if line.contains("all joined") {
            return Ok(line);
        }
    }
}
