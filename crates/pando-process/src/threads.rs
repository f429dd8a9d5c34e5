//! Starts threads, which a system may refuse because of `ulimit -u` or the limit of a container.

use std::{
    io::{self, Write},
    sync::{Arc, RwLock},
    thread::{self, Builder, JoinHandle},
};
use tokio::runtime::Runtime;

/// The number of threads needed at the start of a run or a relay, and some to spare.
const FIRST: usize = 12;

/// Most cores lent: per thread of this machine, and in total on a small machine. More cores than
/// threads suit functions and programs with more waiting than computing.
const MOST_PER_THREAD: usize = 4;
const MOST_ANYWAY: usize = 32;

/// The number of threads that this machine runs at a time.
pub fn at_a_time() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The most cores that this machine lends, each a process.
pub fn most_cores() -> usize {
    (at_a_time() * MOST_PER_THREAD).max(MOST_ANYWAY)
}

/// A runtime for the tasks of a program, with so many threads, or as many as the machine has. A
/// system that refuses threads is told to people.
pub fn runtime(threads: Option<usize>) -> Option<Runtime> {
    let built = check().and_then(|()| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        if let Some(threads) = threads {
            builder.worker_threads(threads);
        }
        builder.enable_all().build().map_err(|error| refused(&error))
    });
    // Standard error may not be open.
    built.inspect_err(|why| drop(writeln!(io::stderr(), "error: {why}"))).ok()
}

/// Checks that the first threads can be started. Without threads, tokio and other libraries panic.
///
/// # Errors
/// When they cannot be started; the text is for people.
fn check() -> Result<(), String> {
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
