//! The tasks to wake when the input or the lender changes.

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

/// The wakers of the tasks that wait for an answer to their ask, and the waker with which the
/// input is polled.
///
/// A signal has a separate lock, because an input may wake during its own poll. No foreign code is
/// called under this lock.
#[derive(Default)]
pub(crate) struct Signal {
    wakers: Mutex<Wakers>,
}

#[derive(Default)]
struct Wakers {
    /// Whether the input has woken since the last [`Signal::take_ready`].
    ready: bool,
    asking: BTreeMap<SubStreamId, Waker>,
}

impl Signal {
    /// Whether the input has woken since the last call; resets the flag.
    pub(crate) fn take_ready(&self) -> bool {
        mem::take(&mut self.wakers().ready)
    }

    /// Notes the task to wake for a sub-stream that was told to wait. Returns the waker that was
    /// noted before, which must not be dropped under a lock, and whether the input has woken
    /// meanwhile. In that case the task should ask again.
    pub(crate) fn register(&self, sub: SubStreamId, waker: Waker) -> (Option<Waker>, bool) {
        let mut wakers = self.wakers();
        (wakers.asking.insert(sub, waker), wakers.ready)
    }

    /// The task to wake for a sub-stream, if the task has not been woken since the sub-stream was
    /// told to wait.
    pub(crate) fn take(&self, sub: SubStreamId) -> Option<Waker> {
        self.wakers().asking.remove(&sub)
    }

    fn wakers(&self) -> MutexGuard<'_, Wakers> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The input wakes all waiting tasks, whatever they wait for; each task polls again.
impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let asking = {
            let mut wakers = self.wakers();
            wakers.ready = true;
            mem::take(&mut wakers.asking)
        };
        asking.into_values().for_each(Waker::wake);
    }
}
