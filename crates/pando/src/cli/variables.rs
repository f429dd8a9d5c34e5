//! The command line wins over variables of the environment: a variable whose option conflicts with
//! an option of the command line is ignored.

use super::Cli;
use clap::{ArgMatches, CommandFactory, parser::ValueSource};
use std::ffi::OsString;

/// A variable of the environment that conflicts with the command line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Conflict {
    pub(super) variable: OsString,
    /// The word of the command line.
    with: String,
}

impl Conflict {
    /// The conflict of which the refusal `why` of options speaks. `None` if the words of the
    /// command line alone conflict, or the variables alone.
    pub(super) fn of(matches: &ArgMatches, why: &str) -> Option<Self> {
        let named = |word: &str| {
            let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
            why.split(|letter| !is_part(letter)).any(|other| other == word)
        };
        let command = Cli::command();
        let of_source = |source: ValueSource| {
            let given = command.get_arguments().filter(move |option| {
                matches.value_source(option.get_id().as_str()) == Some(source)
            });
            given.filter_map(|option| {
                let word = match option.get_long() {
                    Some(long) => format!("--{long}"),
                    None => option.get_id().as_str().to_uppercase(),
                };
                Some((option.get_env().map(OsString::from), word)).filter(|(_, word)| named(word))
            })
        };
        let (_, with) = of_source(ValueSource::CommandLine).next()?;
        let (variable, _) = of_source(ValueSource::EnvVariable).next()?;
        Some(Self { variable: variable?, with })
    }

    /// The conflict in words for people.
    pub(super) fn in_words(&self) -> String {
        format!(
            "{} in the environment is ignored, because it conflicts with {} of the command line",
            self.variable.display(),
            self.with
        )
    }
}
