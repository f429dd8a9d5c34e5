//! Runs a program and returns its outputs and status.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// The outputs and the status of a program.
pub(crate) struct Output {
    pub(crate) status: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Output {
    /// The standard output of a program that succeeded.
    pub(crate) fn success(self) -> Vec<u8> {
        assert_eq!(self.status, 0, "{}", self.stderr);
        self.stdout
    }

    /// The lines of standard output of a program that succeeded.
    pub(crate) fn lines(self) -> Vec<String> {
        let text = String::from_utf8(self.success()).expect("text");
        text.lines().map(str::to_owned).collect()
    }
}

/// Runs one of the crate's programs, whose path is `env!("CARGO_BIN_EXE_…")`.
pub(crate) fn run(program: &str, arguments: &[&str], input: &[u8]) -> Output {
    feed(Command::new(program).args(arguments), input)
}

/// Applies a Pando function to each line of the input with node. `function` is a path in the
/// examples' folder.
pub(crate) fn apply(function: &str, input: &str) -> Output {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut node = Command::new("node");
    node.arg("--no-deprecation").arg("tests/run-function.js").arg(function).current_dir(folder);
    feed(&mut node, input.as_bytes())
}

/// Runs a program and closes its standard output early, like `head`.
pub(crate) fn leave_early(program: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("piped");
    // The program may end before it has read everything.
    let _ = stdin.write_all(input);
    drop(stdin);
    finished(child.wait_with_output().expect("the program ends"))
}

fn feed(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("piped");
    thread::scope(|scope| {
        scope.spawn(move || match stdin.write_all(input) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => panic!("{error}"),
            _ => {}
        });
        finished(child.wait_with_output().expect("the program ends"))
    })
}

fn finished(output: std::process::Output) -> Output {
    Output {
        status: output.status.code().expect("not ended by a signal"),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
