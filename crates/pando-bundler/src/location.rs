//! A location in a source file, with its display for people.

use std::{env, fmt::Write as _, path::Path};

use crate::inline;

/// The longest line for which a frame is shown; longer lines are minified code.
const LONGEST_LINE: usize = 300;

/// A position in a file, with the lines around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    /// The file name for display: relative to the current folder where possible.
    pub(crate) file: String,
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// The column, counted from 1, in characters.
    pub(crate) column: usize,
    /// The lines around the location, with the line itself marked.
    pub(crate) frame: String,
}

impl Location {
    /// The location of the byte `offset` of `source`.
    pub(crate) fn at_offset(file: &Path, source: &str, offset: usize) -> Self {
        let (source, before) = inline::as_written(file, source);
        let offset = offset.saturating_sub(before);
        let before = floor_char_boundary(source, offset);
        let line = source[..before].matches('\n').count() + 1;
        let start = source[..before].rfind('\n').map_or(0, |at| at + 1);
        let column = source[start..before].chars().count() + 1;
        Self { file: shown(file), line, column, frame: frame(source, line, column) }
    }

    /// The location of a line and of a byte in the line, each counted from 1 (0: the first).
    pub(crate) fn at_line(file: &Path, source: &str, line: usize, column: usize) -> Self {
        let start: usize =
            source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        Self::at_offset(file, source, start + column.saturating_sub(1))
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The path for display: relative if the file is below the current folder.
pub(crate) fn shown(path: &Path) -> String {
    if let Some(name) = inline::inline_name(path) {
        return name;
    }
    let below = env::current_dir()
        .ok()
        .and_then(|current| path.strip_prefix(current).ok().map(Path::to_path_buf));
    below.as_deref().unwrap_or(path).display().to_string()
}

fn floor_char_boundary(source: &str, offset: usize) -> usize {
    let mut at = offset.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Two lines before the location and one line after, as compilers show them.
fn frame(source: &str, line: usize, column: usize) -> String {
    let first = line.saturating_sub(2).max(1);
    let lines: Vec<_> = source.lines().enumerate().skip(first - 1).take(line + 2 - first).collect();
    if lines.iter().any(|(_, text)| text.len() > LONGEST_LINE) {
        return String::new();
    }
    let width = (line + 1).to_string().len();
    let mut frame = String::new();
    for (index, text) in lines {
        let (number, text) = (index + 1, text.replace('\t', " "));
        let mark = if number == line { '>' } else { ' ' };
        let _ = writeln!(frame, "{}", format!("{mark} {number:width$} | {text}").trim_end());
        if number == line {
            let _ = writeln!(frame, "  {:width$} | {:indent$}^", "", "", indent = column - 1);
        }
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_marks_line_and_column() {
        let location =
            Location::at_offset(Path::new("/none/a.js"), "one\ntwo\nthr\u{e9}e x\nfour\nfive", 14);
        assert_eq!((location.line, location.column), (3, 6));
        assert_eq!(
            location.frame,
            "  1 | one\n  2 | two\n> 3 | thr\u{e9}e x\n    |      ^\n  4 | four\n"
        );
    }

    #[test]
    fn an_offset_past_the_end_is_the_end() {
        let location = Location::at_offset(Path::new("/none/a.js"), "ab", 99);
        assert_eq!((location.line, location.column), (1, 3));
    }
}
