//! Carries channels over WebRTC data channels: all peer connections of the process over one UDP socket.
//!
//! A browser offers, the master answers. What the two say to each other before they are connected, the *signalling*, is text
//! that may travel by any road; [`Peers::converse`] has one such conversation and gives the open [`Channel`]:
//!
//! ```ignore
//! let peers = Peers::start("0.0.0.0:5000".parse()?)?;           // once per process
//! peers.set_stun_servers(vec!["stun.example.org:3478".into()]); // whenever they change
//!
//! // One conversation. `said` is what the browser says; once it is closed, signalling has ended.
//! // `say` is what the browser is to be told; it is closed when there is no more to tell.
//! let (said_by_browser, said) = mpsc::channel(8);
//! let (say, to_browser) = mpsc::channel(8);
//! if let Some(channel) = peers.converse(said, say).await {
//!     attend(master, Door { token, path: Path::Direct }, channel).await;
//! }
//!
//! peers.finish(Duration::from_millis(500)).await;               // last words, at the end of the run
//! ```
//!
//! The list of ICE servers, which a browser is told first of all, is not part of this: who serves the signalling says it.
//!
//! One task, the *driver*, owns the socket and every connection's state ([`str0m`] has no sockets and no clock of its own).
//! Frames are cut into flagged pieces of at most 16 KiB ([`pieces`]), of which a bounded number of bytes is under way
//! ([`flight`]).

mod demux;
mod driver;
mod flight;
mod inbox;
mod outbox;
mod peer;
mod pieces;
mod reflexive;
mod socket;
mod stun;
mod wakes;

use super::Channel;
use driver::{Command, Driver};
use pando_protocol::signalling::{MasterSignal, VolunteerSignal};
use socket::Socket;
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    time::{Instant, sleep_until, timeout},
};

/// Connections that are being made at a time; others wait their turn.
const HANDSHAKES: usize = 64;
/// Time that they wait.
const TURN: Duration = Duration::from_secs(10);
/// Time that a browser has to make its offer.
const OFFER: Duration = Duration::from_secs(15);
/// Time that a connection has to open, once it has been offered, while signalling goes on.
const OPENING: Duration = Duration::from_secs(60);
/// The same, once signalling has ended.
const ORPHANED: Duration = Duration::from_secs(30);
/// Messages that a browser may say in one conversation.
const MESSAGES: usize = 256;
/// Commands that wait for the driver.
const COMMANDS: usize = 64;

/// All peer connections of this process. Cheap to clone; the connections end with the process, or by [`Peers::finish`].
#[derive(Debug, Clone)]
pub struct Peers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    commands: mpsc::Sender<Command>,
    handshakes: Semaphore,
    next: AtomicU64,
    port: u16,
    /// How many connections there are.
    count: watch::Receiver<usize>,
}

impl Peers {
    /// Binds a UDP socket to `address`, or to another port of the same host when that port is taken ([`Peers::port`] tells
    /// which), and starts the driver. Must be called within a runtime.
    ///
    /// # Errors
    /// When there is no UDP socket to be had.
    pub fn start(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::bind(address).or_else(|_| Socket::bind(SocketAddr::new(address.ip(), 0)))?;
        let port = socket.port();
        let (commands, orders) = mpsc::channel(COMMANDS);
        let (counter, count) = watch::channel(0);
        tokio::spawn(Driver::new(socket, orders, commands.downgrade(), counter).run());
        Ok(Self(Arc::new(Shared { commands, handshakes: Semaphore::new(HANDSHAKES), next: AtomicU64::new(0), port, count })))
    }

    /// The UDP port.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Servers, `host:port` or `stun:host:port`, that tell this machine its address on the internet; those given before are
    /// forgotten. They are asked as long as there are any, which also keeps the way through a NAT open. What they answer is
    /// told to browsers as further candidates, also in conversations that have begun.
    pub fn set_stun_servers(&self, servers: Vec<String>) {
        let servers =
            servers.into_iter().map(|server| server.strip_prefix("stun:").map(str::to_owned).unwrap_or(server)).collect();
        let commands = self.0.commands.clone();
        tokio::spawn(async move { commands.send(Command::StunServers(servers)).await });
    }

    /// Has one signalling conversation: at most one peer connection. Gives its channel once that is open, or nothing when
    /// the conversation failed, which the browser has been told as far as it could be; then both ends are let go.
    ///
    /// The first item of `said` is the offer; candidates follow. Its end is the end of signalling, after which the connection has 30 s
    /// to open. Dropping the future ends the attempt.
    pub async fn converse(&self, mut said: mpsc::Receiver<VolunteerSignal>, say: mpsc::Sender<MasterSignal>) -> Option<Channel> {
        let VolunteerSignal::Offer { sdp } = timeout(OFFER, said.recv()).await.ok()?? else { return None };
        let Ok(Ok(_turn)) = timeout(TURN, self.0.handshakes.acquire()).await else {
            let text = "too many devices are connecting at this moment: this one tries again".into();
            let _ = say.send(MasterSignal::Failed { text }).await;
            return None;
        };
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let (opened, mut channel) = oneshot::channel();
        let deadline = sleep_until(Instant::now() + OPENING);
        tokio::pin!(deadline);
        self.0.commands.send(Command::Offer { id, sdp, say, opened }).await.ok()?;
        let (mut signalling, mut messages) = (true, 0);
        loop {
            tokio::select! {
                opened = &mut channel => return opened.ok(),
                () = &mut deadline => return None,
                signal = said.recv(), if signalling => {
                    let Some(signal) = signal else {
                        signalling = false;
                        deadline.as_mut().reset(Instant::now() + ORPHANED);
                        continue;
                    };
                    messages += 1;
                    let VolunteerSignal::Candidate { candidate } = signal else { return None };
                    if messages > MESSAGES {
                        return None;
                    }
                    self.0.commands.send(Command::Candidate { id, candidate }).await.ok()?;
                }
            }
        }
    }

    /// Waits until all connections have ended, those whose channel has been dropped having said what was queued, but no
    /// longer than `patience`; then the others are closed as well.
    pub async fn finish(&self, patience: Duration) {
        let mut count = self.0.count.clone();
        if timeout(patience, count.wait_for(|count| *count == 0)).await.is_err() {
            let (done, closed) = oneshot::channel();
            if self.0.commands.send(Command::CloseAll { done }).await.is_ok() {
                let _ = closed.await;
            }
        }
    }
}
