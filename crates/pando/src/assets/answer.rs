//! The answer to a request for an asset: its head, and its bytes piece by piece.

use super::{Asset, AssetSource, NoAsset, PIECE};
use crate::events::Events;
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt, stream};
use pando_join::RemoteAsset;
use pando_protocol::relay::AssetHead;
use serde_json::json;
use std::{
    fs,
    io::{self, Read, Seek, SeekFrom},
    pin::pin,
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
pub(crate) struct AssetAnswer {
    /// What comes first.
    pub(crate) head: AssetHead,
    /// The path of the asset.
    name: String,
    /// The part of the file that follows.
    part: Option<Part>,
}

/// A part of a file.
struct Part {
    file: fs::File,
    from: u64,
    to: u64,
    /// Present if the part may still be coming.
    remote: Option<RemoteAsset>,
}

impl AssetAnswer {
    /// The answer to `request`.
    pub(crate) async fn to(assets: &AssetSource, request: AssetRequest) -> Self {
        match assets.open(&request.name).await {
            Ok(asset) => Self::with(asset, request),
            Err(NoAsset(why)) => Self::none(request.name, why),
        }
    }

    fn with(asset: Asset, request: AssetRequest) -> Self {
        let AssetRequest { name, from, to, head_only } = request;
        let Asset { mut file, length, hash, kind, remote } = asset;
        let to = to.unwrap_or(length).min(length);
        let from = from.min(to);
        if let Err(error) = file.seek(SeekFrom::Start(from)) {
            let why = format!("the asset '{name}' cannot be read: {error}");
            return Self::none(name, why);
        }
        let head = AssetHead { length, from, to, hash, kind: kind.into(), no: String::new() };
        let part = (!head_only).then_some(Part { file, from, to, remote });
        Self { head, name, part }
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

    fn none(name: String, why: String) -> Self {
        let head = AssetHead { no: why, ..AssetHead::default() };
        Self { head, name, part: None }
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
            let part = part.filter(|part| part.from < part.to)?;
            Some(match part.next().await {
                Ok((piece, rest)) => (Ok(piece), Some(rest)),
                Err(error) => (Err(error), None),
            })
        })
    }
}

impl Part {
    /// The next piece, and the rest of the part.
    async fn next(mut self) -> io::Result<(Bytes, Self)> {
        let length = (self.to - self.from).min(PIECE as u64);
        self.from += length;
        if let Some(remote) = &mut self.remote {
            remote.reach(self.from).await.map_err(io::Error::other)?;
        }
        let read = spawn_blocking(move || {
            let mut piece = vec![0; length as usize];
            self.file.read_exact(&mut piece)?;
            Ok((Bytes::from(piece), self))
        });
        read.await.map_err(io::Error::other).flatten()
    }
}
