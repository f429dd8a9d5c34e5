//! A volunteer's signalling socket: passes messages between the volunteer and its room's master
//! until they have connected.

use super::{Relay, control::json, ending, handles::Shell, rooms::NoEntry};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use pando_protocol::{
    relay::FromRelay,
    signalling::{MasterSignal, VolunteerSignal},
};
use pando_web::TokenBucket;
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

/// Most messages of the master that wait for the volunteer.
const QUEUE: usize = 32;
/// Most messages of one volunteer per second, and at once.
const MESSAGES: (f64, f64) = (10.0, 100.0);
/// How long the first message may take.
const FIRST: Duration = Duration::from_secs(10);
/// How long the whole exchange may take.
const ALL: Duration = Duration::from_secs(60);

/// The end of an exchange: closing code and text.
type Close = (u16, &'static str);
const AWAY: Close = (1001, "the run is away");

/// Passes messages between a volunteer of the room at `token` and the master.
pub(crate) async fn converse(relay: Arc<Relay>, token: String, mut socket: WebSocket) {
    let (to_volunteer, from_master) = mpsc::channel(QUEUE);
    let (peer, servers) = {
        let mut rooms = relay.rooms();
        let servers = relay.ice_servers(&rooms, &token, SystemTime::now());
        (rooms.enter(&token, to_volunteer), servers)
    };
    let (Ok(peer), Some(servers)) = (peer, servers) else {
        return close(&mut socket, (1013, "the run does not take volunteers now")).await;
    };
    let mut volunteer = SignallingVolunteer {
        relay,
        token,
        peer,
        from_master,
        has_spoken: false,
        messages: TokenBucket::new(MESSAGES.0, MESSAGES.1, Instant::now()),
    };
    let hello = MasterSignal::Servers { ice_servers: servers }.json();
    let conversation = timeout(ALL, async {
        match socket.send(Message::Text(hello.into())).await {
            Ok(()) => volunteer.converse(&mut socket).await,
            Err(_) => (1006, ""),
        }
    });
    let farewell = conversation.await.unwrap_or((1000, "connecting took too long"));
    // The master is told before the volunteer, which may not answer.
    volunteer.leave().await;
    close(&mut socket, farewell).await;
}

async fn close(socket: &mut WebSocket, (code, reason): Close) {
    if code != 1006 {
        let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let _ = timeout(Duration::from_secs(5), socket.send(close)).await;
    }
}

/// A volunteer in signalling. The volunteer counts as a member of its room until this value is
/// dropped.
struct SignallingVolunteer {
    relay: Arc<Relay>,
    token: String,
    peer: u64,
    from_master: mpsc::Receiver<String>,
    has_spoken: bool,
    messages: TokenBucket,
}

impl SignallingVolunteer {
    async fn converse(&mut self, socket: &mut WebSocket) -> Close {
        let mut relay_ends: watch::Receiver<bool> = self.relay.ending.clone();
        let first = tokio::time::sleep(FIRST);
        tokio::pin!(first);
        loop {
            tokio::select! {
                biased;
                () = ending(&mut relay_ends) => return (1001, "the relay ends"),
                heard = socket.recv() => match heard {
                    Some(Ok(Message::Text(text))) => if let Err(farewell) = self.pass_on(&text).await {
                        return farewell;
                    },
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Binary(_))) => return (1003, "signalling is text"),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return (1006, ""),
                },
                said = self.from_master.recv() => match said {
                    Some(text) => if socket.send(Message::Text(text.into())).await.is_err() {
                        return (1006, "");
                    },
                    None if self.relay.rooms().has_place(&self.token) == Err(NoEntry::NoMaster) => return AWAY,
                    // The master has ended the exchange.
                    None => return (1000, ""),
                },
                () = &mut first, if !self.has_spoken => return (1008, "nothing was said"),
            }
        }
    }

    async fn pass_on(&mut self, text: &str) -> Result<(), Close> {
        let message = VolunteerSignal::parse(text).ok_or((1008, "this is not signalling"))?;
        if !self.messages.take(1.0, Instant::now()) {
            return Err((1008, "too many messages"));
        }
        let (master, traffic) = {
            let rooms = self.relay.rooms();
            let master = rooms.master_of(&self.token, self.peer).cloned();
            (master.ok_or(AWAY)?, rooms.handle(&self.token).map(Shell::traffic))
        };
        if let Some(traffic) = traffic {
            traffic.signal().await;
        }
        self.has_spoken = true;
        master.send(json(&FromRelay::Signal { peer: self.peer, message })).await.map_err(|_| AWAY)
    }

    /// Tells the master that the volunteer left, if the master knows of the volunteer.
    async fn leave(self) {
        let master = self.relay.rooms().leave(&self.token, self.peer).cloned();
        if let Some(master) = master.filter(|_| self.has_spoken) {
            let left = json(&FromRelay::Left { peer: self.peer });
            let _ = timeout(FIRST, master.send(left)).await;
        }
    }
}

impl Drop for SignallingVolunteer {
    fn drop(&mut self) {
        self.relay.rooms().leave(&self.token, self.peer);
    }
}
