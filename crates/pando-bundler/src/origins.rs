//! The origins of the parts of the script: rolldown's source map, adapted to later changes of the
//! script.

use std::{
    ops::Range,
    path::{Component, Path, PathBuf},
};

use rolldown_common::OutputChunk;

use crate::{inline::inline_name, location::shown, plugin::BUILTIN, source};

/// The output folder that rolldown assumes, relative to the entry's folder; names of sources are
/// relative to the output folder.
const OUT: &str = "dist";

/// The source map of the script; see the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origins {
    sources: Vec<ModuleName>,
    /// The marks, ordered by their places in the script.
    marks: Vec<Mark>,
}

/// A module, in terms that people know.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ModuleName {
    File(String),
    /// A source of the command line or a pipe. Its first line is the bundler's.
    Inline(String),
    Builtin(String),
    /// Code of the bundler, which people do not know.
    Glue,
}

/// Says that the script, from `place` up to the next mark, comes from `origin` in a source.
#[derive(Debug, Clone, Copy)]
struct Mark {
    place: Position,
    source: u32,
    origin: Position,
}

/// A position counted from 0, with columns in UTF-16 units, as in engines and source maps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Origins {
    /// The origins of rolldown's `chunk`, whose entry is in `folder`.
    pub(crate) fn of(chunk: &OutputChunk, folder: &Path) -> Self {
        let Some(map) = &chunk.map else { return Self::default() };
        let marks = map.get_tokens().filter_map(|token| {
            Some(Mark {
                place: Position { line: token.get_dst_line(), column: token.get_dst_col() },
                source: token.get_source_id()?,
                origin: Position { line: token.get_src_line(), column: token.get_src_col() },
            })
        });
        let sources = map.get_sources().map(|name| ModuleName::named(name, folder));
        Self { sources: sources.collect(), marks: marks.collect() }
    }

    /// The origins of `script`, which was made of pieces of this script, `from`.
    pub(crate) fn rearranged(&self, from: &str, script: &Rearranged) -> Self {
        let mut from = LineCounter::at_start(from);
        let marks: Vec<(usize, Mark)> =
            self.marks.iter().map(|mark| (from.offset_of(mark.place), *mark)).collect();
        let mut to = LineCounter::at_start(&script.code);
        let mut rearranged = Vec::with_capacity(marks.len());
        for (at, piece) in &script.pieces {
            let first =
                marks.partition_point(|(offset, _)| *offset <= piece.start).saturating_sub(1);
            for (offset, mark) in
                marks[first..].iter().take_while(|(offset, _)| *offset < piece.end)
            {
                let place = to.position_of(at + offset.saturating_sub(piece.start));
                rearranged.push(Mark { place, ..*mark });
            }
        }
        Self { sources: self.sources.clone(), marks: rearranged }
    }

    /// The name for people of a place in the script; `None` if the place is in the bundler's own
    /// code.
    pub(crate) fn at(&self, place: Position) -> Option<String> {
        let mark = self.marks[..self.marks.partition_point(|mark| mark.place <= place)].last()?;
        if mark.place.line != place.line {
            return None;
        }
        match self.sources.get(mark.source as usize)? {
            ModuleName::File(name) => {
                Some(format!("{name}:{}:{}", mark.origin.line + 1, mark.origin.column + 1))
            }
            ModuleName::Inline(_) if mark.origin.line == 0 => None,
            ModuleName::Inline(name) => {
                Some(format!("{name}:{}:{}", mark.origin.line, mark.origin.column + 1))
            }
            ModuleName::Builtin(name) => Some(format!("node:{name}")),
            ModuleName::Glue => None,
        }
    }
}

impl ModuleName {
    fn named(name: &str, folder: &Path) -> Self {
        if let Some((_, builtin)) = name.rsplit_once(BUILTIN) {
            return Self::Builtin(builtin.trim_end_matches(".js").to_owned());
        }
        if name.contains(source::OURS) || name.contains('\0') {
            return Self::Glue;
        }
        let path = straightened(&folder.join(OUT).join(source::file_of(name)));
        match inline_name(&path) {
            Some(name) => Self::Inline(name),
            None => Self::File(shown(&path)),
        }
    }
}

