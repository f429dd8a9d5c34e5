//! The state of one session towards its channel: which frames wait to be sent, which parts have
//! come, and when the device gave its last sign of life. Pure: time is an argument.

use crate::protocol::{Assembler, Beat, Binary, Cutter, Frame, Malformed, ToVolunteer};
use bytes::Bytes;
use std::{
    collections::VecDeque,
    mem,
    time::{Duration, Instant},
};

/// Bytes of queued messages above which another ping of the device ends the session.
const MOST_UNHEARD: usize = 1 << 20;
/// A ping is answered within this time, even on the slowest link.
const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(600);
/// A ping comes this fraction of a heartbeat before the heartbeat is over.
const EARLY: u32 = 20;
/// A longer round trip counts as this long.
const LONGEST_SAMPLE: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub(super) struct SendState {
    controls: VecDeque<Frame>,
    /// Bytes of `controls`.
    unheard: usize,
    /// Frames of values, each with the number of its values.
    frames: VecDeque<(Bytes, u64)>,
    cutter: Cutter,
    /// Values in the frame inside `cutter`.
    cut: u64,
    /// Values sent completely.
    sent: u64,
    assembler: Assembler,
    started: Instant,
    heartbeat: Duration,
    last_sent: Instant,
    /// Unanswered pings: the time in each, and the number of values sent before.
    pings: VecDeque<(u64, u64)>,
    /// The last time when the device answered a ping, or had no ping to answer.
    listened: Instant,
    /// The time of the first values sent after the last ping.
    unpinged: Option<Instant>,
    last_received: Instant,
    /// The time for which the next check was planned.
    due: Option<Instant>,
}

/// The result of a timed check.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing to do before this moment.
    At(Instant),
    /// Nothing was received for three heartbeats.
    Dead,
    /// The device does not read its messages.
    Unheard,
}

impl SendState {
    pub(super) fn new(heartbeat: Duration, now: Instant) -> Self {
        Self {
            controls: VecDeque::new(),
            unheard: 0,
            frames: VecDeque::new(),
            cutter: Cutter::default(),
            cut: 0,
            sent: 0,
            assembler: Assembler::default(),
            started: now,
            heartbeat,
            last_sent: now,
            pings: VecDeque::new(),
            listened: now,
            unpinged: None,
            last_received: now,
            due: None,
        }
    }

    /// Queues a message. Messages go before values and between the parts of a long value.
    pub(super) fn say(&mut self, message: &ToVolunteer) {
        let frame = Frame::json(message);
        self.unheard += frame.len();
        self.controls.push_back(frame);
    }

    /// Queues a frame of `values` values.
    pub(super) fn send(&mut self, frame: Bytes, values: usize) {
        self.frames.push_back((frame, values as u64));
    }

    /// Whether a frame is ready to be sent.
    pub(super) fn has_frame(&self) -> bool {
        !self.controls.is_empty() || self.cutter.is_busy() || !self.frames.is_empty()
    }

    /// Returns the next frame to send: messages first, also between the parts of a long value.
    pub(super) fn next_frame(&mut self, now: Instant) -> Option<Frame> {
        let frame = match self.next_message() {
            Some(frame) => Some(frame),
            None => {
                if !self.cutter.is_busy() {
                    let (frame, values) = self.frames.pop_front()?;
                    self.cutter.start(frame);
                    self.cut = values;
                }
                let part = self.cutter.next_frame();
                if !self.cutter.is_busy() {
                    self.sent += mem::take(&mut self.cut);
                }
                part.map(Frame::Binary)
            }
        };
        if let Some(frame) = &frame {
            self.last_sent = now;
            if let Frame::Binary(_) = frame {
                self.unpinged.get_or_insert(now);
            }
        }
        frame
    }

    /// Returns the next message. When the channel ends, messages are still sent, but values are
    /// not.
    pub(super) fn next_message(&mut self) -> Option<Frame> {
        let frame = self.controls.pop_front()?;
        self.unheard -= frame.len();
        Some(frame)
    }

    /// Whether too many bytes of messages are queued.
    pub(super) fn is_unheard(&self) -> bool {
        self.unheard > MOST_UNHEARD
    }

    /// Decodes a binary frame. Returns `None` for a part of a frame that is still incomplete.
    pub(super) fn binary(&mut self, frame: Bytes) -> Result<Option<Binary>, Malformed> {
        match Binary::decode(frame)? {
            Binary::Part { total, bytes } => match self.assembler.part(total, &bytes)? {
                None => Ok(None),
                Some(whole) => match Binary::decode(whole)? {
                    Binary::Part { .. } => Err(Malformed("parts within parts")),
                    other => Ok(Some(other)),
                },
            },
            other => Ok(Some(other)),
        }
    }

