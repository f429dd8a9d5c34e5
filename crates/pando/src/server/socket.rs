//! The WebSockets of volunteers.

use super::{VolunteerSite, visitor::page};
use crate::{
    channel::WebSocketEnd,
    master::{Door, attend},
    protocol::Path,
};
use axum::{extract::Request, response::Response};
use futures_util::StreamExt;
use pando_web::{ConnectionSlot, accept_web_socket};
use std::sync::Arc;

/// Longest message, in bytes: a part and its header, or a long text message.
const MAX_MESSAGE: usize = 1 << 20;

/// Answers the request for a volunteer's socket. `slot` is the place of its connection.
pub(super) fn socket(
    site: &VolunteerSite,
    slot: Arc<ConnectionSlot>,
    request: Request,
) -> Response {
    let page = page(request.headers());
    let (response, socket) = match accept_web_socket(request, MAX_MESSAGE) {
        Ok(accepted) => accepted,
        Err(refusal) => return *refusal,
    };
    let master = site.master.clone();
    let door = Door { token: site.token.clone(), path: Path::WebSocket, page };
    let socket = Box::pin(socket);
    tokio::spawn(async move {
        let Some(socket) = socket.await else { return };
        let _open = master.socket();
        // The first message is either a hello, or the last message.
        let mut channel = WebSocketEnd::new(socket.inspect(move |_| slot.mark_known()));
        attend(master, door, &mut channel).await;
    });
    response
}
