//! Attempts to connect with the master, over each transport.

use crate::{address::Address, settings::unconnected, socket::Socket};
use futures_util::{SinkExt, StreamExt};
use pando_client::{SocketError, WebServer, WebSocket};
use pando_peers::{Peers, TurnServer};
use pando_protocol::{
    ice::IceServer,
    signalling::{self, MasterSignal, VolunteerSignal},
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{net::lookup_host, sync::mpsc, time::timeout};
use tokio_tungstenite::tungstenite::{Error, Message};

/// How long the opening of a WebSocket may take.
const CONNECTING: Duration = Duration::from_secs(15);
/// Longest message of the master, in bytes: a part and its header, or a long text message.
const LONGEST_MESSAGE: usize = 1 << 20;
/// Signals that wait in each direction.
const SIGNALS: usize = 32;

/// The way to a master, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// A direct peer connection, past the relay.
    Direct,
    /// A peer connection through a TURN server.
    Turn,
    /// A WebSocket, to the master or through a relay.
    WebSocket,
}

impl Transport {
    /// The transports of one attempt to connect. Past a relay, a direct connection
    /// comes first.
    pub(crate) fn all(is_relay: bool) -> &'static [Self] {
        if is_relay { &[Self::Direct, Self::Turn, Self::WebSocket] } else { &[Self::WebSocket] }
    }
}

/// Why there is no socket.
#[derive(Debug)]
pub(crate) enum Loss {
    /// The connection broke, or there is none.
    Broken(String),
    /// The server answers, and has no run at the address.
    NoRun,
}

/// Connects with the master of the run at `address`.
///
/// # Errors
/// When there is no connection.
pub(crate) async fn dial(
    transport: Transport,
    server: WebServer,
    address: Address,
) -> Result<Socket, Loss> {
    match transport {
        Transport::Direct => peer(&server, &address, false).await,
        Transport::Turn => peer(&server, &address, true).await,
        Transport::WebSocket => {
            let (sink, stream) =
                web_socket(&server, &address, "socket", LONGEST_MESSAGE).await?.split();
            Ok(Socket::Web(sink, stream))
        }
    }
}

async fn web_socket(
    server: &WebServer,
    address: &Address,
    path: &str,
    longest: usize,
) -> Result<WebSocket, Loss> {
    match timeout(CONNECTING, server.socket(path, None, longest)).await {
        Ok(Ok(socket)) => Ok(socket),
        Ok(Err(SocketError::Connect(error))) => Err(Loss::Broken(unconnected(&error, address))),
        Ok(Err(SocketError::Request(why))) => Err(Loss::Broken(why)),
        Ok(Err(SocketError::Upgrade(error))) => Err(match *error {
            Error::Http(answer) if answer.status() == 404 => Loss::NoRun,
            Error::Http(answer) => {
                Loss::Broken(format!("{address} answers {}", answer.status().as_str()))
            }
            error => Loss::Broken(format!("{address} accepts no WebSocket ({error})")),
        }),
        Err(_) => Err(Loss::Broken(format!("{address} does not answer"))),
    }
}

/// A peer connection, direct or through a TURN server. The signalling travels over a WebSocket.
async fn peer(server: &WebServer, address: &Address, by_turn: bool) -> Result<Socket, Loss> {
    let none = || Loss::Broken("there is no peer connection".into());
    let mut signal = web_socket(server, address, "signal", signalling::LONGEST * 2).await?;
    let servers = match hear(&mut signal).await {
        Some(MasterSignal::Servers { ice_servers }) => ice_servers,
        _ => return Err(none()),
    };
    // The socket of this attempt alone: nothing is left of an attempt that fails.
    let peers = Peers::start((Ipv4Addr::UNSPECIFIED, 0).into()).map_err(|_| none())?;
    let turn = match by_turn {
        true => Some(turn_server(&servers).await.ok_or_else(none)?),
        false => {
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
    channel.map(|channel| Socket::Peer { channel, peers }).ok_or_else(none)
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
