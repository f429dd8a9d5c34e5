//! Who reads the stream of events. At the end of a run, only those who read are waited for. Pure:
//! time is an argument.

use std::{
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::{Duration, Instant},
};

/// After this time without taking events, a reader has stopped to read: there are events once a
/// second.
const STOPPED: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Readers(Mutex<Vec<Weak<Mutex<ReaderState>>>>);

/// One reader, which is forgotten when this is dropped.
#[derive(Debug)]
pub(super) struct Reader(Arc<Mutex<ReaderState>>);

/// What a reader does.
#[derive(Debug, Clone, Copy)]
enum ReaderState {
    /// It has taken all events, and waits for others.
    Waits,
    /// It has taken the newest events at this time. They may still be on their way.
    Took(Instant),
}

impl Readers {
    /// Adds a reader that takes its first events now.
    pub(super) fn add(&self, now: Instant) -> Reader {
        let reader = Arc::new(Mutex::new(ReaderState::Took(now)));
        let mut readers = self.lock();
        readers.retain(|reader| reader.strong_count() > 0);
        readers.push(Arc::downgrade(&reader));
        Reader(reader)
    }

    /// Whether anybody reads, and may read further events soon.
    pub(super) fn is_anybody_reading(&self, now: Instant) -> bool {
        self.lock().iter().filter_map(Weak::upgrade).any(|reader| match *lock(&reader) {
            ReaderState::Waits => true,
            ReaderState::Took(time) => now.saturating_duration_since(time) < STOPPED,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Mutex<ReaderState>>>> {
        self.0.lock().expect("nobody panics with it")
    }
}

impl Reader {
    /// Notes that the reader has taken all events and waits for others.
    pub(super) fn waits(&self) {
        *lock(&self.0) = ReaderState::Waits;
    }

    /// Notes that the reader takes events.
    pub(super) fn takes(&self, now: Instant) {
        *lock(&self.0) = ReaderState::Took(now);
    }
}

fn lock(reader: &Mutex<ReaderState>) -> MutexGuard<'_, ReaderState> {
    reader.lock().expect("nobody panics with it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_who_read_are_waited_for() {
        let (readers, start) = (Readers::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        assert!(!readers.is_anybody_reading(start), "there is nobody");
        let quick = readers.add(start);
        let silent = readers.add(start);
        quick.waits();
        assert!(readers.is_anybody_reading(at(5000)), "the quick one waits for events");
        quick.takes(at(5000));
        assert!(readers.is_anybody_reading(at(5999)), "its events are on their way");
        assert!(!readers.is_anybody_reading(at(6000)), "nobody has read for a second");
        quick.waits();
        assert!(readers.is_anybody_reading(at(6000)));
        drop(quick);
        assert!(!readers.is_anybody_reading(at(6000)), "the silent one does not count");
        drop(silent);
        assert!(!readers.is_anybody_reading(start));
    }
}
