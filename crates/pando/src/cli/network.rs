//! How volunteers reach this machine, and who is let in.

use crate::ice::IceServer;
use clap::{Args, builder::BoolishValueParser as YesOrNo};
use std::{net::IpAddr, path::PathBuf};

/// See the module.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct Network {
    /// Port for volunteers [default: 5000 or the next free one; 0: any]
    #[arg(long, env = "PANDO_PORT", value_name = "PORT")]
    pub(crate) port: Option<u16>,

    /// Address to listen on
    #[arg(long, env = "PANDO_BIND", value_name = "ADDR", default_value = "0.0.0.0")]
    pub(crate) bind: IpAddr,

    /// Further host name by which volunteers may reach this machine (repeatable)
    #[arg(long, env = "PANDO_ALLOW_HOST", value_name = "NAME", value_delimiter = ',')]
    pub(crate) allow_host: Vec<String>,

    /// Relay through which volunteers outside the local network join, such as
    /// https://pando.example.org
    #[arg(long, env = "PANDO_HOST", value_name = "URL")]
    pub(crate) host: Option<String>,

    /// The secret of that relay, which its operator gives you
    #[arg(long, env = "PANDO_SECRET", value_name = "S", hide_env_values = true)]
    pub(crate) secret: Option<String>,

    /// STUN and TURN servers for direct connections, such as stun:stun.example.org:3478 or
    /// turn:USER:PASSWORD@HOST:PORT
    #[arg(
        long,
        env = "PANDO_ICE_SERVERS",
        hide_env_values = true,
        value_name = "URLS",
        value_delimiter = ','
    )]
    pub(crate) ice_servers: Vec<IceServer>,

    /// Serve volunteers by https, with a certificate made for this run, of which browsers warn
    #[arg(long, env = "PANDO_TLS", value_parser = YesOrNo::new())]
    pub(crate) tls: bool,

    /// Serve volunteers by https, with the certificate chain in this file, in PEM form
    #[arg(long, env = "PANDO_TLS_CERT", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// File with that certificate's private key, in PEM form
    #[arg(long, env = "PANDO_TLS_KEY", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Join token in the volunteers' URL [default: fresh per run]
    #[arg(long, env = "PANDO_TOKEN", hide_env_values = true, value_parser = token)]
    pub(crate) token: Option<String>,

    /// Let anyone who finds the port join: no token in the URL
    #[arg(long, env = "PANDO_OPEN_ACCESS", value_parser = YesOrNo::new())]
    pub(crate) open_access: bool,

    /// Keep the function, in tabs, from the network: it reaches nothing but the server of its page
    /// (see docs/security.md)
    #[arg(long, env = "PANDO_DENY_NET", value_parser = YesOrNo::new())]
    pub(crate) deny_net: bool,

    /// Connections at a time [default: as many as the system has files for]
    #[arg(long, env = "PANDO_MAX_CONNECTIONS", value_name = "N")]
    pub(crate) max_connections: Option<usize>,

    /// Connections of one address at a time, those over loopback aside
    #[arg(
        long,
        env = "PANDO_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "N",
        default_value_t = 500
    )]
    pub(crate) max_connections_per_address: usize,
}

fn token(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.len() >= 4 && text.len() <= 64 && text.chars().all(fine) {
        Ok(text.into())
    } else {
        Err("give 4 to 64 letters, digits, `-` or `_`".into())
    }
}
