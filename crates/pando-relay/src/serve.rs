//! Starts the relay from its options, serves, and ends.

use super::{
    Guards, Relay, RelayOptions,
    control::told,
    ice::Ice,
    log::Log,
    rooms::Rooms,
    turn::{self, AllowedPeers, Credentials, Ground, is_private},
};
use pando_process::{console::Console, threads};
use pando_web::{CertificateFiles, Connections, Gate, RefusedConnection};
use serde_json::json;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdUdpSocket},
    sync::{Arc, Mutex, atomic::AtomicUsize},
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, UdpSocket, lookup_host},
    sync::watch,
    time::timeout,
};

/// Size of the UDP socket's buffers, in bytes.
const UDP_BUFFER: usize = 2 << 20;
/// The time between checks for expired rooms.
const TICK: Duration = Duration::from_secs(1);
/// How long the lookup of the relay's own name may take.
const LOOK_UP: Duration = Duration::from_secs(2);
/// How long sockets may take to close when the relay ends.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Runs the relay with `options`; returns the exit status.
pub fn run(options: RelayOptions) -> i32 {
    let Some(runtime) = threads::runtime(None) else { return 1 };
    let console = Console::start();
    let status = runtime.block_on(serve(options, console.clone())).unwrap_or_else(|why| {
        console.say(format!("error: {why}"));
        2
    });
    console.finish(Duration::from_secs(1));
    runtime.shutdown_background();
    status
}

async fn serve(options: RelayOptions, console: Console) -> Result<i32, String> {
    let secrets = options.secrets()?;
    let tls = options.tls();
    let certificate = tls.as_ref().map(CertificateFiles::load).transpose()?;
    let listener = listen(&options)?;
    let public = options.public_address.unwrap_or_else(|| public_address(options.turn_bind()));
    let udp_bind = udp_bind(options.turn_bind(), public);
    let udp = match options.udp_port() {
        Some(port) => Some(listen_udp(udp_bind, port).await?),
        None => None,
    };
    let (end, ending) = watch::channel(false);
    let log = Log::new(console.clone());
    let relay = Arc::new(Relay {
        rooms: Mutex::new(Rooms::new(options.limits.clone())),
        guards: Mutex::new(Guards::default()),
        secrets,
        url: options.url.clone(),
        behind_proxy: options.behind_proxy,
        tls: tls.is_some(),
        ice: Ice {
            port: udp.is_some().then_some(options.turn_port),
            host: options.public_address.map(bracketed),
            stun: options.stun(),
            credentials: Credentials::new(options.turn_lifetime),
        },
        connections: Connections::new(
            connections(&options, &log),
            options.limits.max_connections_per_address,
        ),
        allocations: Arc::new(AtomicUsize::new(0)),
        log: log.clone(),
        started: Instant::now(),
        ending,
        limits: options.limits.clone(),
    });
    console.say(format!("Relay listening at {}", own_url(&options, &listener)));
    tell(&options, &relay, public);
    if let Some(socket) = udp {
        let (relay, options) = (relay.clone(), options.clone());
        tokio::spawn(async move {
            let ground = ground(&options, &relay, udp_bind, public).await;
            turn::serve(relay, Arc::new(socket), Arc::new(ground)).await;
        });
    }
    if let (Some(files), Some(certificate)) = (tls, certificate.clone()) {
        let log = log.clone();
        tokio::spawn(files.follow(certificate, move |why| {
            log.warn("certificate-not-renewed", json!({"why": why}))
        }));
    }
    tokio::spawn(expire(relay.clone()));
    let mut ends = relay.ending.clone();
    let closed = async move { super::ending(&mut ends).await };
    let mut serving =
        tokio::spawn(pando_web::serve(listener, relay.clone(), gate(&relay), certificate, closed));
    tokio::select! {
        () = stopped() => {}
        result = &mut serving => {
            console.say(format!("error: the port can no longer be served: {result:?}"));
            return Ok(1);
        }
    }
    log.info("ending", json!({"rooms": relay.rooms().counts().rooms}));
    let patience = Instant::now() + LAST_WORDS;
    let _ = end.send(true);
    let _ = serving.await;
    while relay.connections.total() > 0 && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(0)
}

fn gate(relay: &Relay) -> Gate {
    // Behind a proxy, all connections come from the proxy's address.
    let log = relay.log.clone();
    let refused = move |refusal: &RefusedConnection| {
        let (why, how) = match refusal {
            RefusedConnection::Full(_) | RefusedConnection::Files(_) => {
                ("too many connections", "--max-connections, with as many files (ulimit -n)")
            }
            RefusedConnection::Address(_) => {
                ("too many connections of one address", "--max-connections-per-address")
            }
            RefusedConnection::Failed(error) => {
                return log.warn("connection-failed", json!({"why": error.to_string()}));
            }
        };
        log.warn("connection-refused", json!({"why": why, "how": how}));
    };
    let counts: fn(IpAddr) -> bool = if relay.behind_proxy { |_| false } else { |_| true };
    Gate::new(relay.connections.clone(), counts).telling(refused)
}

fn listen(options: &RelayOptions) -> Result<TcpListener, String> {
    let address = SocketAddr::new(options.bind, options.port()?);
    pando_web::listen(address).map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::AddrNotAvailable => "choose another address with --bind",
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 are for root, or need the capability CAP_NET_BIND_SERVICE"
            }
            _ => "choose another with --port",
        };
        format!("port {} of {} cannot be used ({error}): {remedy}", address.port(), options.bind)
    })
}

