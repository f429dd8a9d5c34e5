//! A peer connection, apart from the socket: the str0m state, the data channel, and the inner end
//! of the channel, whose other end the master or the volunteer (the *owner*) has.

mod ending;

use crate::{
    certificate::SharedCertificate,
    channel::{self, Channel},
    flight::{self, Flight},
    inbox::Inbox,
    outbox::Outbox,
    pacer::Pacer,
    pieces::{self, PieceAssembler, PieceCutter},
    signals::Say,
    socket::Packet,
};
use pando_protocol::volunteer::Frame;
use std::{
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Event, Input, Output, Rtc,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    channel::{ChannelData, ChannelId, Reliability},
    net::{Protocol, Receive},
};
use tokio::sync::{mpsc, oneshot};

/// Name of the one data channel.
const LABEL: &str = "pando";
/// Size of packets, in bytes; small enough for VPNs and TURN.
const PACKET: usize = 1200;
/// How long the last frames may take to arrive.
const LAST_FRAMES: Duration = Duration::from_secs(2);
/// How long the end of the connection is announced.
const LAST_PACKETS: Duration = Duration::from_millis(200);
/// Most packets that an open connection takes before it is polled for output. A poll costs more
/// than a packet, and one acknowledgement for many packets spares the browser work. DTLS accepts
/// 30 packets.
const PACKETS: usize = 16;
/// The same limit for a distant peer: the browser raises its rate with each acknowledgement, and
/// needs many acknowledgements.
const PACKETS_FAR: usize = 2;
/// Most addresses that the other side may name.
const CANDIDATES: usize = 64;

/// The state of one connection; see the module.
pub(crate) struct Peer {
    rtc: Rtc,
    stage: Stage,
    /// The offer of this side, until it is answered.
    offer: Option<SdpPendingOffer>,
    say: Option<Say>,
    opened: Option<oneshot::Sender<Channel>>,
    /// Frames from the owner.
    incoming: Option<mpsc::Receiver<Frame>>,
    /// Frames to the owner.
    inbox: Inbox,
    data: Option<ChannelId>,
    cutter: PieceCutter,
    assembler: PieceAssembler,
    flight: Flight,
    candidates: usize,
    packets: usize,
    waker: Waker,
    due: Instant,
    /// Packets that wait to leave.
    pacer: Pacer,
    until: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The connection is opening.
    Opening,
    /// The data channel is open.
    Open,
    /// The owner has dropped the channel; its queued frames go out.
    Leaving,
    /// The connection has ended or is closing; frames may still wait for the owner.
    Closed,
}

