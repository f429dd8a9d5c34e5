//! The command line of `pando join`.

use crate::{address::Address, peer};
use clap::{Parser, builder::BoolishValueParser as YesOrNo};
use pando_process::{command_line, duration::duration, threads};
use pando_volunteer::{EngineChoice, ExecCommand};
use std::{env, ffi::OsString, time::Duration};

/// Longest name, in characters.
const LONGEST_NAME: usize = 100;

/// Lends the cores of this machine to a run of Pando, until the run is over.
#[derive(Debug, Clone, Parser)]
#[command(name = "pando join", bin_name = "pando join", version = peer::VERSION, about)]
#[command(args_override_self = true)]
#[command(after_help = after_help())]
pub struct JoinOptions {
    /// Address of the run's volunteer page, at the run's machine or at a relay
    #[arg(value_name = "URL", value_parser = Address::parse)]
    pub url: Address,

    /// Cores to lend, each a process [default: all]
    #[arg(long, env = "PANDO_JOIN_CORES", value_name = "N", value_parser = cores)]
    pub cores: Option<u32>,

    /// Share the job with further devices: they open a link of this machine, which hands values on
    /// to them (only pando join, not the program pando-join). --cores 0 leaves this machine idle
    #[arg(long, env = "PANDO_JOIN_SHARE", value_parser = YesOrNo::new())]
    pub share: bool,

    /// Name of this machine, for the people of the run [default: the system and the host's name]
    #[arg(long, env = "PANDO_JOIN_NAME", value_name = "NAME", value_parser = name)]
    pub name: Option<String>,

    /// When there is no run at the address, or no more, wait for the next one there
    #[arg(long, env = "PANDO_JOIN_WAIT", value_parser = YesOrNo::new())]
    pub wait: bool,

    /// Leave when there was nothing to compute for this time
    #[arg(long, env = "PANDO_JOIN_UNTIL_IDLE", value_name = "DUR", value_parser = duration)]
    pub until_idle: Option<Duration>,

    /// Leave when standard input ends: when the program or the ssh that holds it is gone
    #[arg(long, env = "PANDO_JOIN_UNTIL_EOF", value_parser = YesOrNo::new())]
    pub until_eof: bool,

    /// Compute with the lowest priority, so that other programs of this machine come first
    #[arg(long, env = "PANDO_JOIN_NICE", value_parser = YesOrNo::new())]
    pub nice: bool,

    /// What computes: node, deno, bun, or embedded (in this program, 9 to 16 times slower); auto is
    /// the one that is held best, and with --trust the first that is here
    #[arg(long, env = "PANDO_JOIN_ENGINE", value_name = "NAME", default_value = "auto", value_parser = str::parse::<EngineChoice>)]
    pub engine: EngineChoice,

    /// Let a held function use the network, unless its run forbids that (--deny-net)
    #[arg(long, env = "PANDO_JOIN_ALLOW_NET", value_parser = YesOrNo::new())]
    pub allow_net: bool,

    /// Do not hold the function: it may do all that you may do, because you trust its sender
    #[arg(long, env = "PANDO_JOIN_TRUST", value_parser = YesOrNo::new())]
    pub trust: bool,

    /// For a run of programs (pando --exec): run this command for each value, which {} stands for.
    /// Without this option and with --trust, the run's own command
    #[arg(long, env = "PANDO_JOIN_EXEC", value_name = "COMMAND", value_parser = exec)]
    pub exec: Option<String>,

    /// How long to look for a run that does not answer any more
    #[arg(long, env = "PANDO_JOIN_PATIENCE", value_name = "DUR", default_value = "5m", value_parser = duration)]
    pub patience: Duration,

    /// Only say what goes wrong
    #[arg(short, long, env = "PANDO_JOIN_QUIET", value_parser = YesOrNo::new())]
    pub quiet: bool,
}

