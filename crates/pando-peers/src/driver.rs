//! The task that owns the socket and all connections. It handles packets, commands and the
//! wake-ups of channels in turns.

mod offering;

use crate::{
    certificate::SharedCertificate,
    channel::Channel,
    demux::{Demux, PeerId},
    outbox::Outbox,
    peer::Peer,
    reflexive::{Mapped, Reflexive},
    signals::Say,
    socket::{Packet, PacketBatch, Socket},
    stun,
    turn::{Turn, TurnServer},
    wake_list::WakeList,
};
use pando_protocol::signalling::{MasterSignal, VolunteerSignal};
use std::{
    collections::{BTreeSet, HashMap},
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};
use str0m::Candidate;
use tokio::{
    net::lookup_host,
    sync::{mpsc, oneshot, watch},
    time::sleep_until,
};
use tracing::debug;

/// Most connections at a time.
const PEERS: usize = 4096;
/// Most batches of packets in one turn.
const BATCHES: usize = 4;
/// A text in every offer of Firefox. Firefox never uses loopback addresses, neither local nor
/// remote.
const FIREFOX: &str = "mozilla...THIS_IS_SDPARTA";
const FIREFOX_HERE: &str = "Firefox makes no peer connection to 127.0.0.1, and this run has no other address: \
    take #protocol=webrtc out of the address of this page.";

/// A command for the driver.
#[derive(Debug)]
pub(crate) enum Command {
    /// A volunteer made an offer.
    Answer {
        id: PeerId,
        sdp: String,
        say: mpsc::Sender<MasterSignal>,
        opened: oneshot::Sender<Channel>,
    },
    /// This volunteer is to make an offer.
    Offer {
        id: PeerId,
        turn: Option<TurnServer>,
        say: mpsc::Sender<VolunteerSignal>,
        opened: oneshot::Sender<Channel>,
    },
    /// The master answered the offer.
    Answered { id: PeerId, sdp: String },
    /// The other side of a connection named an address.
    Candidate { id: PeerId, candidate: String },
    /// The list of STUN servers changed.
    StunServers(Vec<String>),
    /// The addresses of a STUN server were looked up.
    LookedUp { name: String, addresses: Vec<SocketAddr> },
    /// All connections end now.
    CloseAll { done: oneshot::Sender<()> },
}

/// The state of the driver; see the module.
pub(crate) struct Driver {
    socket: Socket,
    orders: mpsc::Receiver<Command>,
    commands: mpsc::WeakSender<Command>,
    counter: watch::Sender<usize>,
    certificate: Option<SharedCertificate>,
    peers: HashMap<PeerId, (Peer, Instant)>,
    /// The connections by the time of their next timeout.
    schedule: BTreeSet<(Instant, PeerId)>,
    demux: Demux,
    wake_list: WakeList,
    reflexive: Reflexive,
    /// The way through a TURN server, at a volunteer that needs one.
    turn: Option<Turn>,
    outbox: Outbox,
    scratch: Vec<u8>,
    /// The connections to which something happened in this turn.
    touched: Vec<PeerId>,
}

impl Driver {
    pub(crate) fn new(
        socket: Socket,
        orders: mpsc::Receiver<Command>,
        commands: mpsc::WeakSender<Command>,
        counter: watch::Sender<usize>,
    ) -> Self {
        let outbox = Outbox::new(socket.most_at_once());
        Self {
            socket,
            orders,
            commands,
            counter,
            certificate: None,
            peers: HashMap::new(),
            schedule: BTreeSet::new(),
            demux: Demux::default(),
            wake_list: WakeList::default(),
            reflexive: Reflexive::default(),
            turn: None,
            outbox,
            scratch: Vec::new(),
            touched: Vec::new(),
        }
    }

    /// Runs until all senders of commands are dropped and no connection is left.
    pub(crate) async fn run(mut self) {
        let mut batch = PacketBatch::default();
        let timer = sleep_until(Instant::now().into());
        tokio::pin!(timer);
        let mut is_told = true;
        while is_told || !self.peers.is_empty() {
            let next = self
                .schedule
                .first()
                .map(|(due, _)| *due)
                .into_iter()
                .chain(self.reflexive.next())
                .chain(self.turn.as_ref().and_then(Turn::next))
                .min();
            if let Some(next) = next.filter(|next| *next != timer.deadline().into_std()) {
                timer.as_mut().reset(next.into());
            }
            tokio::select! {
                command = self.orders.recv(), if is_told => match command {
                    Some(command) => self.obey(command).await,
                    None => is_told = false,
                },
                () = self.socket.readable() => self.receive(&mut batch),
                () = self.wake_list.some() => {}
                () = &mut timer, if next.is_some() => self.pass(),
            }
            self.wake_list.take(&mut self.touched);
            self.drive();
            self.pass_turn();
            self.socket.send(&mut self.outbox).await;
        }
        if let Some(mut turn) = self.turn.take() {
            turn.end(Instant::now(), &mut self.outbox);
            self.socket.send(&mut self.outbox).await;
        }
    }

