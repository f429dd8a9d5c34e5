//! A host on a virtual clock, between a scripted master and scripted cores.

use crate::{
    engine::{CoreEvent, CoreId},
    host::{CoreOrder, Host, Introduction},
};
use bytes::Bytes;
use pando_protocol::{
    core::CoreMessage,
    volunteer::{
        Answer, Assembler, Binary, Form, Frame, JobOptions, Loan, Running, ToMaster, ToVolunteer,
        VERSION, Value, Welcome, encode_results, encode_values, value_len,
    },
};
use std::time::{Duration, Instant};

pub(super) const MS: Duration = Duration::from_millis(1);
pub(super) const HEARTBEAT: Duration = Duration::from_secs(2);

/// A frame that the host sent, as its master understands it.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    Message(ToMaster),
    /// The loans of a frame of results, each with the kind of its failure.
    Results(Vec<(Loan, Option<String>)>),
    Part,
}

/// The host, its time, and what its master has received in part.
pub(super) struct World {
    pub(super) host: Host,
    pub(super) now: Instant,
    parts: Assembler,
}

impl World {
    /// A host with `cores` cores and no link.
    pub(super) fn new(cores: u32) -> Self {
        let introduction =
            Introduction { device: "d".into(), name: "n".into(), kind: "native".into(), cores };
        Self { host: Host::new(introduction), now: Instant::now(), parts: Assembler::default() }
    }

    /// The host of a gateway at its job.
    pub(super) fn gateway() -> Self {
        let mut world = Self::new(0);
        world.host = Host::gateway(world.host.introduction.clone());
        world.connect(&[]);
        world.welcome("job", &options(), &[]);
        world
    }

    /// A host whose cores are ready for a job.
    pub(super) fn working(cores: u32, options: JobOptions) -> Self {
        let mut world = Self::new(cores);
        world.connect(&[]);
        world.welcome("job", &options, &[]);
        let started = world.orders();
        assert_eq!(
            started,
            (0..cores as usize).map(|n| CoreOrder::Start(id(n, 0))).collect::<Vec<_>>()
        );
        (0..cores as usize).for_each(|number| world.ready(number, 0));
        world
    }

    /// Opens a link. Its hello must name the loans in `holds`.
    pub(super) fn connect(&mut self, holds: &[Loan]) {
        self.parts = Assembler::default();
        self.host.connected("token", self.now);
        let said = self.said();
        let [Said::Message(ToMaster::Hello(hello))] = &said[..] else { panic!("{said:?}") };
        assert_eq!(hello.holds, holds);
    }

    pub(super) fn tell(&mut self, message: &ToVolunteer) {
        self.host.receive(Frame::json(message), self.now).unwrap();
    }

    pub(super) fn welcome(&mut self, job: &str, options: &JobOptions, keep: &[Loan]) {
        self.tell(&ToVolunteer::Welcome(Welcome {
            version: VERSION,
            job: job.into(),
            function: "f".into(),
            options: options.clone(),
            keep: keep.to_vec(),
            items: None,
            program: None,
        }));
    }

    pub(super) fn lend(&mut self, ids: std::ops::Range<u64>) {
        let value = Value::new("x".into(), Form::Text);
        let frame =
            encode_values(loans(ids).into_iter().map(|loan| (loan, &value)), value_len(&value));
        self.host.receive(Frame::Binary(frame), self.now).unwrap();
    }

    pub(super) fn lend_careful(&mut self, loan: u64) {
        let value = Value { careful: true, ..Value::new("x".into(), Form::Text) };
        let frame = encode_values([(Loan::first(loan), &value)], value_len(&value));
        self.host.receive(Frame::Binary(frame), self.now).unwrap();
    }

    pub(super) fn hear(&mut self, number: usize, generation: u32, event: CoreEvent) {
        self.host.hear(id(number, generation), event, self.now);
    }