impl JoinOptions {
    /// Reads `words`, of which the first is the program's name, and the environment. Wrong usage
    /// ends the process with status 2.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Self {
        command_line::read(words)
    }

    /// Checks the rules between the options. `has_server`: this program can share a job.
    ///
    /// # Errors
    /// When the options make no sense together, in words.
    pub(crate) fn check(&self, has_server: bool) -> Result<(), String> {
        if self.share && !has_server {
            return Err("--share: this program cannot share a job, because it has no server: use `pando join --share`".into());
        }
        if self.cores == Some(0) && !self.share {
            return Err("--cores 0: a machine without cores computes nothing: give 1 or more, or --share the job with further devices".into());
        }
        Ok(())
    }

    /// The number of cores to lend.
    pub(crate) fn cores(&self) -> u32 {
        self.cores.unwrap_or_else(|| threads::at_a_time() as u32)
    }

    /// The name of this machine, for people.
    pub(crate) fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| {
            let host = gethostname::gethostname().to_string_lossy().into_owned();
            let host = host.split('.').next().filter(|host| !host.is_empty()).unwrap_or("?");
            format!("{} {} ({host})", system(), env::consts::ARCH)
        })
    }
}

fn after_help() -> String {
    let limit = peer::LIMIT.map(|limit| format!("{limit}\n\n")).unwrap_or_default();
    format!(
        "URL is the address that the run prints: \"Serving volunteer code at URL\".\n\
        An environment variable sets each option as well: PANDO_JOIN_CORES=2 is --cores 2. The command line wins.\n\
        Ctrl-C, SIGTERM and SIGHUP hand all values back at once; a second signal ends the process now.\n\
        Exit status: 0 the run ended, or this machine left and handed everything back; 1 the run was lost, or sent this machine away; \
        2 wrong usage, or a run that this machine cannot help.\n\n\
        {limit}Example:  pando join --cores 4 http://192.168.1.12:5000/k7d2m9qx4t/"
    )
}

/// The name of this system, for people.
fn system() -> &'static str {
    match env::consts::OS {
        "linux" => "Linux",
        "macos" => "macOS",
        "windows" => "Windows",
        "freebsd" => "FreeBSD",
        other => other,
    }
}

fn cores(text: &str) -> Result<u32, String> {
    let most = threads::most_cores();
    match text.parse() {
        Ok(cores) if cores as usize <= most => Ok(cores),
        Ok(_) => Err(format!("this machine can lend up to {most}, each a process")),
        Err(_) => Err("give a number from 1 up, or with --share from 0 up".into()),
    }
}

fn exec(text: &str) -> Result<String, String> {
    match ExecCommand::parse(text) {
        Ok(command) if command.is_per_value() => Ok(text.into()),
        Ok(_) => Err("write {} in the place of the value, as in 'expr {} + 1'".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.contains(char::is_control) {
        return Err("give some words on one line".into());
    }
    if text.chars().count() > LONGEST_NAME {
        return Err(format!("give at most {LONGEST_NAME} characters"));
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    const URL: &str = "http://10.0.0.1:5000/k7d2m9qx4t/";

    fn parse(args: &[&str]) -> Result<JoinOptions, clap::Error> {
        JoinOptions::try_parse_from([&["join"], args].concat())
    }

    #[test]
    fn every_option_has_help_and_an_environment_variable_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for argument in JoinOptions::command()
            .get_arguments()
            .filter(|argument| !["help", "version", "url"].contains(&argument.get_id().as_str()))
        {
            assert!(argument.get_help().is_some(), "{argument}");
            let variable = argument.get_env().unwrap_or_else(|| panic!("{argument}"));
            let variable = variable.to_string_lossy().into_owned();
            assert!(variable.starts_with("PANDO_JOIN_") && seen.insert(variable), "{argument}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(parse(&[]).is_err(), "no address");
        for wrong in
            [&["--cores", "x"][..], &["--cores", "100000"], &["--name", " "], &["--exec", "cat"]]
        {
            assert!(parse(&[&[URL], wrong].concat()).is_err(), "{wrong:?}");
        }
        let check = |args, has_server| parse(args).unwrap().check(has_server);
        assert!(check(&["--cores", "0", URL], true).unwrap_err().contains("--share"));
        assert_eq!(check(&["--cores", "0", "--share", URL], true), Ok(()));
        assert!(check(&["--share", URL], false).unwrap_err().contains("`pando join --share`"));
        let options = parse(&["--cores", "3", URL, "--name", "node 7"]).unwrap();
        assert_eq!((options.cores(), options.name()), (3, "node 7".into()));
    }
}
