//! The relayed ports of TURN: each a socket in a stated range, which talks only to those it may.

use super::allowed_peers::AllowedPeers;
use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{net::UdpSocket, sync::mpsc, task::AbortHandle};
use turn_server_proto::{api::SocketAllocateError, types::AddressFamily};

/// Ports tried for one allocation, at most.
const TRIES: u16 = 256;

/// What all rooms' allocations share.
#[derive(Debug)]
pub(crate) struct Ground {
    /// Where sockets are bound.
    pub(crate) bind: IpAddr,
    /// Their address as the world sees it.
    pub(crate) public: IpAddr,
    /// Their ports.
    pub(crate) range: RangeInclusive<u16>,
    /// Whom they may talk to.
    pub(crate) allowed_peers: AllowedPeers,
    /// Allocations of one room, at most.
    pub(crate) most: usize,
    /// Allocations that there are.
    pub(crate) live: Arc<AtomicUsize>,
}

/// A packet that came to a relayed port.
pub(super) struct FromPeer {
    pub(super) volunteer: SocketAddr,
    pub(super) peer: SocketAddr,
    pub(super) relayed: SocketAddr,
    pub(super) bytes: Vec<u8>,
}

/// The socket of one allocation. What comes from or goes to where it may not is dropped.
pub(super) struct Relayed {
    /// As the world sees it.
    pub(super) address: SocketAddr,
    socket: Arc<UdpSocket>,
    ground: Arc<Ground>,
    receiver: AbortHandle,
    _permits: [Permit; 2],
}

impl Relayed {
    /// Opens a port for `volunteer`, of whose room there are `live` ones.
    pub(super) async fn open(
        ground: &Arc<Ground>,
        live: &Arc<AtomicUsize>,
        family: AddressFamily,
        volunteer: SocketAddr,
        out: &mpsc::Sender<FromPeer>,
    ) -> Result<Self, SocketAllocateError> {
        if (family == AddressFamily::IPV4) != ground.public.is_ipv4() {
            return Err(SocketAllocateError::AddressFamilyNotSupported);
        }
        let full = SocketAllocateError::InsufficientCapacity;
        let (first, count) = (*ground.range.start(), ground.range.end() - ground.range.start() + 1);
        let room = Permit::take(live, ground.most).ok_or(full)?;
        let relay = Permit::take(&ground.live, usize::from(count)).ok_or(full)?;
        let mut random = [0; 2];
        getrandom::fill(&mut random).expect("the system gives random bytes");
        let start = u16::from_ne_bytes(random) % count;
        for step in 0..count.min(TRIES) {
            let port = first + ((u32::from(start) + u32::from(step)) % u32::from(count)) as u16;
            let Ok(socket) = UdpSocket::bind((ground.bind, port)).await else { continue };
            let (socket, address) = (Arc::new(socket), SocketAddr::new(ground.public, port));
            let receiver = tokio::spawn(receive(
                socket.clone(),
                ground.clone(),
                volunteer,
                address,
                out.clone(),
            ))
            .abort_handle();
            return Ok(Self {
                address,
                socket,
                ground: ground.clone(),
                receiver,
                _permits: [room, relay],
            });
        }
        Err(full)
    }

    pub(super) async fn send(&self, bytes: &[u8], peer: SocketAddr) {
        if self.ground.allowed_peers.allow(peer.ip()) {
            let _ = self.socket.send_to(bytes, peer).await;
        }
    }
}

impl Drop for Relayed {
    fn drop(&mut self) {
        self.receiver.abort();
    }
}

async fn receive(
    socket: Arc<UdpSocket>,
    ground: Arc<Ground>,
    volunteer: SocketAddr,
    relayed: SocketAddr,
    out: mpsc::Sender<FromPeer>,
) {
    let mut buffer = [0; 2048];
    loop {
        // Some systems tell here that an earlier packet did not arrive.
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else { continue };
        if ground.allowed_peers.allow(peer.ip()) {
            let packet = FromPeer { volunteer, peer, relayed, bytes: buffer[..length].to_vec() };
            if out.send(packet).await.is_err() {
                return;
            }
        }
    }
}

/// One of a bounded number of ports; dropping the permit frees the place.
#[derive(Debug)]
struct Permit(Arc<AtomicUsize>);

impl Permit {
    fn take(taken: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let add = |taken| if taken < most { Some(taken + 1) } else { None };
        taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
            .ok()
            .map(|_| Self(taken.clone()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