async fn listen_udp(bind: IpAddr, port: u16) -> Result<UdpSocket, String> {
    let socket = UdpSocket::bind((bind, port)).await.map_err(|error| {
        format!("UDP port {port} of {bind} cannot be used ({error}): choose another with --turn-port, or do without by --no-udp")
    })?;
    let buffers = socket2::SockRef::from(&socket);
    // The system may give smaller buffers.
    let _ = buffers.set_recv_buffer_size(UDP_BUFFER);
    let _ = buffers.set_send_buffer_size(UDP_BUFFER);
    Ok(socket)
}

/// The number of connections for which the system has file descriptors.
fn connections(options: &RelayOptions, log: &Log) -> usize {
    let most = options.limits.max_connections;
    let fitting = pando_web::fitting(most);
    if fitting < most {
        let how = "raise the limit of open files (LimitNOFILE= of a systemd unit, ulimit -n)";
        log.warn("few-files", json!({"connections": fitting, "wanted": most, "how": how}));
    }
    fitting
}

async fn ground(options: &RelayOptions, relay: &Relay, bind: IpAddr, public: IpAddr) -> Ground {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    // A machine in a cloud does not have its public address on any interface, but its name may
    // lead to the address.
    let named = match options.url.as_ref().map(|place| place.host.trim_matches(['[', ']'])) {
        Some(host) => timeout(LOOK_UP, lookup_host((host, 0))).await.ok().and_then(Result::ok),
        None => None,
    };
    Ground {
        bind,
        public,
        range: options.turn_range.clone(),
        allowed_peers: AllowedPeers {
            loopback: bind.is_loopback(),
            private: options.turn_private,
            own: interfaces
                .iter()
                .map(if_addrs::Interface::ip)
                .chain([public])
                .chain(named.into_iter().flatten().map(|address| address.ip()))
                .collect(),
        },
        most: options.limits.max_allocations,
        live: relay.allocations.clone(),
    }
}

/// The address at which the world reaches a server bound to `bind`: a public address, if this
/// machine has one.
fn public_address(bind: IpAddr) -> IpAddr {
    if !bind.is_unspecified() {
        return bind;
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let public =
        interfaces.iter().map(if_addrs::Interface::ip).find(|ip| ip.is_ipv4() && !is_private(*ip));
    public.or_else(route).unwrap_or(Ipv4Addr::LOCALHOST.into())
}

/// The address for UDP sockets. All of them use the IP version of the public address, like the
/// peers they talk to.
fn udp_bind(bind: IpAddr, public: IpAddr) -> IpAddr {
    match public {
        IpAddr::V4(_) if bind.is_unspecified() => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) if bind.is_unspecified() => Ipv6Addr::UNSPECIFIED.into(),
        _ => bind,
    }
}

/// The address from which this machine would send to the internet. No packet is sent.
fn route() -> Option<IpAddr> {
    let socket = StdUdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

fn own_url(options: &RelayOptions, listener: &TcpListener) -> String {
    let port = listener.local_addr().map_or(0, |address| address.port());
    let scheme = if options.tls_cert.is_some() { "https" } else { "http" };
    let local = format!("{scheme}://{}", SocketAddr::new(public_address(options.bind), port));
    match &options.url {
        Some(place) => format!("{local} ({})", place.url),
        None => local,
    }
}

/// Logs notes for the operator at the start.
fn tell(options: &RelayOptions, relay: &Relay, public: IpAddr) {
    let mut fields = json!({"version": env!("CARGO_PKG_VERSION"), "tls": relay.tls, "behindProxy": relay.behind_proxy});
    if let Some(port) = relay.ice.port {
        let (first, last) = (options.turn_range.start(), options.turn_range.end());
        fields["udp"] = json!({"port": port, "range": format!("{first}-{last}"), "address": public.to_string()});
    }
    relay.log.info("started", fields);
    if relay.secrets.shortest() < 16 {
        let how = "make longer ones with `openssl rand -hex 16`";
        relay.log.warn("short-secret", json!({"letters": relay.secrets.shortest(), "how": how}));
    }
    if relay.ice.port.is_some() && relay.behind_proxy && options.turn_bind().is_loopback() {
        let how = "bind the UDP ports to an address that volunteers reach, with --turn-bind 0.0.0.0, or do without by --no-udp";
        relay.log.warn("udp-on-loopback", json!({"how": how}));
    }
    if relay.ice.port.is_some() && is_private(public) && !public.is_loopback() {
        let how = "name the address at which volunteers elsewhere reach this machine, with --public-address; where volunteers and \
                   masters are in this machine's own network, --turn-private lets TURN reach that";
        relay.log.warn("private-address", json!({"address": public.to_string(), "how": how}));
    }
}

async fn expire(relay: Arc<Relay>) {
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        let ended = relay.rooms().expire(Instant::now());
        ended.iter().for_each(|room| relay.log.info("room-expired", told(room)));
    }
}

#[cfg(unix)]
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
    let mut signals: Vec<_> = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
    futures_util::future::select_all(signals.iter_mut().map(|signal| Box::pin(signal.recv())))
        .await;
}

#[cfg(not(unix))]
async fn stopped() {
    let _ = tokio::signal::ctrl_c().await;
}
