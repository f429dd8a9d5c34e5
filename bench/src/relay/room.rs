//! A room of the relay with a scripted master.

use super::link::{EchoCounts, Phase, Socket, drive, echo, open};
use anyhow::{Context, bail};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_tungstenite::tungstenite::Message;

/// The secret that the relay demands from masters.
pub(super) const SECRET: &str = "the-secret-of-this-measure";
/// The key of each room's master.
const KEY: &str = "abcdefghijkmnpqrstuvwxyz23456789";
/// The length of the function in bytes.
const FUNCTION: usize = 100_000;

/// A room and its master.
pub(super) struct LoadRoom {
    url: String,
    token: String,
    said: mpsc::UnboundedSender<Message>,
    tasks: [JoinHandle<()>; 2],
}

impl LoadRoom {
    /// Opens room `number` at the relay. Its master opens every link that the relay announces, and
    /// produces the load of `phase`.
    pub(super) async fn open(
        url: &str,
        number: usize,
        phase: watch::Receiver<Phase>,
        counts: Arc<EchoCounts>,
    ) -> anyhow::Result<Self> {
        let token = format!("room-{number}");
        let mut control = open(url, "/rooms", Some(SECRET)).await?;
        let opening = json!({
            "type": "open", "version": 1, "token": token, "key": KEY, "function": "hash", "size": FUNCTION, "dom": false
        });
        control.send(Message::Text(opening.to_string().into())).await?;
        for piece in vec![b'/'; FUNCTION].chunks(64 << 10) {
            control.send(Message::Binary(piece.to_vec().into())).await?;
        }
        let answer = text(&mut control).await?;
        anyhow::ensure!(answer["type"] == "opened", "{answer}");
        let (sink, stream) = control.split();
        let (said, saying) = mpsc::unbounded_channel();
        let talking = tokio::spawn(talk(sink, saying));
        let coming = tokio::spawn(come(stream, url.to_owned(), token.clone(), phase, counts));
        Ok(Self { url: url.to_owned(), token, said, tasks: [talking, coming] })
    }

    /// Connects a volunteer, and returns when the relay has accepted the WebSocket.
    pub(super) async fn join(
        &self,
        phase: watch::Receiver<Phase>,
    ) -> anyhow::Result<JoinHandle<()>> {
        let socket = open(&self.url, &format!("/{}/socket", self.token), None).await?;
        Ok(tokio::spawn(echo(socket, phase)))
    }

    /// Ends the room.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        self.said.send(Message::Text(json!({"type": "end"}).to_string().into()))?;
        drop(self.said);
        for task in self.tasks {
            tokio::time::timeout(Duration::from_secs(10), task)
                .await
                .context("the room does not end")??;
        }
        Ok(())
    }
}

async fn talk(mut sink: SplitSink<Socket, Message>, mut saying: mpsc::UnboundedReceiver<Message>) {
    let mut pings = tokio::time::interval(Duration::from_secs(5));
    loop {
        let message = tokio::select! {
            message = saying.recv() => match message {
                Some(message) => message,
                None => return,
            },
            _ = pings.tick() => Message::Ping(Vec::new().into()),
        };
        if sink.send(message).await.is_err() {
            return;
        }
    }
}

/// Opens each link that the relay announces.
async fn come(
    mut stream: SplitStream<Socket>,
    url: String,
    token: String,
    phase: watch::Receiver<Phase>,
    counts: Arc<EchoCounts>,
) {
    while let Some(Ok(message)) = stream.next().await {
        let Message::Text(message) = message else { continue };
        let link = serde_json::from_str::<Value>(&message)
            .ok()
            .and_then(|link| Some(link["id"].as_str()?.to_owned()));
        let Some(id) = link else { continue };
        let path = format!("/rooms/{token}/links/{id}");
        let (url, phase, counts) = (url.clone(), phase.clone(), counts.clone());
        tokio::spawn(async move {
            let driven = match open(&url, &path, Some(KEY)).await {
                Ok(socket) => drive(socket, phase, &counts).await,
                Err(error) => Err(error),
            };
            if let Err(error) = driven {
                eprintln!("{error:#}");
            }
        });
    }
}

async fn text(socket: &mut Socket) -> anyhow::Result<Value> {
    while let Some(message) = socket.next().await {
        if let Message::Text(text) = message? {
            return Ok(serde_json::from_str(&text)?);
        }
    }
    bail!("the relay closed the control socket")
}
