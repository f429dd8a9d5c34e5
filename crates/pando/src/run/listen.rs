//! The ports for volunteers, and the announcements of their URLs.

use super::{
    Refused,
    journal::PATIENCE,
    urls::{Urls, for_whom},
};
use crate::{
    channel::Peers,
    cli::{Cli, DEFAULT_PORT, When},
    console::{Console, printable},
    ice::IceServer,
    master::Master,
    secrets,
    server::{self, Hosts, Site},
    uplink::Uplink,
};
use pando_bundler::Bundle;
use pando_web::{Certificate, CertificateFiles, Connections, SelfSigned, listen as listen_on};
use std::{
    io::ErrorKind,
    net::SocketAddr,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
};

/// Ports refused by browsers, because other protocols use them: the "bad ports" of the Fetch
/// standard.
const BLOCKED: [u16; 82] = [
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
    103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
    512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
    995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
    6669, 6679, 6697, 10080,
];

/// Listens on the port that `cli` names, on the port `kept` from an earlier run, or on the first
/// free port.
pub(super) async fn listen(
    cli: &Cli,
    kept: Option<u16>,
    notes: &mut Vec<String>,
) -> Result<TcpListener, Refused> {
    if let Some(port) = kept.filter(|kept| [None, Some(0), Some(*kept)].contains(&cli.port)) {
        return listen_again(SocketAddr::new(cli.bind, port)).await;
    }
    if let Some(port) = cli.port {
        if BLOCKED.contains(&port) {
            return Err(Refused(format!(
                "browsers connect to no port {port}: choose another with --port"
            )));
        }
        let socket = SocketAddr::new(cli.bind, port);
        return listen_on(socket).map_err(|error| {
            let remedy = match error.kind() {
                ErrorKind::AddrNotAvailable => "choose another address with --bind",
                _ => "choose another with --port, or leave it out for the next free one",
            };
            Refused(format!("port {port} of {} cannot be used ({error}): {remedy}", cli.bind))
        });
    }
    for port in (DEFAULT_PORT..DEFAULT_PORT + 100).filter(|port| !BLOCKED.contains(port)) {
        match listen_on(SocketAddr::new(cli.bind, port)) {
            Ok(listener) => {
                if port != DEFAULT_PORT {
                    notes.push(format!("port {DEFAULT_PORT} is taken; using {port}"));
                }
                return Ok(listener);
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => {
                return Err(Refused(format!(
                    "{} cannot be listened on ({error}): choose another address with --bind",
                    cli.bind
                )));
            }
        }
    }
    Err(Refused(format!(
        "no port from {DEFAULT_PORT} to {} is free: choose one with --port",
        DEFAULT_PORT + 99
    )))
}

/// The certificate for the options of `cli`: from files, kept up to date, or `kept` from an
/// earlier run, or made for this run.
pub(super) fn certificate(
    cli: &Cli,
    console: &Console,
    kept: &mut Option<SelfSigned>,
    notes: &mut Vec<String>,
) -> Result<Option<Certificate>, Refused> {
    if let (Some(certificate), Some(key)) = (cli.tls_cert.clone(), cli.tls_key.clone()) {
        let files = CertificateFiles { certificate, key };
        let certificate = files.load().map_err(Refused)?;
        let console = console.clone();
        let failed = move |why| {
            console.say(printable(&format!("the renewed certificate is not used: {why}")))
        };
        tokio::spawn(files.follow(certificate.clone(), failed));
        return Ok(Some(certificate));
    }
    if !cli.tls {
        return Ok(None);
    }
    if kept.is_none() {
        let hosts = Hosts::new(&cli.allow_host);
        let addresses = server::addresses(cli.bind).into_iter().map(|address| address.to_string());
        let names = hosts.names().chain(addresses).chain(["localhost".into()]);
        *kept = Some(SelfSigned::new(names.collect(), SystemTime::now()).map_err(Refused)?);
    }
    let Some(certificate) = kept else { return Ok(None) };
    let whose = if cli.journal.is_some() {
        "which is kept in the journal"
    } else {
        "which is made for this run"
    };
    let fingerprint = certificate.fingerprint();
    notes.push(format!(
        "browsers warn of its certificate, {whose}; its SHA-256 fingerprint: {fingerprint}"
    ));
    certificate.load().map(Some).map_err(Refused)
}

/// Listens on a port that an earlier run may not have released yet.
async fn listen_again(address: SocketAddr) -> Result<TcpListener, Refused> {
    let start = Instant::now();
    loop {
        match listen_on(address) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && start.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            other => {
                return other.map_err(|error| {
                    Refused(format!(
                        "port {}, at which the journal's volunteers come back, cannot be used ({error}): \
                         end what has it, or choose another with --port",
                        address.port()
                    ))
                });
            }
        }
    }
}

