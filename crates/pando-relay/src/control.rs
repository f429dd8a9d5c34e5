//! A master's control socket: opens a room, uploads the function, and then carries the signalling
//! of all volunteers.

use super::{
    Relay,
    address::RelayAddress,
    ending,
    handles::Shell,
    letters,
    rooms::{Content, EndedRoom, RoomRequest},
    traffic::Traffic,
};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use bytes::Bytes;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use pando_protocol::{
    relay::{FromRelay, Open, ToRelay, VERSION},
    signalling::{self, MasterSignal},
};
use pando_web::TokenBucket;
use serde_json::{Value, json};
use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc,
    time::{interval, timeout},
};

/// Longest message of a master, in bytes: a piece of its function.
pub(crate) const LONGEST: usize = 64 << 10;
/// Most messages that wait for the master.
const QUEUE: usize = 64;
/// How long the first message may take.
const FIRST: Duration = Duration::from_secs(10);
/// How long the upload of the function may take.
const UPLOAD: Duration = Duration::from_secs(300);
/// Time between pings.
const PING: Duration = Duration::from_secs(5);
/// How long a master may be silent before it counts as lost.
const SILENCE: Duration = Duration::from_secs(15);
/// How long the last messages may take.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// Most messages of a master per second, and at once.
const MESSAGES: (f64, f64) = (2000.0, 20_000.0);
/// Length of a room's public id.
const ID: usize = 12;

