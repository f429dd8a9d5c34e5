//! A scripted master.

use super::{AsyncSocket, FUNCTION, KEY, RelayProcess, SECRET};
use serde_json::{Value, json};

/// A master's control socket and its room.
#[derive(Debug)]
pub(crate) struct ScriptedMaster {
    pub(crate) control: AsyncSocket,
    /// The relay's answer.
    pub(crate) opened: Value,
    pub(crate) token: String,
    key: String,
    relay: String,
}

/// The first message of a master, and the function after it.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) message: Value,
    pub(crate) function: Vec<u8>,
}

/// A request for the room `token`, with [`KEY`] and [`FUNCTION`].
pub(crate) fn opening(token: &str) -> Opening {
    let message = json!({
        "type": "open", "version": 1, "token": token, "key": KEY, "function": "hash", "size": FUNCTION.len(), "dom": false
    });
    Opening { message, function: FUNCTION.to_vec() }
}

impl Opening {
    pub(crate) fn key(mut self, key: &str) -> Self {
        self.message["key"] = json!(key);
        self
    }

    pub(crate) fn function(mut self, function: impl Into<Vec<u8>>) -> Self {
        self.function = function.into();
        self.message["size"] = json!(self.function.len());
        self
    }
}

impl ScriptedMaster {
    /// Opens the room `token`.
    pub(crate) async fn open(relay: &RelayProcess, token: &str) -> Self {
        Self::try_open(relay, opening(token)).await.expect("a room")
    }

    /// Opens a room. The error is the relay's reason for a refusal.
    pub(crate) async fn try_open(relay: &RelayProcess, opening: Opening) -> Result<Self, String> {
        let mut control = Self::connect(relay, SECRET).await.expect("the secret is right");
        Self::ask(&mut control, &opening).await;
        let opened = control.json().await;
        match opened["type"].as_str() {
            Some("opened") => {}
            Some("refused") => {
                control.closed().await;
                return Err(opened["text"].as_str().expect("words").to_owned());
            }
            _ => panic!("{opened}"),
        }
        let field = |name: &str| opening.message[name].as_str().expect("a text").to_owned();
        Ok(Self {
            control,
            opened,
            token: field("token"),
            key: field("key"),
            relay: relay.url().to_owned(),
        })
    }

    /// Opens a control socket without a room.
    pub(crate) async fn connect(relay: &RelayProcess, secret: &str) -> Result<AsyncSocket, u16> {
        AsyncSocket::open(&relay.at("/rooms"), &[("authorization", &format!("Bearer {secret}"))])
            .await
    }

    /// Sends an opening and its function.
    pub(crate) async fn ask(control: &mut AsyncSocket, opening: &Opening) {
        control.text(&opening.message).await;
        for piece in opening.function.chunks(64 << 10) {
            control.bytes(piece.to_vec()).await;
        }
    }

    /// The URL of a file of the room.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.relay, self.token)
    }

    /// Reads the next message, which must be of `kind`.
    #[track_caller]
    pub(crate) fn hears(&mut self, kind: &'static str) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let message = self.control.json().await;
            assert_eq!(message["type"], kind, "{message}: {caller}");
            message
        }
    }

    /// Opens a volunteer's signalling socket. Also returns the servers from the relay.
    pub(crate) async fn volunteer(&self) -> (AsyncSocket, Value) {
        let mut socket =
            AsyncSocket::open(&self.url("signal"), &[("origin", "null")]).await.expect("a place");
        let servers = socket.json().await;
        assert_eq!(servers["type"], "servers");
        (socket, servers["iceServers"].clone())
    }

    /// Opens a link. Returns the volunteer's end and the master's end.
    pub(crate) async fn link(&mut self) -> (AsyncSocket, AsyncSocket) {
        let volunteer =
            AsyncSocket::open(&self.url("socket"), &[("origin", "null")]).await.expect("a place");
        let link = self.hears("link").await;
        let master =
            self.come(link["id"].as_str().expect("an id"), &self.key).await.expect("it is ours");
        (volunteer, master)
    }

    /// Opens the master's end of a link.
    pub(crate) async fn come(&self, link: &str, key: &str) -> Result<AsyncSocket, u16> {
        let url = format!("{}/rooms/{}/links/{link}", self.relay, self.token);
        AsyncSocket::open(&url, &[("authorization", &format!("Bearer {key}"))]).await
    }

    /// Ends the run.
    pub(crate) async fn end(mut self) {
        self.control.text(&json!({"type": "end"})).await;
        assert_eq!(self.control.closed().await, Some(1000));
    }
}
