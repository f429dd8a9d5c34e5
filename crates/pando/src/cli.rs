//! The command line: the options and the form of each one's value. The rules between options are
//! in [`crate::config`].

mod calls;
mod data;
mod devices;
mod failures;
mod keeping;
mod messages;
mod network;
mod rows;
mod variables;

use crate::{command_line, config};
pub(crate) use calls::Variable;

use calls::Calls;
use clap::{
    ArgMatches, CommandFactory, FromArgMatches, Parser,
    builder::{OsStringValueParser, TypedValueParser as _},
    parser::ValueSource,
};
use data::Data;
use devices::Devices;
use failures::Failures;
use keeping::Keeping;
use messages::Messages;
pub(crate) use network::Network;
pub(crate) use rows::Rows;
use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    iter,
    path::PathBuf,
    process,
};
use variables::IgnoredVariable;

/// The answer to `-h`: what most people use, on one screen of 24 lines.
const SHORT_HELP: &str = include_str!("cli/short_help.txt");

/// Maps a stream of values over the browsers and cores of your own and your friends' devices:
/// each line in becomes one line out, in order.
#[derive(Debug, Clone, Parser)]
#[command(name = "pando", version, about, allow_negative_numbers = true, args_override_self = true)]
#[command(after_help = "\
Values are lines. Results go to standard output in the order of their inputs, all else to standard error.
An environment variable sets each option as well: PANDO_CORES=2 is --cores 2, and PANDO_LOCAL=1 is --local. The command line wins, also over a variable that conflicts with it.
Exit status: 0 all done (or the reader left), 1 an input failed or the run was cut short, 2 wrong usage or a function that cannot be loaded.

