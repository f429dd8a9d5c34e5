//! The relayed ports of TURN: each a socket in a stated range, which talks only to those it may.

use super::peers::Peers;
use crate::traffic::Traffic;
use async_trait::async_trait;
use std::{
    any::Any,
    io,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::net::UdpSocket;
use turn::{Error, relay::RelayAddressGenerator};
use webrtc_util::{Conn, Error as ConnError};

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
    pub(crate) peers: Peers,
    /// Allocations of one room, at most.
    pub(crate) most: usize,
    /// Allocations that there are.
    pub(crate) live: Arc<AtomicUsize>,
}

/// Gives out the ports of one room.
pub(super) struct Ports {
    pub(super) ground: Arc<Ground>,
    pub(super) live: Arc<AtomicUsize>,
}

#[async_trait]
impl RelayAddressGenerator for Ports {
    fn validate(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn allocate_conn(
        &self,
        use_ipv4: bool,
        _port: u16,
    ) -> Result<(Arc<dyn Conn + Send + Sync>, SocketAddr), Error> {
        let Ground { bind, public, range, live, most, .. } = &*self.ground;
        let (first, count) = (*range.start(), range.end() - range.start() + 1);
        let places = (Place::take(&self.live, *most), Place::take(live, usize::from(count)));
        let (Some(room), Some(relay)) = places else { return Err(Error::ErrMaxRetriesExceeded) };
        if use_ipv4 != public.is_ipv4() {
            return Err(Error::ErrListeningAddressInvalid);
        }
        let mut random = [0; 2];
        getrandom::fill(&mut random).expect("the system gives random bytes");
        let start = u16::from_ne_bytes(random) % count;
        for step in 0..count.min(TRIES) {
            let port = first + ((u32::from(start) + u32::from(step)) % u32::from(count)) as u16;
            if let Ok(socket) = UdpSocket::bind((*bind, port)).await {
                let conn = Relayed { socket, ground: self.ground.clone(), _places: [room, relay] };
                return Ok((Arc::new(conn), SocketAddr::new(*public, port)));
            }
        }
        Err(Error::ErrMaxRetriesExceeded)
    }
}

/// One of a bounded number of places; dropping it makes room.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(taken: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let add = |taken| if taken < most { Some(taken + 1) } else { None };
        taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
            .ok()
            .map(|_| Self(taken.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The socket of one allocation. What comes from or goes to where it may not is dropped.
struct Relayed {
    socket: UdpSocket,
    ground: Arc<Ground>,
    _places: [Place; 2],
}

#[async_trait]
impl Conn for Relayed {
    async fn connect(&self, _: SocketAddr) -> Result<(), ConnError> {
        Err(never())
    }

    async fn recv(&self, _: &mut [u8]) -> Result<usize, ConnError> {
        Err(never())
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), ConnError> {
        loop {
            match self.socket.recv_from(buffer).await {
                Ok((length, peer)) if self.ground.peers.allow(peer.ip()) => {
                    return Ok((length, peer));
                }
                Ok(_) => {}
                // Some systems tell here that an earlier packet did not arrive.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn send(&self, _: &[u8]) -> Result<usize, ConnError> {
        Err(never())
    }

    async fn send_to(&self, bytes: &[u8], peer: SocketAddr) -> Result<usize, ConnError> {
        if !self.ground.peers.allow(peer.ip()) {
            return Ok(bytes.len());
        }
        Ok(self.socket.send_to(bytes, peer).await?)
    }

    fn local_addr(&self) -> Result<SocketAddr, ConnError> {
        Ok(self.socket.local_addr()?)
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        None
    }

    async fn close(&self) -> Result<(), ConnError> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

/// The relay's own socket on its way to the volunteers of one room, whose traffic it counts.
pub(super) struct Toward {
    pub(super) socket: Arc<UdpSocket>,
    pub(super) traffic: Arc<Traffic>,
}

#[async_trait]
impl Conn for Toward {
    async fn connect(&self, _: SocketAddr) -> Result<(), ConnError> {
        Err(never())
    }

    async fn recv(&self, _: &mut [u8]) -> Result<usize, ConnError> {
        Err(never())
    }

    async fn recv_from(&self, _: &mut [u8]) -> Result<(usize, SocketAddr), ConnError> {
        Err(never())
    }

    async fn send(&self, _: &[u8]) -> Result<usize, ConnError> {
        Err(never())
    }

    async fn send_to(&self, bytes: &[u8], volunteer: SocketAddr) -> Result<usize, ConnError> {
        if super::is_data(bytes) && !self.traffic.admits(bytes.len()) {
            return Ok(bytes.len());
        }
        Ok(self.socket.send_to(bytes, volunteer).await?)
    }

    fn local_addr(&self) -> Result<SocketAddr, ConnError> {
        Ok(self.socket.local_addr()?)
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        None
    }

    async fn close(&self) -> Result<(), ConnError> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

fn never() -> ConnError {
    io::Error::from(io::ErrorKind::Unsupported).into()
}