/// The path without `..`, as far as this is possible without the file system.
fn straightened(path: &Path) -> PathBuf {
    let mut straight = PathBuf::new();
    for component in path.components() {
        if component == Component::ParentDir {
            straight.pop();
        } else {
            straight.push(component);
        }
    }
    straight
}

/// A script made of pieces of another script, with new text between them.
#[derive(Debug, Default)]
pub(crate) struct Rearranged {
    pub(crate) code: String,
    /// The start of each piece in `code`, and its range in the other script.
    pieces: Vec<(usize, Range<usize>)>,
}

impl Rearranged {
    /// Appends a piece of the script `from`.
    pub(crate) fn copy(&mut self, from: &str, piece: Range<usize>) {
        self.pieces.push((self.code.len(), piece.clone()));
        self.code.push_str(&from[piece]);
    }

    /// Appends new text.
    pub(crate) fn add(&mut self, text: &str) {
        self.code.push_str(text);
    }

    /// Removes everything after the first `length` bytes.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.code.truncate(length);
        self.pieces.retain(|(at, _)| *at < length);
    }
}

/// Walks forward over a text, counting bytes and lines.
struct LineCounter<'a> {
    text: &'a str,
    offset: usize,
    position: Position,
}

impl<'a> LineCounter<'a> {
    fn at_start(text: &'a str) -> Self {
        Self { text, offset: 0, position: Position::default() }
    }

    /// The byte offset of a position that is not before the last position.
    fn offset_of(&mut self, position: Position) -> usize {
        while self.position < position && self.step() {}
        self.offset
    }

    /// The position of a byte that is not before the last byte.
    fn position_of(&mut self, offset: usize) -> Position {
        while self.offset < offset && self.step() {}
        self.position
    }

    fn step(&mut self) -> bool {
        let mut rest = self.text[self.offset..].chars();
        let Some(next) = rest.next() else { return false };
        self.offset += next.len_utf8();
        let ends_line = matches!(next, '\n' | '\u{2028}' | '\u{2029}')
            || next == '\r' && rest.next() != Some('\n');
        self.position = match self.position {
            Position { line, .. } if ends_line => Position { line: line + 1, column: 0 },
            Position { line, column } => {
                Position { line, column: column + next.len_utf16() as u32 }
            }
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(line: u32, column: u32, origin: u32) -> Mark {
        Mark {
            place: Position { line, column },
            source: 0,
            origin: Position { line: origin, column: 0 },
        }
    }

    #[test]
    fn places_move_with_their_pieces() {
        let text = "one é\u{1f600} two\nthree";
        let origins = Origins {
            sources: vec![ModuleName::File("f.js".into())],
            marks: vec![mark(0, 0, 10), mark(0, 8, 20), mark(1, 0, 30)],
        };
        let mut script = Rearranged::default();
        script.add("new\n");
        script.copy(text, text.find("three").unwrap()..text.len());
        script.add(" ");
        script.copy(text, text.find("wo").unwrap()..text.find('\n').unwrap());
        script.copy(text, 0..3);
        let moved = origins.rearranged(text, &script);
        let at = |line, column| moved.at(Position { line, column });
        assert_eq!(script.code, "new\nthree woone");
        assert_eq!(at(0, 1), None);
        assert_eq!(at(1, 4).unwrap(), "f.js:31:1");
        assert_eq!(
            at(1, 6).unwrap(),
            "f.js:21:1",
            "a piece that starts within what a mark stands for"
        );
        assert_eq!(at(1, 8).unwrap(), "f.js:11:1");
    }

    #[test]
    fn sources_are_named_as_people_know_them() {
        let folder = Path::new("/none/project");
        assert_eq!(
            ModuleName::named("../f.ts", folder),
            ModuleName::File("/none/project/f.ts".into())
        );
        assert_eq!(
            ModuleName::named("../../a.js?sloppy.cjs", folder),
            ModuleName::File("/none/a.js".into())
        );
        assert_eq!(
            ModuleName::named("../pando:node/zlib.js", folder),
            ModuleName::Builtin("zlib".into())
        );
        assert_eq!(ModuleName::named("../pando:starter", folder), ModuleName::Glue);
    }
}
