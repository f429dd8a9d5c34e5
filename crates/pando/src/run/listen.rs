//! The ports for volunteers, and the announcements of their URLs.

use super::{
    StartError,
    journal::PATIENCE,
    urls::{Urls, for_whom},
};
use crate::{
    channel::Peers,
    config::{DEFAULT_PORT, RunConfig, ServerConfig, Tls, is_blocked},
    console::{Console, printable},
    ice::IceServer,
    secrets,
    server::{self, Hosts, Site},
    uplink::Uplink,
};
use pando_process::addresses::addresses;
use pando_web::{Certificate, SelfSigned, listen as listen_on};
use std::{
    io::ErrorKind,
    net::SocketAddr,
    process::Stdio,
    time::{Duration, Instant, SystemTime},
};
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
};

/// Listens on the port that `config` names, on the port `kept` from an earlier run, or on the first
/// free port.
pub(super) async fn listen(
    config: &ServerConfig,
    kept: Option<u16>,
    notes: &mut Vec<String>,
) -> Result<TcpListener, StartError> {
    if let Some(port) = kept.filter(|kept| [None, Some(0), Some(*kept)].contains(&config.port)) {
        return listen_again(SocketAddr::new(config.bind, port)).await;
    }
    if let Some(port) = config.port {
        let socket = SocketAddr::new(config.bind, port);
        return listen_on(socket).map_err(|error| {
            let remedy = match error.kind() {
                ErrorKind::AddrNotAvailable => "choose another address with --bind",
                _ => "choose another with --port, or leave it out for the next free one",
            };
            StartError(format!("port {port} of {} cannot be used ({error}): {remedy}", config.bind))
        });
    }
    for port in default_ports() {
        match listen_on(SocketAddr::new(config.bind, port)) {
            Ok(listener) => {
                if port != DEFAULT_PORT {
                    notes.push(format!("port {DEFAULT_PORT} is taken; using {port}"));
                }
                return Ok(listener);
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => {
                return Err(StartError(format!(
                    "{} cannot be listened on ({error}): choose another address with --bind",
                    config.bind
                )));
            }
        }
    }
    Err(StartError(format!(
        "no port from {DEFAULT_PORT} to {} is free: choose one with --port",
        DEFAULT_PORT + 99
    )))
}

/// The ports to try, unless the user chose a port.
pub(super) fn default_ports() -> impl Iterator<Item = u16> {
    (DEFAULT_PORT..DEFAULT_PORT + 100).filter(|port| !is_blocked(*port))
}

/// The certificate that `config` asks for: from files, kept up to date, or `kept` from an earlier
/// run, or made for this run. `whose`: where a certificate that is made comes from.
pub(super) fn certificate(
    config: &ServerConfig,
    whose: &str,
    console: &Console,
    kept: &mut Option<SelfSigned>,
    notes: &mut Vec<String>,
) -> Result<Option<Certificate>, StartError> {
    let made = match &config.tls {
        Tls::Off => return Ok(None),
        Tls::SelfSigned => match kept {
            Some(kept) => kept,
            None => kept.insert(self_signed(config)?),
        },
        Tls::Files(files) => {
            let certificate = files.load().map_err(StartError)?;
            let console = console.clone();
            let failed = move |why| {
                console.say(printable(&format!("the renewed certificate is not used: {why}")))
            };
            tokio::spawn(files.clone().follow(certificate.clone(), failed));
            return Ok(Some(certificate));
        }
    };
    notes.push(format!(
        "browsers warn about its certificate, {whose}; its SHA-256 fingerprint: {}",
        made.fingerprint()
    ));
    made.load().map(Some).map_err(StartError)
}

fn self_signed(config: &ServerConfig) -> Result<SelfSigned, StartError> {
    let hosts = Hosts::new(&config.allow_host);
    let addresses = addresses(config.bind).into_iter().map(|address| address.to_string());
    let names = hosts.names().chain(addresses).chain(["localhost".into()]);
    SelfSigned::new(names.collect(), SystemTime::now()).map_err(StartError)
}

/// Listens on a port that an earlier run may not have released yet.
async fn listen_again(address: SocketAddr) -> Result<TcpListener, StartError> {
    let start = Instant::now();
    loop {
        match listen_on(address) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && start.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            other => {
                return other.map_err(|error| {
                    StartError(format!(
                        "port {}, at which the journal's volunteers come back, cannot be used ({error}): \
                         stop the program that uses it, or choose another with --port",
                        address.port()
                    ))
                });
            }
        }
    }
}

