//! `pando relay`: the public server for volunteers outside the local network of a master.
//!
//! The relay has a *room* for each running master. A master opens its room over a control socket
//! and uploads the function. Volunteers load the page of the room from the relay, signal through
//! the control socket, and then compute over a direct connection to the master. Without a direct
//! path, packets pass through [`turn`](self). Where UDP does not pass at all, frames pass through
//! a [`link`].
//!
//! The pure module [`rooms`] decides which actions are permitted, and until when. Around the
//! module, each socket has a task.

mod address;
mod control;
mod handles;
mod http;
mod ice;
mod letters;
mod limits;
mod link;
mod log;
mod options;
mod pages;
mod rooms;
mod secrets;
mod serve;
mod signal;
mod traffic;
mod turn;

pub use address::RelayAddress;
pub use limits::Limits;
pub use options::RelayOptions;
pub use serve::run;

use handles::Sockets;
use ice::Ice;
use log::Log;
use pando_protocol::ice::IceServer;
use pando_web::{AddressRates, Connections};
use rooms::Rooms;
use secrets::Secrets;
use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Instant, SystemTime},
};
use tokio::sync::watch;

/// The state of the relay, shared by all tasks.
struct Relay {
    rooms: Mutex<Rooms<Sockets>>,
    guards: Mutex<Guards>,
    secrets: Secrets,
    limits: Limits,
    /// The relay's public address, if the operator gave one.
    url: Option<RelayAddress>,
    behind_proxy: bool,
    tls: bool,
    ice: Ice,
    connections: Arc<Connections>,
    /// The number of present TURN allocations.
    allocations: Arc<AtomicUsize>,
    log: Log,
    started: Instant,
    /// Becomes true when the relay ends.
    ending: watch::Receiver<bool>,
}

/// Rate limits for clients, by address.
struct Guards {
    /// Requests of any kind.
    requests: AddressRates,
    /// Requests for paths without content.
    misses: AddressRates,
    /// Wrong secrets and keys.
    wrong: AddressRates,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            requests: AddressRates::new(200.0, 2000.0),
            misses: AddressRates::new(1.0, 60.0),
            wrong: AddressRates::new(10.0 / 60.0, 10.0),
        }
    }
}

impl Relay {
    /// The rooms. The lock is never held while waiting.
    fn rooms(&self) -> MutexGuard<'_, Rooms<Sockets>> {
        self.rooms.lock().expect("nobody panics with it")
    }

    fn guards(&self) -> MutexGuard<'_, Guards> {
        self.guards.lock().expect("nobody panics with it")
    }

    /// STUN and TURN servers for the room at `token`.
    fn ice_servers(
        &self,
        rooms: &Rooms<Sockets>,
        token: &str,
        now: SystemTime,
    ) -> Option<Vec<IceServer>> {
        let content = rooms.content(token)?;
        if content.ice_servers.is_empty() {
            return Some(self.ice.servers(&content.host, rooms.id(token)?, now));
        }
        Some(content.ice_servers.clone())
    }

    fn allocations(&self) -> usize {
        self.allocations.load(Ordering::Relaxed)
    }
}

/// Passes `data` through a link in pieces of so many bytes; gives what came out, or none when it
/// breaks the protocol. For fuzzing.
#[doc(hidden)]
pub fn pass(data: &[u8], piece: usize) -> Option<Vec<u8>> {
    link::pass(data, piece)
}

/// Waits for the relay's end.
async fn ending(relay_ends: &mut watch::Receiver<bool>) {
    // An error also means that the relay has ended.
    let _ = relay_ends.wait_for(|ends| *ends).await;
}
