//! Gateways: devices behind which the real master of the same job lends to further devices.
//!
//! To the master of the run, a gateway is one device with a real host. The links of the devices
//! behind it lead to its own master. Gateways vanish, freeze and lose their links as all devices
//! do, and so do the devices behind them, which look for another way to the run.

use super::{
    device::SimulatedDevice,
    io::Flag,
    leaks::check_book,
    link::Down,
    plan::chance,
    world::{World, start_master},
};
use crate::{
    config::OnError,
    master::{
        job::{Job, TrustJob},
        policy::watch::Watcher,
        run::Master,
        shape::Shape,
    },
    protocol::{Loan, ToMaster},
    volunteer::{PassedOn, PassedUp},
};
use fastrand::Rng;
use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, Waker},
};
use stream_lender::{Order, Window};

/// Whether gateways take part in the run with this seed, where devices compare no results.
pub(super) fn has_gateways(seed: u64, trust: Option<&TrustJob>) -> bool {
    seed % 8 == 5 && trust.is_none()
}

/// What makes a device a gateway.
#[derive(Default)]
pub(super) struct Gateway {
    /// The master for the devices behind the gateway, once the job is known.
    master: Option<Arc<Master>>,
    /// Whether the master has something to say to the run.
    flag: Arc<Flag>,
    watcher: Watcher,
    /// All loans that were sent to devices behind the gateway.
    sent: BTreeSet<Loan>,
}

impl SimulatedDevice {
    /// The master for the devices behind this device.
    pub(super) fn master_behind(&self) -> Option<&Arc<Master>> {
        self.gateway.as_ref()?.master.as_ref()
    }

    /// Opens `job` to devices behind the gateway.
    pub(super) fn share_job(&mut self, job: &Job, id: &str) {
        let Some(gateway) = &mut self.gateway else { return };
        let job = Job {
            id: format!("{id} behind device {}", self.number),
            gateway: true,
            retries: 0,
            on_error: OnError::Skip,
            max_failures: None,
            speculate: false,
            confirms: false,
            shape: Shape::default(),
            window: Window::default().items,
            order: Order::OfResults,
            ..job.clone()
        };
        *gateway = Gateway { master: Some(start_master(&job, None)), ..Gateway::default() };
        gateway.flag.0.store(true, Ordering::Relaxed);
    }
}

impl World {
    /// The master to which a link leads.
    pub(super) fn master_of(&self, link: usize) -> Option<&Arc<Master>> {
        match self.links[link].gateway {
            Some(gateway) => self.devices[gateway].master_behind(),
            None => Some(&self.master),
        }
    }

    /// Whether a link leads to a gateway that does nothing at present.
    pub(super) fn leads_to_frozen(&self, link: usize) -> bool {
        self.links[link].gateway.is_some_and(|gateway| self.devices[gateway].frozen)
    }

    /// Gives a new device its place, in a run with gateways: at the run or behind a gateway, or as
    /// a gateway.
    pub(super) fn place(&mut self, device: &mut SimulatedDevice) {
        let Some(rng) = &mut self.gateways else { return };
        let open = self.devices.iter().filter(|device| device.gateway.is_some() && !device.gone);
        let open: Vec<usize> = open.map(|device| device.number).collect();
        if self.calm || open.is_empty() && !chance(rng, 50) {
            return;
        }
        device.behind = match open.len() {
            0 => None,
            count => open.get(rng.usize(0..=count)).copied(),
        };
        if open.is_empty() || chance(rng, 15) {
            device.become_gateway();
        } else if device.behind.is_some() {
            // Nobody tells from a message of the gateway that a device behind it has lied.
            device.lies = false;
        }
    }

    /// Finds another way to the run for the devices behind a gateway that is gone.
    pub(super) fn find_way(&mut self, number: usize) {
        let device = &self.devices[number];
        let is_gone = |gateway: usize| self.devices[gateway].gone;
        if device.behind.is_some_and(is_gone) {
            // Not through a gateway that is behind this one itself.
            let newest = self.devices.iter().rev().find(|other| {
                other.gateway.is_some() && !other.gone && !self.is_behind(other.number, number)
            });
            self.devices[number].behind = newest.map(|other| other.number);
        }
    }

    /// Whether `number` is `other`, or behind it.
    fn is_behind(&self, number: usize, other: usize) -> bool {
        number == other || self.devices[number].behind.is_some_and(|at| self.is_behind(at, other))
    }