    async fn obey(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::Answer { id, sdp, say, opened } => self.answer(id, &sdp, say, opened),
            Command::Offer { id, turn, say, opened } => self.offer(id, turn, say, opened),
            Command::Answered { id, sdp } => {
                sdp.lines()
                    .filter_map(|line| line.strip_prefix("a="))
                    .for_each(|line| self.meet(line));
                self.with_peer(id, |peer| peer.answered(&sdp));
            }
            Command::Candidate { id, candidate } => {
                self.meet(&candidate);
                self.with_peer(id, |peer| peer.remote_candidate(&candidate, now));
            }
            Command::StunServers(names) => {
                self.reflexive.set(names, now);
                self.ask_servers(now);
            }
            Command::LookedUp { name, addresses } => {
                let reached: Vec<_> =
                    addresses.into_iter().filter(|address| self.socket.reaches(address)).collect();
                self.reflexive.looked_up(&name, &reached, now);
                self.ask_servers(now);
            }
            Command::CloseAll { done } => {
                self.touched.extend(self.peers.keys());
                self.peers.values_mut().for_each(|(peer, _)| peer.close(now));
                self.drive();
                self.pass_turn();
                self.socket.send(&mut self.outbox).await;
                let _ = done.send(());
            }
        }
    }

    /// Does something to a connection, if it is still there.
    fn with_peer(&mut self, id: PeerId, act: impl FnOnce(&mut Peer)) {
        let Some((peer, _)) = self.peers.get_mut(&id) else { return };
        match catch_unwind(AssertUnwindSafe(|| act(peer))) {
            Ok(()) => self.touched.push(id),
            Err(_) => self.forget(id),
        }
    }

    fn answer(
        &mut self,
        id: PeerId,
        sdp: &str,
        say: mpsc::Sender<MasterSignal>,
        opened: oneshot::Sender<Channel>,
    ) {
        let candidates = self.local_candidates();
        let answer = if sdp.contains(FIREFOX)
            && candidates.iter().all(|candidate| candidate.addr().ip().is_loopback())
        {
            Err(FIREFOX_HERE)
        } else if self.peers.len() < PEERS {
            let waker = self.wake_list.waker(id);
            let certificate = self.certificate.get_or_insert_with(SharedCertificate::fresh);
            catch_unwind(AssertUnwindSafe(|| Peer::answer(sdp, &candidates, certificate, waker)))
                .unwrap_or(Err("the offer cannot be answered"))
        } else {
            Err("as many devices are connected as there is room for")
        };
        match answer {
            Ok((peer, sdp)) => {
                debug!(peer = ?id, "an offer is answered");
                let _ = say.try_send(MasterSignal::Answer { sdp });
                self.add(id, peer, Say::AsMaster(say), opened);
            }
            Err(text) => {
                debug!(text, "an offer is refused");
                let _ = say.try_send(MasterSignal::Failed { text: text.into() });
            }
        }
    }

    fn add(&mut self, id: PeerId, mut peer: Peer, say: Say, opened: oneshot::Sender<Channel>) {
        self.demux.add(id, peer.fragment());
        peer.set_receivers(say, opened);
        let due = peer.due();
        self.schedule.insert((due, id));
        self.peers.insert(id, (peer, due));
        self.touched.push(id);
        self.counter.send_replace(self.peers.len());
    }

    fn local_candidates(&self) -> Vec<Candidate> {
        let hosts =
            self.socket.hosts().into_iter().filter_map(|host| Candidate::host(host, "udp").ok());
        hosts.chain(self.reflexive.mapped().filter_map(reflexive_candidate)).collect()
    }

    fn receive(&mut self, batch: &mut PacketBatch) {
        for _ in 0..BATCHES {
            let is_more = self.socket.receive(batch);
            let now = Instant::now();
            for packet in self.socket.packets(batch) {
                match self.turn.as_ref().filter(|turn| turn.is_server(packet.source)) {
                    Some(_) => self.turned(packet.bytes, now),
                    None => self.packet(&packet, now),
                }
            }
            if !is_more {
                break;
            }
        }
    }

    fn packet(&mut self, packet: &Packet, now: Instant) {
        let is_stun = stun::is_stun(packet.bytes);
        let Some(id) = self
            .demux
            .owner(packet.bytes, packet.source, now)
            .or_else(|| self.stranger(packet, is_stun, now))
        else {
            return;
        };
        let Some((peer, _)) = self.peers.get_mut(&id) else { return };
        if peer.is_full() && !is_stun {
            return;
        }
        let outbox = &mut self.outbox;
        if catch_unwind(AssertUnwindSafe(|| peer.packet(packet, now, outbox))).is_err() {
            self.forget(id);
            return;
        }
        if self.touched.last() != Some(&id) {
            self.touched.push(id);
        }
    }

    /// Handles a packet from an address that belongs to no connection: an answer of a STUN server,
    /// or of a peer that is connecting.
    fn stranger(&mut self, packet: &Packet, is_stun: bool, now: Instant) -> Option<PeerId> {
        if !is_stun || stun::local_fragment(packet.bytes).is_some() {
            return None;
        }
        if let Some(mapped) =
            self.reflexive.answer(packet.bytes, packet.source, packet.destination, now)
        {
            self.found(mapped, now);
        }
        let (id, _) = self.peers.iter().find(|(_, (peer, _))| peer.accepts(packet, now))?;
        self.demux.claim(*id, packet.source, now);
        Some(*id)
    }

    /// Tells all connections a new address of this machine on the internet.
    fn found(&mut self, mapped: Mapped, now: Instant) {
        let Some(candidate) = reflexive_candidate(mapped) else { return };
        for (id, (peer, _)) in &mut self.peers {
            peer.local_candidate(candidate.clone(), now);
            self.touched.push(*id);
        }
    }

    /// Runs the timeouts that are due, and asks STUN servers.
    fn pass(&mut self) {
        let now = Instant::now();
        self.ask_servers(now);
        while let Some((due, id)) = self.schedule.first().copied().filter(|(due, _)| *due <= now) {
            self.schedule.remove(&(due, id));
            if let Some((peer, _)) = self.peers.get_mut(&id) {
                peer.timeout(now);
                self.touched.push(id);
            }
        }
    }

    fn ask_servers(&mut self, now: Instant) {
        for name in self.reflexive.names(now) {
            let Some(commands) = self.commands.upgrade() else { return };
            tokio::spawn(async move {
                let addresses = lookup_host(&name).await.map(Iterator::collect).unwrap_or_default();
                let _ = commands.send(Command::LookedUp { name, addresses }).await;
            });
        }
        for (address, request) in self.reflexive.requests(now, chance) {
            self.outbox.push(std::net::Ipv4Addr::UNSPECIFIED.into(), address, &request);
        }
    }

    /// Drives the connections to which something happened, and schedules them again.
    fn drive(&mut self) {
        let now = Instant::now();
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        for id in touched.drain(..) {
            let Some((peer, scheduled)) = self.peers.get_mut(&id) else { continue };
            let (scratch, outbox) = (&mut self.scratch, &mut self.outbox);
            let is_fine =
                catch_unwind(AssertUnwindSafe(|| peer.drive(now, scratch, outbox))).is_ok();
            if !is_fine || peer.is_over() {
                self.forget(id);
                continue;
            }
            self.schedule.remove(&(*scheduled, id));
            *scheduled = peer.due();
            self.schedule.insert((*scheduled, id));
        }
        self.touched = touched;
    }

    fn forget(&mut self, id: PeerId) {
        if let Some((_, scheduled)) = self.peers.remove(&id) {
            debug!(peer = ?id, "a peer connection has ended");
            self.schedule.remove(&(scheduled, id));
            self.demux.remove(id);
            self.counter.send_replace(self.peers.len());
        }
    }
}

fn reflexive_candidate(mapped: Mapped) -> Option<Candidate> {
    (mapped.address != mapped.base)
        .then(|| Candidate::server_reflexive(mapped.address, mapped.base, "udp").ok())
        .flatten()
}

fn chance() -> stun::Transaction {
    let mut transaction = [0; 12];
    getrandom::fill(&mut transaction).expect("the system gives random bytes");
    transaction
}
