//! Finds the connection that a packet belongs to: by its source address, or, for STUN requests, by
//! the name in the request. Pure: time is an argument.

use crate::stun;
use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// The id of a connection.
pub(crate) type PeerId = u64;

/// Most addresses of one connection at a time.
const ADDRESSES: usize = 16;
/// How long an address must be silent before another connection may claim it.
const SILENCE: Duration = Duration::from_secs(5);

/// The connections by name and address; see the module.
#[derive(Debug, Default)]
pub(crate) struct Demux {
    fragments: HashMap<String, PeerId>,
    addresses: HashMap<SocketAddr, Owner>,
    peers: HashMap<PeerId, (String, Vec<SocketAddr>)>,
}

#[derive(Debug)]
struct Owner {
    peer: PeerId,
    heard: Instant,
}

impl Demux {
    /// Adds a new connection, whose name in STUN is `fragment`.
    pub(crate) fn add(&mut self, peer: PeerId, fragment: String) {
        self.fragments.insert(fragment.clone(), peer);
        self.peers.insert(peer, (fragment, Vec::new()));
    }

    /// Forgets a connection.
    pub(crate) fn remove(&mut self, peer: PeerId) {
        let Some((fragment, addresses)) = self.peers.remove(&peer) else { return };
        self.fragments.remove(&fragment);
        for address in addresses {
            if self.addresses.get(&address).is_some_and(|owner| owner.peer == peer) {
                self.addresses.remove(&address);
            }
        }
    }

    /// The connection of the packet from `source`. Records that the address was heard.
    pub(crate) fn owner(
        &mut self,
        packet: &[u8],
        source: SocketAddr,
        now: Instant,
    ) -> Option<PeerId> {
        let named = || self.fragments.get(stun::local_fragment(packet)?).copied();
        if let Some(peer) = stun::is_stun(packet).then(named).flatten() {
            self.claim(peer, source, now);
            return Some(peer);
        }
        let owner = self.addresses.get_mut(&source)?;
        owner.heard = now;
        Some(owner.peer)
    }

    /// Records `source` as an address of `peer`, unless another connection uses it.
    pub(crate) fn claim(&mut self, peer: PeerId, source: SocketAddr, now: Instant) {
        let Some((_, addresses)) = self.peers.get_mut(&peer) else { return };
        if let Some(owner) = self.addresses.get_mut(&source) {
            if owner.peer == peer {
                owner.heard = now;
                return;
            }
            if now.saturating_duration_since(owner.heard) < SILENCE {
                return;
            }
        }
        if addresses.len() == ADDRESSES {
            let oldest = addresses.remove(0);
            if self.addresses.get(&oldest).is_some_and(|owner| owner.peer == peer) {
                self.addresses.remove(&oldest);
            }
        }
        addresses.push(source);
        self.addresses.insert(source, Owner { peer, heard: now });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str) -> Vec<u8> {
        let mut packet = stun::binding_request([1; 12]).to_vec();
        packet.extend_from_slice(&[0, 6, 0, name.len() as u8]);
        packet.extend_from_slice(name.as_bytes());
        packet
    }

    fn at(port: u16) -> SocketAddr {
        ([192, 0, 2, 1], port).into()
    }

    const DTLS: &[u8] = b"\x17\xfe\xfd";

    #[test]
    fn a_request_makes_its_address_known() {
        let (mut demux, now) = (Demux::default(), Instant::now());
        demux.add(1, "aaaa".into());
        assert_eq!(demux.owner(DTLS, at(1), now), None);
        assert_eq!(demux.owner(&request("zzzz:b"), at(1), now), None);
        assert_eq!(demux.owner(&request("aaaa:b"), at(1), now), Some(1));
        assert_eq!(demux.owner(DTLS, at(1), now), Some(1));
        demux.remove(1);
        assert_eq!(demux.owner(DTLS, at(1), now), None);
        assert!(demux.addresses.is_empty() && demux.fragments.is_empty());
    }

    #[test]
    fn an_address_changes_hands_only_after_a_silence() {
        let (mut demux, now) = (Demux::default(), Instant::now());
        demux.add(1, "aaaa".into());
        demux.add(2, "bbbb".into());
        demux.owner(&request("aaaa:x"), at(1), now);
        assert_eq!(demux.owner(&request("bbbb:x"), at(1), now), Some(2));
        assert_eq!(demux.owner(DTLS, at(1), now), Some(1));
        demux.owner(&request("bbbb:x"), at(1), now + SILENCE);
        assert_eq!(demux.owner(DTLS, at(1), now + SILENCE), Some(2));
        demux.remove(1);
        assert_eq!(demux.owner(DTLS, at(1), now + SILENCE), Some(2));
    }

    #[test]
    fn one_connection_has_a_limited_number_of_addresses() {
        let (mut demux, now) = (Demux::default(), Instant::now());
        demux.add(1, "aaaa".into());
        for port in 1..100 {
            demux.owner(&request("aaaa:x"), at(port), now);
        }
        assert_eq!(demux.addresses.len(), ADDRESSES);
        assert_eq!(
            (demux.owner(DTLS, at(1), now), demux.owner(DTLS, at(99), now)),
            (None, Some(1))
        );
    }
}
