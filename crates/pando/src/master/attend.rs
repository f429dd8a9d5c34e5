//! Attends to one volunteer, from its hello to its end: the task between a channel and the lender.

mod goodbye;
mod hear;

use super::{
    Master, SeatEntry, Standing,
    progress::Progress,
    report::Sum,
    seat::{Due, Seat},
};
use crate::{
    channel::Channel,
    console::printable,
    protocol::{self, Frame, Hello, PART, Path, ToMaster, ToVolunteer, Value, Welcome},
};
use serde_json::json;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use stream_lender::{Ask, Index, Lent, SubStreamId};
use tokio::sync::Notify;

/// Time that a volunteer has to introduce itself.
const INTRODUCTION: Duration = Duration::from_secs(10);
/// Longest hello, in bytes: it may name all values that it holds.
const LONGEST_HELLO: usize = 1 << 20;

/// What a tab is told of a job that is a program.
const ELSEWHERE: &str =
    "This job runs a program on its owner's machine, and on no other: it cannot use this device. Thank you all the same!";

/// Who is let in.
#[derive(Debug, Clone, Default)]
pub struct Door {
    /// What hello must name; empty: anyone.
    pub token: String,
    /// The transport of its channel. For a peer connection the volunteer says whether it is [`Path::Direct`] or [`Path::Turn`].
    pub path: Path,
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
    /// It answers pings, and neither computes nor returns what it was lent.
    Stuck,
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
    let hello = match hello {
        Ok(_) if master.job.local_only && door.path != Path::Local => Err(("refused", ELSEWHERE.to_owned())),
        other => other,
    };
    match hello {
        Ok(hello) => {
            let path = match (door.path, hello.path) {
                (Path::Direct, Some(Path::Turn)) => Path::Turn,
                (path, _) => path,
            };
            let mut attendant = Attendant::seat(master, hello, path);
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
        return Err((
            "version",
            format!("the volunteer speaks version {theirs} of the protocol and this master version {ours}: reload the page"),
        ));
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
    /// A value that it is to have alone.
    alone: Option<Index>,
}

impl Attendant {
    fn seat(master: Arc<Master>, hello: Hello, path: Path) -> Self {
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
            core.seats.insert(
                sub,
                SeatEntry {
                    name: name.clone(),
                    device: hello.device.clone(),
                    cores,
                    path,
                    done: 0,
                    short: 0,
                    wake: wake.clone(),
                    replaced: false,
                    running: HashMap::new(),
                    recalls: Vec::new(),
                    yields: false,
                    recalled: None,
                    progress: Progress::new(now),
                    stuck: false,
                    copies: Vec::new(),
                    strays: HashMap::new(),
                    each: None,
                    reports: Sum::default(),
                },
            );
            (sub, name, keep)
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
        if hello.kind != "native" {
            let by = match path {
                Path::Local | Path::WebSocket => "",
                Path::Direct => ", by a direct connection",
                Path::Turn => ", by a connection through a TURN server",
                Path::Relay => ", through the relay",
            };
            master.console.say(format!("{name} joined with {cores} core{}{by}", if cores == 1 { "" } else { "s" }));
        }
        master.events.write("joined", json!({"device": name, "cores": cores, "kind": hello.kind, "path": path}));
        Self { master, sub, seat, name, wake, asking: true, lent: Vec::new(), alone: None }
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
                    let Standing { finished, replaced, stuck, recalls, yields, copies } = self.master.standing(self.sub);
                    match (finished, replaced, stuck) {
                        (true, ..) => return End::Done,
                        (_, true, _) => return End::Replaced,
                        (.., true) => return End::Stuck,
                        _ => {}
                    }
                    self.asking = !yields;
                    if !recalls.is_empty() {
                        self.seat.say(&ToVolunteer::Recall { ids: recalls });
                    }
                    for copy in copies {
                        self.send_copy(copy);
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
        if !self.seat.has_frame() && self.asking {
            self.ask()?;
        }
        Ok(self.seat.next_frame(Instant::now()))
    }

    fn ask(&mut self) -> Result<(), End> {
        let room = self.seat.room();
        let room_bytes = self.seat.room_bytes();
        let (sub, lent, seat, alone) = (self.sub, &mut self.lent, &mut self.seat, &mut self.alone);
        let mut length = 1;
        let (mut asking, mut done) = (true, false);
        let mut short = 0;
        let now = Instant::now();
        self.master.with(|core| {
            let first = core.lender.held(sub) == 0;
            *alone = alone.filter(|index| core.lender.holder(*index) == Some(sub));
            if alone.is_some() {
                asking = false;
            }
            while alone.is_none() && lent.len() < room && (lent.is_empty() || length < room_bytes) {
                match core.ask(sub) {
                    Ask::Value(value) if core.forgets(sub, value.index) || core.has_copy(sub, value.index) => {}
                    Ask::Value(value) => {
                        seat.lent(value.value.bytes.len() as u64);
                        length += protocol::value_len(&value.value);
                        *alone = core.failures.goes_alone(value.index).then_some(value.index);
                        lent.push(value);
                        if length > PART {
                            break;
                        }
                    }
                    Ask::Wait => {
                        (asking, short) = (false, room - lent.len());
                        break;
                    }
                    Ask::Done => {
                        (asking, done) = (false, true);
                        break;
                    }
                }
            }
            if let Some(seat) = core.seats.get_mut(&sub) {
                seat.short = short;
                if !lent.is_empty() {
                    seat.progress.lent(first, now);
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

    /// Sends a value that it has not asked for.
    fn send_copy(&mut self, Lent { index, value }: Lent<Value>) {
        self.seat.lent(value.bytes.len() as u64);
        self.seat.send(protocol::encode_values([(index, &value)], protocol::value_len(&value)));
        self.master.events.write("lent", json!({"index": index + 1, "device": self.name, "again": true}));
    }

    /// Queues the lent values as a frame; a long value goes in one of its own, so that short ones do not wait for it.
    fn queue_values(&mut self, length: usize) {
        let long = if length > PART && self.lent.len() > 1 { self.lent.pop() } else { None };
        for group in [&self.lent[..], long.as_slice()] {
            if !group.is_empty() {
                let length: usize = group.iter().map(|lent| protocol::value_len(&lent.value)).sum();
                self.seat.send(protocol::encode_values(group.iter().map(|lent| (lent.index, &lent.value)), length));
            }
        }
        self.lent.clear();
    }
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
