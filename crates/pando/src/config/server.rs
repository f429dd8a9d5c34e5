//! The server for volunteers.

use super::When;
use crate::cli::Cli;
use pando_web::CertificateFiles;
use std::{net::IpAddr, path::Path};

/// The first port to try, unless the user chose a port.
pub(crate) const DEFAULT_PORT: u16 = 5000;

/// Ports refused by browsers, because other protocols use them: the "bad ports" of the Fetch
/// standard.
const BLOCKED: [u16; 82] = [
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
    103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
    512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
    995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
    6669, 6679, 6697, 10080,
];

/// The place and the visitors of the server.
#[derive(Debug, Clone)]
pub(crate) struct ServerConfig {
    /// The address for listening.
    pub(crate) bind: IpAddr,
    /// The port, if the user chose a port; 0 is any.
    pub(crate) port: Option<u16>,
    /// Further names of this machine.
    pub(crate) allow_host: Vec<String>,
    pub(crate) tls: Tls,
    /// Whether tabs can join. With `--exec` the page says that they cannot.
    pub(crate) takes_volunteers: bool,
    /// Whether the URL has no token.
    pub(crate) open_access: bool,
    /// Whether a volunteer tab is opened in this machine's browser.
    pub(crate) opens_tab: bool,
    /// Whether the monitoring page is opened in this machine's browser.
    pub(crate) opens_page: bool,
    /// When a QR code of the URL is printed.
    pub(crate) qr: When,
}

/// The certificate of the server.
#[derive(Debug, Clone)]
pub(crate) enum Tls {
    /// No certificate: plain HTTP.
    Off,
    /// A certificate made for this run.
    SelfSigned,
    /// A certificate from files.
    Files(CertificateFiles),
}

impl ServerConfig {
    /// The server for the options of `cli`. A tab cannot run a program, so with `--exec` there is a
    /// server only if the user names the port, for `pando join` on other machines.
    pub(super) fn new(cli: &Cli) -> Result<Option<Self>, String> {
        let is_program = cli.calls.exec.is_some();
        if cli.devices.local || is_program && cli.network.port.is_none() {
            return Ok(None);
        }
        if let Some(port) = cli.network.port.filter(|port| is_blocked(*port)) {
            return Err(format!(
                "browsers refuse to connect to port {port}: choose another with --port"
            ));
        }
        Ok(Some(Self {
            bind: cli.network.bind,
            port: cli.network.port,
            allow_host: cli.network.allow_host.clone(),
            tls: match (cli.network.tls_cert.clone(), cli.network.tls_key.clone()) {
                (Some(certificate), Some(key)) => Tls::Files(CertificateFiles { certificate, key }),
                _ if cli.network.tls => Tls::SelfSigned,
                _ => Tls::Off,
            },
            takes_volunteers: !is_program,
            open_access: cli.network.open_access,
            opens_tab: cli.devices.open,
            opens_page: false,
            qr: cli.messages.qr,
        }))
    }
}

impl Tls {
    /// The files of the certificate, as [`RunConfig::named_files`](super::RunConfig::named_files)
    /// lists them.
    pub(super) fn named_files(&self) -> Vec<(&'static str, &Path, bool)> {
        match self {
            Self::Files(CertificateFiles { certificate, key }) => {
                vec![("--tls-cert", certificate, false), ("--tls-key", key, false)]
            }
            Self::Off | Self::SelfSigned => Vec::new(),
        }
    }
}

/// Whether browsers refuse to connect to `port`.
pub(crate) fn is_blocked(port: u16) -> bool {
    BLOCKED.contains(&port)
}
