//! An asset of a room: asked of the master, which sends it on a link.

use super::{LinkPlace, MASTER};
use crate::{Relay, control::json, handles::Raw, letters, traffic::Traffic};
use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use pando_protocol::relay::{AssetHead, FromRelay};
use pando_web::{AssetQuery, asset_response};
use std::{io, sync::Arc, time::Duration};
use tokio::{sync::oneshot, time::timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{Role, WebSocketConfig},
    },
};

/// How long the master may take for the next message, while its disk is slow or its link busy.
const SILENCE: Duration = Duration::from_secs(60);
/// Longest message of the master.
const LONGEST: usize = 64 << 10;

/// The master's end of the link, on which the asset comes.
struct AssetLink {
    socket: WebSocketStream<Raw>,
    traffic: Arc<Traffic>,
    /// Bytes that are still to come.
    left: u64,
    _place: LinkPlace,
}

/// Answers a request for an asset of the room at `token`. `None` if the master does not answer.
pub(crate) async fn asset(
    relay: Arc<Relay>,
    token: String,
    query: AssetQuery,
    head_only: bool,
) -> Option<Response> {
    let place = LinkPlace { relay, token, id: letters::random(super::ID) };
    let is_part = query.is_of_part();
    let (head, mut link) = AssetLink::open(place, query, head_only).await?;
    let length = head.to.saturating_sub(head.from);
    link.left = if head_only || !head.no.is_empty() { 0 } else { length };
    Some(asset_response(&head, is_part, Body::from_stream(stream::unfold(Some(link), next))))
}

/// The next piece of the asset. An asset that ends early is an error, after which the volunteer
/// asks for the rest.
async fn next(link: Option<AssetLink>) -> Option<(io::Result<Bytes>, Option<AssetLink>)> {
    let mut link = link.filter(|link| link.left > 0)?;
    match link.piece().await {
        Some(piece) => {
            link.traffic.pass(piece.len()).await;
            link.left -= piece.len() as u64;
            Some((Ok(piece), Some(link)))
        }
        None => Some((Err(io::ErrorKind::UnexpectedEof.into()), None)),
    }
}

impl AssetLink {
    async fn open(
        place: LinkPlace,
        query: AssetQuery,
        head_only: bool,
    ) -> Option<(AssetHead, Self)> {
        let (come, coming) = oneshot::channel();
        let waiting = place.wait(come)?;
        let AssetQuery { name, from, to } = query;
        let id = place.id.clone().try_into().expect("a name of letters");
        let text = json(&FromRelay::Asset { id, name, from, to, head: head_only });
        let master = timeout(MASTER, async {
            waiting.control.send(text).await.ok()?;
            coming.await.ok()
        });
        let config = WebSocketConfig::default()
            .read_buffer_size(16 << 10)
            .max_message_size(Some(LONGEST))
            .max_frame_size(Some(LONGEST));
        let socket =
            WebSocketStream::from_raw_socket(master.await.ok()??, Role::Server, Some(config)).await;
        let mut link = Self { socket, traffic: waiting.traffic, left: 0, _place: place };
        let head = match timeout(SILENCE, link.socket.next()).await {
            Ok(Some(Ok(Message::Text(head)))) => serde_json::from_str(&head).ok()?,
            _ => return None,
        };
        Some((head, link))
    }

    async fn piece(&mut self) -> Option<Bytes> {
        loop {
            return match timeout(SILENCE, self.socket.next()).await {
                Ok(Some(Ok(Message::Binary(piece)))) => {
                    Some(piece).filter(|piece| piece.len() as u64 <= self.left)
                }
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => continue,
                _ => None,
            };
        }
    }
}
