//! The command line wins over variables of the environment: a variable whose option conflicts with
//! an option of the command line is ignored.

use super::Cli;
use clap::{Arg, ArgMatches, CommandFactory, parser::ValueSource};
use std::ffi::OsString;

/// A variable of the environment that is ignored.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IgnoredVariable {
    pub(super) name: OsString,
    /// Why it is ignored, in words for people.
    why: String,
}

impl IgnoredVariable {
    /// The variable to ignore because options are refused for the reason `why`. `None` if neither
    /// the command line nor one of the variables in `ignored` has to do with the refusal.
    pub(super) fn of(matches: &ArgMatches, why: &str, ignored: &[OsString]) -> Option<Self> {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let words: Vec<&str> = why.split(|letter| !is_part(letter)).collect();
        let word = |option: &Arg| match option.get_long() {
            Some(long) => format!("--{long}"),
            None => option.get_id().as_str().to_uppercase(),
        };
        let command = Cli::command();
        let named = || {
            let options = command.get_arguments();
            options.filter(|option| words.contains(&word(option).as_str()))
        };
        let is_from =
            |option: &Arg, source| matches.value_source(option.get_id().as_str()) == Some(source);
        let is_ignored = |option: &Arg| {
            option.get_env().is_some_and(|name| ignored.iter().any(|other| other == name))
        };
        let other = named()
            .find(|option| is_from(option, ValueSource::CommandLine) || is_ignored(option))?;
        let variable = named().find(|option| is_from(option, ValueSource::EnvVariable))?;
        let why = match is_ignored(other) {
            true => format!("it needs {}", word(other)),
            false => format!("it conflicts with {} of the command line", word(other)),
        };
        Some(Self { name: variable.get_env()?.to_owned(), why })
    }

    /// The variable and the reason, in words for people.
    pub(super) fn in_words(&self) -> String {
        format!("{} in the environment is ignored, because {}", self.name.display(), self.why)
    }
}
