//! Peer connections with the master, past a relay or through its TURN server. `no_peer.rs` takes
//! the place of this module in a program without the feature `peers`.

use crate::{
    address::Address,
    dial::{Loss, web_socket},
    socket::SocketEvent,
};
use futures_util::{SinkExt, StreamExt};
use pando_client::{WebServer, WebSocket};
use pando_peers::{Channel, Peers, TurnServer};
use pando_protocol::{
    ice::IceServer,
    signalling::{self, MasterSignal, VolunteerSignal},
    volunteer::{Frame, Path},
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{net::lookup_host, sync::mpsc, time::timeout};
use tokio_tungstenite::tungstenite::Message;

/// The version of this program, for people.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What this program cannot do at a relay, for people.
pub(crate) const LIMIT: Option<&str> = None;
/// Signals that wait in each direction.
const SIGNALS: usize = 32;
/// How long the last frames may take to leave a peer connection.
const LAST_FRAMES: Duration = Duration::from_millis(500);

/// The way of a peer connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeerRoute {
    /// From this machine to the master's.
    Direct,
    /// Through the relay's TURN server.
    Turn,
}

impl PeerRoute {
    /// All routes, best first.
    pub(crate) const ALL: &[Self] = &[Self::Direct, Self::Turn];

    /// The way, for people.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Direct => "by a direct connection",
            Self::Turn => "through the relay's TURN server",
        }
    }

    /// What the master is told about the way.
    pub(crate) fn path(self) -> Option<Path> {
        (self == Self::Turn).then_some(Path::Turn)
    }
}

/// An open peer connection. It ends with its owner `peers`.
pub(crate) struct PeerSocket {
    channel: Channel,
    peers: Peers,
}

impl PeerSocket {
    /// As [`Socket::next`](crate::socket::Socket::next).
    pub(crate) async fn next(&mut self, has_frame: bool, is_unflushed: bool) -> SocketEvent {
        let Channel { incoming, outgoing } = &mut self.channel;
        let closed = || SocketEvent::Closed("the connection was closed".into());
        tokio::select! {
            biased;
            // If all room is free, the connection has taken all frames.
            room = outgoing.reserve_many(outgoing.max_capacity()), if !has_frame && is_unflushed => {
                match room {
                    Ok(_) => SocketEvent::Flushed,
                    Err(_) => closed(),
                }
            }
            frame = incoming.recv() => frame.map_or_else(closed, SocketEvent::Frame),
            room = outgoing.reserve(), if has_frame => match room {
                Ok(_) => SocketEvent::HasRoom,
                Err(_) => closed(),
            },
        }
    }

    /// Gives `frame` to the connection, after [`SocketEvent::HasRoom`].
    pub(crate) fn send(&mut self, frame: Frame) {
        let _ = self.channel.outgoing.try_send(frame);
    }

    /// Closes the connection, after its frames are sent.
    pub(crate) async fn close(self) {
        drop(self.channel);
        self.peers.finish(LAST_FRAMES).await;
    }
}

/// Opens a peer connection. The signalling travels over a WebSocket.
///
/// # Errors
/// When there is no connection.
pub(crate) async fn connect(
    route: PeerRoute,
    server: &WebServer,
    address: &Address,
) -> Result<PeerSocket, Loss> {
    let none = || Loss::Broken("there is no peer connection".into());
    let mut signal = web_socket(server, address, "signal", signalling::LONGEST * 2).await?;
    let servers = match hear(&mut signal).await {
        Some(MasterSignal::Servers { ice_servers }) => ice_servers,
        _ => return Err(none()),
    };
    // The socket of this attempt alone: nothing is left of an attempt that fails.
    let peers = Peers::start((Ipv4Addr::UNSPECIFIED, 0).into()).map_err(|_| none())?;
    let turn = match route {
        PeerRoute::Turn => Some(turn_server(&servers).await.ok_or_else(none)?),
        PeerRoute::Direct => {
            let stun = servers.iter().flat_map(IceServer::stun).map(str::to_owned);
            peers.set_stun_servers(stun.collect());
            None
        }
    };
    let (from_master, said) = mpsc::channel(SIGNALS);
    let (say, to_master) = mpsc::channel(SIGNALS);
    let channel = tokio::select! {
        channel = peers.offer(said, say, turn) => channel,
        never = converse(&mut signal, from_master, to_master) => match never {},
    };
    let _ = timeout(Duration::from_millis(100), signal.close(None)).await;
    channel.map(|channel| PeerSocket { channel, peers }).ok_or_else(none)
}

/// The first TURN server that can be used: over UDP and IPv4.
async fn turn_server(servers: &[IceServer]) -> Option<TurnServer> {
    let mut known = servers.iter().filter(|server| server.turn().next().is_some());
    let server = known.next()?;
    let (username, credential) = (server.username.clone()?, server.credential.clone()?);
    let mut addresses = lookup_host(server.turn().next()?).await.ok()?;
    let address = addresses.find(SocketAddr::is_ipv4)?;
    Some(TurnServer { address, username, credential })
}

/// The next signal of the master, or of the server.
async fn hear(signal: &mut WebSocket) -> Option<MasterSignal> {
    loop {
        match signal.next().await {
            Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).ok(),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            _ => return None,
        }
    }
}

/// Passes signals on, for as long as the attempt lasts. After the answer, the signalling may end
/// before the connection opens.
async fn converse(
    signal: &mut WebSocket,
    from_master: mpsc::Sender<MasterSignal>,
    mut to_master: mpsc::Receiver<VolunteerSignal>,
) -> std::convert::Infallible {
    let mut from_master = Some(from_master);
    loop {
        tokio::select! {
            heard = hear(signal), if from_master.is_some() => {
                // A signal without room ends the signalling as well.
                let passed = heard.zip(from_master.as_ref()).map(|(heard, to)| to.try_send(heard));
                if !matches!(passed, Some(Ok(()))) {
                    from_master = None;
                }
            }
            Some(said) = to_master.recv() => {
                let text = serde_json::to_string(&said).expect("plain data");
                let _ = signal.send(Message::Text(text.into())).await;
            }
            else => std::future::pending().await,
        }
    }
}
