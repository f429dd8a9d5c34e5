//! Peer connections between a master and its volunteers: channels over WebRTC data channels. All
//! peer connections of a process share one UDP socket.
//!
//! The volunteer offers, the master answers. The *signalling* is the exchange of texts before both
//! are connected; texts may travel by any route. [`Peers::answer`] runs one exchange at the master,
//! [`Peers::offer`] at a native volunteer. Both give the open [`Channel`]:
//!
//! ```ignore
//! let peers = Peers::start("0.0.0.0:5000".parse()?)?;           // once per process
//! peers.set_stun_servers(vec!["stun.example.org:3478".into()]); // whenever they change
//!
//! // One conversation. `said` is what the volunteer says; once it is closed, signalling has ended.
//! // `say` is what the volunteer is to be told; it is closed when there is no more to tell.
//! let (said_by_volunteer, said) = mpsc::channel(8);
//! let (say, to_volunteer) = mpsc::channel(8);
//! if let Some(channel) = peers.answer(said, say).await {
//!     attend(master, Door { token, path: Path::Direct }, channel).await;
//! }
//!
//! peers.finish(Duration::from_millis(500)).await;               // last words, at the end of the run
//! ```
//!
//! The list of ICE servers, which a volunteer gets first of all, is not part of this crate: the
//! server of the signalling sends this list.
//!
//! One task, the *driver*, owns the socket and the state of every connection ([`str0m`] has no
//! sockets and no clock of its own). Frames are cut into flagged pieces of at most 16 KiB
//! ([`pieces`]), and the number of bytes in flight is bounded ([`flight`]).

mod certificate;
mod channel;
mod demux;
mod driver;
mod flight;
mod inbox;
mod outbox;
mod pacer;
mod peer;
mod pieces;
mod reflexive;
mod signals;
mod socket;
mod stun;
mod turn;
mod wake_list;

pub use channel::{Channel, pair};
pub use turn::TurnServer;

use demux::PeerId;
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

/// Most connections that are opening at a time; further connections wait.
const HANDSHAKES: usize = 64;
/// Longest time that a further connection waits.
const TURN: Duration = Duration::from_secs(10);
/// Longest time until a volunteer makes its offer.
const OFFER: Duration = Duration::from_secs(15);
/// Longest time until a connection opens after its offer, while signalling goes on.
const OPENING: Duration = Duration::from_secs(60);
/// Longest time until a connection opens after signalling has ended.
const ORPHANED: Duration = Duration::from_secs(30);
/// Most messages of the other side in one exchange.
const MESSAGES: usize = 256;
/// Most commands that wait for the driver.
const COMMANDS: usize = 64;

/// All peer connections of this process. Cheap to clone. The connections end with the process, or
/// by [`Peers::finish`].
#[derive(Debug, Clone)]
pub struct Peers(Arc<PeersInner>);

#[derive(Debug)]
struct PeersInner {
    commands: mpsc::Sender<Command>,
    handshakes: Semaphore,
    next: AtomicU64,
    port: u16,
    /// The number of connections.
    count: watch::Receiver<usize>,
}

impl Peers {
    /// Binds a UDP socket to `address`, or to another port of the same host if that port is taken
    /// (see [`Peers::port`]), and starts the driver. Must be called within a runtime.
    ///
    /// # Errors
    /// When no UDP socket can be bound.
    pub fn start(address: SocketAddr) -> io::Result<Self> {
        let socket =
            Socket::bind(address).or_else(|_| Socket::bind(SocketAddr::new(address.ip(), 0)))?;
        let port = socket.port();
        let (commands, orders) = mpsc::channel(COMMANDS);
        let (counter, count) = watch::channel(0);
        tokio::spawn(Driver::new(socket, orders, commands.downgrade(), counter).run());
        Ok(Self(Arc::new(PeersInner {
            commands,
            handshakes: Semaphore::new(HANDSHAKES),
            next: AtomicU64::new(0),
            port,
            count,
        })))
    }

