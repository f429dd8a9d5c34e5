//! Starts threads, which a system may refuse because of `ulimit -u` or the limit of a container.

use std::{
    io,
    sync::{Arc, RwLock},
    thread::{Builder, JoinHandle},
};

/// The number of threads needed at the start of a run or a relay, and some to spare.
const FIRST: usize = 12;

/// Checks that the first threads can be started. Without threads, tokio and other libraries panic.
///
/// # Errors
/// When they cannot be started; the text is for people.
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
/// When the system refuses the thread.
pub fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.into()).spawn(run)
}

/// The text for people when the system refuses a thread.
pub fn refused(error: &io::Error) -> String {
    format!(
        "this system lets Pando start too few threads ({error}): see ulimit -u, and the limits of its container"
    )
}
