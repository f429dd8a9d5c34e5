//! Programs that run in parallel to a test.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

/// Longer than any wait in these tests, even on a slow machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// A running program, killed when dropped.
pub(crate) struct Running {
    child: Child,
    stdout: Option<ChildStdout>,
    said: Receiver<String>,
    log: String,
}

impl Running {
    /// Starts `command` and sends `input` to it.
    pub(crate) fn start(command: &mut Command, input: impl Into<Vec<u8>>) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (input, mut stdin) = (input.into(), child.stdin.take().expect("piped"));
        // The program may end before it has read everything.
        thread::spawn(move || drop(stdin.write_all(&input)));
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let (voice, said) = channel();
        thread::spawn(move || {
            stderr.lines().map_while(Result::ok).for_each(|line| drop(voice.send(line)))
        });
        Self { stdout: child.stdout.take(), child, said, log: String::new() }
    }

    /// Waits for the next line of standard error that contains `text`. Returns the line from
    /// `text` on.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let until = Instant::now() + DEADLINE;
        loop {
            let Ok(line) = self.said.recv_timeout(until.saturating_duration_since(Instant::now()))
            else {
                panic!("`{text}` was not said, but: {}", self.log);
            };
            self.log += &(line.clone() + "\n");
            if let Some(at) = line.find(text) {
                return line[at..].to_owned();
            }
        }
    }

    /// The next line of standard output.
    pub(crate) fn line(&mut self) -> String {
        let (mut line, mut byte) = (Vec::new(), [0]);
        let stdout = self.stdout.as_mut().expect("not finished");
        while stdout.read_exact(&mut byte).is_ok() && byte != *b"\n" {
            line.push(byte[0]);
        }
        String::from_utf8(line).expect("text")
    }

    /// Waits for the end of the program, which must succeed. Returns the lines of standard output,
    /// and all of standard error.
    #[track_caller]
    pub(crate) fn finish(mut self) -> (Vec<String>, String) {
        let mut output = String::new();
        self.stdout.take().expect("not finished").read_to_string(&mut output).expect("text");
        let status = self.child.wait().expect("it ends");
        while let Ok(line) = self.said.recv_timeout(DEADLINE) {
            self.log += &(line + "\n");
        }
        assert!(status.success(), "{status}\n{}", self.log);
        (output.lines().map(str::to_owned).collect(), std::mem::take(&mut self.log))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `done` returns true.
#[track_caller]
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !done() {
        assert!(Instant::now() < end, "{what}: it did not come to that");
        thread::sleep(Duration::from_millis(10));
    }
}
