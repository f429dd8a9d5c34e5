//! Connects a host with an engine and a channel.

use crate::{
    engine::{Core, CoreEvent, CoreEvents, CoreId, Engine},
    host::{CoreOrder, Host},
};
use pando_protocol::volunteer::{Frame, encode_values, value_len};
use std::time::Instant;
use tokio::{
    sync::mpsc,
    time::{Instant as TokioInstant, sleep_until},
};

/// A core that is already ready, as number 0 of generation 0, with a receiver of messages.
#[derive(Debug)]
pub struct First {
    /// The core.
    pub core: Core,
    /// The messages of the core.
    pub said: mpsc::Receiver<(CoreId, CoreEvent)>,
    /// The sender for the messages of this core and all others.
    pub events: CoreEvents,
}

/// Lends cores of `engine`, of which `first` may run already, until the master says goodbye or the
/// channel of `incoming` and `outgoing` closes. The driver has no logic of its own.
///
/// The silence of a master proves nothing here: a channel in memory closes with its other end.
pub async fn drive(
    mut host: Host,
    token: &str,
    engine: impl Engine,
    first: Option<First>,
    mut incoming: mpsc::Receiver<Frame>,
    outgoing: mpsc::Sender<Frame>,
) {
    let (mut cores, mut said) = Cores::new(engine, first);
    host.connected(token, Instant::now());
    while host.goodbye().is_none() {
        let due = host.due();
        let timer = sleep_until(due.map_or_else(TokioInstant::now, TokioInstant::from));
        tokio::select! {
            frame = incoming.recv() => {
                let Some(frame) = frame else { return };
                if host.receive(frame, Instant::now()).is_err() {
                    return;
                }
            }
            permit = outgoing.reserve(), if host.has_frame() => {
                let Ok(permit) = permit else { return };
                if let Some(frame) = host.next_frame(Instant::now()) {
                    permit.send(frame);
                }
            }
            Some((id, event)) = said.recv() => host.hear(id, event, Instant::now()),
            () = timer, if due.is_some() => host.pass_time(Instant::now()),
        }
        cores.obey(&mut host);
    }
}

/// The running cores of a host: carries out its orders, for drivers with a loop of their own.
pub struct Cores<E> {
    engine: E,
    events: CoreEvents,
    /// A core that is ready before its start is ordered.
    first: Option<Core>,
    running: Vec<(CoreId, Core)>,
}

impl<E: Engine> Cores<E> {
    /// No cores yet, except `first`, which may run already. Also returns the receiver of all events
    /// of cores, which are for [`Host::hear`].
    pub fn new(engine: E, first: Option<First>) -> (Self, mpsc::Receiver<(CoreId, CoreEvent)>) {
        let (first, events, said) = match first {
            Some(First { core, said, events }) => (Some(core), events, said),
            None => {
                let (events, said) = mpsc::channel(64);
                (None, events, said)
            }
        };
        (Self { engine, events, first, running: Vec::new() }, said)
    }

    /// Carries out all orders of the host.
    pub fn obey(&mut self, host: &mut Host) {
        while let Some(order) = host.next_order() {
            match order {
                CoreOrder::Start(id) => self.start(id, host),
                CoreOrder::Compute(id, values) => {
                    let length = values.iter().map(|(_, value)| value_len(value)).sum();
                    let values = values.iter().map(|(loan, value)| (*loan, value));
                    // A core that has just died also sends [`CoreEvent::Ended`]; the host settles
                    // the values then.
                    if let Some((_, core)) = self.running.iter().find(|(other, _)| *other == id) {
                        let _ = core.values.send(encode_values(values, length));
                    }
                }
                CoreOrder::End(id) => self.running.retain(|(other, _)| *other != id),
            }
        }
    }

    fn start(&mut self, id: CoreId, host: &mut Host) {
        if let Some(core) = self.first.take_if(|_| id == CoreId::default()) {
            self.running.push((id, core));
            return host.ready(id, Instant::now());
        }
        match self.engine.start(id, self.events.clone()) {
            Ok(core) => self.running.push((id, core)),
            Err(error) => host.cannot_start(id, &error.to_string()),
        }
    }
}
