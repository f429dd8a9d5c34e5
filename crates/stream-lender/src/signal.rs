//! Who is woken, and when.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, PoisonError},
    task::{Wake, Waker},
};

use crate::{
    SubStreamId,
    sync::{Mutex, MutexGuard},
};

/// The tasks that wait for an answer to their ask, and the waker that the input is polled with.
///
/// It has a lock of its own, under which nothing foreign is called, because an input may wake while it is being polled.
#[derive(Default)]
pub(crate) struct Signal {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The input has woken since this was last looked at.
    ready: bool,
    asking: BTreeMap<SubStreamId, Waker>,
}

impl Signal {
    /// Whether the input has woken since this was last called.
    pub(crate) fn take_ready(&self) -> bool {
        mem::take(&mut self.state().ready)
    }

    /// Notes the task to wake for a sub-stream that was told to wait. Answers the one noted before, which must not be
    /// dropped under a lock, and whether the input has woken meanwhile: then the task should rather ask again.
    pub(crate) fn register(&self, sub: SubStreamId, waker: Waker) -> (Option<Waker>, bool) {
        let mut state = self.state();
        (state.asking.insert(sub, waker), state.ready)
    }

    /// The task to wake for a sub-stream, if it has not been woken since it was told to wait.
    pub(crate) fn take(&self, sub: SubStreamId) -> Option<Waker> {
        self.state().asking.remove(&sub)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The input wakes all that wait, whatever they wait for: each has only to be polled to be sure.
impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let asking = {
            let mut state = self.state();
            state.ready = true;
            mem::take(&mut state.asking)
        };
        asking.into_values().for_each(Waker::wake);
    }
}
