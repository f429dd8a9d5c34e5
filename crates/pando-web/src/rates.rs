//! Rate limits: token buckets, alone and per address. Pure: time is an argument.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    time::Instant,
};

/// Most addresses that are remembered.
const ADDRESSES: usize = 20_000;

/// A token bucket: fills at a steady rate up to a burst, and events take from it.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    rate: f64,
    burst: f64,
    level: f64,
    at: Instant,
}

impl TokenBucket {
    /// A full bucket, for `rate` units per second and `burst` units at once.
    pub fn new(rate: f64, burst: f64, now: Instant) -> Self {
        Self { rate, burst, level: burst, at: now }
    }

    /// Takes `units` if the bucket has enough; for events that can be refused.
    pub fn take(&mut self, units: f64, now: Instant) -> bool {
        self.fill(now);
        let enough = self.level >= units;
        if enough {
            self.level -= units;
        }
        enough
    }

    /// Takes `units` in any case, and returns how long the caller must wait; for events that can
    /// be delayed.
    pub fn charge(&mut self, units: f64, now: Instant) -> std::time::Duration {
        self.fill(now);
        self.level -= units;
        std::time::Duration::from_secs_f64((-self.level / self.rate).max(0.0))
    }

    fn is_full(&self, now: Instant) -> bool {
        self.level + now.saturating_duration_since(self.at).as_secs_f64() * self.rate >= self.burst
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + passed * self.rate).min(self.burst);
        self.at = self.at.max(now);
    }
}

/// A bucket for each address. The addresses of one IPv6 network of 64 bits share a bucket.
#[derive(Debug)]
pub struct AddressRates {
    rate: f64,
    burst: f64,
    buckets: HashMap<IpAddr, TokenBucket>,
}

impl AddressRates {
    /// Limits for `rate` events per second from an address, and `burst` events at once.
    pub fn new(rate: f64, burst: f64) -> Self {
        Self { rate, burst, buckets: HashMap::new() }
    }

    /// ConnectionCounts one more event from `address`; returns false if there were too many lately.
    pub fn take(&mut self, address: IpAddr, now: Instant) -> bool {
        self.make_room(now);
        let fresh = TokenBucket::new(self.rate, self.burst, now);
        self.buckets.entry(network(address)).or_insert(fresh).take(1.0, now)
    }

    /// Forgets addresses with full buckets. If there are none, forgets all addresses, because
    /// refusing new ones would be worse.
    fn make_room(&mut self, now: Instant) {
        if self.buckets.len() >= ADDRESSES {
            self.buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        if self.buckets.len() >= ADDRESSES {
            self.buckets.clear();
        }
    }
}

/// The unit of counting: an IPv4 address, or an IPv6 network of 64 bits, in which a single client
/// has many addresses.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let now = Instant::now();
        let mut bucket = TokenBucket::new(2.0, 3.0, now);
        assert!((0..3).all(|_| bucket.take(1.0, now)));
        assert!(!bucket.take(1.0, now));
        assert!(bucket.take(2.0, now + SECOND));
        assert!(!bucket.take(1.0, now + SECOND));
        assert!(bucket.take(3.0, now + 100 * SECOND) && !bucket.take(1.0, now + 100 * SECOND));
    }

    #[test]
    fn who_takes_more_than_there_is_waits_as_long_as_it_takes_to_fill() {
        let now = Instant::now();
        let mut bucket = TokenBucket::new(10.0, 10.0, now);
        assert_eq!(bucket.charge(10.0, now), Duration::ZERO);
        assert_eq!(bucket.charge(5.0, now), SECOND / 2);
        assert_eq!(bucket.charge(5.0, now), SECOND);
        assert_eq!(bucket.charge(0.0, now + SECOND), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_gives_nothing() {
        let now = Instant::now() + SECOND;
        let mut bucket = TokenBucket::new(1.0, 1.0, now);
        assert!(bucket.take(1.0, now));
        assert!(!bucket.take(1.0, now - SECOND) && !bucket.take(1.0, now));
    }

    #[test]
    fn addresses_do_not_share_and_those_of_one_ipv6_network_do() {
        let (now, mut rates) = (Instant::now(), AddressRates::new(1.0, 2.0));
        let take =
            |rates: &mut AddressRates, address: &str| rates.take(address.parse().unwrap(), now);
        assert!(
            take(&mut rates, "10.0.0.1")
                && take(&mut rates, "10.0.0.1")
                && !take(&mut rates, "10.0.0.1")
        );
        assert!(take(&mut rates, "10.0.0.2"));
        assert!(!take(&mut rates, "::ffff:10.0.0.1"), "the same address, written otherwise");
        assert!(
            take(&mut rates, "2001:db8::1")
                && take(&mut rates, "2001:db8::2")
                && !take(&mut rates, "2001:db8::3")
        );
        assert!(take(&mut rates, "2001:db8:0:1::1"));
        assert!(
            rates.take("10.0.0.1".parse().unwrap(), now + SECOND),
            "after a while it may again"
        );
    }

    #[test]
    fn many_addresses_take_bounded_memory() {
        let (now, mut rates) = (Instant::now(), AddressRates::new(1.0, 2.0));
        for n in 0..3 * ADDRESSES as u32 {
            rates.take(std::net::Ipv4Addr::from_bits(n).into(), now);
            assert!(rates.buckets.len() <= ADDRESSES);
        }
    }
}
