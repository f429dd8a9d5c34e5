//! Attends to one volunteer, from its hello to its end: the task between a channel and the lender.

use super::{
    Master, SeatEntry,
    report::Sum,
    seat::{Due, Seat},
};
use crate::{
    channel::Channel,
    console::printable,
    protocol::{self, Answer, Binary, Failure, Form, Frame, Hello, LogEntry, PART, ToMaster, ToVolunteer, Value, Welcome},
};
use bytes::Bytes;
use serde_json::json;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use stream_lender::{Ask, Lent, SubStreamId};
use tokio::sync::Notify;

/// Time that a volunteer has to introduce itself.
const INTRODUCTION: Duration = Duration::from_secs(10);
/// Longest hello, in bytes: it may name all values that it holds.
const LONGEST_HELLO: usize = 256 * 1024;

/// Who is let in.
#[derive(Debug, Clone, Default)]
pub struct Door {
    /// What hello must name; empty: anyone.
    pub token: String,
}

/// Why a volunteer's channel ends.
#[derive(Debug)]
enum End {
    /// The job is done.
    Done,
    /// It left, on purpose: `left` or `hidden`.
    Left(String),
    /// The channel closed under it.
    Lost,
    /// Silent for three heartbeats.
    Silent,
    /// The same device came back on another channel.
    Replaced,
    /// It broke the protocol.
    Protocol(String),
    /// The function cannot be loaded there.
    Broken(String),
}

/// Serves one volunteer until its channel or the job ends; what it then holds is lent again.
pub async fn attend(master: Arc<Master>, door: Door, mut channel: Channel) {
    let hello = match tokio::time::timeout(INTRODUCTION, channel.incoming.recv()).await {
        Ok(Some(frame)) => introduce(frame, &door),
        Ok(None) | Err(_) => return,
    };
    match hello {
        Ok(hello) => {
            let mut attendant = Attendant::seat(master, hello);
            let end = attendant.run(&mut channel).await;
            attendant.leave(end, &channel).await;
        }
        Err((reason, text)) => {
            master.console.say(format!("refused a volunteer: {text}"));
            let _ = channel.outgoing.send(Frame::json(&ToVolunteer::Bye { reason: reason.into(), text })).await;
        }
    }
}

fn introduce(frame: Frame, door: &Door) -> Result<Hello, (&'static str, String)> {
    let refused = |text: &str| ("protocol", text.to_owned());
    let Frame::Text(text) = frame else { return Err(refused("its first frame was not a hello")) };
    if text.len() > LONGEST_HELLO {
        return Err(refused("its hello is too long"));
    }
    let Ok(ToMaster::Hello(hello)) = serde_json::from_str(&text) else { return Err(refused("its first frame was not a hello")) };
    if hello.version != protocol::VERSION {
        let (theirs, ours) = (hello.version, protocol::VERSION);
        return Err(("version", format!("the volunteer speaks version {theirs} of the protocol and this master version {ours}: reload the page")));
    }
    if !same_secret(&hello.token, &door.token) {
        return Err(("refused", "this link is not valid (any more): ask for a new one".into()));
    }
    Ok(hello)
}

/// Compares in constant time.
pub(crate) fn same_secret(given: &str, expected: &str) -> bool {
    use subtle::ConstantTimeEq;
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}

struct Attendant {
    master: Arc<Master>,
    sub: SubStreamId,
    seat: Seat,
    name: String,
    wake: Arc<Notify>,
    /// The lender may have values for it.
    asking: bool,
    lent: Vec<Lent<Value>>,
}