/// Why a master's socket ends.
enum SocketEnd {
    /// The master has gone, or needs no message.
    Gone,
    /// The master gets no room, for this reason.
    Refused(String),
    /// The socket is closed with this code and text.
    Close(u16, &'static str),
}

/// Serves the master on `socket` until its end. The master knows the relay as `place`.
pub(crate) async fn attend(
    relay: Arc<Relay>,
    socket: WebSocket,
    place: RelayAddress,
    address: IpAddr,
) {
    let (sink, stream) = socket.split();
    let (to_master, queue) = mpsc::channel(QUEUE);
    let closing = Arc::new(OnceLock::new());
    let writing = write(sink, queue, closing.clone());
    let mut master = MasterSocket { relay, stream, heard: Instant::now(), place, address };
    tokio::pin!(writing);
    let farewell = tokio::select! {
        farewell = master.attend(to_master) => farewell,
        // The room was given to a newer socket, or the master does not read.
        () = &mut writing => return,
    };
    if let SocketEnd::Close(code, reason) = farewell {
        let _ = closing.set((code, reason));
    }
    let _ = timeout(LAST_WORDS, writing).await;
    // During an upload, the last messages only arrive if the bytes of the master are read.
    let _ =
        timeout(LAST_WORDS, async { while let Some(Ok(_)) = master.stream.next().await {} }).await;
}

/// Sends queued messages and pings; then closes the socket when the queue has ended.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut queue: mpsc::Receiver<String>,
    closing: Arc<OnceLock<(u16, &'static str)>>,
) {
    let mut pings = interval(PING);
    loop {
        let message = tokio::select! {
            biased;
            text = queue.recv() => match text {
                Some(text) => Message::Text(text.into()),
                None => break,
            },
            _ = pings.tick() => Message::Ping(Bytes::new()),
        };
        if sink.feed(message).await.is_err() || (queue.is_empty() && sink.flush().await.is_err()) {
            return;
        }
    }
    let (code, reason) = closing.get().copied().unwrap_or((1000, ""));
    let _ = sink.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
}

struct MasterSocket {
    relay: Arc<Relay>,
    stream: SplitStream<WebSocket>,
    heard: Instant,
    place: RelayAddress,
    address: IpAddr,
}

/// A room's lease. Dropping it reports the master as lost.
struct Lease {
    relay: Arc<Relay>,
    token: String,
    number: u64,
    id: String,
}

impl MasterSocket {
    async fn attend(&mut self, to_master: mpsc::Sender<String>) -> SocketEnd {
        let lease = match self.open(&to_master).await {
            Ok(lease) => lease,
            Err(SocketEnd::Refused(text)) => {
                self.relay.log.warn(
                    "room-refused",
                    json!({"address": self.address.to_string(), "why": text}),
                );
                let _ = to_master.try_send(json(&FromRelay::Refused { text }));
                return SocketEnd::Gone;
            }
            Err(farewell) => return farewell,
        };
        // From here on only the room holds the queue: when the room drops the queue, this socket
        // ends.
        drop(to_master);
        let mut messages = TokenBucket::new(MESSAGES.0, MESSAGES.1, Instant::now());
        loop {
            let text = match self.next().await {
                Ok(Message::Text(text)) => text,
                Ok(_) => return SocketEnd::Close(1003, "after the function all is text"),
                Err(farewell) => return farewell,
            };
            match serde_json::from_str(&text) {
                // Which servers there are is for the relay to say.
                Ok(ToRelay::Signal { peer, message })
                    if !matches!(message, MasterSignal::Servers { .. }) =>
                {
                    lease.signal(peer, &message);
                }
                Ok(ToRelay::Left { peer }) => {
                    self.relay.rooms().dismiss(&lease.token, lease.number, peer)
                }
                Ok(ToRelay::End) => {
                    lease.end();
                    return SocketEnd::Gone;
                }
                _ => return SocketEnd::Close(1008, "this is not a message of a master"),
            }
            let wait = messages.charge(1.0, Instant::now());
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// Opens the requested room, and receives the function.
    async fn open(&mut self, to_master: &mpsc::Sender<String>) -> Result<Lease, SocketEnd> {
        let asked = timeout(FIRST, self.next())
            .await
            .map_err(|_| SocketEnd::Close(1008, "the first message must open a room"))??;
        let Message::Text(text) = asked else {
            return Err(SocketEnd::Close(1003, "first of all comes open, as text"));
        };
        let Ok(ToRelay::Open(Open { version, at, token, key, page, size, ice_servers })) =
            serde_json::from_str(&text)
        else {
            return Err(SocketEnd::Close(1008, "this does not open a room"));
        };
        if let Some(place) =
            at.and_then(|at| RelayAddress::parse(&at).ok()).filter(|_| self.relay.url.is_none())
        {
            self.place = place;
        }
        if version != VERSION {
            let ours = env!("CARGO_PKG_VERSION");
            return Err(SocketEnd::Refused(format!(
                "this relay is Pando {ours} and speaks version {VERSION} with masters, not {version}: use the same Pando on both sides"
            )));
        }
        let fine = |c: u8| c.is_ascii_alphanumeric() || b"+/=_-:".contains(&c);
        if page.function.len() > 128 || !page.function.bytes().all(fine) {
            return Err(SocketEnd::Refused("the function's hash is invalid".into()));
        }
        let lease = self.lease(&RoomRequest { token, key, size })?;
        let function = timeout(UPLOAD, self.take(size, lease.known(&page.function, size))).await;
        let function = function.map_err(|_| {
            SocketEnd::Refused(format!(
                "the function did not come within {} seconds: try again",
                UPLOAD.as_secs()
            ))
        })??;
        let host = self.place.host.clone();
        let url = format!("{}/{}/", self.place.url, lease.token);
        let _ = to_master.try_send(json(&FromRelay::Opened {
            url,
            stun: self.relay.ice.stun(&host),
            deny_net: page.deny_net,
            assets: true,
        }));
        let content = Content { function, page, host, ice_servers };
        if !self.relay.rooms().opened(&lease.token, lease.number, content, to_master.clone()) {
            return Err(SocketEnd::Close(1000, "the room was opened again"));
        }
        let fields = json!({"room": lease.id, "address": self.address.to_string(), "bytes": size});
        self.relay.log.info("room-opened", fields);
        Ok(lease)
    }

    fn lease(&self, opening: &RoomRequest) -> Result<Lease, SocketEnd> {
        let (relay, now) = (self.relay.clone(), Instant::now());
        let shell = Shell::new(Traffic::new(relay.limits.room_rate, now));
        let mut rooms = relay.rooms();
        let number = rooms
            .open(opening, letters::random(ID), shell, now)
            .map_err(|refusal| SocketEnd::Refused(refusal.to_string()))?;
        let id = rooms.id(&opening.token).unwrap_or_default().to_owned();
        drop(rooms);
        Ok(Lease { relay, token: opening.token.clone(), number, id })
    }

    /// Receives `size` bytes. If the function is already `known`, its bytes are not kept a second
    /// time.
    async fn take(&mut self, size: u64, known: Option<Bytes>) -> Result<Bytes, SocketEnd> {
        let (mut come, mut function) = (0, Vec::new());
        while come < size {
            let Message::Binary(piece) = self.next().await? else {
                return Err(SocketEnd::Close(1003, "the function comes as bytes"));
            };
            come += piece.len() as u64;
            if come > size {
                return Err(SocketEnd::Refused(format!(
                    "the function is longer than the {size} bytes that were announced"
                )));
            }
            if known.is_none() {
                function.extend_from_slice(&piece);
            }
        }
        Ok(known.unwrap_or_else(|| function.into_boxed_slice().into()))
    }

    /// The next text or binary message. Any message counts as a sign of life.
    async fn next(&mut self) -> Result<Message, SocketEnd> {
        let mut relay_ends = self.relay.ending.clone();
        loop {
            let quiet = SILENCE.saturating_sub(self.heard.elapsed());
            let heard = tokio::select! {
                heard = timeout(quiet, self.stream.next()) => heard,
                () = ending(&mut relay_ends) => return Err(SocketEnd::Close(1001, "the relay ends")),
            };
            match heard {
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => self.heard = Instant::now(),
                Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => return Err(SocketEnd::Gone),
                Ok(Some(Ok(message))) => {
                    self.heard = Instant::now();
                    return Ok(message);
                }
                Err(_) => return Err(SocketEnd::Close(1001, "silent for too long")),
            }
        }
    }
}

impl Lease {
    /// The function, if the room has it already.
    fn known(&self, hash: &str, size: u64) -> Option<Bytes> {
        let rooms = self.relay.rooms();
        let content = rooms.content(&self.token)?;
        (content.page.function == hash && content.function.len() as u64 == size)
            .then(|| content.function.clone())
    }

    /// Passes a message on to a volunteer. A volunteer whose queue is full is dismissed.
    fn signal(&self, peer: u64, message: &MasterSignal) {
        let text = message.json();
        let mut rooms = self.relay.rooms();
        let taken = match rooms.peer(&self.token, self.number, peer) {
            Some(volunteer) => {
                text.len() <= signalling::LONGEST && volunteer.try_send(text).is_ok()
            }
            None => true,
        };
        if !taken {
            rooms.dismiss(&self.token, self.number, peer);
        }
    }

    /// Ends the room, because the run is over.
    fn end(&self) {
        let ended = self.relay.rooms().end(&self.token, self.number, Instant::now());
        if let Some(ended) = ended {
            self.relay.log.info("room-ended", told(&ended));
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let is_lost = self.relay.rooms().lost(&self.token, self.number, Instant::now());
        if is_lost {
            self.relay.log.info("master-lost", json!({"room": self.id}));
        }
    }
}

/// A message to a master, as text.
pub(crate) fn json(message: &FromRelay) -> String {
    serde_json::to_string(message).expect("messages are plain data")
}

/// The log fields for a room that has ended.
pub(crate) fn told(ended: &EndedRoom<Shell>) -> Value {
    let bytes = ended.handle.traffic.passed();
    json!({"room": ended.id, "seconds": ended.lasted.as_secs(), "visits": ended.visits, "bytes": bytes})
}