Examples:
  seq 100 | pando square.js
  pando render.js --files --output-dir pictures --ext png scenes/*.obj
  pando label.js --dom --json < photos.ndjson > labels.ndjson
  pando sweep.js --journal sweep.journal < points.txt > results.txt

Further commands, each with a --help of its own:
  pando demo      the first minute: a picture in tiles, computed by all devices that join
  pando join      lends a machine without a browser to a run
  pando journal   tells what is in a journal, or prints its results
  pando relay     the public server for volunteers outside the local network")]
pub(crate) struct Cli {
    /// JavaScript or TypeScript file with the function to apply
    // With --exec or --eval this word is an item, which may be empty.
    #[arg(value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub(crate) function: Option<PathBuf>,

    /// Values to apply it to (default: the lines of standard input)
    #[arg(value_name = "ITEMS")]
    pub(crate) items: Vec<String>,

    /// Where values come from, in which form, and where results go.
    #[command(flatten)]
    pub(crate) data: Data,

    /// Values in rows, grids and chunks, and the form of their results.
    #[command(flatten)]
    pub(crate) rows: Rows,

    /// How the function is called.
    #[command(flatten)]
    pub(crate) calls: Calls,

    /// Which devices compute, and how they share the values.
    #[command(flatten)]
    pub(crate) devices: Devices,

    /// What follows a failure, and how a run ends early.
    #[command(flatten)]
    pub(crate) failures: Failures,

    /// What stays for a later run.
    #[command(flatten)]
    pub(crate) keeping: Keeping,

    /// How volunteers reach this machine, and who is let in.
    #[command(flatten)]
    pub(crate) network: Network,

    /// What people and programs learn of the run.
    #[command(flatten)]
    pub(crate) messages: Messages,

    /// Messages for people about variables that are ignored.
    #[arg(skip)]
    pub(crate) notes: Vec<String>,
}

impl Cli {
    /// Reads the command line and the environment. Wrong usage ends the process with status 2.
    pub(crate) fn read() -> Self {
        let mut words: Vec<_> = env::args_os().collect();
        let options = words.iter().position(|word| word == "--").unwrap_or(words.len());
        if words[..options].iter().any(|word| word == "-h") {
            print(SHORT_HELP);
        }
        // The parser would take `-0` for a negative number.
        for word in words[..options].iter_mut().filter(|word| *word == "-0") {
            *word = "--null".into();
        }
        let (mut ignored, mut notes) = (Vec::new(), Vec::new());
        loop {
            let (mut cli, matches): (Self, _) = command_line::read_without(words.clone(), &ignored);
            if cli.calls.exec.is_some() || cli.calls.eval.is_some() {
                // With --exec or --eval no function is named, so the first word is an item.
                cli.take_function_for_item();
            }
            let refused = config::check(&cli).err();
            let variable = refused.and_then(|why| IgnoredVariable::of(&matches, &why, &ignored));
            let Some(variable) = variable else {
                cli.notes = notes;
                return cli;
            };
            notes.push(variable.in_words());
            ignored.push(variable.name);
        }
    }

    /// The defaults of all options, without the environment.
    pub(crate) fn defaults() -> Self {
        Self::from_arg_matches(&parse([]).expect("no option is required"))
            .expect("the defaults are values of their options")
    }

    /// Sets the options in `words`; all others stay.
    ///
    /// # Errors
    /// When a word is no option, or no value of its option, in words for people.
    pub(crate) fn set(&mut self, words: impl IntoIterator<Item = OsString>) -> Result<(), String> {
        let mut matches = parse(words)?;
        let by_default: Vec<_> = matches
            .ids()
            .filter(|id| matches.value_source(id.as_str()) == Some(ValueSource::DefaultValue))
            .cloned()
            .collect();
        for id in by_default {
            let _ = matches.try_clear_id(id.as_str());
        }
        let function = self.function.take();
        self.update_from_arg_matches(&matches).map_err(|error| told(&error))?;
        // A word without an option is an item, because the function is known.
        self.take_function_for_item();
        self.function = function;
        Ok(())
    }

    /// Takes the first word for an item. A word that is not UTF-8 stays, to be refused.
    fn take_function_for_item(&mut self) {
        let word = self.function.take_if(|word| word.to_str().is_some());
        self.items.splice(0..0, word.and_then(|word| word.into_os_string().into_string().ok()));
    }
}

/// Prints `help` and ends the process.
fn print(help: &str) -> ! {
    let written = io::stdout().write_all(help.as_bytes());
    process::exit(if written.is_ok() { 0 } else { 1 })
}

/// Parses `words` without the environment.
fn parse(words: impl IntoIterator<Item = OsString>) -> Result<ArgMatches, String> {
    let command = Cli::command().mut_args(|option| option.env(None::<&'static str>));
    let words = iter::once("pando".into()).chain(words);
    command.try_get_matches_from(words).map_err(|error| told(&error))
}

fn told(error: &clap::Error) -> String {
    error.to_string().trim_start_matches("error: ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_numbers_are_items_and_options_stand_anywhere() {
        let cli =
            Cli::try_parse_from(["pando", "f.js", "-1", "--json", "2", "-3.5", "--", "--json"])
                .unwrap();
        assert_eq!(cli.items, ["-1", "2", "-3.5", "--json"]);
        assert!(cli.data.json);
    }

    #[test]
    fn options_that_are_set_later_leave_the_others_as_they_are() {
        let mut cli = Cli::defaults();
        cli.function = Some("f.js".into());
        let mut set = |words: &[&str]| cli.set(words.iter().map(OsString::from));
        set(&["--port", "0", "--json", "--window", "7"]).unwrap();
        set(&["--retries=1", "--port", "5"]).unwrap();
        assert!(set(&["--cores", "many"]).unwrap_err().contains("'many' for '--cores <N>'"));
        assert_eq!(
            (cli.network.port, cli.devices.window, cli.failures.retries, cli.data.json),
            (Some(5), 7, 1, true)
        );
        assert_eq!((cli.function, cli.items), (Some("f.js".into()), Vec::new()));
    }

    #[test]
    fn each_option_has_the_environment_variable_of_its_name() {
        for option in Cli::command().get_arguments() {
            let Some(name) = option.get_long().filter(|_| {
                option.get_action().takes_values()
                    || !["help", "version"].contains(&option.get_id().as_str())
            }) else {
                continue;
            };
            let variable = format!("PANDO_{}", name.replace('-', "_").to_uppercase());
            assert_eq!(option.get_env(), Some(variable.as_ref()), "--{name}");
        }
    }
}
