//! The UDP socket: many packets in or out by one system call, and the local addresses of the
//! socket.

use crate::outbox::{Outbox, Run};
use pando_process::addresses::addresses;
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use std::{
    io::{self, ErrorKind, IoSliceMut},
    net::{IpAddr, SocketAddr},
};
use tokio::{io::Interest, net::UdpSocket};

/// Buffer size requested from the system for each direction, in bytes; the system may give less.
const SYSTEM_BUFFER: usize = 4 << 20;
/// The number of buffers for one receiving call, each of which may hold several packets.
const BUFFERS: usize = 8;
const BUFFER: usize = 64 * 1024;
/// Most local addresses that are given to peers.
const HOSTS: usize = 16;

/// The UDP socket; see the module.
#[derive(Debug)]
pub(crate) struct Socket {
    io: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
}

/// The packets of one receiving call.
pub(crate) struct PacketBatch {
    bytes: Vec<u8>,
    metas: [RecvMeta; BUFFERS],
    filled: usize,
}

/// One packet.
#[derive(Debug)]
pub(crate) struct Packet<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) source: SocketAddr,
    /// The local address to which the packet was sent.
    pub(crate) destination: SocketAddr,
}

impl Socket {
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        use socket2::{Domain, Protocol, Type};
        let socket =
            socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            let _ = socket.set_only_v6(false);
        }
        let _ = socket.set_recv_buffer_size(SYSTEM_BUFFER);
        let _ = socket.set_send_buffer_size(SYSTEM_BUFFER);
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let state = UdpSocketState::new((&socket).into())?;
        let io = UdpSocket::from_std(socket.into())?;
        let local = io.local_addr()?;
        Ok(Self { io, state, local })
    }

    pub(crate) fn port(&self) -> u16 {
        self.local.port()
    }

    /// Most packets that one call can send.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// The local addresses, best first.
    pub(crate) fn hosts(&self) -> Vec<SocketAddr> {
        addresses(self.local.ip())
            .into_iter()
            .take(HOSTS)
            .map(|ip| SocketAddr::new(ip, self.port()))
            .collect()
    }

    /// Whether packets can be sent to this address.
    pub(crate) fn reaches(&self, address: &SocketAddr) -> bool {
        address.is_ipv4() || self.local.is_ipv6()
    }

    /// Waits until a packet has arrived.
    pub(crate) async fn readable(&self) {
        if self.io.readable().await.is_err() {
            std::future::pending().await
        }
    }

    /// Fills `batch` with packets that have arrived; returns whether there may be more.
    pub(crate) fn receive(&self, batch: &mut PacketBatch) -> bool {
        let mut chunks = batch.bytes.chunks_mut(BUFFER);
        let mut buffers: [_; BUFFERS] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let receive = || self.state.recv((&self.io).into(), &mut buffers, &mut batch.metas);
        match self.io.try_io(Interest::READABLE, receive) {
            Ok(filled) => {
                batch.filled = filled;
                true
            }
            // The error is about one unreachable address, but arrives on the socket of all
            // connections; the other connections go on.
            Err(error) => {
                batch.filled = 0;
                error.kind() != ErrorKind::WouldBlock
            }
        }
    }

    /// The packets of `batch`.
    pub(crate) fn packets<'a>(
        &self,
        batch: &'a PacketBatch,
    ) -> impl Iterator<Item = Packet<'a>> + use<'a> {
        let (ip, port) = (self.local.ip(), self.port());
        batch.metas[..batch.filled].iter().zip(batch.bytes.chunks(BUFFER)).flat_map(
            move |(meta, bytes)| {
                let source = canonical(meta.addr);
                let destination =
                    SocketAddr::new(meta.dst_ip.map_or(ip, |ip| ip.to_canonical()), port);
                bytes[..meta.len].chunks(meta.stride.max(1)).map(move |bytes| Packet {
                    bytes,
                    source,
                    destination,
                })
            },
        )
    }

    /// Sends all packets of `outbox`. A packet that cannot be sent is dropped, as UDP allows.
    pub(crate) async fn send(&self, outbox: &mut Outbox) {
        for (run, bytes) in outbox.runs() {
            let transmit = Transmit {
                destination: self.of_our_family(run),
                ecn: None,
                contents: bytes,
                segment_size: Some(run.segment),
                src_ip: (!run.source.is_unspecified()).then_some(run.source),
            };
            let send = || self.state.try_send((&self.io).into(), &transmit);
            while self
                .io
                .try_io(Interest::WRITABLE, send)
                .is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
            {
                if self.io.writable().await.is_err() {
                    break;
                }
            }
        }
        outbox.clear();
    }

    fn of_our_family(&self, run: &Run) -> SocketAddr {
        match (self.local, run.destination.ip()) {
            (SocketAddr::V6(_), IpAddr::V4(v4)) => {
                SocketAddr::new(v4.to_ipv6_mapped().into(), run.destination.port())
            }
            _ => run.destination,
        }
    }
}

impl Default for PacketBatch {
    fn default() -> Self {
        Self { bytes: vec![0; BUFFERS * BUFFER], metas: [RecvMeta::default(); BUFFERS], filled: 0 }
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