impl Attendant {
    fn seat(master: Arc<Master>, hello: Hello) -> Self {
        let now = Instant::now();
        let wake = Arc::new(Notify::new());
        let cores = hello.cores.min(4096);
        let mut seat = Seat::new(master.job.batch_size, cores, master.job.heartbeat(), now);
        let same_job = hello.job.as_deref() == Some(&*master.job.id);
        let (sub, name, keep) = master.with(|core| {
            let old = core.seats.iter_mut().find(|(_, entry)| entry.device == hello.device);
            if let Some((old, entry)) = old {
                entry.replaced = true;
                entry.wake.notify_one();
                let old = *old;
                core.lender.close(old);
            }
            let sub = core.lender.open();
            let mut keep = Vec::new();
            for id in hello.holds.iter().copied().filter(|_| same_job) {
                if let Some(lent) = core.lender.take_up(sub, id) {
                    keep.push(id);
                    seat.lent(lent.value.bytes.len() as u64);
                }
            }
            let name = unused_name(core.seats.values().filter(|s| !s.replaced).map(|s| &*s.name), &hello.name);
            core.joined += 1;
            core.seats.insert(sub, SeatEntry {
                name: name.clone(),
                device: hello.device.clone(),
                cores,
                native: hello.kind == "native",
                done: 0,
                wake: wake.clone(),
                replaced: false,
                running: HashMap::new(),
                reports: Sum::default(),
            });
            (sub, name, keep)
        });
        let job = &master.job;
        let welcome =
            Welcome { version: protocol::VERSION, job: job.id.clone(), function: job.function.clone(), options: job.options.clone(), keep };
        seat.say(&ToVolunteer::Welcome(welcome));
        seat.ping(now);
        if hello.kind != "native" {
            master.console.say(format!("{name} joined with {cores} core{}", if cores == 1 { "" } else { "s" }));
        }
        master.events.write("joined", json!({"device": name, "cores": cores, "kind": hello.kind}));
        Self { master, sub, seat, name, wake, asking: true, lent: Vec::new() }
    }

    async fn run(&mut self, channel: &mut Channel) -> End {
        let timer = tokio::time::sleep(Duration::ZERO);
        tokio::pin!(timer);
        let wake = self.wake.clone();
        loop {
            let may_send = self.seat.has_frame() || self.asking && self.seat.room() > 0;
            tokio::select! {
                biased;
                frame = channel.incoming.recv() => match frame {
                    None => return End::Lost,
                    Some(frame) => if let Err(end) = self.receive(frame) { return end },
                },
                permit = channel.outgoing.reserve(), if may_send => {
                    let Ok(permit) = permit else { return End::Lost };
                    match self.next_frame() {
                        Ok(Some(frame)) => permit.send(frame),
                        Ok(None) => {}
                        Err(end) => return end,
                    }
                },
                () = wake.notified() => {
                    self.asking = true;
                    let (finished, replaced) = self.master.standing(self.sub);
                    if finished || replaced {
                        return if finished { End::Done } else { End::Replaced };
                    }
                }
                () = &mut timer => match self.seat.due(Instant::now()) {
                    Due::Dead => return End::Silent,
                    Due::At(when) => timer.as_mut().reset(when.into()),
                },
            }
        }
    }

    /// The next frame to send: a message, the next part of a long value, or values asked of the lender now.
    fn next_frame(&mut self) -> Result<Option<Frame>, End> {
        if !self.seat.has_frame() && self.asking && !self.seat.is_sending() {
            self.ask()?;
        }
        Ok(self.seat.next_frame(Instant::now()))
    }

    fn ask(&mut self) -> Result<(), End> {
        let room = self.seat.room();
        let room_bytes = self.seat.room_bytes();
        let (sub, lent, seat) = (self.sub, &mut self.lent, &mut self.seat);
        let mut length = 1;
        let (mut asking, mut done) = (true, false);
        self.master.with(|core| {
            while lent.len() < room && length < room_bytes {
                match core.lender.ask(sub, &mut core.input) {
                    Ask::Value(value) => {
                        seat.lent(value.value.bytes.len() as u64);
                        length += protocol::value_len(&value.value);
                        lent.push(value);
                        if length > PART {
                            break;
                        }
                    }
                    Ask::Wait => {
                        asking = false;
                        break;
                    }
                    Ask::Done => {
                        (asking, done) = (false, true);
                        break;
                    }
                }
            }
        });
        self.asking = asking;
        if self.lent.is_empty() {
            return if done { Err(End::Done) } else { Ok(()) };
        }
        if self.master.events.wanted() {
            for lent in &self.lent {
                self.master.events.write("lent", json!({"index": lent.index + 1, "device": self.name}));
            }
        }
        self.queue_values(length);
        Ok(())
    }

    /// Queues the lent values as frames. A value that makes a frame too long for one piece goes alone.
    fn queue_values(&mut self, length: usize) {
        let frame = protocol::encode_values(self.lent.iter().map(|l| (l.index, &l.value)), length + 16);
        self.lent.clear();
        self.seat.start(frame);
    }

