//! A room at the relay, from this side: opened, kept open, and what its volunteers bring.

use super::{
    RoomContent,
    client::{ConnectError, RelayClient, RelaySocket},
};
use crate::{
    assets::{AssetAnswer, AssetRequest},
    channel::{MemoryEnd, Peers, WebSocketEnd},
    console::printable,
    ice::IceServer,
    master::{Door, Master, Page, attend},
    protocol::Path,
};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use pando_client::{backoff, random};
use pando_protocol::{
    relay::{FromRelay, LinkId, Open, ToRelay, VERSION},
    signalling::{MasterSignal, VolunteerSignal},
};
use pando_web::Connections;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{interval, sleep, timeout},
};
use tokio_tungstenite::tungstenite::Message;
use tracing::debug;

/// Longest piece of the bundle in one message, in bytes.
const PIECE: usize = 64 * 1024;
/// Time for the relay to open the room once it has the bundle.
const OPENING: Duration = Duration::from_secs(60);
/// Time between pings.
const PING: Duration = Duration::from_secs(5);
/// The relay is gone after so much silence.
const SILENCE: Duration = Duration::from_secs(15);
/// What volunteers say while signalling, waiting for its conversation.
const SIGNALS: usize = 64;
/// Conversations at a time.
const MOST_CONVERSATIONS: usize = 1024;
/// STUN servers that a relay may name.
const MOST_STUN: usize = 8;

/// See the module.
pub(super) struct RoomClient {
    relay: RelayClient,
    content: Arc<RoomContent>,
    master: Arc<Master>,
    peers: Option<Peers>,
    /// Those of links count, too.
    connections: Arc<Connections>,
    /// It was said that there is no room for more.
    full: AtomicBool,
}

/// An open room's control socket.
pub(super) struct Control {
    socket: RelaySocket,
    pub(super) url: String,
}

/// Why a control socket is done with.
enum ControlEnd {
    /// The run is over, and somebody may wait to hear that this was said.
    Over(Option<oneshot::Sender<()>>),
    Lost,
}

/// A volunteer's signalling, as far as it goes through the control socket.
type Conversations = HashMap<u64, mpsc::Sender<VolunteerSignal>>;
/// What is to be said to volunteers: none ends their signalling.
type Answers = (u64, Option<MasterSignal>);

impl RoomClient {
    pub(super) fn new(
        relay: RelayClient,
        content: RoomContent,
        master: Arc<Master>,
        peers: Option<Peers>,
        connections: Arc<Connections>,
    ) -> Self {
        Self {
            relay,
            content: Arc::new(content),
            master,
            peers,
            connections,
            full: AtomicBool::new(false),
        }
    }

    /// Opens the room.
    pub(super) async fn connect(&mut self) -> Result<Control, ConnectError> {
        let mut socket = self.relay.control().await?;
        let broke = |what: &str| {
            ConnectError(format!(
                "the relay broke off while the room was being opened ({what}): try again"
            ))
        };
        let RoomContent { function, page, token, key, ice_servers, .. } = &*self.content;
        let (deny_net, has_assets) = (page.deny_net, page.assets);
        let open = ToRelay::Open(Open {
            version: VERSION,
            at: Some(self.relay.address().to_owned()),
            token: token.clone(),
            key: key.clone(),
            page: page.clone(),
            size: function.len() as u64,
            ice_servers: ice_servers.clone(),
        });
        let bundle = Bytes::from(function.clone());
        let upload = async {
            socket.feed(text(&open)).await?;
            for at in (0..bundle.len()).step_by(PIECE) {
                socket
                    .feed(Message::Binary(bundle.slice(at..bundle.len().min(at + PIECE))))
                    .await?;
            }
            socket.flush().await
        };
        // A relay that refuses says so before it has it all.
        let uploaded = upload.await;
        let answer = async {
            while let Some(Ok(message)) = socket.next().await {
                let Message::Text(text) = message else { continue };
                match serde_json::from_str(&text) {
                    Ok(FromRelay::Opened { deny_net: false, .. }) if deny_net => {
                        return Err(ConnectError(
                            "this relay cannot keep functions from the network (--deny-net): use one of this version".into(),
                        ));
                    }
                    Ok(FromRelay::Opened { assets: false, .. }) if has_assets => {
                        return Err(ConnectError(
                            "this relay cannot pass on assets (--assets): use one of this version"
                                .into(),
                        ));
                    }
                    Ok(FromRelay::Opened { url, stun, .. }) => return Ok((url, stun)),
                    Ok(FromRelay::Refused { text }) => {
                        return Err(ConnectError(format!(
                            "the relay opens no room: {}",
                            printable(&text)
                        )));
                    }
                    _ => {}
                }
            }
            Err(broke(
                &uploaded
                    .map_or_else(|error| error.to_string(), |()| "it closed the connection".into()),
            ))
        };
        let (url, stun) =
            timeout(OPENING, answer).await.map_err(|_| broke("it does not answer"))??;
        if let Some(peers) = &self.peers {
            let told: Vec<IceServer> = stun
                .iter()
                .filter_map(|server| format!("stun:{server}").parse().ok())
                .take(MOST_STUN)
                .collect();
            let all = ice_servers.iter().chain(&told).flat_map(IceServer::stun);
            peers.set_stun_servers(all.map(str::to_owned).collect());
        }
        debug!(relay = self.relay.address(), "the room is open");
        Ok(Control { socket, url: self.relay.room(&url, token) })
    }

