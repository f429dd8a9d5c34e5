//! The text of a command of `--exec`: `{}` stands for the value, and `\{}` for the braces
//! themselves.
//!
//! A value is never a part of the shell's program: each `{}` becomes a reference to a variable of
//! the shell, with the quotes that its place needs. So the scanner knows the quotes, substitutions
//! and comments of the POSIX shell. It refuses a `{}` in a place where no reference has the same
//! meaning in all shells.

use std::fmt;

/// The shell's variable with the value.
pub(super) const VARIABLE: &str = "pando_value";

/// A command of `--exec`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecCommand {
    /// The command reads values as lines, and answers each with a line.
    Lines(String),
    /// The command runs once per value.
    PerValue(ValueScript),
}

/// A script of the shell in which the variable [`VARIABLE`] stands in place of each `{}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueScript {
    pub(super) text: String,
    /// Whether the shell computes with the value, which must then be a whole number.
    pub(super) is_number: bool,
}

/// Why a command with `{}` cannot be run, in words for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadCommand(&'static str);

/// What encloses a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Enclosure {
    /// A list of commands: the whole command, or what `$(` or a backquote begins.
    Commands {
        /// The character that ends the list; NUL for the whole command.
        end: u8,
        /// Parentheses that are open.
        open: u32,
        /// `case` commands that are open, in which a `)` ends a pattern.
        cases: u32,
    },
    Single,
    Double,
    /// `$((…))`, with this number of further parentheses open.
    Arithmetic(u32),
    /// `${…}`; `quoted`: within double quotes.
    Braces {
        quoted: bool,
    },
}

impl ExecCommand {
    /// Reads a command.
    ///
    /// # Errors
    /// When a `{}` stands where it cannot be replaced.
    pub fn parse(text: &str) -> Result<Self, BadCommand> {
        if !text.contains("{}") {
            return Ok(Self::Lines(text.into()));
        }
        let mut scanner = ShellScanner::new(text);
        scanner.scan()?;
        let ShellScanner { out, references, is_number, .. } = scanner;
        if references == 0 {
            return Ok(Self::Lines(out));
        }
        if cfg!(windows) {
            return Err(BadCommand(
                "{} needs the shell of a Unix system: leave it out, and read the values as lines",
            ));
        }
        Ok(Self::PerValue(ValueScript { text: out, is_number }))
    }

    /// Whether the command runs once per value.
    pub fn is_per_value(&self) -> bool {
        matches!(self, Self::PerValue(_))
    }
}

impl fmt::Display for ValueScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

struct ShellScanner<'a> {
    text: &'a str,
    at: usize,
    out: String,
    places: Vec<Enclosure>,
    /// The number of `{}` that were replaced.
    references: usize,
    is_number: bool,
    has_here_document: bool,
}