    fn receive(&mut self, frame: Frame) -> Result<(), End> {
        self.seat.received(Instant::now());
        match frame {
            Frame::Binary(bytes) => match self.seat.binary(bytes) {
                Ok(Some(Binary::Results(answers))) => self.answers(answers),
                Ok(Some(_)) => Err(End::Protocol("it sent values".into())),
                Ok(None) => Ok(()),
                Err(malformed) => Err(End::Protocol(malformed.to_string())),
            },
            Frame::Text(text) if text.len() > 16 << 20 => Err(End::Protocol("a message too long".into())),
            Frame::Text(text) => match serde_json::from_str(&text) {
                Ok(message) => self.message(message),
                Err(error) => Err(End::Protocol(format!("a message that cannot be understood: {error}"))),
            },
        }
    }

    fn message(&mut self, message: ToMaster) -> Result<(), End> {
        match message {
            ToMaster::Ping(beat) => self.seat.say(&ToVolunteer::Pong(beat)),
            ToMaster::Pong(beat) => self.seat.pong(&beat, Instant::now()),
            ToMaster::Hello(_) => return Err(End::Protocol("a second hello".into())),
            ToMaster::Update { name, cores } => self.update(name, cores),
            ToMaster::Started { items } => self.master.started(self.sub, &items),
            ToMaster::Returned { ids, careful } => self.returned(&ids, careful),
            ToMaster::Log { entries } => self.log(&entries),
            ToMaster::Report { id, report } => self.master.reported(self.sub, id, &report),
            ToMaster::Broken { message, .. } => return Err(End::Broken(message)),
            ToMaster::Bye { reason } => return Err(End::Left(reason)),
        }
        Ok(())
    }

    fn update(&mut self, name: Option<String>, cores: Option<u32>) {
        let cores = cores.map(|cores| cores.min(4096));
        if let Some(cores) = cores {
            self.seat.set_cores(cores);
            self.asking |= cores > 0;
        }
        self.master.with(|core| {
            let others = core.seats.iter().filter(|(sub, _)| **sub != self.sub).map(|(_, seat)| &*seat.name);
            let name = name.map(|name| unused_name(others, &name));
            if let Some(entry) = core.seats.get_mut(&self.sub) {
                entry.cores = cores.unwrap_or(entry.cores);
                if let Some(name) = name {
                    self.master.console.say(format!("{} is now called {name}", entry.name));
                    entry.name.clone_from(&name);
                    self.name = name;
                }
            }
        });
    }

    fn returned(&mut self, ids: &[u64], careful: bool) {
        self.master.with(|core| {
            for &id in ids {
                if core.lender.holder(id) != Some(self.sub) {
                    continue;
                }
                if let Some(mut value) = core.lender.value(id).cloned() {
                    self.seat.settled(value.bytes.len() as u64);
                    if careful {
                        value.careful = true;
                        core.lender.replace_value(id, value);
                    }
                }
                let _ = core.lender.hand_back(self.sub, id);
            }
        });
        self.asking = true;
    }

    fn answers(&mut self, answers: Vec<Answer>) -> Result<(), End> {
        let now = Instant::now();
        let (results, separator, events) = (answers.len(), self.master.job.framing.separator, self.master.events.wanted());
        let mut told = Vec::new();
        let mut happened = Vec::new();
        self.master.with(|core| {
            let mut micros = 0;
            let mut done = 0;
            for answer in answers {
                if core.lender.holder(answer.id) != Some(self.sub) {
                    // Late, doubled or forged: it changes nothing.
                    continue;
                }
                self.seat.settled(core.lender.value(answer.id).map_or(0, |value| value.bytes.len() as u64));
                micros += answer.micros;
                match answer.result.and_then(|(form, result)| well_framed(form, result, separator)) {
                    Ok(result) => {
                        let far = answer.id.saturating_sub(core.lender.output()) > 4096;
                        let result = if far && result.len() < 1024 { Bytes::copy_from_slice(&result) } else { result };
                        if core.lender.result(self.sub, answer.id, result).is_ok() {
                            core.failures.forget(answer.id);
                            done += 1;
                            if events {
                                let ms = answer.micros as f64 / 1000.0;
                                happened.push(("result", json!({"index": answer.id + 1, "device": self.name, "ms": ms})));
                            }
                        }
                    }
                    Err(failure) => {
                        let line = core.attempt_failed(self.sub, answer.id, &failure, &self.name, self.master.job.retries);
                        told.extend(line);
                        if events {
                            let fields = json!({"index": answer.id + 1, "device": self.name, "kind": failure.kind, "message": failure.message});
                            happened.push(("failed", fields));
                        }
                    }
                }
            }
            core.statistics.done(done, micros, now);
            if let Some(entry) = core.seats.get_mut(&self.sub) {
                entry.done += done;
                if !entry.running.is_empty() {
                    let lender = &core.lender;
                    entry.running.retain(|id, _| lender.holder(*id) == Some(self.sub));
                }
            }
        });
        self.seat.answered(results, now);
        for (kind, fields) in happened {
            self.master.events.write(kind, fields);
        }
        for line in told {
            self.master.console.say(printable(&line));
        }
        Ok(())
    }

