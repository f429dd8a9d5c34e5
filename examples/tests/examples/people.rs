//! Runs of pando with people as volunteers: the test reads the pages, clicks and types.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use pando_bench::browser::chromium;
use pando_bench::devtools::Tab;

use crate::devices::pando;

const PATIENCE: Duration = Duration::from_secs(60);

/// A running pando, killed when dropped.
pub(crate) struct Run {
    child: Child,
    output: BufReader<ChildStdout>,
    said: Receiver<String>,
    url: String,
}

impl Run {
    /// Starts pando for functions that run in pages, with `input` on standard input.
    pub(crate) fn start(arguments: &[&str], input: Vec<u8>) -> Self {
        let mut command = pando();
        command.args(arguments).args(["--stdin", "--dom", "--batch-size", "1", "--port", "0"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("pando starts");
        let mut stdin = child.stdin.take().expect("piped");
        thread::spawn(move || stdin.write_all(&input));
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let (sender, said) = channel();
        // The thread reads to the end, even if nobody waits for lines any more.
        thread::spawn(move || {
            stderr.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)))
        });
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut run = Self { child, output, said, url: String::new() };
        let line = run.says(|line| line.contains("http://127.0.0.1:"));
        run.url = line[line.find("http").expect("it was found")..].to_owned();
        run
    }

    /// Waits for the first line for which `is_meant` is true, and returns the line.
    pub(crate) fn says(&self, is_meant: impl Fn(&str) -> bool) -> String {
        let mut heard = Vec::new();
        loop {
            match self.said.recv_timeout(PATIENCE) {
                Ok(line) if is_meant(&line) => return line,
                Ok(line) => heard.push(line),
                Err(_) => panic!("it was not said, but:\n{}", heard.join("\n")),
            }
        }
    }

    /// Opens the page on a device with this name.
    pub(crate) fn join(&self, name: &str) -> Tab {
        let tab =
            Tab::open(&chromium().expect("a browser"), &format!("{}#device={name};", self.url))
                .expect("a tab");
        self.says(|line| line.starts_with(&format!("{name} joined")));
        tab
    }

    /// Waits for the next line of output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("text");
        line
    }

    /// Waits until the run succeeds. Returns the rest of its output.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let mut output = Vec::new();
        while self.output.read_until(b'\n', &mut output).expect("a pipe") > 0 {}
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "{status}: {}", self.said.iter().collect::<Vec<_>>().join("\n"));
        output
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
