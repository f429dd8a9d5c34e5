//! A link between a device and the master, in order and with latency.

use super::{clock::Event, world::World};
use crate::protocol::{Answer, Assembler, Binary, Frame, Loan, ToMaster};
use std::collections::VecDeque;

/// One link, from its opening on.
pub(super) struct Link {
    pub(super) device: usize,
    /// The gateway to which the link leads, in place of the master of the run.
    pub(super) gateway: Option<usize>,
    /// Frames on their way to the master, with their times of arrival.
    pub(super) up: VecDeque<(u64, Up)>,
    pub(super) down: VecDeque<(u64, Down)>,
    /// Nothing arrives any more, and neither end is told.
    pub(super) cut: bool,
    pub(super) latency: u64,
    /// The most frames which the device has not received yet.
    pub(super) capacity: usize,
    /// The master has closed its end.
    pub(super) left: bool,
    /// Assembles the parts of the frames to the master.
    parts: Assembler,
}

/// An arrival at the master.
pub(super) enum Up {
    Frame(Frame, Note),
    Close,
}

/// An arrival at the device.
pub(super) enum Down {
    Frame(Frame),
    Close,
}

/// The content of a frame to the master, as far as the model needs it.
#[derive(Debug)]
pub(super) enum Note {
    Answers(Vec<Answer>),
    Returned(Vec<Loan>, bool),
    /// The device lends no cores at present.
    Paused,
    /// A part of a longer frame, but not the last.
    Part,
    Other,
}

impl Link {
    pub(super) fn new(
        device: usize,
        gateway: Option<usize>,
        latency: u64,
        capacity: usize,
    ) -> Self {
        Self {
            device,
            gateway,
            up: VecDeque::new(),
            down: VecDeque::new(),
            cut: false,
            latency,
            capacity,
            left: false,
            parts: Assembler::default(),
        }
    }

    /// Notes the content of a frame that is sent to the master.
    pub(super) fn note(&mut self, frame: &Frame) -> Note {
        let bytes = match frame {
            Frame::Binary(bytes) => bytes.clone(),
            Frame::Text(text) => {
                return match serde_json::from_str(text) {
                    Ok(ToMaster::Returned { ids, careful }) => Note::Returned(ids, careful),
                    Ok(ToMaster::Update { cores: Some(0), .. }) => Note::Paused,
                    _ => Note::Other,
                };
            }
        };
        match Binary::decode(bytes) {
            Ok(Binary::Results(answers)) => Note::Answers(answers),
            Ok(Binary::Part { total, bytes }) => {
                let whole = self.parts.part(total, &bytes).expect("parts fit together");
                match whole.map(Binary::decode) {
                    None => Note::Part,
                    Some(Ok(Binary::Results(answers))) => Note::Answers(answers),
                    Some(_) => panic!("only results are long"),
                }
            }
            _ => Note::Other,
        }
    }

    /// Whether something has arrived at the master by `now`.
    pub(super) fn has_arrived(&self, now: u64) -> bool {
        self.up.front().is_some_and(|(at, _)| *at <= now)
    }

    /// Whether the master can know by `now` that the device has closed the link.
    pub(super) fn has_closed(&self, now: u64) -> bool {
        self.up.back().is_some_and(|(at, what)| *at <= now && matches!(what, Up::Close))
    }

    /// Whether the master may send a frame.
    pub(super) fn has_room(&self) -> bool {
        self.down.len() < self.capacity
    }
}

impl World {
    /// Sends something to the master.
    pub(super) fn push_up(&mut self, link: usize, what: Up) {
        let (now, link) = (self.clock.now(), &mut self.links[link]);
        if !link.cut && !link.left {
            let at = link.up.back().map_or(0, |(at, _)| *at).max(now + link.latency);
            link.up.push_back((at, what));
            self.clock.after(at - now, Event::Up);
        }
    }

    /// Sends something to the device.
    pub(super) fn push_down(&mut self, number: usize, what: Down) {
        let (now, link) = (self.clock.now(), &mut self.links[number]);
        if !link.cut {
            let at = link.down.back().map_or(0, |(at, _)| *at).max(now + link.latency);
            link.down.push_back((at, what));
            self.clock.after(at - now, Event::Down(number));
        }
    }

    /// Closes the device's end. With `lossy`, some frames on their way are lost.
    pub(super) fn hang_up(&mut self, number: usize, lossy: bool) {
        let link = &mut self.links[number];
        if lossy {
            let kept = self.rng.usize(0..=link.up.len());
            link.up.truncate(kept);
        }
        link.down.clear();
        self.push_up(number, Up::Close);
        let device = &mut self.devices[self.links[number].device];
        if device.link == Some(number) {
            device.link = None;
            device.host.lost();
        }
    }
}
