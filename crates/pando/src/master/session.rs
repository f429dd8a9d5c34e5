//! The master's end of one session: decides which frames to send, and when. Knows neither the
//! channel nor the clock.

mod attend;
mod goodbye;
mod receive;
mod send_state;

#[cfg(test)]
pub(super) use attend::introduce;
pub(crate) use attend::same_secret;
pub(crate) use attend::{Door, attend};

use super::{
    exchange::Exchange,
    registry::{DeviceKey, Newcomer, News, Page, Traffic},
    run::Master,
    state::Joined,
};
use crate::protocol::{
    self, Frame, Hello, PART, Path, ToVolunteer, Value, Welcome, encode_values, value_len,
};
use send_state::{Due, SendState};
use serde_json::json;
use std::{mem, sync::Arc, time::Instant};
use stream_lender::{Lent, SubStreamId};
use tokio::sync::Notify;

/// See the module.
///
/// The driver of a session calls
/// - [`receive`](Self::receive) for each frame, while the session [`reads
///   on`](Self::read_on),
/// - [`next_frame`](Self::next_frame), and sends the frame, while the session
///   [`may_send`](Self::may_send) and the channel has room,
/// - [`woken`](Self::woken) after each notification of [`wake`](Self::wake),
/// - [`do_due`](Self::do_due) at the start, and then at each time returned by `do_due`.
///
/// The first error ends the session: the driver calls [`leave`](Self::leave).
pub(crate) struct Session {
    master: Arc<Master>,
    sub: SubStreamId,
    name: String,
    send: SendState,
    /// Counts the bytes of frames.
    traffic: Arc<Traffic>,
    /// Notified when the master has news for the session.
    wake: Arc<Notify>,
    /// The lender may have values for the session.
    asking: bool,
    /// How many values more the device may get, as the master said last.
    room: usize,
    /// Values on their way from the lender to a frame; kept for its memory.
    lent: Vec<Lent<Value>>,
    /// Whether the channel was read at the last check.
    was_read: bool,
    /// The device is this machine's own cores.
    local: bool,
}

/// Why a volunteer's channel ends.
#[derive(Debug)]
pub(crate) enum Departure {
    /// The run is over.
    Done,
    /// The volunteer said goodbye, with a reason: `left` or `hidden`.
    Left(String),
    /// The channel was closed without a goodbye.
    Lost,
    /// The device was silent for three heartbeats.
    Silent,
    /// The device answers pings, but neither computes nor returns its values.
    Stuck,
    /// The same device came back on another channel.
    Replaced,
    /// The owner of the run sends the device away.
    Removed,
    /// The device broke the protocol; the text says how.
    Protocol(String),
    /// The device cannot load the function; the text says why.
    Broken(String),
}

impl Departure {
    fn unheard() -> Self {
        Self::Protocol("it sends messages but reads none".into())
    }
}

impl Session {
    /// Opens a session for the volunteer with this `hello`.
    pub(crate) fn open(
        master: Arc<Master>,
        hello: Hello,
        path: Path,
        page: Page,
        now: Instant,
    ) -> Self {
        let wake = Arc::new(Notify::new());
        let cores = hello.cores.min(4096);
        let key = DeviceKey { device: hello.device.as_str().into(), local: path == Path::Local };
        let name = hello.name.clone();
        let traffic = Arc::<Traffic>::default();
        let newcomer = Newcomer {
            name,
            key,
            page,
            path,
            cores,
            is_browser: hello.kind != "native",
            reloaded: hello.reloaded,
            wake: wake.clone(),
            traffic: traffic.clone(),
        };
        let same_job = hello.job.as_deref() == Some(&*master.job.id);
        let holds = hello.holds.iter().copied().filter(|_| same_job);
        let job = &master.job;
        let (Joined { sub, name, keep, rests, moves, room }, items) = master.with(|state| {
            (state.join(newcomer, holds, now), state.items().certain_total(job.size))
        });
        let mut send = SendState::new(job.heartbeat(), now);
        send.say(&ToVolunteer::Welcome(Welcome {
            version: protocol::VERSION,
            job: job.id.clone(),
            function: job.function.hash.clone(),
            options: job.options.clone(),
            keep,
            items,
            program: job.program.clone(),
        }));
        send.ping(now);
        tell_of_newcomer(&master, &name, &hello, cores, path, moves);
        Self {
            master,
            sub,
            name,
            send,
            traffic,
            wake,
            asking: !rests,
            room,
            lent: Vec::new(),
            was_read: true,
            local: path == Path::Local,
        }
    }

    /// Notified when the master has news for the session.
    pub(crate) fn wake(&self) -> &Arc<Notify> {
        &self.wake
    }

    /// Checks whether the channel may be read now. While the channel is not read, the device
    /// counts as alive and in progress.
    pub(crate) fn read_on(&mut self, now: Instant) -> bool {
        let reads = self.master.pause_channel_if_due(self.sub);
        if !(reads && self.was_read) {
            self.send.channel_paused(now);
            self.exchange(now, |exchange| exchange.worked());
        }
        self.was_read = reads;
        reads
    }

    /// Whether a frame is ready, or the lender can be asked for values.
    pub(crate) fn may_send(&self) -> bool {
        self.send.has_frame() || self.asking && self.room > 0
    }

