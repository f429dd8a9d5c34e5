//! The answer to a request for an asset: its head, and its bytes piece by piece.

use super::{Asset, Assets, PIECE};
use crate::events::Events;
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt, stream};
use pando_protocol::relay::AssetHead;
use serde_json::json;
use std::{
    fs,
    io::{self, Read, Seek, SeekFrom},
    pin::pin,
    sync::Arc,
};
use tokio::task::spawn_blocking;
use tokio_tungstenite::tungstenite::Message;

/// Longest message with bytes of an asset, as of the parts of values.
const PART: usize = 64 << 10;

/// A request for an asset, or for a part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AssetRequest {
    /// The path of the asset in the folder.
    pub(crate) name: String,
    /// The first byte.
    pub(crate) from: u64,
    /// The byte after the last one; the end of the asset if this is missing.
    pub(crate) to: Option<u64>,
    /// Whether only the head is wanted.
    pub(crate) head_only: bool,
}

/// The answer to a request.
pub(crate) struct Answer {
    /// What comes first.
    pub(crate) head: AssetHead,
    /// The path of the asset.
    name: String,
    /// The part of the file that follows.
    part: Option<(fs::File, u64)>,
}

impl Answer {
    /// The answer to `request`. The file is read on a thread of its own, because a disk may be slow.
    pub(crate) async fn to(assets: &Arc<Assets>, request: AssetRequest) -> Self {
        let (assets, name) = (assets.clone(), request.name.clone());
        let answer = spawn_blocking(move || Self::read(&assets, &request)).await;
        let answer = answer
            .unwrap_or_else(|_| Self::none("it cannot be read because of a bug in Pando".into()));
        Self { name, ..answer }
    }

    fn read(assets: &Assets, request: &AssetRequest) -> Self {
        let Asset { mut file, length, hash, kind } = match assets.open(&request.name) {
            Ok(asset) => asset,
            Err(no) => return Self::none(no.0),
        };
        let to = request.to.unwrap_or(length).min(length);
        let from = request.from.min(to);
        if let Err(error) = file.seek(SeekFrom::Start(from)) {
            return Self::none(format!("the asset '{}' cannot be read: {error}", request.name));
        }
        let head = AssetHead { length, from, to, hash, kind: kind.into(), no: String::new() };
        let part = (!request.head_only).then_some((file, to - from));
        Self { head, name: String::new(), part }
    }

    /// Writes an event about the answer.
    pub(crate) fn tell(&self, events: &Events) {
        let AssetHead { from, to, length, .. } = self.head;
        let fields = match &self.part {
            _ if !self.head.no.is_empty() => json!({"asset": self.name, "error": self.head.no}),
            Some(_) => json!({"asset": self.name, "from": from, "to": to, "length": length}),
            None => return,
        };
        events.write("asset", fields);
    }

    fn none(why: String) -> Self {
        let head = AssetHead { no: why, ..AssetHead::default() };
        Self { head, name: String::new(), part: None }
    }

    /// Sends the answer on a WebSocket: the head as text, and the bytes in binary messages.
    pub(crate) async fn send<S>(self, socket: &mut S) -> Result<(), S::Error>
    where
        S: Sink<Message> + Unpin,
    {
        let head = serde_json::to_string(&self.head).expect("plain data");
        socket.send(Message::Text(head.into())).await?;
        let mut pieces = pin!(self.pieces());
        while let Some(Ok(piece)) = pieces.next().await {
            for part in (0..piece.len()).step_by(PART) {
                let part = piece.slice(part..piece.len().min(part + PART));
                socket.send(Message::Binary(part)).await?;
            }
        }
        Ok(())
    }

    /// The bytes of the part. A file that became shorter is an error.
    pub(crate) fn pieces(self) -> impl Stream<Item = io::Result<Bytes>> + Send {
        stream::unfold(self.part, |part| async move {
            let (mut file, left) = part.filter(|(_, left)| *left > 0)?;
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE);
            let read = spawn_blocking(move || {
                let mut piece = vec![0; length];
                file.read_exact(&mut piece).map(|()| (file, Bytes::from(piece)))
            });
            match read.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
                Ok((file, piece)) => Some((Ok(piece), Some((file, left - length as u64)))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }
}