    /// Bytes of the frame whose other parts are still to come.
    pub(super) fn parts(&self) -> u64 {
        self.assembler.length()
    }

    /// Discards the frame whose parts are arriving, because no result is expected.
    pub(super) fn drop_parts(&mut self) {
        self.assembler.drop_frame();
    }

    /// Notes that a frame was received, which is a sign of life.
    pub(super) fn received(&mut self, now: Instant) {
        self.last_received = now;
    }

    /// Notes that the channel is not read now: silence and missing pongs do not count against the
    /// device.
    pub(super) fn channel_paused(&mut self, now: Instant) {
        (self.last_received, self.listened) = (now, now);
    }

    /// Notes a pong. Returns the time of the round trip, and how many values had been sent before
    /// the ping, and so have arrived, if the pong answers an open ping.
    pub(super) fn pong(&mut self, beat: &Beat, now: Instant) -> Option<(Duration, Option<u64>)> {
        let sent = beat.t.as_u64()?;
        let round_trip = Duration::from_micros(self.clock(now).saturating_sub(sent));
        let mut arrived = None;
        while let Some((_, values)) = self.pings.pop_front_if(|(t, _)| *t <= sent) {
            arrived = Some(values);
            self.listened = now;
        }
        Some((round_trip.min(LONGEST_SAMPLE), arrived))
    }

