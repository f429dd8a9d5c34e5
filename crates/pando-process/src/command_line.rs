//! Parses the command lines of a run and of the relay, with error messages that no argument can
//! disguise.

use crate::console::printable;
use clap::{ArgMatches, Error, Parser};
use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    process,
};

/// Reads options from `words` and the environment, where an empty variable counts as not set. Help
/// ends the process, and so does wrong usage, with status 2. The help of a program names its
/// variables once, in a sentence, and not for each option.
pub fn read<P: Parser>(words: impl IntoIterator<Item = OsString>) -> P {
    read_without(words, &[]).0
}

/// As [`read`], but without the variables of the environment with the names `ignored`. Returns also
/// where each option comes from.
pub fn read_without<P: Parser>(
    words: impl IntoIterator<Item = OsString>,
    ignored: &[OsString],
) -> (P, ArgMatches) {
    let mut command = P::command().mut_args(|option| {
        let is_absent = option.get_env().is_some_and(|name| {
            ignored.iter().any(|other| other == name)
                || env::var_os(name).is_some_and(|value| value.is_empty())
        });
        let option = if is_absent { option.env(None::<&'static str>) } else { option };
        let takes_values = option.get_action().takes_values();
        if takes_values {
            option.hide_env(true).hide_possible_values(true)
        } else {
            option.hide_env(true)
        }
    });
    let matches = command.try_get_matches_from_mut(words);
    let read = matches.and_then(|matches| match P::from_arg_matches(&matches) {
        Ok(options) => Ok((options, matches)),
        Err(error) => Err(error.format(&mut command)),
    });
    read.unwrap_or_else(|error| end(&error))
}

fn end(error: &Error) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    // Standard error may be closed or full; the exit status still tells of the error.
    let _ = writeln!(io::stderr(), "{}", printable(error.to_string().trim_end()));
    process::exit(error.exit_code())
}
