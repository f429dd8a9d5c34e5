//! This machine's addresses on the internet, as STUN servers see them. Pure: time and randomness
//! are arguments.
//!
//! Each server is asked again and again. This keeps the mapping in a NAT alive, and shows when the
//! mapping has changed.

use crate::stun::{self, Transaction};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

/// The time between an answer and the next request. NATs forget a mapping after 30 s or more.
const PERIOD: Duration = Duration::from_secs(20);
/// How long the first request waits for an answer; each further request waits twice as long.
const PATIENCE: Duration = Duration::from_millis(500);
/// Most requests without an answer before a pause.
const TRIES: u32 = 4;
/// How long the addresses of a name stay valid.
const LOOKED_UP: Duration = Duration::from_secs(300);
/// How long a lookup of addresses may take.
const LOOKING_UP: Duration = Duration::from_secs(30);

/// An address on the internet, and the local address behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mapped {
    pub(crate) address: SocketAddr,
    pub(crate) base: SocketAddr,
}

/// The servers and their answers; see the module.
#[derive(Debug, Default)]
pub(crate) struct Reflexive {
    servers: Vec<StunServer>,
}

#[derive(Debug)]
struct StunServer {
    name: String,
    /// When to look up the server's addresses.
    look_up: Instant,
    asked: Vec<StunQuery>,
}

/// One address of a server.
#[derive(Debug)]
struct StunQuery {
    address: SocketAddr,
    transaction: Transaction,
    tries: u32,
    next: Instant,
    mapped: Option<Mapped>,
}

impl Reflexive {
    /// Sets the servers to ask from now on; other servers are forgotten.
    pub(crate) fn set(&mut self, names: Vec<String>, now: Instant) {
        self.servers.retain(|server| names.contains(&server.name));
        for name in names {
            if self.servers.iter().all(|server| server.name != name) {
                self.servers.push(StunServer { name, look_up: now, asked: Vec::new() });
            }
        }
    }

    /// Names whose addresses must be looked up now; [`Self::looked_up`] follows for each. Starts
    /// the time of these lookups.
    pub(crate) fn names(&mut self, now: Instant) -> Vec<String> {
        let due = self.servers.iter_mut().filter(|server| server.look_up <= now);
        due.map(|server| {
            server.look_up = now + LOOKING_UP;
            server.name.clone()
        })
        .collect()
    }

    /// Sets the addresses of the server `name`. Of each address family, only the first address is
    /// asked.
    pub(crate) fn looked_up(&mut self, name: &str, addresses: &[SocketAddr], now: Instant) {
        let Some(server) = self.servers.iter_mut().find(|server| server.name == name) else {
            return;
        };
        if addresses.is_empty() {
            return;
        }
        server.look_up = now + LOOKED_UP;
        let first = |v4: bool| addresses.iter().find(|address| address.is_ipv4() == v4).copied();
        let chosen: Vec<SocketAddr> = [first(true), first(false)].into_iter().flatten().collect();
        server.asked.retain(|asked| chosen.contains(&asked.address));
        for address in chosen {
            if server.asked.iter().all(|asked| asked.address != address) {
                server.asked.push(StunQuery {
                    address,
                    transaction: [0; 12],
                    tries: 0,
                    next: now,
                    mapped: None,
                });
            }
        }
    }

    /// Takes the requests to send now.
    pub(crate) fn requests(
        &mut self,
        now: Instant,
        mut chance: impl FnMut() -> Transaction,
    ) -> Vec<(SocketAddr, [u8; 20])> {
        let due = self
            .servers
            .iter_mut()
            .flat_map(|server| &mut server.asked)
            .filter(|asked| asked.next <= now);
        due.map(|asked| {
            if asked.tries == 0 {
                asked.transaction = chance();
            }
            asked.tries += 1;
            if asked.tries < TRIES {
                asked.next = now + PATIENCE * 2u32.pow(asked.tries - 1);
            } else {
                (asked.tries, asked.next, asked.mapped) = (0, now + PERIOD, None);
            }
            (asked.address, stun::binding_request(asked.transaction))
        })
        .collect()
    }

    /// Takes a packet, if it is an answer; returns a newly learned address.
    pub(crate) fn answer(
        &mut self,
        packet: &[u8],
        source: SocketAddr,
        base: SocketAddr,
        now: Instant,
    ) -> Option<Mapped> {
        let transaction = stun::transaction(packet)?;
        let known: Vec<Mapped> = self.mapped().collect();
        let mut asked = self.servers.iter_mut().flat_map(|server| &mut server.asked);
        let asked =
            asked.find(|asked| asked.address == source && asked.transaction == transaction)?;
        let mapped = Mapped { address: stun::mapped_address(packet)?, base };
        (asked.tries, asked.next) = (0, now + PERIOD);
        asked.mapped = Some(mapped);
        (!known.contains(&mapped)).then_some(mapped)
    }