    /// The UDP port.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Sets the servers, `host:port` or `stun:host:port`, that report this machine's address on
    /// the internet. Servers set before are forgotten. The driver asks the servers again and
    /// again, which also keeps the mapping in a NAT open. Volunteers get the reported addresses as
    /// further candidates, also in exchanges that have begun.
    pub fn set_stun_servers(&self, servers: Vec<String>) {
        let servers = servers
            .into_iter()
            .map(|server| server.strip_prefix("stun:").map(str::to_owned).unwrap_or(server))
            .collect();
        let commands = self.0.commands.clone();
        tokio::spawn(async move { commands.send(Command::StunServers(servers)).await });
    }

    /// Answers the offer of a volunteer, in one signalling conversation, with at most one peer
    /// connection. Gives its channel once that is open, or nothing when the conversation failed,
    /// which the volunteer has been told as far as it could be; then both ends are let go.
    ///
    /// The first item of `said` is the offer; candidates follow. Its end is the end of signalling,
    /// after which the connection has 30 s to open. Dropping the future ends the attempt.
    pub async fn answer(
        &self,
        mut said: mpsc::Receiver<VolunteerSignal>,
        say: mpsc::Sender<MasterSignal>,
    ) -> Option<Channel> {
        let VolunteerSignal::Offer { sdp } = timeout(OFFER, said.recv()).await.ok()?? else {
            return None;
        };
        let Ok(Ok(_turn)) = timeout(TURN, self.0.handshakes.acquire()).await else {
            let text =
                "too many devices are connecting at this moment: this one tries again".into();
            let _ = say.send(MasterSignal::Failed { text }).await;
            return None;
        };
        // Who went away while waiting for its turn takes it from nobody.
        if said.is_closed() {
            return None;
        }
        let id = self.fresh();
        let (opened, channel) = oneshot::channel();
        self.tell(Command::Answer { id, sdp, say, opened }).await?;
        self.converse(said, channel, |signal| match signal {
            VolunteerSignal::Candidate { candidate } => Some(Command::Candidate { id, candidate }),
            VolunteerSignal::Offer { .. } => None,
        })
        .await
    }

    /// Makes an offer to the master, in one signalling conversation, as [`answer`](Self::answer)
    /// does at the other side. `said` is what the master says, without the servers. With a server
    /// `turn`, the connection leads through it. Such a value makes only one offer.
    pub async fn offer(
        &self,
        said: mpsc::Receiver<MasterSignal>,
        say: mpsc::Sender<VolunteerSignal>,
        turn: Option<TurnServer>,
    ) -> Option<Channel> {
        let id = self.fresh();
        let (opened, channel) = oneshot::channel();
        self.tell(Command::Offer { id, turn, say, opened }).await?;
        self.converse(said, channel, |signal| match signal {
            MasterSignal::Answer { sdp } => Some(Command::Answered { id, sdp }),
            MasterSignal::Candidate { candidate } => Some(Command::Candidate { id, candidate }),
            MasterSignal::Servers { .. } | MasterSignal::Failed { .. } => None,
        })
        .await
    }

    /// The id of a new connection.
    fn fresh(&self) -> PeerId {
        self.0.next.fetch_add(1, Ordering::Relaxed)
    }

    async fn tell(&self, command: Command) -> Option<()> {
        self.0.commands.send(command).await.ok()
    }

    /// Passes the signals of the other side to the driver until the channel is `opened`. A signal
    /// without a `command` ends the attempt.
    async fn converse<S>(
        &self,
        mut said: mpsc::Receiver<S>,
        mut opened: oneshot::Receiver<Channel>,
        command: impl Fn(S) -> Option<Command>,
    ) -> Option<Channel> {
        let deadline = sleep_until(Instant::now() + OPENING);
        tokio::pin!(deadline);
        let (mut signalling, mut messages) = (true, 0);
        loop {
            tokio::select! {
                opened = &mut opened => return opened.ok(),
                () = &mut deadline => return None,
                signal = said.recv(), if signalling => {
                    let Some(signal) = signal else {
                        signalling = false;
                        deadline.as_mut().reset(Instant::now() + ORPHANED);
                        continue;
                    };
                    messages += 1;
                    if messages > MESSAGES {
                        return None;
                    }
                    self.tell(command(signal)?).await?;
                }
            }
        }
    }

    /// Waits until all connections have ended, at most for `patience`, and then closes the rest. A
    /// connection whose channel has been dropped ends after its queued frames have been sent.
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
