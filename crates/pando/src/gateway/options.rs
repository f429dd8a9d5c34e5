//! The command line of `pando join`: that of a volunteer, and the options of a run for the server
//! of a gateway.

use crate::{
    cli::{Cli, Network},
    command_line,
    config::{self, When},
};
use clap::{ArgMatches, Args, CommandFactory, Parser, builder::BoolishValueParser as YesOrNo};
use clap::{error::ErrorKind, parser::ValueSource};
use pando_join::JoinOptions;
use std::ffi::OsString;

/// See the module.
#[derive(Debug, Parser)]
#[command(mut_args(|option| match option.get_id().as_str() {
    "deny_net" => option.hide(true),
    _ => option,
}))]
pub(super) struct GatewayOptions {
    #[command(flatten)]
    join: JoinOptions,

    /// How devices reach this machine with --share, and who is let in.
    #[command(flatten)]
    server: ServerOptions,
}

/// The options for the server of a gateway. They mean what they mean for a run.
#[derive(Debug, Args)]
#[command(next_help_heading = "With --share, for the devices of this machine's network")]
struct ServerOptions {
    #[command(flatten)]
    network: Network,

    /// QR code of the URL on standard error
    #[arg(long, env = "PANDO_QR", value_name = "auto|always|never", default_value = "auto")]
    qr: When,

    /// Open a volunteer tab in this machine's browser
    #[arg(long, env = "PANDO_OPEN", value_parser = YesOrNo::new())]
    open: bool,

    /// Let this machine fall asleep by itself
    #[arg(long, env = "PANDO_ALLOW_SLEEP", value_parser = YesOrNo::new())]
    allow_sleep: bool,
}

impl GatewayOptions {
    /// Reads `words`, of which the first is the program's name, and the environment. Wrong usage
    /// ends the process with status 2. Returns the options of the volunteer, and those for a run in
    /// its place.
    pub(super) fn read(words: impl IntoIterator<Item = OsString>) -> (JoinOptions, Cli) {
        let (Self { join, server }, matches): (Self, _) = command_line::read_without(words, &[]);
        let mut cli = Cli::defaults();
        cli.network = server.network;
        cli.messages.qr = server.qr;
        (cli.devices.open, cli.devices.allow_sleep) = (server.open, server.allow_sleep);
        // The function of the run takes the place of this one.
        cli.calls.eval = Some(String::new());
        let mut checked = check(join.share, &matches);
        if join.share {
            checked = checked.and_then(|()| config::check(&cli));
        }
        if let Err(why) = checked {
            Self::command().error(ErrorKind::ArgumentConflict, why).exit();
        }
        (join, cli)
    }
}

/// Checks that options for the server come with `--share`.
fn check(shares: bool, matches: &ArgMatches) -> Result<(), String> {
    let given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    if given("deny_net") {
        return Err("--deny-net: the run decides this for all its devices".into());
    }
    let server = ServerOptions::augment_args(clap::Command::new("server"));
    let mut options = server.get_arguments().filter(|option| given(option.get_id().as_str()));
    match options.next().and_then(clap::Arg::get_long) {
        Some(name) if !shares => Err(format!(
            "--{name} is for the devices with which a job is shared: add --share, or leave --{name} out"
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<(), String> {
        let words = [&["join", "http://10.0.0.1:5000/k7d2m9qx4t/"], words].concat();
        let matches = GatewayOptions::command().try_get_matches_from(words).unwrap();
        check(matches.get_flag("share"), &matches)
    }

    #[test]
    fn options_for_the_server_come_with_share() {
        assert_eq!(parse(&[]), Ok(()));
        assert_eq!(parse(&["--share", "--port", "0", "--qr", "never", "--tls"]), Ok(()));
        for wrong in [&["--port", "0"][..], &["--token", "abcd"], &["--open"]] {
            assert!(parse(wrong).unwrap_err().contains("--share"), "{wrong:?}");
        }
        assert!(parse(&["--share", "--deny-net"]).unwrap_err().contains("the run decides"));
    }
}
