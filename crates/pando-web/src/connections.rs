//! The number of connections, in total and from each address.

use super::rates::network;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// ConnectionCounts connections, with limits on the total and on each address.
#[derive(Debug)]
pub struct Connections {
    most: usize,
    /// Whether the limit on the total is due to the number of file descriptors.
    by_files: bool,
    most_per_address: usize,
    counts: Mutex<ConnectionCounts>,
}

#[derive(Debug, Default)]
struct ConnectionCounts {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Connections {
    /// At most `most` connections in all, and `most_per_address` from each address.
    pub fn new(most: usize, most_per_address: usize) -> Arc<Self> {
        Arc::new(Self { most, by_files: false, most_per_address, counts: Mutex::default() })
    }

    /// As [`Self::new`], with at most as many connections as file descriptors permit.
    pub fn fitting(most: usize, most_per_address: usize) -> Arc<Self> {
        let fitting = super::fitting(most);
        Arc::new(Self {
            most: fitting,
            by_files: fitting < most,
            most_per_address,
            counts: Mutex::default(),
        })
    }

    /// Whether the limit due to file descriptors is reached.
    pub(crate) fn fill_files(&self) -> bool {
        self.by_files && self.is_full()
    }

    /// Whether the limit on the total is reached.
    pub(crate) fn is_full(&self) -> bool {
        self.counts.lock().expect("nobody panics with it").total >= self.most
    }

    /// Takes a place for a further connection, counted for `address` if given; `None` if a limit
    /// is reached. The client may send `credit` bytes before its introduction.
    pub fn slot(
        self: &Arc<Self>,
        address: Option<IpAddr>,
        credit: usize,
    ) -> Option<ConnectionSlot> {
        let mut counts = self.counts.lock().expect("nobody panics with it");
        if counts.total >= self.most
            || !address.is_none_or(|address| counts.add(address, self.most_per_address))
        {
            return None;
        }
        counts.total += 1;
        Some(ConnectionSlot {
            connections: self.clone(),
            address: Mutex::new(address),
            in_total: true,
            credit: credit.into(),
        })
    }

    /// Takes a place for a further connection of `address` that is already counted in the total.
    pub fn guest(self: &Arc<Self>, address: IpAddr) -> Option<ConnectionSlot> {
        let mut counts = self.counts.lock().expect("nobody panics with it");
        let slot = || ConnectionSlot {
            connections: self.clone(),
            address: Mutex::new(Some(address)),
            in_total: false,
            credit: usize::MAX.into(),
        };
        counts.add(address, self.most_per_address).then(slot)
    }

    /// The total number of connections.
    pub fn total(&self) -> usize {
        self.counts.lock().expect("nobody panics with it").total
    }
}

impl ConnectionCounts {
    fn add(&mut self, address: IpAddr, most: usize) -> bool {
        let count = self.by_address.entry(network(address)).or_default();
        let room = *count < most;
        *count += usize::from(room);
        room
    }

    fn remove(&mut self, address: IpAddr) {
        let address = network(address);
        if let Some(count) = self.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

/// The place of one connection. Dropping it frees the place.
#[derive(Debug)]
pub struct ConnectionSlot {
    connections: Arc<Connections>,
    address: Mutex<Option<IpAddr>>,
    in_total: bool,
    /// Bytes that may still come; the largest number means no limit.
    credit: AtomicUsize,
}

impl ConnectionSlot {
    /// Notes that the client has introduced itself, and removes the limit on its bytes.
    pub fn mark_known(&self) {
        self.credit.store(usize::MAX, Ordering::Relaxed);
    }

    /// Whether `bytes` more bytes may come. ConnectionCounts them.
    pub(crate) fn spend_credit(&self, bytes: usize) -> bool {
        let credit = self.credit.load(Ordering::Relaxed);
        if credit < usize::MAX {
            // If the exchange fails, the client has just become known, and nothing needs to be
            // counted.
            let _ = self.credit.compare_exchange(
                credit,
                credit.saturating_sub(bytes),
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        }
        credit >= bytes
    }

    /// Stops counting the connection for its address, because a master has a connection for each
    /// volunteer.
    pub fn exempt_from_address_limit(&self) {
        if let Some(address) = self.address.lock().expect("nobody panics with it").take() {
            self.connections.counts.lock().expect("nobody panics with it").remove(address);
        }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.exempt_from_address_limit();
        if self.in_total {
            self.connections.counts.lock().expect("nobody panics with it").total -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn connections_are_counted_in_all_and_for_each_address() {
        let connections = Connections::new(3, 2);
        let (one, two) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let first = connections.slot(Some(one), 100).unwrap();
        let second = connections.slot(Some(one), 100).unwrap();
        assert!(connections.slot(Some(one), 100).is_none(), "one address has its two");
        let third = connections.slot(Some(two), 100).unwrap();
        assert!(connections.slot(Some(two), 100).is_none(), "there are three in all");
        drop(second);
        assert!(connections.slot(Some(one), 100).is_some());
        first.exempt_from_address_limit();
        let more: Vec<_> = (0..2).map(|_| connections.guest(one).unwrap()).collect();
        assert!(connections.guest(one).is_none());
        assert_eq!(connections.total(), 2);
        drop((first, third, more));
        assert_eq!(connections.total(), 0);
        assert!(connections.counts.lock().unwrap().by_address.is_empty());
    }
    #[test]
    fn a_stranger_may_say_so_much_and_no_more() {
        let slot = Connections::new(1, 1).slot(None, 100).unwrap();
        assert!(slot.spend_credit(60) && slot.spend_credit(40) && !slot.spend_credit(1));
        slot.mark_known();
        assert!(slot.spend_credit(1_000_000));
    }
}