/// Starts peer connections, on the UDP port of the same number if it is free.
pub(super) fn meet_peers(
    config: &RunConfig,
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
                config.ice_servers.iter().flat_map(IceServer::stun).map(str::to_owned).collect(),
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

/// Serves volunteers on `listener` until `closed`, and announces the URLs. Returns a hint for the
/// case that no volunteer joins, the best URL, and a task that announces URLs again when this
/// machine's addresses change.
pub(super) fn open_to_volunteers(
    config: &ServerConfig,
    listener: TcpListener,
    site: Site,
    uplink: Option<&Uplink>,
    closed: oneshot::Receiver<()>,
) -> (String, watch::Receiver<String>, impl Future<Output = ()> + Send + use<>) {
    let port = listener.local_addr().map(|address| address.port()).unwrap_or_default();
    let token = site.volunteers.as_ref().map(|site| site.token.clone()).unwrap_or_default();
    let places = Urls {
        scheme: if site.certificate.is_some() { "https" } else { "http" },
        bind: config.bind,
        port,
        token,
        // A certificate from files is for names, not for addresses.
        names: match &config.tls {
            Tls::Files(_) => config.allow_host.clone(),
            Tls::Off | Tls::SelfSigned => Vec::new(),
        },
    };
    let addresses = addresses(config.bind);
    let urls = places.all(&addresses);
    if let Some(volunteers) = &site.volunteers {
        volunteers.master.say_where(uplink.map_or(&*urls[0], |uplink| &uplink.url));
    }
    let (console, monitor) = (site.console.clone(), site.monitor.clone());
    urls.iter().for_each(|url| monitor.add_url(url, false));
    let monitor_url = Urls { token: monitor.token().into(), ..places.clone() }.all(&addresses);
    tokio::spawn(server::serve(listener, site, closed));
    for url in &urls {
        console.say(format!("Serving volunteer code at {url}"));
    }
    console.say(format!("Serving monitoring page at {}", monitor_url[0]));
    let whom = for_whom(uplink.map(|uplink| &*uplink.url), &urls);
    // Programs that read the URLs need no further text, unless the URLs are for different people.
    if let Some(whom) = whom.filter(|_| uplink.is_some() || Console::is_terminal()) {
        console.say(whom);
    }
    if config.open_access {
        console.say("open access: anyone who finds this port can join");
    }
    let qr = config.qr;
    let show_qr = move |console: &Console, url: &str| {
        // A QR code that wraps is unreadable.
        let is_wanted = |code: &String| qr.or(|| Console::is_terminal() && Console::fits(code));
        if let Some(code) = server::qr(url).filter(is_wanted) {
            console.say(code);
        }
    };
    let (url, shown_url) = watch::channel(uplink.map_or(&urls[0], |uplink| &uplink.url).clone());
    show_qr(&console, &url.borrow());
    let opened = [(config.opens_tab, &urls[0]), (config.opens_page, &monitor_url[0])];
    for (_, url) in opened.into_iter().filter(|(is_wanted, _)| *is_wanted) {
        if !open_here(url) {
            console.say(format!("no browser could be opened: open {url} yourself"));
        }
    }
    let hint = match uplink {
        Some(uplink) => {
            format!("open {} in a browser of any device", uplink.url)
        }
        None => format!(
            "open {} in a browser of this machine or of another device on the same network. \
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
            monitor.add_url(best, true);
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