    pub(super) fn ready(&mut self, number: usize, generation: u32) {
        self.hear(number, generation, CoreEvent::Message(CoreMessage::Ready));
    }

    pub(super) fn started(&mut self, number: usize, generation: u32, loan: u64) {
        let started = CoreMessage::Started { id: Loan::first(loan) };
        self.hear(number, generation, CoreEvent::Message(started));
    }

    pub(super) fn answer(&mut self, number: usize, generation: u32, ids: std::ops::Range<u64>) {
        self.hear(number, generation, CoreEvent::Results(results(ids)));
    }

    /// Moves the clock, and stops at each time at which the host has something to do.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.host.due().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.host.pass_time(self.now);
            if self.host.has_frame() {
                break;
            }
        }
        if !self.host.has_frame() {
            self.now = end;
        }
    }

    pub(super) fn orders(&mut self) -> Vec<CoreOrder> {
        std::iter::from_fn(|| self.host.next_order()).collect()
    }

    /// The loans given to cores, and nothing else was ordered.
    pub(super) fn given(&mut self) -> Vec<(CoreId, Vec<Loan>)> {
        let given = |order| match order {
            CoreOrder::Compute(id, values) => (id, values.iter().map(|(loan, _)| *loan).collect()),
            other => panic!("{other:?}"),
        };
        self.orders().into_iter().map(given).collect()
    }

    pub(super) fn next(&mut self) -> Option<Said> {
        let frame = self.host.next_frame(self.now)?;
        let bytes = match frame {
            Frame::Text(text) => return Some(Said::Message(serde_json::from_str(&text).unwrap())),
            Frame::Binary(bytes) => bytes,
        };
        let whole = match Binary::decode(bytes.clone()).unwrap() {
            Binary::Part { total, bytes } => self.parts.part(total, &bytes).unwrap(),
            _ => Some(bytes),
        };
        let Some(whole) = whole else { return Some(Said::Part) };
        let Ok(Binary::Results(answers)) = Binary::decode(whole) else { panic!("no results") };
        let said = |answer: Answer| (answer.loan, answer.result.err().map(|failure| failure.kind));
        Some(Said::Results(answers.into_iter().map(said).collect()))
    }

    pub(super) fn said(&mut self) -> Vec<Said> {
        std::iter::from_fn(|| self.next()).collect()
    }

    pub(super) fn held(&self) -> Vec<Loan> {
        let mut held: Vec<Loan> = self.host.held().collect();
        held.sort();
        held
    }
}

pub(super) fn id(number: usize, generation: u32) -> CoreId {
    CoreId { number, generation }
}

pub(super) fn loans(ids: impl IntoIterator<Item = u64>) -> Vec<Loan> {
    ids.into_iter().map(Loan::first).collect()
}

pub(super) fn options() -> JobOptions {
    JobOptions { concurrency: 1, heartbeat: HEARTBEAT.as_millis() as u64, ..JobOptions::default() }
}

pub(super) fn result(loan: u64, text: &str) -> Answer {
    let result = Ok((Form::Text, Bytes::copy_from_slice(text.as_bytes())));
    Answer { loan: Loan::first(loan), micros: 1000, result }
}

pub(super) fn results(ids: std::ops::Range<u64>) -> Bytes {
    encode_results(&ids.map(|id| result(id, "y")).collect::<Vec<_>>())
}

pub(super) fn answered(ids: impl IntoIterator<Item = u64>) -> Said {
    Said::Results(loans(ids).into_iter().map(|loan| (loan, None)).collect())
}

pub(super) fn returned(ids: impl IntoIterator<Item = u64>, careful: bool) -> Said {
    Said::Message(ToMaster::Returned { ids: loans(ids), careful })
}

pub(super) fn running(loan: u64, ms: u64) -> Said {
    let items = vec![Running { id: Loan::first(loan), ms }];
    Said::Message(ToMaster::Started { items, loading: None })
}