/// Starts peer connections, on the UDP port of the same number if it is free.
pub(super) fn meet_peers(
    cli: &Cli,
    listener: &TcpListener,
    notes: &mut Vec<String>,
) -> Option<Peers> {
    let address = listener.local_addr().ok()?;
    match Peers::start(address) {
        Ok(peers) => {
            if peers.port() != address.port() {
                notes.push(format!(
                    "UDP port {} is taken; direct connections use {}",
                    address.port(),
                    peers.port()
                ));
            }
            peers.set_stun_servers(
                cli.ice_servers.iter().flat_map(IceServer::stun).map(str::to_owned).collect(),
            );
            Some(peers)
        }
        Err(error) => {
            notes.push(format!(
                "no UDP port can be used ({error}): volunteers connect by WebSocket only"
            ));
            None
        }
    }
}

/// The content and settings of the server.
pub(super) fn site(
    cli: &Cli,
    token: String,
    certificate: Option<Certificate>,
    peers: Option<Peers>,
    master: &Arc<Master>,
    function: &Bundle,
    connections: Arc<Connections>,
) -> Site {
    Site {
        master: master.clone(),
        token,
        function: function.code.clone(),
        hash: function.hash.clone(),
        dom: cli.dom,
        deny_net: cli.deny_net,
        hosts: Hosts::new(&cli.allow_host),
        peers,
        ice_servers: cli.ice_servers.clone(),
        connections,
        certificate,
    }
}

/// Serves volunteers on `listener` until `closed`, and announces the URLs. Returns a hint for the
/// case that no volunteer joins, the best URL, and a task that announces URLs again when this
/// machine's addresses change.
pub(super) fn open_to_volunteers(
    cli: &Cli,
    listener: TcpListener,
    site: Site,
    uplink: Option<&Uplink>,
    closed: oneshot::Receiver<()>,
) -> (String, watch::Receiver<String>, impl Future<Output = ()> + Send + use<>) {
    let port = listener.local_addr().map(|address| address.port()).unwrap_or_default();
    let places = Urls {
        scheme: if site.certificate.is_some() { "https" } else { "http" },
        bind: cli.bind,
        port,
        token: site.token.clone(),
        // A certificate from files is for names, not for addresses.
        names: cli.allow_host.iter().filter(|_| cli.tls_cert.is_some()).cloned().collect(),
    };
    let addresses = server::addresses(cli.bind);
    let urls = places.all(&addresses);
    site.master.say_where(uplink.map_or(&*urls[0], |uplink| &uplink.url));
    let console = site.master.console.clone();
    tokio::spawn(server::serve(listener, site, closed));
    for url in &urls {
        console.say(format!("Serving volunteer code at {url}"));
    }
    let whom = for_whom(uplink.map(|uplink| &*uplink.url), &urls);
    // Programs that read the URLs need no further text, unless the URLs are for different people.
    if let Some(whom) = whom.filter(|_| uplink.is_some() || Console::is_terminal()) {
        console.say(whom);
    }
    if cli.open_access {
        console.say("open access: anyone who finds this port can join");
    }
    let qr = cli.qr;
    let show_qr = move |console: &Console, url: &str| {
        // A QR code that wraps is unreadable.
        let is_wanted = |code: &String| {
            qr == When::Always || qr == When::Auto && Console::is_terminal() && Console::fits(code)
        };
        if let Some(code) = server::qr(url).filter(is_wanted) {
            console.say(code);
        }
    };
    let (url, shown_url) = watch::channel(uplink.map_or(&urls[0], |uplink| &uplink.url).clone());
    show_qr(&console, &url.borrow());
    if cli.open && !open_here(&urls[0]) {
        console.say(format!("no browser could be opened: open {} yourself", urls[0]));
    }
    let hint = match uplink {
        Some(uplink) => {
            format!("nobody has joined yet: open {} in a browser of any device", uplink.url)
        }
        None => format!(
            "nobody has joined yet: open {} in a browser of this machine or of another device on the same network. \
             If another device cannot reach it, see that it is on the same network and that a firewall lets port {port} through, \
             or let it join through a relay (--host)",
            urls[0]
        ),
    };
    // The relay's URL does not change and is better than the others. The names of a certificate
    // are not addresses.
    let shows_best = uplink.is_none() && places.names.is_empty();
    let shown = console.clone();
    let best = move |best: &str| {
        if shows_best {
            show_qr(&shown, best);
            url.send_replace(best.to_owned());
        }
    };
    (hint, shown_url, places.follow(addresses, console, best))
}

/// How soon a program for opening browsers fails, if it fails.
const FAILS_SOON: Duration = Duration::from_millis(250);

/// Opens `url` in this machine's browser, with the first of the system's programs to succeed.
fn open_here(url: &str) -> bool {
    open::commands(url).into_iter().any(|mut command| {
        secrets::withhold(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let Ok(mut child) = command.spawn() else { return false };
        let end = Instant::now() + FAILS_SOON;
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return status.success(),
                Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(10)),
                _ => return true,
            }
        }
    })
}
