//! The relayed traffic of one room, and its limits.

use pando_web::TokenBucket;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// Most signalling messages of all volunteers per second, and at once.
const SIGNALS: (f64, f64) = (500.0, 4000.0);

/// The rates of one room, shared by its links, its TURN allocations and its signalling.
#[derive(Debug)]
pub(crate) struct Traffic {
    bytes: Mutex<TokenBucket>,
    signals: Mutex<TokenBucket>,
    passed: AtomicU64,
}

impl Traffic {
    /// Traffic limited to `rate` bytes per second, with at most one second's worth at once.
    pub(crate) fn new(rate: u64, now: Instant) -> Self {
        Self {
            bytes: Mutex::new(TokenBucket::new(rate as f64, rate as f64, now)),
            signals: Mutex::new(TokenBucket::new(SIGNALS.0, SIGNALS.1, now)),
            passed: AtomicU64::new(0),
        }
    }

    /// Counts `bytes` that pass, and waits while the room exceeds its rate.
    pub(crate) async fn pass(&self, bytes: usize) {
        self.passed.fetch_add(bytes as u64, Ordering::Relaxed);
        let wait =
            self.bytes.lock().expect("nobody panics with it").charge(bytes as f64, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Counts `bytes` that pass, if the room is below its rate; otherwise returns false, and the
    /// bytes must be dropped.
    pub(crate) fn admits(&self, bytes: usize) -> bool {
        let admitted =
            self.bytes.lock().expect("nobody panics with it").take(bytes as f64, Instant::now());
        if admitted {
            self.passed.fetch_add(bytes as u64, Ordering::Relaxed);
        }
        admitted
    }

    /// Counts a signalling message, and waits while the room exceeds its limit.
    pub(crate) async fn signal(&self) {
        let wait = self.signals.lock().expect("nobody panics with it").charge(1.0, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// The number of bytes that have passed.
    pub(crate) fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }
}