    /// Microseconds since the start: a whole number, which every language returns unchanged.
    fn clock(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.started).as_micros() as u64
    }

    /// Queues a ping, to measure the round trip.
    pub(super) fn ping(&mut self, now: Instant) {
        let t = self.clock(now);
        self.say(&ToVolunteer::Ping(Beat { t: t.into() }));
        if self.pings.is_empty() {
            self.listened = now;
        }
        self.pings.push_back((t, self.sent));
        self.unpinged = None;
    }

    /// Does the work that is due: queues a ping if nothing was sent for a heartbeat, or if no ping
    /// followed the last values, because its pong shows that they arrived.
    pub(super) fn do_due(&mut self, now: Instant) -> Due {
        // A late check means that this process was stopped or busy: frames of that time are still
        // unread.
        let late = self.due.map_or(Duration::ZERO, |due| now.saturating_duration_since(due));
        if late > self.heartbeat {
            self.last_received = now.min(self.last_received + late);
            self.listened = now.min(self.listened + late);
        }
        let dead = self.last_received + self.heartbeat * 3;
        if now >= dead {
            return Due::Dead;
        }
        if self.parts() > 0 {
            // The pong comes after the remaining parts.
            self.listened = now;
        }
        if !self.pings.is_empty()
            && now >= self.listened + LONGEST_ROUND_TRIP.max(self.heartbeat * 3)
        {
            return Due::Unheard;
        }
        if now >= self.next_ping() {
            // A full channel still holds queued messages, which are as good a sign of life as a
            // ping. Only a ping shows that values arrived.
            if self.controls.is_empty() || self.unpinged.is_some() {
                self.ping(now);
            }
            self.last_sent = now;
        }
        let next = dead.min(self.next_ping());
        self.due = Some(next);
        Due::At(next)
    }

    /// The time of the next ping. A ping that ends a silence comes a little before the heartbeat
    /// is over. So the device has its pong to send, and need not ping as well.
    fn next_ping(&self) -> Instant {
        match self.unpinged {
            Some(since) => since + self.heartbeat,
            None => self.last_sent + self.heartbeat - self.heartbeat / EARLY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::PART;

    const BEAT: Duration = Duration::from_secs(5);
    /// The silence that a ping ends.
    const SILENCE: Duration = Duration::from_millis(4750);

    #[test]
    fn an_idle_state_pings_before_each_heartbeat_is_over_and_dies_after_three_of_silence() {
        let start = Instant::now();
        let mut state = SendState::new(BEAT, start);
        assert_eq!(state.do_due(start), Due::At(start + SILENCE));
        assert!(!state.has_frame());
        assert_eq!(state.do_due(start + SILENCE), Due::At(start + SILENCE * 2));
        assert!(matches!(state.next_frame(start + SILENCE), Some(Frame::Text(_))));
        let heard = start + SILENCE * 2;
        state.received(heard);
        for silence in 2..5 {
            let next = start + SILENCE * (silence + 1);
            assert_eq!(state.do_due(start + SILENCE * silence), Due::At(next));
        }
        assert_eq!(state.do_due(heard + SILENCE * 3), Due::At(heard + BEAT * 3));
        assert_eq!(state.do_due(heard + BEAT * 3), Due::Dead);
    }

    #[test]
    fn who_was_away_himself_takes_nobody_for_dead() {
        let start = Instant::now();
        let mut state = SendState::new(BEAT, start);
        assert_eq!(state.do_due(start), Due::At(start + SILENCE));
        let back = start + BEAT * 100;
        assert_eq!(state.do_due(back), Due::At(back + SILENCE));
        assert_eq!(state.do_due(back + BEAT), Due::At(back + BEAT + SILENCE));
        assert_eq!(state.do_due(back + BEAT * 3 - SILENCE), Due::Dead);
    }

    #[test]
    fn values_are_followed_by_a_ping_also_where_pongs_are_sent_all_the_time() {
        let start = Instant::now();
        let mut state = SendState::new(BEAT, start);
        state.send(vec![1].into(), 1);
        assert!(state.next_frame(start + BEAT / 2).is_some());
        state.say(&ToVolunteer::Pong(Beat { t: 0.into() }));
        assert!(state.next_frame(start + BEAT).is_some());
        assert_eq!(state.do_due(start + BEAT), Due::At(start + BEAT * 3 / 2));
        assert!(!state.has_frame());
        assert_eq!(state.do_due(start + BEAT * 3 / 2), Due::At(start + BEAT * 3 / 2 + SILENCE));
        assert!(state.has_frame());
    }

    #[test]
    fn a_state_whose_channel_is_full_is_looked_at_again_after_a_heartbeat_and_not_at_once() {
        let start = Instant::now();
        let mut state = SendState::new(BEAT, start);
        assert_eq!(state.do_due(start + BEAT), Due::At(start + BEAT + SILENCE));
        assert_eq!(state.do_due(start + BEAT * 2), Due::At(start + BEAT * 2 + SILENCE));
        assert!(state.next_frame(start + BEAT * 2).is_some());
        assert!(!state.has_frame(), "one ping is enough");
    }

    #[test]
    fn pings_go_between_the_parts_of_a_long_value() {
        let now = Instant::now();
        let mut state = SendState::new(BEAT, now);
        state.send(vec![1; 3 * PART].into(), 1);
        assert!(matches!(state.next_frame(now), Some(Frame::Binary(_))));
        state.ping(now);
        assert!(matches!(state.next_frame(now), Some(Frame::Text(_))));
        assert!(matches!(state.next_frame(now), Some(Frame::Binary(_))));
    }

    /// Returns the content of the next ping, as a pong would.
    fn answer(state: &mut SendState, now: Instant) -> Beat {
        loop {
            if let Some(Frame::Text(text)) = state.next_frame(now)
                && let Ok(ToVolunteer::Ping(beat)) = serde_json::from_str(&text)
            {
                return beat;
            }
        }
    }

    fn arrived(state: &mut SendState, beat: &Beat, now: Instant) -> Option<u64> {
        state.pong(beat, now)?.1
    }

    #[test]
    fn a_pong_tells_how_many_values_have_arrived() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut state = SendState::new(BEAT, start);
        state.ping(start);
        let first = answer(&mut state, start);
        state.send(vec![1].into(), 3);
        assert!(state.next_frame(after(1)).is_some());
        state.send(vec![1; 2 * PART].into(), 1);
        assert!(state.next_frame(after(2)).is_some());
        state.ping(after(3));
        let between = answer(&mut state, after(3));
        assert!(state.next_frame(after(4)).is_some());
        state.ping(after(5));
        let last = answer(&mut state, after(5));
        assert_eq!(arrived(&mut state, &Beat { t: (-1).into() }, after(6)), None);
        assert_eq!(arrived(&mut state, &first, after(6)), Some(0));
        assert_eq!(arrived(&mut state, &between, after(6)), Some(3), "one is not whole yet");
        assert_eq!(arrived(&mut state, &between, after(6)), None, "it is known");
        assert_eq!(arrived(&mut state, &last, after(6)), Some(4));
    }

    #[test]
    fn who_answers_no_ping_for_ten_minutes_does_not_listen() {
        let start = Instant::now();
        let mut state = SendState::new(BEAT, start);
        let mut talks = |from: u32, pongs: bool, unread: bool| {
            (from..).find(|beat| {
                let now = start + BEAT * *beat;
                match unread {
                    true => state.channel_paused(now),
                    false => state.received(now),
                }
                let due = state.do_due(now);
                while let Some(Frame::Text(text)) = state.next_frame(now) {
                    if let (true, Ok(ToVolunteer::Ping(beat))) =
                        (pongs, serde_json::from_str(&text))
                    {
                        state.pong(&beat, now);
                    }
                }
                due == Due::Unheard || *beat == from + 1000
            })
        };
        assert_eq!(talks(0, true, false), Some(1000));
        assert_eq!(talks(1001, false, true), Some(2001), "it is not heard");
        assert_eq!(talks(2002, false, false), Some(2001 + 600 / 5));
    }
}
