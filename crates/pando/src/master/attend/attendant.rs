//! The master's end of one session: decides which frames to send, and when. Knows neither the
//! channel nor the clock.

use super::{End, Page};
use crate::{
    console::printable,
    master::{
        Device, Master, News,
        fitness::DeviceKey,
        progress::Progress,
        report::Sum,
        send_state::{Due, SendState},
    },
    protocol::{self, Frame, Hello, PART, Path, ToVolunteer, Value, Welcome},
};
use serde_json::json;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Instant,
};
use stream_lender::{Ask, Index, Lent, SubStreamId};
use tokio::sync::Notify;

/// See the module.
///
/// The driver of an attendant calls
/// - [`receive`](Self::receive) for each frame, while the master [`reads`](Self::reads) the
///   channel,
/// - [`next_frame`](Self::next_frame), and sends the frame, while the attendant
///   [`may_send`](Self::may_send) and the channel has room,
/// - [`woken`](Self::woken) after each notification of `wake`,
/// - [`due`](Self::due) at the start, and then at each time returned by `due`.
///
/// The first error ends the session: the driver calls [`leave`](Self::leave).
pub(crate) struct Attendant {
    pub(crate) master: Arc<Master>,
    pub(crate) sub: SubStreamId,
    pub(crate) seat: SendState,
    pub(crate) name: String,
    /// Notified when the master has news for the session.
    pub(crate) wake: Arc<Notify>,
    /// The lender may have values for the session.
    pub(crate) asking: bool,
    lent: Vec<Lent<Value>>,
    /// A value which the device computes without any other, because it may make devices vanish.
    pub(crate) alone: Option<Index>,
    /// Whether the channel was read at the last check.
    read: bool,
    /// The device is this machine's own cores.
    local: bool,
}

impl Attendant {
    /// Opens a session for the volunteer with this `hello`.
    pub(crate) fn seat(
        master: Arc<Master>,
        hello: Hello,
        path: Path,
        page: Page,
        now: Instant,
    ) -> Self {
        let wake = Arc::new(Notify::new());
        let cores = hello.cores.min(4096);
        let mut seat = SendState::new(master.job.batch_size, cores, master.job.heartbeat(), now);
        let same_job = hello.job.as_deref() == Some(&*master.job.id);
        let (sub, name, keep, stuck) = master.with(|core| {
            // No guest can replace this machine's own cores.
            let replaces = |entry: &Device| {
                entry.device == hello.device && (entry.path == Path::Local) == (path == Path::Local)
            };
            let old = core.seats.iter_mut().find(|(_, entry)| replaces(entry));
            if let Some((old, entry)) = old {
                entry.replaced = true;
                entry.wake.notify_one();
                let old = *old;
                core.lender.close(old);
            }
            let sub = core.lender.open();
            core.devices.changed(now);
            if cores == 0 || core.stuck.contains_key(&hello.device) {
                core.lender.pause(sub);
            }
            let mut keep = Vec::new();
            let rest = core.stuck.get(&hello.device).copied();
            for loan in hello.holds.iter().copied().filter(|_| same_job && rest.is_none()) {
                if let Some(lent) = core.lender.take_up(sub, loan) {
                    core.failures.came_back(loan.index, &hello.device);
                    keep.push(loan);
                    seat.lent(lent.value.bytes.len() as u64);
                }
            }
            let name = unused_name(
                core.seats.values().filter(|s| !s.replaced).map(|s| &*s.name),
                &hello.name,
            );
            core.joined += 1;
            core.seats.insert(
                sub,
                Device {
                    name: name.clone(),
                    device: hello.device.clone(),
                    who: DeviceKey {
                        device: hello.device.as_str().into(),
                        local: path == Path::Local,
                    },
                    page,
                    cores,
                    path,
                    done: 0,
                    missing_at_last_ask: 0,
                    wake: wake.clone(),
                    replaced: false,
                    running: HashMap::new(),
                    recalls: Vec::new(),
                    waits_after_recall: rest.is_some(),
                    recalled: None,
                    progress: rest
                        .map_or_else(|| Progress::new(now), |rest| Progress::of_suspect(rest, now)),
                    stands_back: false,
                    stuck: false,
                    copies: Vec::new(),
                    copies_in_flight: HashMap::new(),
                    each: None,
                    reports: Sum::default(),
                    parts: 0,
                    flow: None,
                },
            );
            (sub, name, keep, rest.is_some())
        });
        let job = &master.job;
        let welcome = Welcome {
            version: protocol::VERSION,
            job: job.id.clone(),
            function: job.function.hash.clone(),
            options: job.options.clone(),
            keep,
        };
        seat.say(&ToVolunteer::Welcome(welcome));
        seat.ping(now);
        if path != Path::Local {
            let by = match path {
                Path::Local | Path::WebSocket => "",
                Path::Direct => ", by a direct connection",
                Path::Turn => ", by a connection through a TURN server",
                Path::Relay => ", through the relay",
            };
            let again = if hello.reloaded { ", after its page was reloaded" } else { "" };
            master.console.say(format!(
                "{name} joined with {cores} core{}{by}{again}",
                if cores == 1 { "" } else { "s" }
            ));
        }
        let mut joined = json!({"device": name, "cores": cores, "kind": hello.kind, "path": path});
        if hello.reloaded {
            joined["reloaded"] = true.into();
        }
        master.events.write("joined", joined);
        Self {
            master,
            sub,
            seat,
            name,
            wake,
            asking: !stuck,
            lent: Vec::new(),
            alone: None,
            read: true,
            local: path == Path::Local,
        }
    }