    /// Serves the room until the run is over, and opens it again whenever its connection is lost.
    pub(super) async fn keep_open(
        mut self,
        mut control: Control,
        mut ends: mpsc::Receiver<oneshot::Sender<()>>,
    ) {
        loop {
            match self.serve(&mut control.socket, &mut ends).await {
                ControlEnd::Over(said) => {
                    let _ = control.socket.send(text(&ToRelay::End)).await;
                    let _ = control.socket.close(None).await;
                    if let Some(said) = said {
                        let _ = said.send(());
                    }
                    return;
                }
                ControlEnd::Lost => {}
            }
            self.master
                .console
                .say("the relay is out of reach: direct connections go on, new volunteers wait");
            self.master.note_relay(true);
            let reopened = tokio::select! {
                reopened = self.reopen() => reopened,
                end = ends.recv() => {
                    // Nobody is there to hear it.
                    drop(end);
                    return;
                }
            };
            self.master.console.say(format!("the relay is back: {}", reopened.url));
            self.master.note_relay(false);
            control = reopened;
        }
    }

    async fn reopen(&mut self) -> Control {
        let (start, mut failures, mut told) = (Instant::now(), 0, String::new());
        loop {
            sleep(backoff(failures, start.elapsed(), random())).await;
            failures += 1;
            match self.connect().await {
                Ok(control) => return control,
                // While it restarts, nothing answers: that is known.
                Err(ConnectError(why)) if why != told && failures > 5 => {
                    self.master.console.say(format!("{why} (trying again)"));
                    told = why;
                }
                Err(_) => {}
            }
        }
    }

