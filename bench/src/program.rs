//! Runs of the real program and of the swarm.

use crate::{
    lines::{Came, Lines, verify},
    system::{self, Cpu},
};
use anyhow::{Context, bail};
use std::{
    collections::HashMap,
    ffi::OsStr,
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

/// The time for anything that normally takes a moment.
const PATIENCE: Duration = Duration::from_secs(60);
/// The number of bytes in one write to the program.
const BLOCK: usize = 64 * 1024;
/// The pause between two measurements of a process's memory.
const LOOK: Duration = Duration::from_millis(10);

/// A child process, killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    said: Receiver<String>,
    heard: Vec<String>,
}

impl Process {
    /// Starts `command` and reads its standard error if `to_errors`, else its standard output.
    fn start(command: &mut Command, to_errors: bool) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command.spawn().with_context(|| format!("{name} cannot be started"))?;
        let (voice, said) = channel();
        let output: Box<dyn Read + Send> = match to_errors {
            true => Box::new(child.stderr.take().context("standard error is a pipe")?),
            false => Box::new(child.stdout.take().context("standard output is a pipe")?),
        };
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Without a listener the lines are still read, so that the child does not block.
                let _ = voice.send(line);
            }
        });
        Ok(Self { child, said, heard: Vec::new() })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the next line that contains `text`.
    ///
    /// # Errors
    /// When no such line comes in time.
    pub fn wait_for(&mut self, text: &str) -> anyhow::Result<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.said.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(text) => return Ok(line),
                Ok(line) => self.heard.push(line),
                Err(_) => bail!("`{text}` was not said, but: {}", self.heard.join("\n")),
            }
        }
    }

    /// Waits for the end of the process. Returns all lines before the end that nobody waited for.
    ///
    /// # Errors
    /// When the process fails.
    pub fn wait(mut self) -> anyhow::Result<Vec<String>> {
        let status = self.child.wait()?;
        while let Ok(line) = self.said.recv_timeout(PATIENCE) {
            self.heard.push(line);
        }
        if !status.success() {
            bail!("ended with {status}: {}", self.heard.join("\n"));
        }
        Ok(std::mem::take(&mut self.heard))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A run of pando that has started, but has no input yet.
#[derive(Debug)]
pub struct Pando {
    process: Process,
    input: ChildStdin,
    output: ChildStdout,
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
}

impl Pando {
    /// Starts `binary` with a function that returns its argument, on a free port of the loopback
    /// device.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(binary: &Path, options: &[&str]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let function = folder.path().join("same.js");
        std::fs::write(&function, "module.exports['/pando/1.0.0'] = (x, cb) => cb(null, x)\n")?;
        let mut command = Command::new(binary);
        command.arg(&function).arg("--stdin").args(options);
        if !options.contains(&"--local") && !options.contains(&"--bind") {
            command.args(["--bind", "127.0.0.1", "--port", "0"]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = Instant::now();
        let mut process = Process::start(&mut command, true)?;
        let input = process.child.stdin.take().context("standard input is a pipe")?;
        let output = process.child.stdout.take().context("standard output is a pipe")?;
        Ok(Self { process, input, output, started, _folder: folder })
    }

    /// The URL for volunteers.
    ///
    /// # Errors
    /// When the master prints no URL.
    pub fn url(&mut self) -> anyhow::Result<String> {
        let line = self.wait_for("Serving volunteer code at ")?;
        Ok(line.rsplit(' ').next().unwrap_or_default().to_owned())
    }

    /// Waits for the next line on standard error that contains `text`.
    ///
    /// # Errors
    /// When no such line comes in time.
    pub fn wait_for(&mut self, text: &str) -> anyhow::Result<String> {
        self.process.wait_for(text)
    }

    /// Sends `lines` through the run, and verifies that the output equals the input.
    ///
    /// # Errors
    /// When the output differs, or the program fails.
    pub fn run(self, lines: Lines) -> anyhow::Result<Ran> {
        let Self { process, mut input, output, started, _folder } = self;
        let id = process.id();
        let (cpu, start) = (Cpu::of(id), Instant::now());
        let expected = lines.clone();
        let feeder = thread::spawn(move || feed(&mut input, lines));
        let watcher = thread::spawn(move || watch(id));
        let Came { first, last } = match verify(output, expected) {
            Ok(came) => came,
            Err(error) => {
                bail!(
                    "{error:#}; it said: {}",
                    process.wait().map_or_else(|e| format!("{e:#}"), |said| said.join("\n"))
                )
            }
        };
        let (peak, child_peak) = watcher.join().expect("no panic");
        let cpu = Cpu::of(id).since(cpu);
        feeder.join().expect("no panic").context("the input cannot be written")?;
        process.wait()?;
        Ok(Ran { first: first - started, elapsed: last - start, cpu, peak, child_peak })
    }
}

fn feed(input: &mut ChildStdin, mut lines: Lines) -> std::io::Result<()> {
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
    let mut children: HashMap<u32, u64> = HashMap::new();
    while !system::has_ended(id) {
        peak = system::peak_memory(id).unwrap_or(peak).max(peak);
        for child in system::children(id) {
            let most = children.entry(child).or_default();
            *most = system::peak_memory(child).unwrap_or(0).max(*most);
        }
        thread::sleep(LOOK);
    }
    (peak, children.into_values().max().unwrap_or(0))
}

/// Starts `pando relay` with `options`.
///
/// # Errors
/// When the relay cannot be started.
pub fn relay(binary: &Path, options: &[&str]) -> anyhow::Result<Process> {
    let mut command = Command::new(binary);
    command.arg("relay").args(options).stdin(Stdio::null()).stderr(Stdio::piped());
    Process::start(&mut command, true)
}

/// Starts the swarm with the master's `url`.
///
/// # Errors
/// When the swarm cannot be started.
pub fn swarm<S: AsRef<OsStr>>(binary: &Path, url: &str, options: &[S]) -> anyhow::Result<Process> {
    let mut command = Command::new(binary);
    command.arg(url).args(options).stdin(Stdio::null()).stdout(Stdio::piped());
    Process::start(&mut command, false)
}