    /// Whether the channel may be read now. While the channel is not read, the device counts as
    /// alive and in progress.
    pub(crate) fn reads(&mut self, now: Instant) -> bool {
        let reads = self.master.reads(self.sub);
        if !(reads && self.read) {
            self.seat.channel_paused(now);
            self.master.with(|core| core.makes_progress(self.sub, now));
        }
        self.read = reads;
        reads
    }

    /// Whether a frame is ready, or the lender can be asked for values.
    pub(crate) fn may_send(&mut self) -> bool {
        self.seat.has_frame() || self.asking && self.seat.room() > 0
    }

    /// Takes the news from the master: values may be available, messages may be due. An error ends
    /// the session.
    pub(crate) fn woken(&mut self) -> Result<(), End> {
        let News { finished, replaced, stuck, recalls, waits_after_recall, copies } =
            self.master.take_news(self.sub);
        match (finished, replaced, stuck) {
            (true, ..) => return Err(End::Done),
            (_, true, _) => return Err(End::Replaced),
            (.., true) => return Err(End::Stuck),
            _ => {}
        }
        self.asking = !waits_after_recall;
        self.look_at_parts(None);
        if !recalls.is_empty() {
            self.seat.say(&ToVolunteer::Recall { ids: recalls });
        }
        for copy in copies {
            if self.master.lock().failures.goes_alone(copy.loan.index) {
                self.alone = Some(copy.loan.index);
            }
            self.send_copy(copy);
        }
        Ok(())
    }

    /// Does the work that is due, and returns the time for the next call.
    pub(crate) fn due(&mut self, now: Instant) -> Result<Instant, End> {
        match self.seat.due(now) {
            // The local cores belong to this process: their channel ends with them.
            Due::Dead | Due::Unheard if self.local => {
                self.seat.channel_paused(now);
                self.due(now)
            }
            Due::Dead => Err(End::Silent),
            Due::Unheard => Err(End::unheard()),
            Due::At(when) => Ok(when),
        }
    }

    /// Returns the next frame: a message, the next part of a long value, or values asked of the
    /// lender now.
    pub(crate) fn next_frame(&mut self, now: Instant) -> Result<Option<Frame>, End> {
        if !self.seat.has_frame() && self.asking {
            self.ask(now)?;
        }
        Ok(self.seat.next_frame(now))
    }

