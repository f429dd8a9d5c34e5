//! Generates input while it is read, and compares output while it arrives. Memory never holds a
//! whole input or output.

use anyhow::{Context, bail};
use std::{
    io::{ErrorKind, Read},
    time::{Duration, Instant},
};

/// The number of bytes in one comparison.
const BLOCK: usize = 256 * 1024;
/// The time that one entry of [`Came::lines`] covers.
const MOMENT: Duration = Duration::from_millis(1);
/// The length of the pattern. A long line is a slice of the repeated pattern, from an offset that
/// depends on the line.
const PATTERN: usize = 64 * 1024 - 15;

/// A reader that generates lines.
#[derive(Debug, Clone)]
pub struct GeneratedLines {
    shape: Shape,
    left: u64,
    /// The current number with its newline, for [`Shape::Numbers`].
    line: Vec<u8>,
    at: usize,
    number: u64,
}

#[derive(Debug, Clone)]
enum Shape {
    /// The numbers from 1, as `seq` prints them.
    Numbers,
    /// Letters and digits: the length with the newline, and the pattern.
    Long(usize, Vec<u8>),
}

impl GeneratedLines {
    /// The output of `seq COUNT`.
    pub fn numbers(count: u64) -> Self {
        Self { shape: Shape::Numbers, left: count, line: vec![b'0', b'\n'], at: 2, number: 0 }
    }

    /// `count` different lines of `length` bytes each, including the newline.
    pub fn long(count: u64, length: usize) -> Self {
        let mut chance = fastrand::Rng::with_seed(7);
        let pattern = (0..PATTERN).map(|_| chance.alphanumeric() as u8).collect();
        Self {
            shape: Shape::Long(length, pattern),
            left: count,
            line: Vec::new(),
            at: length,
            number: 0,
        }
    }

    /// Fills `out` until the lines end, and returns the number of bytes written.
    pub fn fill(&mut self, out: &mut [u8]) -> usize {
        let mut filled = 0;
        while filled < out.len() {
            if self.is_between() {
                if self.left == 0 {
                    break;
                }
                self.next_line();
            }
            let piece = self.piece();
            let length = piece.len().min(out.len() - filled);
            out[filled..filled + length].copy_from_slice(&piece[..length]);
            filled += length;
            self.at += length;
        }
        filled
    }

    fn is_between(&self) -> bool {
        match &self.shape {
            Shape::Numbers => self.at == self.line.len(),
            Shape::Long(length, _) => self.at == *length,
        }
    }

    fn next_line(&mut self) {
        (self.left, self.number, self.at) = (self.left - 1, self.number + 1, 0);
        if let Shape::Numbers = self.shape {
            count_up(&mut self.line);
        }
    }

    fn piece(&self) -> &[u8] {
        match &self.shape {
            Shape::Numbers => &self.line[self.at..],
            Shape::Long(length, _) if self.at + 1 == *length => b"\n",
            Shape::Long(length, pattern) => {
                let from = (self.at + self.number as usize * 31) % PATTERN;
                &pattern[from..(from + length - 1 - self.at).min(PATTERN)]
            }
        }
    }
}

impl Read for GeneratedLines {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        Ok(self.fill(out))
    }
}

/// Adds 1 to a decimal number that ends with a newline.
fn count_up(line: &mut Vec<u8>) {
    for digit in line.iter_mut().rev().skip(1) {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    line.insert(0, b'1');
}

/// When a verified output arrived.
#[derive(Debug, Clone)]
pub struct Came {
    /// The time of the first bytes.
    pub first: Instant,
    /// The time of the last bytes.
    pub last: Instant,
    /// The number of lines that had arrived at some times: about one entry per millisecond.
    pub lines: Vec<(Instant, u64)>,
}

/// Reads `output` to its end and compares it with `expected`.
///
/// # Errors
/// When bytes are missing, misplaced or superfluous.
pub fn verify(mut output: impl Read, mut expected: GeneratedLines) -> anyhow::Result<Came> {
    let (mut came, mut should) = (vec![0; BLOCK], vec![0; BLOCK]);
    let (mut first, mut last, mut place) = (None, Instant::now(), 0u64);
    let (mut lines, mut count) = (Vec::<(Instant, u64)>::new(), 0);
    loop {
        let length = match output.read(&mut came) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        };
        if length == 0 {
            break;
        }
        last = Instant::now();
        first.get_or_insert(last);
        if expected.fill(&mut should[..length]) != length || should[..length] != came[..length] {
            let at = should.iter().zip(&came).position(|(a, b)| a != b).unwrap_or(length);
            let line = String::from_utf8_lossy(
                &came[..length][at.saturating_sub(20)..(at + 20).min(length)],
            )
            .into_owned();
            bail!("the output is not what it should be at byte {}: {line:?}", place + at as u64);
        }
        place += length as u64;
        count += memchr::memchr_iter(b'\n', &came[..length]).count() as u64;
        match lines.last_mut() {
            Some(entry) if last - entry.0 < MOMENT => entry.1 = count,
            _ => lines.push((last, count)),
        }
    }
    if expected.fill(&mut should) > 0 {
        bail!("the output ends early, after {place} bytes");
    }
    Ok(Came { first: first.context("there is no output")?, last, lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(mut lines: GeneratedLines) -> String {
        let mut text = String::new();
        lines.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn numbers_are_those_of_seq() {
        assert_eq!(text(GeneratedLines::numbers(0)), "");
        let all: String = (1..=1234).map(|n| format!("{n}\n")).collect();
        assert_eq!(text(GeneratedLines::numbers(1234)), all);
    }

    #[test]
    fn long_lines_have_their_length_and_differ() {
        let all = text(GeneratedLines::long(3, 100_000));
        let lines: Vec<&str> = all.split_terminator('\n').collect();
        assert_eq!(lines.iter().map(|line| line.len()).collect::<Vec<_>>(), [99_999; 3]);
        assert_ne!(lines[0], lines[1]);
    }

    #[test]
    fn what_differs_is_noticed() {
        let verify = |text: &str| verify(text.as_bytes(), GeneratedLines::numbers(3)).is_ok();
        assert!(verify("1\n2\n3\n"));
        for wrong in ["", "1\n2\n", "1\n3\n2\n", "1\n2\n3\n3\n", "1\n2\n3"] {
            assert!(!verify(wrong), "{wrong:?}");
        }
    }
}
