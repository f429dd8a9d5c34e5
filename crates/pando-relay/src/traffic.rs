//! What passes through for one room, and how fast it may.

use pando_web::Bucket;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// Messages of all volunteers' signalling, per second and at once.
const SIGNALS: (f64, f64) = (500.0, 4000.0);

/// The rates of one room, shared by its links, its TURN allocations and its signalling.
#[derive(Debug)]
pub(crate) struct Traffic {
    bytes: Mutex<Bucket>,
    signals: Mutex<Bucket>,
    passed: AtomicU64,
}

impl Traffic {
    /// For `rate` bytes per second, of which a second's worth may pass at once.
    pub(crate) fn new(rate: u64, now: Instant) -> Self {
        Self {
            bytes: Mutex::new(Bucket::new(rate as f64, rate as f64, now)),
            signals: Mutex::new(Bucket::new(SIGNALS.0, SIGNALS.1, now)),
            passed: AtomicU64::new(0),
        }
    }

    /// Counts `bytes` that pass, and waits while the room has had more than its rate.
    pub(crate) async fn pass(&self, bytes: usize) {
        self.passed.fetch_add(bytes as u64, Ordering::Relaxed);
        let wait = self.bytes.lock().expect("nobody panics with it").charge(bytes as f64, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Counts `bytes` that pass if the room has had less than its rate; else they are to be dropped.
    pub(crate) fn admits(&self, bytes: usize) -> bool {
        let admitted = self.bytes.lock().expect("nobody panics with it").take(bytes as f64, Instant::now());
        if admitted {
            self.passed.fetch_add(bytes as u64, Ordering::Relaxed);
        }
        admitted
    }

    /// Waits while the room has signalled more than it may.
    pub(crate) async fn signal(&self) {
        let wait = self.signals.lock().expect("nobody panics with it").charge(1.0, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Bytes that have passed.
    pub(crate) fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }
}