    /// The known addresses.
    pub(crate) fn mapped(&self) -> impl Iterator<Item = Mapped> {
        self.servers.iter().flat_map(|server| &server.asked).filter_map(|asked| asked.mapped)
    }

    /// The time of the next request or lookup.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.servers
            .iter()
            .flat_map(|server| server.asked.iter().map(|asked| asked.next).chain([server.look_up]))
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> SocketAddr {
        address.parse().unwrap()
    }

    fn answer_to(request: &[u8], mapped: &str) -> Vec<u8> {
        let SocketAddr::V4(mapped) = at(mapped) else { panic!("version 4") };
        let mut answer = request.to_vec();
        answer[0] = 1;
        answer.extend_from_slice(&[0, 1, 0, 8, 0, 1]);
        answer.extend_from_slice(&mapped.port().to_be_bytes());
        answer.extend_from_slice(&mapped.ip().octets());
        answer
    }

    fn asked(now: Instant) -> Reflexive {
        let mut reflexive = Reflexive::default();
        reflexive.set(vec!["s:1".into()], now);
        assert_eq!(reflexive.names(now), ["s:1"]);
        assert!(reflexive.names(now).is_empty());
        reflexive.looked_up("s:1", &[at("192.0.2.1:1"), at("192.0.2.2:1")], now);
        reflexive
    }

    #[test]
    fn a_server_is_asked_until_it_answers_and_again_after_a_while() {
        let now = Instant::now();
        let mut reflexive = asked(now);
        let first = reflexive.requests(now, || [1; 12]);
        assert_eq!(first, [(at("192.0.2.1:1"), stun::binding_request([1; 12]))]);
        assert_eq!(reflexive.next(), Some(now + PATIENCE));
        assert_eq!(reflexive.requests(now + PATIENCE, || [2; 12]), first);
        let (answer, base) = (answer_to(&first[0].1, "198.51.100.1:7"), at("10.0.0.1:5000"));
        assert_eq!(reflexive.answer(&answer, at("192.0.2.9:1"), base, now), None);
        let mapped = Mapped { address: at("198.51.100.1:7"), base };
        assert_eq!(reflexive.answer(&answer, at("192.0.2.1:1"), base, now), Some(mapped));
        assert_eq!(reflexive.answer(&answer, at("192.0.2.1:1"), base, now), None);
        assert_eq!(reflexive.mapped().collect::<Vec<_>>(), [mapped]);
        assert_eq!(reflexive.next(), Some(now + PERIOD));
        assert_eq!(reflexive.requests(now + PERIOD, || [3; 12]).len(), 1);
    }

    #[test]
    fn an_address_that_has_changed_is_new() {
        let now = Instant::now();
        let (mut reflexive, base) = (asked(now), at("10.0.0.1:5000"));
        for (number, mapped) in ["198.51.100.1:7", "198.51.100.1:8"].into_iter().enumerate() {
            let then = now + PERIOD * number as u32;
            let request = reflexive.requests(then, || [number as u8; 12])[0].1;
            let answer = answer_to(&request, mapped);
            assert_eq!(
                reflexive.answer(&answer, at("192.0.2.1:1"), base, then).map(|m| m.address),
                Some(at(mapped))
            );
            assert_eq!(reflexive.mapped().count(), 1);
        }
    }

    #[test]
    fn a_silent_server_is_asked_a_few_times_and_then_left_alone_for_a_while() {
        let now = Instant::now();
        let mut reflexive = asked(now);
        let (mut times, mut then) = (Vec::new(), now);
        while then < now + Duration::from_secs(20) {
            if !reflexive.requests(then, || [1; 12]).is_empty() {
                times.push((then - now).as_millis());
            }
            then = reflexive.next().unwrap();
        }
        assert_eq!(times, [0, 500, 1500, 3500]);
    }

    #[test]
    fn a_name_without_an_address_is_looked_up_again_and_one_taken_away_is_forgotten() {
        let now = Instant::now();
        let mut reflexive = Reflexive::default();
        assert_eq!(reflexive.next(), None);
        reflexive.set(vec!["s:1".into()], now);
        reflexive.names(now);
        reflexive.looked_up("s:1", &[], now);
        assert_eq!(reflexive.next(), Some(now + LOOKING_UP));
        assert_eq!(reflexive.names(now + LOOKING_UP), ["s:1"]);
        reflexive.set(Vec::new(), now);
        assert_eq!(reflexive.next(), None);
    }
}
