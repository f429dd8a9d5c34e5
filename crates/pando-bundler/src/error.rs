//! Why a module cannot be bundled, as text for its author.

use std::{error, fmt, path::Path};

use crate::location::{Location, shown};

/// Most problems shown. Further problems are only counted, because a single cause often has many.
const SHOWN: usize = 5;

/// Why a module cannot be bundled.
///
/// `Display` gives a text for people. For each problem it shows the file, the line and the column,
/// the message, the surrounding lines of code, and a remedy.
///
/// ```text
/// render.js:3:15: the package 'left-pad' is not installed
///   2 |
/// > 3 | var pad = require('left-pad')
///     |                   ^
///   run: npm install left-pad
/// ```
#[derive(Debug, Clone)]
pub struct Error {
    problems: Vec<Problem>,
}

impl Error {
    /// Short remedies, where there are any: `npm install NAME`.
    pub fn remedies(&self) -> impl Iterator<Item = &str> {
        self.problems.iter().filter_map(|problem| problem.remedy.as_deref())
    }

    pub(crate) fn all(mut problems: Vec<Problem>) -> Self {
        let mut unique: Vec<Problem> = Vec::new();
        for problem in problems.drain(..) {
            if !unique.contains(&problem) {
                unique.push(problem);
            }
        }
        Self { problems: unique }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().take(SHOWN).enumerate() {
            let separator = if index > 0 { "\n" } else { "" };
            write!(f, "{separator}{problem}")?;
        }
        match self.problems.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n… and {more} more"),
        }
    }
}

/// A problem and its location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    message: String,
    location: Option<Location>,
    remedy: Option<String>,
}

impl Problem {
    /// A problem without a file.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), location: None, remedy: None }
    }

    /// A problem with a whole file.
    pub(crate) fn in_file(file: &Path, message: impl fmt::Display) -> Self {
        Self::new(format!("{}: {message}", shown(file)))
    }

    /// A problem at a location in a file.
    pub(crate) fn at(location: Option<Location>, message: impl Into<String>) -> Self {
        Self { message: message.into(), location, remedy: None }
    }

    /// Adds a remedy, which may have several lines.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            write!(f, "{location}: ")?;
        }
        write!(f, "{}", self.message)?;
        if let Some(location) = self.location.as_ref().filter(|location| !location.frame.is_empty())
        {
            write!(f, "\n{}", location.frame.trim_end_matches('\n'))?;
        }
        for line in self.remedy.iter().flat_map(|remedy| remedy.lines()) {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_what_and_what_to_do() {
        let location =
            Location::at_offset(Path::new("/none/a.js"), "var pad = require('left-pad')", 18);
        let problem = Problem::at(Some(location), "the package 'left-pad' is not installed")
            .remedy("run: npm install left-pad");
        let text = "/none/a.js:1:19: the package 'left-pad' is not installed\n\
                    > 1 | var pad = require('left-pad')\n\
                    \u{20}   |                   ^\n\
                    \u{20} run: npm install left-pad";
        assert_eq!(Error::from(problem).to_string(), text);
    }

    #[test]
    fn repeats_are_dropped_and_many_are_counted() {
        let problems = (0..14).map(|n| Problem::new(format!("problem {}", n % 7))).collect();
        let text = Error::all(problems).to_string();
        assert_eq!(text.lines().count(), 6);
        assert!(text.ends_with("\u{2026} and 2 more"));
    }
}
