//! The streams of a program.

use crate::LONGEST_RUN;
use std::{path::PathBuf, process::Stdio, time::Duration};

/// The standard input of a program.
#[derive(Debug, Default)]
pub enum Stdin {
    /// The input has ended.
    #[default]
    Nothing,
    /// The input consists of these bytes.
    Bytes(Vec<u8>),
    /// The input is a file.
    File(PathBuf),
    /// The input stays open for [`RunningProgram::write`](super::RunningProgram::write) and
    /// [`RunningProgram::close_stdin`](super::RunningProgram::close_stdin).
    Open,
}

/// The reader of an output of a program.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// All bytes are read at once and kept.
    #[default]
    Gathered,
    /// Nobody reads the pipe, which stays open.
    Unread,
    /// There is no pipe.
    Ignored,
}

impl Output {
    pub(super) fn stdio(self) -> Stdio {
        if self == Self::Ignored { Stdio::null() } else { Stdio::piped() }
    }
}

/// The three streams of a program, and its time.
#[derive(Debug)]
pub struct Streams {
    /// Standard input.
    pub stdin: Stdin,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
    /// The longest time for the program. Then the program is killed.
    pub longest: Duration,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            stdin: Stdin::default(),
            stdout: Output::default(),
            stderr: Output::default(),
            longest: LONGEST_RUN,
        }
    }
}

impl Streams {
    /// The streams of a program that gets `input`, and may run for as long as the test.
    pub fn with_input(input: impl Into<Vec<u8>>) -> Self {
        Self { stdin: Stdin::Bytes(input.into()), longest: Duration::MAX, ..Self::default() }
    }

    /// The streams of a program without input that may run for as long as the test.
    pub fn without_input() -> Self {
        Self { longest: Duration::MAX, ..Self::default() }
    }
}