    async fn serve(
        &self,
        socket: &mut RelaySocket,
        ends: &mut mpsc::Receiver<oneshot::Sender<()>>,
    ) -> ControlEnd {
        let (answer, mut answers) = mpsc::channel::<Answers>(SIGNALS);
        let mut conversations = Conversations::new();
        let mut heard = Instant::now();
        let mut tick = interval(PING);
        loop {
            tokio::select! {
                message = socket.next() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => self.hear(&text, &mut conversations, &answer),
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return ControlEnd::Lost,
                        Some(Ok(_)) => {}
                    }
                }
                Some((peer, said)) = answers.recv() => {
                    let message = match said {
                        Some(message) => ToRelay::Signal { peer, message },
                        None => {
                            conversations.remove(&peer);
                            ToRelay::Left { peer }
                        }
                    };
                    if socket.send(text(&message)).await.is_err() {
                        return ControlEnd::Lost;
                    }
                }
                _ = tick.tick() => {
                    if heard.elapsed() > SILENCE || socket.send(Message::Ping(Bytes::new())).await.is_err() {
                        return ControlEnd::Lost;
                    }
                }
                said = ends.recv() => return ControlEnd::Over(said),
            }
        }
    }

    fn hear(&self, text: &str, conversations: &mut Conversations, answer: &mpsc::Sender<Answers>) {
        match serde_json::from_str(text) {
            Ok(FromRelay::Signal { peer, message }) => {
                self.signal(peer, message, conversations, answer)
            }
            Ok(FromRelay::Left { peer }) => drop(conversations.remove(&peer)),
            Ok(FromRelay::Link { id }) => self.link(id),
            Ok(FromRelay::Asset { id, name, from, to, head }) => {
                self.asset(id, AssetRequest { name, from, to, head_only: head })
            }
            _ => {}
        }
    }

    /// A volunteer said something on its signalling socket: the first time, a conversation begins.
    fn signal(
        &self,
        peer: u64,
        message: VolunteerSignal,
        conversations: &mut Conversations,
        answer: &mpsc::Sender<Answers>,
    ) {
        let Some(peers) = &self.peers else { return };
        if !conversations.contains_key(&peer) {
            if conversations.len() >= MOST_CONVERSATIONS {
                return;
            }
            let (to_peer, from_volunteer) = mpsc::channel(SIGNALS);
            conversations.insert(peer, to_peer);
            self.converse(peers.clone(), peer, from_volunteer, answer.clone());
        }
        // Who says more than fits is not heard out: its connection does not come about.
        if let Some(conversation) = conversations.get(&peer) {
            let _ = conversation.try_send(message);
        }
    }

    fn converse(
        &self,
        peers: Peers,
        peer: u64,
        incoming: mpsc::Receiver<VolunteerSignal>,
        answer: mpsc::Sender<Answers>,
    ) {
        let (outgoing, mut said) = mpsc::channel::<MasterSignal>(SIGNALS);
        tokio::spawn(async move {
            while let Some(signal) = said.recv().await {
                if answer.send((peer, Some(signal))).await.is_err() {
                    return;
                }
            }
            let _ = answer.send((peer, None)).await;
        });
        let (master, door) = (self.master.clone(), self.door(Path::Direct));
        tokio::spawn(async move {
            if let Some(channel) = peers.answer(incoming, outgoing).await {
                attend(master, door, &mut MemoryEnd::from(channel)).await;
            }
        });
    }

    /// A volunteer came over a WebSocket: fetches it.
    fn link(&self, id: LinkId) {
        let (relay, content, master, door) =
            (self.relay.clone(), self.content.clone(), self.master.clone(), self.door(Path::Relay));
        let Some(slot) = self.connections.slot(None, usize::MAX) else {
            // Who is not fetched tries again.
            if !self.full.swap(true, Ordering::Relaxed) {
                let how = "--max-connections, and as high a `ulimit -n`, allow more";
                self.master.console.say(format!(
                    "there are too many connections: volunteers of the relay wait ({how})"
                ));
            }
            return;
        };
        tokio::spawn(async move {
            let _slot = slot;
            if let Ok(socket) = relay.link(&content.token, &id, &content.key).await {
                let _open = master.socket();
                attend(master, door, &mut WebSocketEnd::new(socket)).await;
            }
        });
    }

    /// A volunteer wants an asset: sends it on a link.
    fn asset(&self, id: LinkId, request: AssetRequest) {
        let Some(assets) = self.content.assets.clone() else { return };
        let (relay, content, master) =
            (self.relay.clone(), self.content.clone(), self.master.clone());
        // A volunteer that gets no answer tries again.
        let Some(slot) = self.connections.slot(None, usize::MAX) else { return };
        tokio::spawn(async move {
            let _slot = slot;
            if let Ok(mut socket) = relay.link(&content.token, &id, &content.key).await {
                let answer = AssetAnswer::to(&assets, request).await;
                answer.tell(&master.events);
                // A volunteer that hears the end before the last byte asks for the rest.
                let _ = answer.send(&mut socket).await;
                let _ = socket.close(None).await;
            }
        });
    }

    fn door(&self, path: Path) -> Door {
        let page = Page { insecure: self.relay.is_insecure(), ..Page::default() };
        Door { token: self.content.token.clone(), path, page }
    }
}

fn text(message: &ToRelay) -> Message {
    Message::Text(serde_json::to_string(message).expect("plain data").into())
}
