//! Threads, which a system may refuse: by `ulimit -u`, or by the limit of a container.

use std::{
    io,
    sync::{Arc, RwLock},
    thread::{Builder, JoinHandle},
};

/// As many as a run or a relay begins with, and some to spare.
const FIRST: usize = 12;

/// Whether as many threads as are needed at first can be started: tokio, among others, panics without.
///
/// # Errors
/// When they cannot: in words.
pub fn check() -> Result<(), String> {
    let gate = Arc::new(RwLock::new(()));
    let closed = gate.write();
    let started: Vec<_> = (0..FIRST)
        .map(|_| {
            let gate = gate.clone();
            spawn("check", move || drop(gate.read()))
        })
        .collect();
    drop(closed);
    let mut result = Ok(());
    for thread in started {
        match thread {
            Ok(thread) => drop(thread.join()),
            Err(error) => result = Err(refused(&error)),
        }
    }
    result
}

/// Starts a thread.
///
/// # Errors
/// When the system refuses it.
pub fn spawn<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.into()).spawn(run)
}

/// What is said when it does.
pub fn refused(error: &io::Error) -> String {
    format!("this system lets Pando start too few threads ({error}): see ulimit -u, and the limits of its container")
}