    fn log(&self, entries: &[LogEntry]) {
        for entry in entries {
            let fields = json!({"device": self.name, "index": entry.id.map(|id| id + 1), "level": entry.level, "text": entry.text, "count": entry.count});
            self.master.events.write("log", fields);
            if self.master.job.quiet {
                continue;
            }
            let item = entry.id.map(|id| format!(", item {}", id + 1)).unwrap_or_default();
            let times = entry.count.filter(|n| *n > 1).map(|n| format!(" ({n} times)")).unwrap_or_default();
            for line in entry.text.lines() {
                self.master.console.say(printable(&format!("{}{item}: {line}{times}", self.name)));
            }
        }
    }

    /// Gives up the seat: says goodbye, and why to people; what it held is lent again.
    async fn leave(mut self, end: End, channel: &Channel) {
        let held = self.master.with(|core| {
            let held = core.lender.close(self.sub).len();
            let entry = core.seats.remove(&self.sub);
            if let Some(entry) = entry.filter(|_| !matches!(end, End::Done)) {
                core.statistics.left(entry);
            }
            held
        });
        self.say_goodbye(&end, held);
        let patience = Duration::from_secs(1);
        while let Some(frame) = self.seat.next_message() {
            if !matches!(tokio::time::timeout(patience, channel.outgoing.send(frame)).await, Ok(Ok(()))) {
                break;
            }
        }
    }

    fn say_goodbye(&mut self, end: &End, held: usize) {
        let name = &self.name;
        let again = match held {
            0 => String::new(),
            1 => "; its value goes to another device".into(),
            n => format!("; its {n} values go to other devices"),
        };
        let (reason, text, line) = match end {
            End::Done => ("done", "The job is done, thank you!".to_owned(), None),
            End::Left(why) if why == "hidden" => ("", String::new(), Some(format!("{name} went to sleep{again}"))),
            End::Left(_) => ("", String::new(), Some(format!("{name} left{again}"))),
            End::Lost => ("", String::new(), Some(format!("{name} is gone{again}"))),
            End::Silent => {
                let line = format!("{name} has been silent for {:?} and is taken for gone{again}", self.master.job.heartbeat() * 3);
                ("protocol", "Nothing was heard from this device for too long.".into(), Some(line))
            }
            End::Replaced => ("replaced", "This device joined again on another connection.".into(), None),
            End::Protocol(why) => {
                let line = format!("{name} was sent away: {why}{again}");
                ("protocol", format!("This device was sent away: {why}."), Some(line))
            }
            End::Broken(why) => {
                let line = format!("{name} cannot run the function: {why}");
                ("protocol", "The function cannot run on this device.".into(), Some(line))
            }
        };
        if !reason.is_empty() {
            self.seat.say(&ToVolunteer::Bye { reason: reason.into(), text });
        }
        if let Some(line) = line {
            self.master.console.say(printable(&line));
        }
        self.master.events.write("left", json!({"device": name, "why": format!("{end:?}").to_lowercase(), "held": held}));
    }
}

/// A result that would be taken for two, or none, is a failure of the function.
fn well_framed(_form: Form, result: Bytes, separator: u8) -> Result<Bytes, Failure> {
    if memchr::memchr(separator, &result).is_none() {
        return Ok(result);
    }
    let message = if separator == b'\n' {
        "its result contains a newline, which would be taken for two results: answer text without one (JSON.stringify, base64), or separate results with NUL by -0"
    } else {
        "its result contains a NUL, which would be taken for two results: answer text without one (JSON.stringify, base64)"
    };
    Err(Failure { message: message.into(), stack: None, kind: "framing".into() })
}

/// `wanted`, or `wanted 2`, … when another device is called so.
fn unused_name<'a>(taken: impl Iterator<Item = &'a str>, wanted: &str) -> String {
    let clean: String = printable(wanted).replace(['\n', '\t'], " ").trim().chars().take(60).collect();
    let wanted = if clean.is_empty() { "A device".to_owned() } else { clean };
    let taken: Vec<&str> = taken.collect();
    let mut name = wanted.clone();
    let mut number = 2;
    while taken.contains(&&*name) {
        name = format!("{wanted} {number}");
        number += 1;
    }
    name
}