impl<'a> ShellScanner<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            out: String::new(),
            places: vec![Enclosure::Commands { end: 0, open: 0, cases: 0 }],
            references: 0,
            is_number: false,
            has_here_document: false,
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Copies the next `length` bytes.
    fn copy(&mut self, length: usize) {
        self.out.push_str(&self.rest()[..length]);
        self.at += length;
    }

    /// Copies the next character.
    fn copy_one(&mut self) {
        self.copy(self.rest().chars().next().map_or(0, char::len_utf8));
    }

    /// Copies the next `length` bytes, which begin `place`.
    fn enter(&mut self, length: usize, place: Enclosure) {
        self.copy(length);
        self.places.push(place);
    }

    /// Copies the next `length` bytes, which end the present place.
    fn leave(&mut self, length: usize) {
        self.copy(length);
        self.places.pop();
    }

    fn scan(&mut self) -> Result<(), BadCommand> {
        while let (Some(place), false) = (self.places.last().copied(), self.rest().is_empty()) {
            if self.rest().starts_with("{}") {
                self.refer(place)?;
            } else if self.rest().starts_with("\\{}") {
                self.put_braces(place);
            } else {
                match place {
                    Enclosure::Single if self.rest().starts_with('\'') => self.leave(1),
                    Enclosure::Single => self.copy_one(),
                    Enclosure::Double if self.rest().starts_with('"') => self.leave(1),
                    Enclosure::Double => self.pass(),
                    Enclosure::Arithmetic(open) => self.arithmetic(open),
                    Enclosure::Braces { quoted } => self.braces(quoted),
                    Enclosure::Commands { end, open, cases } => self.commands(end, open, cases),
                }
            }
        }
        if self.places.len() != 1 {
            return Err(BadCommand(
                "its quotes or parentheses have no end, so Pando cannot tell what {} means there",
            ));
        }
        Ok(())
    }

    /// Replaces `{}` by a reference to the value.
    fn refer(&mut self, place: Enclosure) -> Result<(), BadCommand> {
        if self.has_here_document {
            return Err(BadCommand(
                "{} cannot stand in or after a here-document (<<): pass the value by printf '%s\\n' {} | COMMAND",
            ));
        }
        let is_backquoted =
            |place: &Enclosure| matches!(place, Enclosure::Commands { end: b'`', .. });
        if self.places.iter().any(is_backquoted) {
            return Err(BadCommand("{} cannot stand between backquotes: write $(COMMAND {})"));
        }
        let bare = format!("${{{VARIABLE}}}");
        let reference = match place {
            Enclosure::Commands { .. } => format!("\"{bare}\""),
            Enclosure::Single => format!("'\"{bare}\"'"),
            Enclosure::Double => bare,
            Enclosure::Arithmetic(_) => {
                self.is_number = true;
                format!("({bare})")
            }
            Enclosure::Braces { .. } => {
                return Err(BadCommand(
                    "{} cannot stand within ${…}: give the value to a variable first, as in x={}; echo \"${x%.txt}\"",
                ));
            }
        };
        self.out.push_str(&reference);
        self.references += 1;
        self.at += 2;
        Ok(())
    }

    /// Puts the braces of `\{}`, without the backslash unless the shell itself removes it.
    fn put_braces(&mut self, place: Enclosure) {
        match place {
            Enclosure::Commands { .. } => self.copy(3),
            _ => {
                self.at += 1;
                self.copy(2);
            }
        }
    }

    /// Passes what means the same within double quotes and outside: a backslash with its
    /// character, the start of a substitution, or any other character.
    fn pass(&mut self) {
        let rest = self.rest();
        let is_quoted = self.places.last() == Some(&Enclosure::Double);
        let commands = |end| Enclosure::Commands { end, open: 0, cases: 0 };
        if rest.starts_with('\\') {
            self.copy(1);
            self.copy_one();
        } else if rest.starts_with("$((") {
            self.enter(3, Enclosure::Arithmetic(0));
        } else if rest.starts_with("$(") {
            self.enter(2, commands(b')'));
        } else if rest.starts_with("${") {
            self.enter(2, Enclosure::Braces { quoted: is_quoted });
        } else if rest.starts_with('`') {
            let open = commands(b'`');
            // The inner end of a substitution comes before the start of another one.
            match self
                .places
                .iter()
                .any(|place| matches!(place, Enclosure::Commands { end: b'`', .. }))
            {
                true => self.leave(1),
                false => self.enter(1, open),
            }
        } else {
            self.copy_one();
        }
    }

    fn arithmetic(&mut self, open: u32) {
        let inner = |scanner: &mut Self, open| {
            scanner.copy(1);
            scanner.replace(Enclosure::Arithmetic(open));
        };
        match self.rest().as_bytes()[0] {
            b'(' => inner(self, open + 1),
            b')' if open > 0 => inner(self, open - 1),
            b')' if self.rest().starts_with("))") => self.leave(2),
            _ => self.pass(),
        }
    }

    fn braces(&mut self, quoted: bool) {
        match self.rest().as_bytes()[0] {
            b'}' => self.leave(1),
            b'"' => self.enter(1, Enclosure::Double),
            b'\'' if !quoted => self.enter(1, Enclosure::Single),
            _ => self.pass(),
        }
    }

    fn commands(&mut self, end: u8, open: u32, cases: u32) {
        let rest = self.rest();
        let place = |open, cases| Enclosure::Commands { end, open, cases };
        if self.is_word_start() {
            if rest.starts_with('#') {
                return self.copy(rest.find('\n').unwrap_or(rest.len()));
            }
            if is_word(rest, "case") {
                self.copy("case".len());
                return self.replace(place(open, cases + 1));
            }
            if is_word(rest, "esac") {
                self.copy("esac".len());
                return self.replace(place(open, cases.saturating_sub(1)));
            }
        }
        let inner = |scanner: &mut Self, open| {
            scanner.copy(1);
            scanner.replace(place(open, cases));
        };
        match rest.as_bytes()[0] {
            b'\'' => self.enter(1, Enclosure::Single),
            b'"' => self.enter(1, Enclosure::Double),
            b'(' => inner(self, open + 1),
            b')' if open > 0 => inner(self, open - 1),
            b')' if cases == 0 && end == b')' => self.leave(1),
            b'<' if rest.starts_with("<<<") => self.copy(3),
            b'<' if rest.starts_with("<<") => {
                self.has_here_document = true;
                self.copy(2);
            }
            _ => self.pass(),
        }
    }

    fn replace(&mut self, place: Enclosure) {
        if let Some(last) = self.places.last_mut() {
            *last = place;
        }
    }

    /// Whether the next character can begin a word of the shell.
    fn is_word_start(&self) -> bool {
        let before = self.text[..self.at].chars().next_back();
        before.is_none_or(|before| before.is_whitespace() || ";&|()`".contains(before))
    }
}

/// Whether `text` begins with this whole word.
fn is_word(text: &str, word: &str) -> bool {
    let after = text.strip_prefix(word).map(|rest| rest.chars().next());
    after
        .is_some_and(|next| next.is_none_or(|next| next.is_whitespace() || ";&|()`".contains(next)))
}

#[cfg(test)]
mod tests;