    /// Ends the links of the devices behind a gateway whose job is over.
    pub(super) fn close_behind(&mut self, number: usize) {
        if self.devices[number].gateway.is_none() {
            return;
        }
        let behind: Vec<usize> = (0..self.links.len())
            .filter(|link| self.links[*link].gateway == Some(number) && !self.links[*link].left)
            .collect();
        self.master_ends.retain(|end| !behind.contains(&end.link));
        self.waiting.retain(|link| !behind.contains(link));
        for link in behind {
            self.links[link].left = true;
            self.links[link].down.clear();
            self.push_down(link, Down::Close);
        }
    }

    /// Passes on what the host of a gateway got.
    pub(super) fn obey_passed_on(&mut self, number: usize) {
        let device = &mut self.devices[number];
        let Some(master) = device.master_behind().cloned() else { return };
        while let Some(order) = device.host.next_passed_on() {
            match order {
                PassedOn::Values(values) => {
                    self.seen.note("passed on");
                    master.give(values);
                }
                PassedOn::Recall(loans) => {
                    self.seen.note("recalled from a gateway");
                    master.recall(&loans);
                }
                PassedOn::Forget(loans) => {
                    self.seen.note("forgotten at a gateway");
                    master.drop_given(&loans);
                }
            }
        }
    }

    /// Passes up what devices behind gateways say. Returns whether there was anything.
    pub(super) fn serve_gateways(&mut self) -> bool {
        let mut any = false;
        for number in 0..self.devices.len() {
            let device = &self.devices[number];
            let Some(Gateway { master: Some(master), flag, .. }) = &device.gateway else {
                continue;
            };
            if device.frozen || !flag.0.swap(false, Ordering::Relaxed) {
                continue;
            }
            let (master, waker) = (master.clone(), Waker::from(flag.clone()));
            while let Poll::Ready(Some(said)) = master.poll_upstream(&Context::from_waker(&waker)) {
                any = true;
                self.pass_up(number, said);
            }
        }
        any
    }

    fn pass_up(&mut self, number: usize, said: PassedUp) {
        say!(self, "gateway {number} passes up {said:?}");
        self.seen.note_if(!said.answers.is_empty(), "passed up");
        self.seen.note_if(said.answers.iter().any(|it| it.result.is_err()), "failed at a gateway");
        self.devices[number].host.pass_up(said, self.clock.instant());
        self.serve(number);
    }

    /// The run knows the gateway again, with the job that it had: tells it of long calls.
    pub(super) fn tell_in_progress(&mut self, number: usize) {
        let Some(master) = self.devices[number].master_behind() else { return };
        let items = master.long_calls(self.clock.instant());
        if !items.is_empty() {
            let messages = vec![ToMaster::Started { items, loading: None }];
            self.pass_up(number, PassedUp { messages, ..PassedUp::default() });
        }
    }

    /// Notes a loan that is sent to a device behind a gateway.
    pub(super) fn sent_behind(&mut self, gateway: usize, loan: Loan) {
        if let Some(gateway) = &mut self.devices[gateway].gateway {
            assert!(gateway.sent.insert(loan), "{loan:?} is sent twice behind the gateway");
        }
    }

    /// Lets the masters behind gateways look for stragglers, and with `watch` watch over the
    /// devices there.
    pub(super) fn look_behind(&mut self, watch: bool) {
        let now = self.clock.instant();
        for device in self.devices.iter_mut().filter(|device| !device.frozen) {
            let Some(Gateway { master: Some(master), watcher, .. }) = &mut device.gateway else {
                continue;
            };
            match watch {
                true => master.look_after(watcher, now),
                false => master.look_for_stragglers(now),
            }
        }
    }

    /// Checks that each gateway has the values which its host holds, and no others, and that its
    /// books are right.
    pub(super) fn check_gateways(&self) {
        for device in self.devices.iter().filter(|device| !device.frozen) {
            let Some(master) = device.master_behind() else { continue };
            let state = master.lock();
            let (items, held) = (state.items(), device.host.held().count());
            assert!(items.given() <= held, "values that gateway {} has", device.number);
            // Otherwise answers may wait for the link.
            if device.host.is_welcome() {
                let missing = device.host.held().find(|loan| !items.has_given(loan.index));
                assert_eq!(missing, None, "gateway {} does not have it any more", device.number);
                assert_eq!(held, items.given(), "values that gateway {} has", device.number);
            }
            let lender = state.items().lender();
            let there = state.registry().devices().filter(|device| !device.is_replaced()).count();
            assert_eq!(lender.sub_streams(), there, "sub-streams behind gateway {}", device.number);
            for (sub, device) in state.registry().iter().filter(|(_, it)| !it.is_replaced()) {
                check_book(&state, sub, device);
            }
        }
    }
}

/// The random numbers of gateways, which leave those of the run as they are.
pub(super) fn random(seed: u64, trust: Option<&TrustJob>) -> Option<Rng> {
    has_gateways(seed, trust).then(|| Rng::with_seed(!seed))
}
