//! A running `pando` process.

use super::{
    DEADLINE,
    finished::{Finished, excerpt},
    gathered::Gathered,
    process,
};
use std::{
    fs,
    io::Write,
    path::Path,
    process::{Child, ChildStderr, ChildStdin, ChildStdout},
    sync::{
        Arc, Mutex,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The outputs that nobody reads at first.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    pub(crate) stdout_unread: bool,
    pub(crate) stderr_unread: bool,
}

/// A running process, killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Arc<Mutex<Child>>,
    pid: u32,
    stdin: Option<ChildStdin>,
    stdout: Arc<Gathered>,
    stderr: Arc<Gathered>,
    unread_stdout: Option<ChildStdout>,
    _unread_stderr: Option<ChildStderr>,
    /// The number of bytes of standard output that `line` has returned.
    given: usize,
    folder: TempDir,
    _watchdog: mpsc::Sender<()>,
}

impl Running {
    pub(crate) fn new(
        mut child: Child,
        folder: TempDir,
        input: Option<Vec<u8>>,
        outputs: Outputs,
        longest: Duration,
    ) -> Self {
        let mut stdin = child.stdin.take();
        if let Some(bytes) = input {
            let mut pipe = stdin.take().expect("piped");
            // A process that ends early does not read all of its input.
            thread::spawn(move || drop(pipe.write_all(&bytes)));
        }
        let (stdout, stderr) =
            (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let (stdout, unread_stdout) = if outputs.stdout_unread {
            (Arc::default(), Some(stdout))
        } else {
            (Gathered::from(stdout), None)
        };
        let (stderr, unread_stderr) = if outputs.stderr_unread {
            (Arc::default(), Some(stderr))
        } else {
            (Gathered::from(stderr), None)
        };
        let pid = child.id();
        let child = Arc::new(Mutex::new(child));
        let (watchdog, alive) = mpsc::channel::<()>();
        let watched = child.clone();
        thread::spawn(move || {
            if alive.recv_timeout(longest) == Err(RecvTimeoutError::Timeout) {
                eprintln!("pando ran for longer than {longest:?} and was killed");
                let _ = watched.lock().unwrap().kill();
            }
        });
        Self {
            child,
            pid,
            stdin,
            stdout,
            stderr,
            unread_stdout,
            _unread_stderr: unread_stderr,
            given: 0,
            folder,
            _watchdog: watchdog,
        }
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// The working directory.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The processes of the run's cores.
    pub(crate) fn children(&self) -> Vec<u32> {
        process::children(self.pid)
    }

    /// Waits for a line of standard error that contains `text`, and returns the first such line.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> String {
        self.says_any(&[text])
    }

    /// Waits for a line of standard error that contains one of `texts`, and returns the first such
    /// line.
    #[track_caller]
    pub(crate) fn says_any(&self, texts: &[&str]) -> String {
        let found = self.stderr.wait(Instant::now() + DEADLINE, |bytes, _| {
            let bytes = &bytes[..bytes.iter().rposition(|byte| *byte == b'\n')?];
            let said = String::from_utf8_lossy(bytes);
            said.lines()
                .find(|line| texts.iter().any(|text| line.contains(text)))
                .map(str::to_owned)
        });
        found.unwrap_or_else(|| self.fail(&format!("it did not say {texts:?}")))
    }

    /// The first URL on this machine's loopback address.
    #[track_caller]
    pub(crate) fn url(&self) -> String {
        let line = self.says("Serving volunteer code at http://127.0.0.1:");
        line[line.find("http").expect("it is there")..].trim().to_owned()
    }

    /// The next line of standard output without its newline; `None` at the end of the output.
    #[track_caller]
    pub(crate) fn line(&mut self) -> Option<String> {
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
    pub(crate) fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Standard output of a run with `stdout_unread`. Dropping it closes the pipe.
    pub(crate) fn take_stdout(&mut self) -> ChildStdout {
        // From now on nothing is collected from this output.
        self.stdout.state.lock().unwrap().1 = true;
        self.unread_stdout.take().expect("started with stdout_unread")
    }

    /// Writes one line to standard input.
    pub(crate) fn write_line(&mut self, line: &str) {
        self.write(format!("{line}\n"));
    }

    /// Writes bytes to standard input.
    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stdin
            .as_mut()
            .expect("started with stdin_open")
            .write_all(bytes.as_ref())
            .expect("it reads its input");
    }

    /// The standard input, for tests that write from another thread.
    pub(crate) fn take_stdin(&mut self) -> ChildStdin {
        self.stdin.take().expect("started with stdin_open")
    }

    /// Closes standard input.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal to the process: `INT`, `TERM`, `KILL` …
    pub(crate) fn signal(&self, signal: &str) {
        process::kill(signal, self.pid.into());
    }

    /// The peak memory of the process, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).expect("it runs");
        let line =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells it");
        line.trim().trim_end_matches("kB").trim().parse::<u64>().expect("a number") * 1024
    }

    /// Closes standard input, and waits for the end of the process.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Finished {
        self.close_stdin();
        self.wait_with_input_open()
    }

    /// Waits for the end of the process, then calls `look` before the folder is removed.
    #[track_caller]
    pub(crate) fn wait_and<T>(mut self, look: impl FnOnce() -> T) -> (Finished, T) {
        self.close_stdin();
        let kept = std::mem::replace(
            &mut self.folder,
            tempfile::tempdir().expect("the temporary folder can be written"),
        );
        let done = self.wait_with_input_open();
        let seen = look();
        drop(kept);
        (done, seen)
    }

    /// Waits for the end of the process, which must come although standard input stays open.
    #[track_caller]
    pub(crate) fn wait_with_input_open(mut self) -> Finished {
        if let Some(stdout) = self.unread_stdout.take() {
            self.stdout = Gathered::from(stdout);
        }
        let status = loop {
            if let Some(status) = self.child.lock().unwrap().try_wait().expect("it is our child") {
                break status;
            }
            thread::sleep(Duration::from_millis(5));
        };
        // A process that the run left behind could keep these outputs open.
        let end = Instant::now() + Duration::from_secs(10);
        let ended = |gathered: &Gathered| gathered.wait(end, |_, ended| ended.then_some(()));
        ended(&self.stdout);
        if self._unread_stderr.is_none() {
            ended(&self.stderr);
        }
        let stdout = self.stdout.state.lock().unwrap().0.clone();
        Finished { status: status.code(), stdout, stderr: self.stderr() }
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

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(mut child) = self.child.lock() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
