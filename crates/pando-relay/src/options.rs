//! The command line of `pando relay`.

use super::{address::RelayAddress, ice::PUBLIC_STUN, limits::Limits, secrets::Secrets};
use clap::{Parser, builder::BoolishValueParser as YesOrNo};
use pando_process::{command_line, duration::duration, files};
use pando_web::CertificateFiles;
use std::{ffi::OsString, fs, net::IpAddr, ops::RangeInclusive, path::PathBuf, time::Duration};

/// The port, unless another is set.
const DEFAULT_PORT: u16 = 8080;
/// Longest file of secrets, in bytes.
const MOST_SECRETS: u64 = 16 << 20;

/// Serves the pages of running masters to volunteers outside their local networks, and helps the
/// two to connect.
#[derive(Debug, Clone, Parser)]
#[command(name = "pando relay", bin_name = "pando relay", version, about)]
#[command(
    after_help = "A master uses the relay with: pando --host https://RELAY --secret SECRET FUNCTION\n\
    An environment variable sets each option as well: PANDO_RELAY_PORT=80 is --port 80. The command line wins.\n\
    Exit status: 0 ended by Ctrl-C or SIGTERM, 1 it could not go on, 2 wrong usage or a port that is taken.\n\n\
    Example:  PANDO_RELAY_SECRET=$(openssl rand -hex 16) pando relay --tls-cert cert.pem --tls-key key.pem --port 443"
)]
pub struct RelayOptions {
    /// Port for masters and volunteers [default: $PORT, or 8080; 0: any]
    #[arg(long, env = "PANDO_RELAY_PORT", value_name = "PORT")]
    pub port: Option<u16>,

    /// Address to listen on
    #[arg(long, env = "PANDO_RELAY_BIND", value_name = "ADDR", default_value = "0.0.0.0")]
    pub bind: IpAddr,

    /// What a master has to show to open a room (repeatable, or separated by commas)
    #[arg(
        long = "secret",
        env = "PANDO_RELAY_SECRET",
        value_name = "S",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub secrets: Vec<String>,

    /// File of further secrets, one per line
    #[arg(long, env = "PANDO_RELAY_SECRETS_FILE", value_name = "FILE")]
    pub secrets_file: Option<PathBuf>,

    /// Public address of this relay, such as https://relay.example.org [default: as each request
    /// names it]
    #[arg(long, env = "PANDO_RELAY_URL", value_name = "URL", value_parser = RelayAddress::parse)]
    pub url: Option<RelayAddress>,

    /// Believe the X-Forwarded-For, -Proto and -Host headers: all requests come through a proxy
    #[arg(long, env = "PANDO_RELAY_BEHIND_PROXY", value_parser = YesOrNo::new())]
    pub behind_proxy: bool,

    /// File with the certificate chain for TLS, in PEM form
    #[arg(long, env = "PANDO_RELAY_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// File with the certificate's private key, in PEM form
    #[arg(long, env = "PANDO_RELAY_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// UDP port of STUN and TURN (0: none, as --no-udp)
    #[arg(long, env = "PANDO_RELAY_TURN_PORT", value_name = "PORT", default_value_t = 3478)]
    pub turn_port: u16,

    /// Address of the UDP ports [default: that of --bind]
    #[arg(long, env = "PANDO_RELAY_TURN_BIND", value_name = "ADDR")]
    pub turn_bind: Option<IpAddr>,

    /// UDP ports through which TURN passes packets on
    #[arg(long, env = "PANDO_RELAY_TURN_RANGE", value_name = "FIRST-LAST", default_value = "49160-49299", value_parser = range)]
    pub turn_range: RangeInclusive<u16>,

    /// Address at which volunteers reach the UDP ports [default: found among this machine's]
    #[arg(long, env = "PANDO_RELAY_PUBLIC_ADDRESS", value_name = "ADDR")]
    pub public_address: Option<IpAddr>,

    /// Let TURN reach private networks, such as the one that this machine is in, also for
    /// volunteers who are outside of it
    #[arg(long, env = "PANDO_RELAY_TURN_PRIVATE", value_parser = YesOrNo::new())]
    pub turn_private: bool,

    /// Time for which credentials for TURN are good: each volunteer gets new ones whenever it connects, and keeps what it got by them
    #[arg(long, env = "PANDO_RELAY_TURN_LIFETIME", value_name = "DUR", default_value = "8h", value_parser = duration)]
    pub turn_lifetime: Duration,

    /// Neither STUN nor TURN: for hosts that let no UDP through
    #[arg(long, env = "PANDO_RELAY_NO_UDP", value_parser = YesOrNo::new())]
    pub no_udp: bool,

    /// STUN servers to name to volunteers [default with --no-udp: stun.l.google.com:19302 and
    /// stun.cloudflare.com:3478]
    #[arg(long, env = "PANDO_RELAY_STUN", value_name = "HOST:PORT", value_delimiter = ',', value_parser = stun)]
    pub stun: Vec<String>,

    /// See [`Limits`].
    #[command(flatten)]
    pub limits: Limits,
}

