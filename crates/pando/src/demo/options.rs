//! The command line of `pando demo`: some of the options of a run, with the same meaning.

use crate::{cli::Cli, command_line};
use clap::{
    Arg, ArgMatches, Command, CommandFactory, Error, FromArgMatches, Parser, error::ErrorKind,
    parser::ValueSource,
};
use std::env;

/// The options of a run that the demo takes.
const OPTIONS: [&str; 19] = [
    "port",
    "bind",
    "allow_host",
    "tls",
    "token",
    "open_access",
    "host",
    "secret",
    "ice_servers",
    "open",
    "title",
    "from",
    "cores",
    "allow_sleep",
    "qr",
    "progress",
    "report",
    "quiet",
    "verbose",
];

const ABOUT: &str = "Renders one picture in 400 tiles on this machine and on all devices that join, and shows the tiles \
    on the monitoring page as they come";

const AFTER: &str = "The picture becomes pando-demo.png in the working directory, or pando-demo-2.png and so on if that \
    file exists.\n\
    Exit status: 0 the picture is written, 1 it is not, 2 wrong usage.";

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct DemoOptions(Cli);

impl DemoOptions {
    /// Reads the command line after `pando demo`, and the environment. Wrong usage ends the
    /// process with status 2.
    pub(crate) fn read() -> Self {
        command_line::read(env::args_os().skip(1))
    }

    /// The options of the run.
    pub(crate) fn into_cli(self) -> Cli {
        self.0
    }
}

impl Parser for DemoOptions {}

impl CommandFactory for DemoOptions {
    fn command() -> Command {
        let command = Cli::command().name("pando demo").bin_name("pando demo").about(ABOUT);
        let command = command.override_usage("pando demo [OPTIONS]").after_help(AFTER);
        let command = command.mut_args(|option| match is_taken(&option) {
            true => option,
            false => option.hide(true).env(None::<&'static str>),
        });
        let command = command.mut_arg("title", |title| {
            title.help("What volunteers' pages say that this run computes")
        });
        command.mut_arg("cores", |cores| {
            cores.help("Cores of this machine to use [default: two, so that other devices find work; 0: none]")
        })
    }

    fn command_for_update() -> Command {
        Self::command()
    }
}

impl FromArgMatches for DemoOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut command = Self::command();
        // Only then do options have names for people.
        command.build();
        let is_given = |option: &&Arg| {
            matches.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine)
        };
        match command.get_arguments().filter(|option| !is_taken(option)).find(is_given) {
            None => Cli::from_arg_matches(matches).map(Self),
            Some(other) => {
                let why = format!("the demo takes no {other}");
                Err(Error::raw(ErrorKind::UnknownArgument, why))
            }
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn is_taken(option: &Arg) -> bool {
    OPTIONS.contains(&option.get_id().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_options_of_a_run_are_options_of_the_demo() {
        let demo = DemoOptions::try_parse_from(["pando demo", "--port", "7000", "--cores=3"]);
        let cli = demo.expect("it takes both").into_cli();
        assert_eq!((cli.network.port, cli.devices.cores), (Some(7000), Some(3)));
    }

    #[test]
    fn other_options_and_values_are_refused_by_name() {
        for (word, name) in
            [("--json", "--json"), ("--total=7", "--total <N>"), ("f.js", "[FUNCTION]")]
        {
            let refused = DemoOptions::try_parse_from(["pando demo", word]);
            let why = refused.expect_err("the demo has no use for it").to_string();
            assert!(why.contains(name), "{why}");
        }
    }

    #[test]
    fn each_option_of_the_demo_is_an_option_of_a_run() {
        let command = Cli::command();
        let known: Vec<_> =
            command.get_arguments().map(|option| option.get_id().as_str()).collect();
        assert!(OPTIONS.iter().all(|option| known.contains(option)), "{known:?}");
    }
}
