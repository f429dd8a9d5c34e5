//! The woken connections: channels wake them one by one, the driver takes all together.

use crate::demux::PeerId;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
};
use tokio::sync::Notify;

/// The list of woken connections; see the module.
#[derive(Debug, Default)]
pub(crate) struct WakeList(Arc<List>);

#[derive(Debug, Default)]
struct List {
    awake: Mutex<Vec<Arc<One>>>,
    some: Notify,
}

#[derive(Debug)]
struct One {
    peer: PeerId,
    awake: AtomicBool,
    list: Arc<List>,
}

impl WakeList {
    /// A waker for `peer`.
    pub(crate) fn waker(&self, peer: PeerId) -> Waker {
        Arc::new(One { peer, awake: AtomicBool::new(false), list: self.0.clone() }).into()
    }

    /// Waits until a connection has been woken.
    pub(crate) async fn some(&self) {
        self.0.some.notified().await;
    }

    /// Adds to `peers` the connections that have been woken since the last call.
    pub(crate) fn take(&self, peers: &mut Vec<PeerId>) {
        for one in self.0.awake.lock().expect("nobody panics with it").drain(..) {
            one.awake.store(false, Ordering::Release);
            peers.push(one.peer);
        }
    }
}

impl Wake for One {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.awake.swap(true, Ordering::AcqRel) {
            self.list.awake.lock().expect("nobody panics with it").push(self.clone());
            self.list.some.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_woken_twice_is_taken_once() {
        let (wake_list, mut peers) = (WakeList::default(), Vec::new());
        let (first, second) = (wake_list.waker(1), wake_list.waker(2));
        first.wake_by_ref();
        second.wake_by_ref();
        first.wake_by_ref();
        wake_list.take(&mut peers);
        assert_eq!(peers, [1, 2]);
        first.wake();
        wake_list.take(&mut peers);
        assert_eq!(peers, [1, 2, 1]);
    }
}