impl RelayOptions {
    /// Reads `words`, of which the first is the program's name, and the environment. Wrong usage ends the process with status 2.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Self {
        command_line::read(words)
    }

    /// The port that the user or the platform asks for, or the default.
    pub(crate) fn port(&self) -> Result<u16, String> {
        if let Some(port) = self.port {
            return Ok(port);
        }
        match std::env::var("PORT").ok().filter(|port| !port.is_empty()) {
            Some(port) => port.parse().map_err(|_| {
                format!("PORT={port:?} in the environment is not a port: set it to a number")
            }),
            None => Ok(DEFAULT_PORT),
        }
    }

    /// The secrets for opening rooms.
    pub(crate) fn secrets(&self) -> Result<Secrets, String> {
        let text = match &self.secrets_file {
            Some(file) => {
                files::look(file, MOST_SECRETS).and_then(|_| fs::read_to_string(file)).map_err(
                    |error| format!("--secrets-file {}: cannot be read ({error})", file.display()),
                )?
            }
            None => String::new(),
        };
        let secrets = Secrets::new(&self.secrets, &text);
        if secrets.is_empty() {
            return Err(
                "there is no secret, so anyone could use this relay: make one with `openssl rand -hex 16`, and give it as \
                 PANDO_RELAY_SECRET in the environment, in a --secrets-file, or with --secret; masters need the same one"
                    .into(),
            );
        }
        Ok(secrets)
    }

    /// The port of STUN and TURN, if they are enabled.
    pub(crate) fn udp_port(&self) -> Option<u16> {
        Some(self.turn_port).filter(|port| *port != 0 && !self.no_udp)
    }

    /// The address of the UDP ports.
    pub(crate) fn turn_bind(&self) -> IpAddr {
        self.turn_bind.unwrap_or(self.bind)
    }

    /// STUN servers besides the relay's own.
    pub(crate) fn stun(&self) -> Vec<String> {
        if self.stun.is_empty() && self.udp_port().is_none() {
            return PUBLIC_STUN.map(str::to_owned).to_vec();
        }
        self.stun.clone()
    }

    /// The files of certificate and key, if this relay speaks TLS itself.
    pub(crate) fn tls(&self) -> Option<CertificateFiles> {
        let (certificate, key) = (self.tls_cert.clone()?, self.tls_key.clone()?);
        Some(CertificateFiles { certificate, key })
    }
}

fn range(text: &str) -> Result<RangeInclusive<u16>, String> {
    let ends = text
        .split_once('-')
        .and_then(|(first, last)| Some((first.trim().parse().ok()?, last.trim().parse().ok()?)));
    match ends {
        Some((first, last)) if (1024..=last).contains(&first) => Ok(first..=last),
        _ => Err("give the first and the last port, from 1024 up, such as 49160-49299".into()),
    }
}

fn stun(text: &str) -> Result<String, String> {
    let server = text.trim().trim_start_matches("stun:");
    let port = server
        .rsplit_once(':')
        .filter(|(host, _)| !host.is_empty())
        .and_then(|(_, port)| port.parse::<u16>().ok());
    match port {
        Some(port) if port > 0 && !server.contains(char::is_whitespace) => Ok(server.into()),
        _ => Err("give host and port, such as stun.example.org:3478".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(args: &[&str]) -> Result<RelayOptions, clap::Error> {
        RelayOptions::try_parse_from([&["relay"], args].concat())
    }

    #[test]
    fn every_option_has_help_and_an_environment_variable_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for argument in RelayOptions::command()
            .get_arguments()
            .filter(|argument| !["help", "version"].contains(&argument.get_id().as_str()))
        {
            assert!(argument.get_help().is_some(), "{argument}");
            let variable = argument
                .get_env()
                .unwrap_or_else(|| panic!("{argument}"))
                .to_string_lossy()
                .into_owned();
            assert!(variable.starts_with("PANDO_RELAY_") && seen.insert(variable), "{argument}");
        }
    }

    #[test]
    fn ranges_of_ports() {
        assert_eq!(range("49160-49299"), Ok(49_160..=49_299));
        assert_eq!(range("5000-5000"), Ok(5000..=5000));
        for wrong in ["", "5000", "6000-5000", "80-90", "5000-70000", "a-b"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn without_udp_public_stun_servers_are_named() {
        assert_eq!(parse(&[]).unwrap().udp_port(), Some(3478));
        assert!(parse(&[]).unwrap().stun().is_empty());
        for none in [&["--no-udp"][..], &["--turn-port", "0"]] {
            let options = parse(none).unwrap();
            assert_eq!(
                (options.udp_port(), options.stun()),
                (None, PUBLIC_STUN.map(str::to_owned).to_vec())
            );
        }
        assert_eq!(parse(&["--no-udp", "--stun", "stun:a:1,b:2"]).unwrap().stun(), ["a:1", "b:2"]);
        assert!(parse(&["--stun", "a"]).is_err() && parse(&["--stun", ":1"]).is_err());
    }

    #[test]
    fn a_certificate_needs_its_key() {
        assert!(parse(&["--tls-cert", "a"]).is_err() && parse(&["--tls-key", "a"]).is_err());
        assert!(parse(&["--tls-cert", "a", "--tls-key", "b"]).unwrap().tls().is_some());
    }
}