    /// Takes the news from the master: values may be available, messages may be due. An error ends
    /// the session.
    pub(crate) fn woken(&mut self, now: Instant) -> Result<(), Departure> {
        let (news, room) = self.master.take_news(self.sub);
        self.room = room;
        if let Some(departure) = departure(&news) {
            return Err(departure);
        }
        let News { recalls, waits_after_recall, values, .. } = news;
        self.asking = !waits_after_recall;
        self.check_parts(false, now);
        if !recalls.is_empty() {
            self.send.say(&ToVolunteer::Recall { ids: recalls });
        }
        values.into_iter().for_each(|value| self.send_unasked(value));
        Ok(())
    }

    /// Does the work that is due, and returns the time for the next call.
    pub(crate) fn do_due(&mut self, now: Instant) -> Result<Instant, Departure> {
        match self.send.do_due(now) {
            // The local cores belong to this process: their channel ends with them.
            Due::Dead | Due::Unheard if self.local => {
                self.send.channel_paused(now);
                self.do_due(now)
            }
            Due::Dead => Err(Departure::Silent),
            Due::Unheard => Err(Departure::unheard()),
            Due::At(when) => Ok(when),
        }
    }

    /// Returns the next frame: a message, the next part of a long value, or values asked of the
    /// lender now.
    pub(crate) fn next_frame(&mut self, now: Instant) -> Result<Option<Frame>, Departure> {
        if !self.send.has_frame() && self.asking {
            self.ask(now)?;
        }
        let frame = self.send.next_frame(now);
        self.traffic.note_sent(frame.as_ref().map_or(0, Frame::len));
        Ok(frame)
    }

    /// Returns the next message. When the channel ends, messages are still sent, but values are
    /// not.
    pub(crate) fn next_message(&mut self) -> Option<Frame> {
        self.send.next_message()
    }

    fn ask(&mut self, now: Instant) -> Result<(), Departure> {
        let mut lent = mem::take(&mut self.lent);
        let asked = self.exchange(now, |exchange| exchange.ask(&mut lent));
        self.lent = lent;
        (self.asking, self.room) = (asked.asks_again, asked.room);
        if self.lent.is_empty() {
            return if asked.done { Err(Departure::Done) } else { Ok(()) };
        }
        if self.master.events.wanted() {
            for lent in &self.lent {
                let fields = json!({"index": lent.loan.index + 1, "device": self.name});
                self.master.events.write("lent", fields);
            }
        }
        if self.master.job.sends_names() {
            let lent = self.lent.drain(..).map(|lent| self.master.job.sent(lent)).collect();
            self.lent = lent;
        }
        self.queue_values();
        Ok(())
    }

    /// Sends a value for which the session has not asked.
    fn send_unasked(&mut self, lent: Lent<Value>) {
        let Lent { loan, value } = self.master.job.sent(lent);
        self.send.send(encode_values([(loan, &value)], value_len(&value)), 1);
        self.master
            .events
            .write("lent", json!({"index": loan.index + 1, "device": self.name, "again": true}));
    }

    /// Queues the lent values as one frame. A long value gets a frame of its own, so that short
    /// values do not wait for it.
    fn queue_values(&mut self) {
        let length = |lent: &[Lent<Value>]| -> usize {
            lent.iter().map(|lent| value_len(&lent.value)).sum()
        };
        let is_long = length(&self.lent) >= PART;
        let long = if is_long && self.lent.len() > 1 { self.lent.pop() } else { None };
        for group in [&self.lent[..], long.as_slice()] {
            if !group.is_empty() {
                let values = group.iter().map(|lent| (lent.loan, &lent.value));
                self.send.send(encode_values(values, length(group)), group.len());
            }
        }
        self.lent.clear();
    }

    /// Does something with the session's values and device, under the lock.
    fn exchange<R>(&self, now: Instant, act: impl FnOnce(&mut Exchange) -> R) -> R {
        let Self { master, sub, .. } = self;
        master.with(|state| act(&mut state.exchange(*sub, &master.job, now)))
    }

    /// The session's sub-stream of the lender.
    #[cfg(test)]
    pub(crate) fn sub(&self) -> SubStreamId {
        self.sub
    }

    /// Whether a frame waits to be sent.
    #[cfg(test)]
    pub(crate) fn has_frame(&self) -> bool {
        self.send.has_frame()
    }
}

/// Why the session ends, if the news say so.
fn departure(news: &News) -> Option<Departure> {
    match news {
        News { finished: true, .. } => Some(Departure::Done),
        News { replaced: true, .. } => Some(Departure::Replaced),
        News { removed: true, .. } => Some(Departure::Removed),
        News { unresponsive: true, .. } => Some(Departure::Stuck),
        _ => None,
    }
}

/// Tells people and programs that a volunteer joined; `moves`: that it goes on by another route.
fn tell_of_newcomer(
    master: &Master,
    name: &str,
    hello: &Hello,
    cores: u32,
    path: Path,
    moves: bool,
) {
    if path != Path::Local {
        let by = match path {
            Path::Local | Path::WebSocket => "",
            Path::Direct => ", by a direct connection",
            Path::Turn => ", by a connection through a TURN server",
            Path::Relay => ", through the relay",
        };
        let again = if hello.reloaded { ", after its page was reloaded" } else { "" };
        let s = if cores == 1 { "" } else { "s" };
        master.console.say(match moves {
            true => format!("{name} goes on{by}"),
            false => format!("{name} joined with {cores} core{s}{by}{again}"),
        });
    }
    let mut joined = json!({"device": name, "cores": cores, "kind": hello.kind, "path": path});
    if hello.reloaded {
        joined["reloaded"] = true.into();
    }
    master.events.write("joined", joined);
}
