//! The output of a process so far.

use std::{
    io::Read,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Instant,
};

/// The bytes of an output so far, and whether the output has ended.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    state: Mutex<(Vec<u8>, bool)>,
    changed: Condvar,
}

impl Gathered {
    /// An output that nobody reads.
    pub(crate) fn nothing() -> Arc<Self> {
        Arc::new(Self { state: Mutex::new((Vec::new(), true)), ..Self::default() })
    }

    /// Reads `output` on a new thread.
    pub(crate) fn from(mut output: impl Read + Send + 'static) -> Arc<Self> {
        let gathered = Arc::new(Self::default());
        let ours = gathered.clone();
        thread::spawn(move || {
            let mut block = vec![0; 64 * 1024];
            loop {
                let read = output.read(&mut block).unwrap_or(0);
                let mut state = ours.state.lock().unwrap();
                state.0.extend_from_slice(&block[..read]);
                state.1 = read == 0;
                ours.changed.notify_all();
                if state.1 {
                    return;
                }
            }
        });
        gathered
    }

    /// Calls `look` with the bytes so far, and whether the output has ended, until `look` finds
    /// something. `None` when the time is over or the output ends.
    pub(crate) fn wait<T>(
        &self,
        end: Instant,
        mut look: impl FnMut(&[u8], bool) -> Option<T>,
    ) -> Option<T> {
        let mut state = self.state.lock().unwrap();
        loop {
            if let Some(found) = look(&state.0, state.1) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now()).filter(|_| !state.1)?;
            state = self.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// The bytes so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.state.lock().unwrap().0.clone()
    }

    /// The bytes so far, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}