    fn ask(&mut self, now: Instant) -> Result<(), End> {
        let room = self.seat.room();
        let room_bytes = self.seat.room_bytes();
        let (sub, lent, seat, alone) = (self.sub, &mut self.lent, &mut self.seat, &mut self.alone);
        let mut length = 1;
        let (mut asking, mut done) = (true, false);
        let mut missing_at_last_ask = 0;
        self.master.with(|core| {
            let first = core.lender.held(sub) == 0;
            *alone = alone.filter(|index| core.lender.holder(*index) == Some(sub));
            if alone.is_some() {
                asking = false;
            }
            // A device that stands back is lent little, and values failed by other devices do not
            // wait for it.
            let lend_limit = core.lend_limit(sub, now);
            if lend_limit <= 1 {
                asking = false;
            }
            while alone.is_none()
                && lent.len() < room.min(lend_limit)
                && (lent.is_empty() || length < room_bytes)
            {
                match core.ask(sub) {
                    Ask::Value(value)
                        if core.forgets(sub, value.loan) || core.has_copy(sub, value.loan) => {}
                    Ask::Value(value) => {
                        seat.lent(value.value.bytes.len() as u64);
                        length += protocol::value_len(&value.value);
                        *alone =
                            core.failures.goes_alone(value.loan.index).then_some(value.loan.index);
                        lent.push(value);
                        if length > PART {
                            break;
                        }
                    }
                    Ask::Wait => {
                        (asking, missing_at_last_ask) = (false, room - lent.len());
                        break;
                    }
                    Ask::Done => {
                        (asking, done) = (false, true);
                        break;
                    }
                }
            }
            if let Some(seat) = core.seats.get_mut(&sub) {
                seat.missing_at_last_ask = missing_at_last_ask;
                if !lent.is_empty() {
                    seat.progress.lent(lent.len(), first, now);
                }
            }
            if lend_limit <= 1 {
                core.stand_back(sub);
            }
        });
        self.asking = asking;
        if self.lent.is_empty() {
            return if done { Err(End::Done) } else { Ok(()) };
        }
        if self.master.events.wanted() {
            for lent in &self.lent {
                self.master
                    .events
                    .write("lent", json!({"index": lent.loan.index + 1, "device": self.name}));
            }
        }
        self.queue_values(length);
        Ok(())
    }

    /// Sends a value for which the session has not asked.
    fn send_copy(&mut self, Lent { loan, value }: Lent<Value>) {
        self.seat.lent(value.bytes.len() as u64);
        self.seat.send(protocol::encode_values([(loan, &value)], protocol::value_len(&value)), 1);
        self.master
            .events
            .write("lent", json!({"index": loan.index + 1, "device": self.name, "again": true}));
    }

    /// Queues the lent values as one frame. A long value gets a frame of its own, so that short
    /// values do not wait for it.
    fn queue_values(&mut self, length: usize) {
        let long = if length > PART && self.lent.len() > 1 { self.lent.pop() } else { None };
        for group in [&self.lent[..], long.as_slice()] {
            if !group.is_empty() {
                let length: usize = group.iter().map(|lent| protocol::value_len(&lent.value)).sum();
                self.seat.send(
                    protocol::encode_values(
                        group.iter().map(|lent| (lent.loan, &lent.value)),
                        length,
                    ),
                    group.len(),
                );
            }
        }
        self.lent.clear();
    }
}

/// Names which no device may have, because the master's own lines begin with these words.
const RESERVED: [&str; 3] = ["error", "warning", "pando"];

/// Returns `wanted` as a device's name, cleaned of anything like an address or a prefix of the
/// master's lines. If the name is taken, a number follows: `wanted 2`.
pub(super) fn unused_name<'a>(taken: impl Iterator<Item = &'a str>, wanted: &str) -> String {
    let clean: String =
        printable(wanted).replace("://", " ").replace(['\n', '\t', ':', '：', '﹕'], " ");
    let clean: String = clean.trim().chars().take(60).collect();
    // Joiners and variation selectors are invisible in a name.
    let seen = clean.replace(['\u{200c}', '\u{200d}', '\u{fe0e}', '\u{fe0f}'], "");
    let is_reserved =
        seen.is_empty() || RESERVED.iter().any(|reserved| seen.eq_ignore_ascii_case(reserved));
    let wanted = if is_reserved { "A device".to_owned() } else { clean };
    let taken: HashSet<&str> = taken.collect();
    let mut name = wanted.clone();
    let mut number = 2;
    while taken.contains(&*name) {
        name = format!("{wanted} {number}");
        number += 1;
    }
    name
}
