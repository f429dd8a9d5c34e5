//! A program that runs beside a test.

mod streams;

use super::{
    DEADLINE,
    finished::{Finished, excerpt},
    gathered::Gathered,
    processes,
};
use anyhow::{Context, bail};
use std::{
    env,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

pub use streams::{Output, Stdin, Streams};

/// The path of a program of this workspace, which is built together with the running test or
/// program.
///
/// # Panics
/// When the program is not built.
pub fn built(name: &str) -> PathBuf {
    let own = env::current_exe().expect("this program has a path");
    let folder = own.parent().expect("a program is in a folder");
    // Tests are in a folder below the programs.
    let folder = folder.parent().filter(|_| folder.ends_with("deps")).unwrap_or(folder);
    let program = folder.join(name);
    assert!(program.exists(), "{} is missing: cargo build --workspace", program.display());
    program
}

/// A running program, killed when dropped.
#[derive(Debug)]
pub struct RunningProgram {
    child: Arc<Mutex<Child>>,
    pid: u32,
    stdin: Option<ChildStdin>,
    stdout: Arc<Gathered>,
    stderr: Arc<Gathered>,
    unread_stdout: Option<ChildStdout>,
    /// The number of bytes of standard output that `line` has returned.
    given: usize,
    /// The number of bytes of standard error that `hears` has passed.
    heard: usize,
    folder: Option<TempDir>,
    _watchdog: mpsc::Sender<()>,
}

impl RunningProgram {
    /// Starts `command`.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn start(command: &mut Command, streams: Streams) -> Self {
        Self::try_start(command, streams).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Starts `command`.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn try_start(command: &mut Command, streams: Streams) -> anyhow::Result<Self> {
        let Streams { stdin, stdout, stderr, longest } = streams;
        let (pipe, bytes) = match stdin {
            Stdin::Nothing => (Stdio::null(), None),
            Stdin::Bytes(bytes) => (Stdio::piped(), Some(bytes)),
            Stdin::Open => (Stdio::piped(), None),
            Stdin::File(path) => {
                let file = File::open(&path).with_context(|| path.display().to_string())?;
                (file.into(), None)
            }
        };
        command.stdin(pipe).stdout(stdout.stdio()).stderr(stderr.stdio());
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command.spawn().with_context(|| format!("{name} cannot be started"))?;
        let mut stdin = child.stdin.take();
        if let Some((mut pipe, bytes)) = bytes.and_then(|bytes| Some((stdin.take()?, bytes))) {
            // A program that ends early does not read all of its input.
            thread::spawn(move || drop(pipe.write_all(&bytes)));
        }
        let gathered_stdout = child.stdout.take_if(|_| stdout == Output::Gathered);
        // An unread standard error stays open in `child`.
        let gathered_stderr = child.stderr.take_if(|_| stderr == Output::Gathered);
        let (pid, unread_stdout) = (child.id(), child.stdout.take());
        let child = Arc::new(Mutex::new(child));
        Ok(Self {
            _watchdog: watchdog(child.clone(), longest),
            child,
            pid,
            stdin,
            stdout: gathered_stdout.map_or_else(Gathered::nothing, Gathered::from),
            stderr: gathered_stderr.map_or_else(Gathered::nothing, Gathered::from),
            unread_stdout,
            given: 0,
            heard: 0,
            folder: None,
        })
    }

    /// Keeps `folder`, the working directory, for as long as the program runs.
    pub(crate) fn with_folder(mut self, folder: TempDir) -> Self {
        self.folder = Some(folder);
        self
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The working directory of a run that [`PandoCommand`](crate::PandoCommand) has started.
    pub fn folder(&self) -> &Path {
        self.folder.as_ref().expect("a `PandoCommand` has started this program").path()
    }

    /// The child processes: for a run, the processes of its cores.
    pub fn children(&self) -> Vec<u32> {
        processes::children(self.pid)
    }

    /// Waits for a line of standard error that contains `text`, and returns the first such line.
    #[track_caller]
    pub fn says(&self, text: &str) -> String {
        self.says_any(&[text])
    }

    /// Waits for a line of standard error that contains one of `texts`, and returns the first such
    /// line.
    #[track_caller]
    pub fn says_any(&self, texts: &[&str]) -> String {
        let found = self.stderr.wait(Instant::now() + DEADLINE, |bytes, _| {
            let bytes = &bytes[..bytes.iter().rposition(|byte| *byte == b'\n')?];
            let said = String::from_utf8_lossy(bytes);
            said.lines()
                .find(|line| texts.iter().any(|text| line.contains(text)))
                .map(str::to_owned)
        });
        found.unwrap_or_else(|| self.fail(&format!("it did not say {texts:?}")))
    }

    /// Waits for the next line of standard error that contains `text`, after the line of the last
    /// call.
    ///
    /// # Errors
    /// When no such line comes in time.
    pub fn hears(&mut self, text: &str) -> anyhow::Result<String> {
        let mut heard = self.heard;
        let found = self.stderr.wait(Instant::now() + DEADLINE, |bytes, _| {
            while let Some(length) = bytes[heard..].iter().position(|byte| *byte == b'\n') {
                let line = String::from_utf8_lossy(&bytes[heard..heard + length]).into_owned();
                heard += length + 1;
                if line.contains(text) {
                    return Some(line);
                }
            }
            None
        });
        self.heard = heard;
        found.with_context(|| format!("`{text}` was not said, but: {}", self.stderr()))
    }

    /// The first URL for volunteers on this machine's loopback address.
    #[track_caller]
    pub fn url(&self) -> String {
        self.url_at("http://127.0.0.1:")
    }

    /// The URL of the room at the relay: the first URL for volunteers.
    #[track_caller]
    pub fn room(&self) -> String {
        self.url_at("http")
    }

    /// The first URL for volunteers that begins with `start`.
    #[track_caller]
    pub fn url_at(&self, start: &str) -> String {
        let line = self.says(&format!("Serving volunteer code at {start}"));
        line[line.find(start).expect("it was found")..].trim().to_owned()
    }

    /// The next line of standard output without its newline; `None` at the end of the output.
    #[track_caller]
    pub fn line(&mut self) -> Option<String> {
        let given = self.given;
        let next = self.stdout.wait(Instant::now() + DEADLINE, |bytes, ended| {
            let rest = &bytes[given..];
            match rest.iter().position(|byte| *byte == b'\n') {
                Some(end) => Some(Some(rest[..end].to_vec())),
                None if ended => Some(None),
                None => None,
            }
        });
        let line = next.unwrap_or_else(|| self.fail("no line came"))?;
        self.given += line.len() + 1;
        Some(String::from_utf8(line).expect("UTF-8"))
    }

    /// Standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// The standard output that is [unread](Output::Unread). Dropping the pipe closes it.
    pub fn take_stdout(&mut self) -> ChildStdout {
        self.unread_stdout.take().expect("started with an unread standard output")
    }

    /// Writes one line to standard input.
    pub fn write_line(&mut self, line: &str) {
        self.write(format!("{line}\n"));
    }

    /// Writes bytes to standard input.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stdin
            .as_mut()
            .expect("started with an open standard input")
            .write_all(bytes.as_ref())
            .expect("the program reads its input");
    }

    /// The standard input, for callers that write from another thread.
    pub fn take_stdin(&mut self) -> ChildStdin {
        self.stdin.take().expect("started with an open standard input")
    }

    /// Closes standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal to the process: `INT`, `TERM`, `KILL` …
    pub fn signal(&self, signal: &str) {
        processes::kill(signal, self.pid.into());
    }

    /// Kills the process, and waits for its end.
    pub fn kill(&mut self) {
        if let Ok(mut child) = self.child.lock() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// The peak memory of the process, in bytes.
    pub fn peak_memory(&self) -> u64 {
        processes::peak_memory(self.pid).expect("the process runs")
    }

    /// Closes standard input, and waits for the end of the process.
    #[track_caller]
    pub fn wait(mut self) -> Finished {
        self.close_stdin();
        self.wait_with_input_open()
    }

    /// Closes standard input, and waits until the process ends with success. Returns the outputs;
    /// of standard output only what [`RunningProgram::line`] has not returned.
    ///
    /// # Errors
    /// When the process fails.
    pub fn succeed(self) -> anyhow::Result<Finished> {
        let given = self.given;
        let mut done = self.wait();
        if done.status != Some(0) {
            bail!("the program ended with status {:?}: {}", done.status, done.stderr);
        }
        done.stdout.drain(..given.min(done.stdout.len()));
        Ok(done)
    }

    /// Waits for the end of the process, then calls `look` before the folder is removed.
    #[track_caller]
    pub fn wait_and<T>(mut self, look: impl FnOnce() -> T) -> (Finished, T) {
        let kept = self.folder.take();
        let done = self.wait();
        let seen = look();
        drop(kept);
        (done, seen)
    }

    /// Waits for the end of the process, which must come although standard input stays open.
    #[track_caller]
    pub fn wait_with_input_open(mut self) -> Finished {
        if let Some(stdout) = self.unread_stdout.take() {
            self.stdout = Gathered::from(stdout);
        }
        let status = loop {
            if let Some(status) = self.child.lock().unwrap().try_wait().expect("it is our child") {
                break status;
            }
            thread::sleep(Duration::from_millis(5));
        };
        // A process that the program left behind could keep these outputs open.
        let end = Instant::now() + Duration::from_secs(10);
        for output in [&self.stdout, &self.stderr] {
            output.wait(end, |_, ended| ended.then_some(()));
        }
        Finished { status: status.code(), stdout: self.stdout.bytes(), stderr: self.stderr() }
    }

    #[track_caller]
    fn fail(&self, why: &str) -> ! {
        let status = self.child.lock().unwrap().try_wait();
        panic!(
            "{why}\n--- status: {status:?}\n--- standard output:\n{}\n--- standard error:\n{}",
            excerpt(&self.stdout.text()),
            self.stderr()
        );
    }
}

impl Drop for RunningProgram {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Kills `child` after `longest`, unless the sender is dropped before.
fn watchdog(child: Arc<Mutex<Child>>, longest: Duration) -> mpsc::Sender<()> {
    let (alive, ended) = mpsc::channel::<()>();
    thread::spawn(move || {
        if ended.recv_timeout(longest) == Err(RecvTimeoutError::Timeout) {
            eprintln!("a program ran for longer than {longest:?} and was killed");
            let _ = child.lock().unwrap().kill();
        }
    });
    alive
}
