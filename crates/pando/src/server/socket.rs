//! The WebSockets of volunteers.

use super::{VolunteerSite, visitor::page};
use crate::{
    channel,
    master::{Door, attend},
    protocol::Path,
};
use axum::{
    extract::{FromRequestParts, Request, ws::WebSocketUpgrade},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use pando_web::ConnectionSlot;
use std::sync::Arc;

/// Bytes that are read from a socket at once. Each volunteer has a buffer of this length, also when
/// it is idle.
const READ_BUFFER: usize = 4 << 10;
/// Longest message, in bytes: a part and its header, or a long text message.
const MAX_MESSAGE: usize = 1 << 20;

/// Answers the request for a volunteer's socket. `slot` is the place of its connection.
pub(super) async fn socket(
    site: Arc<VolunteerSite>,
    slot: Arc<ConnectionSlot>,
    request: Request,
) -> Response {
    let page = page(request.headers());
    let upgrade = match upgrade(request).await {
        Ok(upgrade) => upgrade
            .max_write_buffer_size(4 << 20)
            .max_message_size(MAX_MESSAGE)
            .max_frame_size(MAX_MESSAGE),
        Err(refusal) => return refusal,
    };
    upgrade.on_upgrade(move |socket| async move {
        let _open = site.master.socket();
        let (ours, theirs) = channel::pair();
        let door = Door { token: site.token.clone(), path: Path::WebSocket, page };
        // Two tasks are used, because a single task that wakes itself would also wake a second
        // thread each time.
        tokio::spawn(attend(site.master.clone(), door, ours));
        // The first message is either a hello, or the last message.
        channel::carry(socket.inspect(|_| slot.mark_known()), theirs).await;
    })
}

/// Accepts the request for a WebSocket.
pub(super) async fn upgrade(request: Request) -> Result<WebSocketUpgrade, Response> {
    let (mut parts, _) = request.into_parts();
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => Ok(upgrade.read_buffer_size(READ_BUFFER).write_buffer_size(16 * 1024)),
        Err(rejection) => Err(rejection.into_response()),
    }
}
