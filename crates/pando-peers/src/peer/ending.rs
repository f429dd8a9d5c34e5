//! The end of a peer connection: by its owner, by the other side, or by an error.

use super::{LAST_FRAMES, LAST_PACKETS, Outbox, Peer, Stage};
use std::time::Instant;

impl Peer {
    /// Ends the connection now, and drops all waiting frames.
    pub(crate) fn close(&mut self, now: Instant) {
        self.inbox.close();
        self.hang_up(now);
    }

    /// Begins the end of the connection after the owner has dropped the channel; queued frames
    /// are still sent.
    pub(super) fn begin_to_leave(&mut self, now: Instant) {
        self.inbox.close();
        if self.stage == Stage::Open {
            (self.stage, self.until) = (Stage::Leaving, Some(now + LAST_FRAMES));
        }
    }

    /// Closes the data channel once all frames have arrived, or after a time limit.
    pub(super) fn leave(&mut self, now: Instant, outbox: &mut Outbox) {
        let Some(id) = self.data else { return };
        let in_flight = self.rtc.channel(id).map_or(0, |mut data| data.buffered_amount());
        let has_said_all = self.incoming.is_none() && !self.cutter.is_busy() && in_flight == 0;
        if has_said_all || self.until.is_some_and(|until| until <= now) {
            self.rtc.direct_api().close_data_channel(id);
            self.poll(now, outbox);
            self.hang_up(now);
        }
    }

    /// Ends the connection, and tells the other side. The owner still gets waiting frames.
    pub(super) fn hang_up(&mut self, now: Instant) {
        if self.stage == Stage::Closed {
            return;
        }
        (self.stage, self.until) = (Stage::Closed, Some(now + LAST_PACKETS));
        (self.incoming, self.opened, self.say) = (None, None, None);
        if self.rtc.close().is_err() {
            self.rtc.disconnect();
        }
    }

    /// Ends a connection that cannot go on.
    pub(super) fn broken(&mut self) {
        self.rtc.disconnect();
        (self.stage, self.until) = (Stage::Closed, None);
        (self.incoming, self.opened, self.say) = (None, None, None);
    }
}
