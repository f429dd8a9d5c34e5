//! The signalling of peer connections: a WebSocket of JSON texts, which
//! [`Peers`](crate::channel::Peers) handles.

use super::{VolunteerSite, visitor::page};
use crate::{
    channel::MemoryEnd,
    master::{Door, attend},
    protocol::Path,
};
use axum::{extract::Request, response::Response};
use futures_util::{SinkExt, StreamExt};
use pando_protocol::signalling::{MasterSignal, VolunteerSignal};
use pando_web::{ServerSocket, accept_web_socket};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

/// Longest message, in bytes.
const MAX_MESSAGE: usize = 64 * 1024;
/// Messages that wait in each direction.
const QUEUE: usize = 32;
/// How long a browser may take to close the socket at the end.
const LINGER: Duration = Duration::from_secs(5);

/// Answers the request for a signalling socket.
pub(super) fn signal(site: Arc<VolunteerSite>, request: Request) -> Response {
    let page = page(request.headers());
    let (response, socket) = match accept_web_socket(request, MAX_MESSAGE) {
        Ok(accepted) => accepted,
        Err(refusal) => return *refusal,
    };
    tokio::spawn(async move {
        let Some(socket) = socket.await else { return };
        let (from_browser, said) = mpsc::channel(QUEUE);
        let (say, to_browser) = mpsc::channel(QUEUE);
        let _ = say.send(MasterSignal::Servers { ice_servers: site.ice_servers.clone() }).await;
        let converse = async {
            let Some(peers) = &site.peers else {
                let text = "this master has no UDP port: only WebSockets reach it".into();
                let _ = say.send(MasterSignal::Failed { text }).await;
                return;
            };
            if let Some(channel) = peers.answer(said, say).await {
                let door = Door { token: site.token.clone(), path: Path::Direct, page };
                attend(site.master.clone(), door, &mut MemoryEnd::from(channel)).await;
            }
        };
        tokio::join!(converse, carry(socket, from_browser, to_browser));
    });
    response
}

/// Moves texts between `socket` and the exchange until either ends.
async fn carry(
    mut socket: ServerSocket,
    from_browser: mpsc::Sender<VolunteerSignal>,
    mut to_browser: mpsc::Receiver<MasterSignal>,
) {
    loop {
        tokio::select! {
            signal = to_browser.recv() => {
                let Some(signal) = signal else { break };
                if socket.send(Message::Text(signal.json().into())).await.is_err() {
                    return;
                }
            }
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    // Whatever is none, or finds no room, ends the conversation.
                    let Some(signal) = VolunteerSignal::parse(&text) else { break };
                    if from_browser.try_send(signal).is_err() {
                        break;
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return,
            },
        }
    }
    drop(from_browser);
    if socket.send(Message::Close(None)).await.is_ok() {
        let _ =
            tokio::time::timeout(LINGER, async { while let Some(Ok(_)) = socket.next().await {} })
                .await;
    }
}
