//! Counts wrong paths per address, so that nobody can guess a token by trying many.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Mutex,
    time::{Duration, Instant},
};

/// Wrong paths that an address may ask for in [`PERIOD`].
const MOST: u32 = 60;
const PERIOD: Duration = Duration::from_secs(60);
/// Addresses remembered at most.
const ADDRESSES: usize = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Misses(Mutex<HashMap<IpAddr, (Instant, u32)>>);

impl Misses {
    /// Counts a miss of `from`; true when there were too many lately.
    pub(crate) fn too_many(&self, from: IpAddr, now: Instant) -> bool {
        let mut misses = self.0.lock().expect("nobody panics with it");
        if misses.len() >= ADDRESSES {
            misses.retain(|_, (since, _)| now.saturating_duration_since(*since) < PERIOD);
            if misses.len() >= ADDRESSES {
                return true;
            }
        }
        let (since, count) = misses.entry(from).or_insert((now, 0));
        if now.saturating_duration_since(*since) >= PERIOD {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        *count > MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_misses_are_too_many_for_a_minute() {
        let (misses, now) = (Misses::default(), Instant::now());
        let address = IpAddr::from([10, 0, 0, 1]);
        assert!((0..MOST).all(|_| !misses.too_many(address, now)));
        assert!(misses.too_many(address, now));
        assert!(!misses.too_many(IpAddr::from([10, 0, 0, 2]), now));
        assert!(!misses.too_many(address, now + PERIOD));
    }
}