impl Peer {
    /// Answers `offer`; returns the connection and the answer.
    ///
    /// # Errors
    /// When the offer cannot be parsed or answered. The error goes to a stranger, so it leaves out
    /// str0m's own text, which may contain a memory address.
    pub(crate) fn answer(
        offer: &str,
        hosts: &[Candidate],
        certificate: &SharedCertificate,
        waker: Waker,
    ) -> Result<(Self, String), &'static str> {
        let offer =
            SdpOffer::from_sdp_string(offer).map_err(|_| "the offer cannot be understood")?;
        let mut peer = Self::new(hosts, certificate, waker);
        let answer =
            peer.rtc.sdp_api().accept_offer(offer).map_err(|_| "the offer cannot be answered")?;
        peer.begin().ok_or("the connection cannot be begun")?;
        Ok((peer, answer.to_sdp_string()))
    }

    /// Makes an offer; returns the connection and the offer. `None` if there can be none.
    pub(crate) fn offer(
        hosts: &[Candidate],
        certificate: &SharedCertificate,
        waker: Waker,
    ) -> Option<(Self, String)> {
        let mut peer = Self::new(hosts, certificate, waker);
        let mut changes = peer.rtc.sdp_api();
        changes.add_channel(LABEL.into());
        let (offer, pending) = changes.apply()?;
        peer.offer = Some(pending);
        Some((peer, offer.to_sdp_string()))
    }

    /// Takes the answer to the offer. An answer that cannot be used ends the connection.
    pub(crate) fn answered(&mut self, answer: &str) {
        let taken = self.offer.take().and_then(|pending| {
            let answer = SdpAnswer::from_sdp_string(answer).ok()?;
            self.rtc.sdp_api().accept_answer(pending, answer).ok()?;
            self.begin()
        });
        if taken.is_none() {
            self.broken();
        }
    }

    fn new(hosts: &[Candidate], certificate: &SharedCertificate, waker: Waker) -> Self {
        let now = Instant::now();
        let mut rtc = Rtc::builder()
            .clear_codecs()
            .set_crypto_provider(certificate.provider.clone())
            .set_dtls_cert(certificate.cert.clone())
            .set_mtu(PACKET..=usize::MAX)
            .set_sctp_max_message_size(pieces::LONGEST as u32)
            .set_sctp_max_buffered_amount(flight::MOST + pieces::LONGEST)
            .build(now);
        for host in hosts {
            rtc.add_local_candidate(host.clone());
        }
        Self {
            rtc,
            stage: Stage::Opening,
            offer: None,
            say: None,
            opened: None,
            incoming: None,
            inbox: Inbox::default(),
            data: None,
            cutter: PieceCutter::default(),
            assembler: PieceAssembler::default(),
            flight: Flight::new(),
            candidates: 0,
            packets: 0,
            waker,
            due: now,
            pacer: Pacer::default(),
            until: None,
        }
    }

    /// Begins to connect. Without a first timeout, str0m never sends a check.
    fn begin(&mut self) -> Option<()> {
        self.rtc.handle_input(Input::Timeout(Instant::now())).ok()
    }

    /// Sets the receivers of further candidates and of the open channel.
    pub(crate) fn set_receivers(&mut self, say: Say, opened: oneshot::Sender<Channel>) {
        (self.say, self.opened) = (Some(say), Some(opened));
    }

    /// The name of this connection in STUN.
    pub(crate) fn fragment(&mut self) -> String {
        self.rtc.direct_api().local_ice_credentials().ufrag
    }

    /// Adds an address named by the other side. A hidden address (`….local`) becomes known through
    /// packets from it.
    pub(crate) fn remote_candidate(&mut self, candidate: &str, now: Instant) {
        let Ok(candidate) = Candidate::from_sdp_string(candidate) else { return };
        if candidate.proto() == Protocol::Udp && self.candidates < CANDIDATES {
            self.candidates += 1;
            self.rtc.add_remote_candidate(candidate);
            self.timeout(now);
        }
    }

    /// Adds a new address of this machine, and tells the other side while the connection opens.
    pub(crate) fn local_candidate(&mut self, candidate: Candidate, now: Instant) {
        let Some(say) = self.say.as_ref().filter(|_| self.stage == Stage::Opening) else { return };
        if let Some(candidate) = self.rtc.add_local_candidate(candidate) {
            say.candidate(candidate.to_sdp_string());
        }
        self.timeout(now);
    }

    /// Whether so many frames wait for the owner that further packets should be dropped; the
    /// other side sends dropped packets again.
    pub(crate) fn is_full(&self) -> bool {
        self.inbox.is_full()
    }

    /// Whether a STUN packet without a name, from an unknown address, answers a check of this
    /// connection.
    pub(crate) fn accepts(&self, packet: &Packet, now: Instant) -> bool {
        self.stage == Stage::Opening
            && receive(packet)
                .is_some_and(|received| self.rtc.accepts(&Input::Receive(now, received)))
    }

    /// Takes a packet; packets in reply go to `outbox`.
    pub(crate) fn packet(&mut self, packet: &Packet, now: Instant, outbox: &mut Outbox) {
        let Some(received) = receive(packet) else { return };
        if self.rtc.handle_input(Input::Receive(now, received)).is_err() {
            return self.broken();
        }
        self.packets += 1;
        let most = if self.flight.is_near() { PACKETS } else { PACKETS_FAR };
        if self.stage == Stage::Opening || self.packets >= most {
            self.poll(now, outbox);
        }
    }

    /// Tells the connection the time.
    pub(crate) fn timeout(&mut self, now: Instant) {
        if self.rtc.handle_input(Input::Timeout(now)).is_err() {
            self.broken();
        }
    }

    /// Moves frames both ways, as far as there is room, and sends the resulting packets.
    pub(crate) fn drive(&mut self, now: Instant, scratch: &mut Vec<u8>, outbox: &mut Outbox) {
        let waker = self.waker.clone();
        let mut context = Context::from_waker(&waker);
        self.poll(now, outbox);
        self.inbox.deliver(&mut context);
        if self.inbox.poll_dropped(&mut context) {
            self.begin_to_leave(now);
        }
        match self.stage {
            Stage::Opening => {
                if self
                    .opened
                    .as_mut()
                    .is_some_and(|opened| opened.poll_closed(&mut context).is_ready())
                {
                    self.close(now);
                }
            }
            Stage::Open | Stage::Leaving => {
                self.write(now, &mut context, scratch);
                if self.stage == Stage::Leaving {
                    self.leave(now, outbox);
                }
            }
            Stage::Closed if self.until.is_some_and(|until| until <= now) => self.broken(),
            Stage::Closed => {}
        }
        self.poll(now, outbox);
        if self.stage == Stage::Closed {
            self.inbox.deliver(&mut context);
            if self.inbox.is_empty() {
                self.inbox.close();
            }
        }
    }

    /// The time at which this connection next needs to be driven.
    pub(crate) fn due(&self) -> Instant {
        [self.until, self.pacer.next()].into_iter().flatten().fold(self.due, Instant::min)
    }

    /// Whether the connection has ended and no frame waits for the owner.
    pub(crate) fn is_over(&self) -> bool {
        self.stage == Stage::Closed && !self.rtc.is_alive() && self.inbox.is_empty()
    }

    /// Writes the frames that the owner has queued, as far as there is room in flight.
    fn write(&mut self, now: Instant, context: &mut Context, scratch: &mut Vec<u8>) {
        let Some(mut data) = self.data.and_then(|id| self.rtc.channel(id)) else { return };
        let mut in_flight = data.buffered_amount();
        self.flight.set_in_flight(in_flight, now);
        while self.flight.has_room(in_flight) {
            if !self.cutter.is_busy() {
                match self.incoming.as_mut().map(|incoming| incoming.poll_recv(context)) {
                    Some(Poll::Ready(Some(frame))) => self.cutter.start(frame),
                    Some(Poll::Ready(None)) => {
                        self.incoming = None;
                        return self.begin_to_leave(now);
                    }
                    Some(Poll::Pending) | None => return,
                }
            }
            self.cutter.next_message(scratch);
            match data.write(true, scratch) {
                Ok(true) => {
                    in_flight += scratch.len();
                    self.flight.wrote(scratch.len(), now);
                }
                Ok(false) | Err(_) => return self.broken(),
            }
        }
    }

    /// Takes all output of the connection: packets and events.
    fn poll(&mut self, now: Instant, outbox: &mut Outbox) {
        self.packets = 0;
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(due)) => {
                    self.due = due;
                    break;
                }
                Ok(Output::Transmit(packet)) => {
                    self.pacer.push(packet.source, packet.destination, packet.contents.into())
                }
                Ok(Output::Event(event)) => self.happened(event, now),
                Err(_) => {
                    self.broken();
                    break;
                }
            }
        }
        // The last packets of a connection do not wait.
        let pace = self.flight.pace().filter(|_| self.stage != Stage::Closed);
        self.pacer.release(pace, now, outbox);
    }

    fn happened(&mut self, event: Event, now: Instant) {
        match event {
            Event::ChannelOpen(id, label)
                if self.data.is_none() && label == LABEL && self.look_up_reliability(id) =>
            {
                self.open(id, now)
            }
            Event::ChannelData(ChannelData { id, binary: true, data }) if self.data == Some(id) => {
                self.heard(data, now)
            }
            Event::ChannelOpen(..)
            | Event::ChannelData(_)
            | Event::ChannelClose(_)
            | Event::Closed => self.hang_up(now),
            // A silent peer is not handled here: the pings of the application decide whether it is
            // dead.
            _ => {}
        }
    }

    fn look_up_reliability(&mut self, id: ChannelId) -> bool {
        let data = self.rtc.channel(id);
        let config = data.as_ref().and_then(|data| data.config());
        config.is_some_and(|config| config.ordered && config.reliability == Reliability::Reliable)
    }

    fn open(&mut self, id: ChannelId, now: Instant) {
        let (ours, theirs) = channel::pair();
        self.say = None;
        match self.opened.take().map(|opened| opened.send(ours)) {
            Some(Ok(())) => {
                self.data = Some(id);
                (self.incoming, self.inbox) = (Some(theirs.incoming), Inbox::new(theirs.outgoing));
                self.stage = Stage::Open;
                // From now on, frames queued by the owner wake the connection.
                self.waker.wake_by_ref();
            }
            _ => self.close(now),
        }
    }

    fn heard(&mut self, message: Vec<u8>, now: Instant) {
        match self.assembler.message(message) {
            Ok(None) => {}
            Ok(Some(frame)) => self.inbox.push(frame),
            Err(pieces::Broken) => self.hang_up(now),
        }
    }
}

fn receive<'a>(packet: &Packet<'a>) -> Option<Receive<'a>> {
    let Packet { bytes, source, destination } = *packet;
    Receive::new(Protocol::Udp, source, destination, bytes).ok()
}
