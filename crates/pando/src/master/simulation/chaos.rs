//! Faults, the decisions of the owner, and the calm after them.

use super::{
    clock::{Event, MS},
    plan::chance,
    shared::rescuers,
    world::World,
};
use crate::{master::policy::Decision, protocol::ToMaster};

impl World {
    /// Performs a random fault.
    pub(super) fn disturb(&mut self) {
        if self.calm || self.ending.is_some() {
            return;
        }
        let delay = self.rng.u64(0..=self.plan.unrest);
        self.clock.after(delay, Event::Chaos);
        self.let_owner_decide();
        match self.rng.u32(0..100) {
            0..3 => self.stop_or_go_on(),
            3 => self.disturb_the_ends(),
            4..6 if self.plan.journal => self.restart_master(),
            _ => {
                let there: Vec<usize> = self
                    .devices
                    .iter()
                    .filter(|device| !device.gone)
                    .map(|device| device.number)
                    .collect();
                if there.len() < self.plan.devices && chance(&mut self.rng, 40) || there.is_empty()
                {
                    self.add_device();
                } else {
                    let number = there[self.rng.usize(0..there.len())];
                    self.disturb_device(number);
                }
            }
        }
    }

    fn disturb_device(&mut self, number: usize) {
        let Some(link) = self.devices[number].link else { return };
        if self.devices[number].frozen {
            return;
        }
        // In a run with liars of its own, no other results are wrong.
        let lies = self.devices[number].lies && self.plan.job.trust.is_none();
        if lies && chance(&mut self.rng, 50) {
            return self.lie(number);
        }
        match self.rng.u32(0..12) {
            0 => {
                say!(self, "device {number} is closed");
                self.vanish(number, false);
            }
            1 => {
                say!(self, "device {number} says goodbye");
                if chance(&mut self.rng, 50) {
                    self.devices[number].host.leave("hidden");
                    self.serve(number);
                } else {
                    self.say(number, &ToMaster::Bye { reason: "hidden".into() });
                }
                self.vanish(number, true);
            }
            2 | 3 => {
                say!(self, "the link of device {number} is cut");
                self.seen.note("cut link");
                self.links[link].cut = true;
            }
            4 | 5 => {
                say!(self, "device {number} loses its link");
                self.hang_up(link, true);
                self.link_lost(number);
            }
            6 => {
                say!(self, "device {number} joins a second time");
                self.devices[number].link = None;
                self.join(number);
            }
            7..9 => {
                say!(self, "device {number} freezes");
                self.seen.note("froze");
                (self.devices[number].frozen, self.devices[number].froze) = (true, true);
                let time = self.rng.u64(0..8 * self.plan.heartbeat);
                self.clock.after(time, Event::Thaw(number));
            }
            9 => self.links[link].latency = self.rng.u64(0..500 * MS),
            _ if self.devices[number].gateway.is_some() => {}
            _ => self.pause_or_go_on(number),
        }
    }

    /// Lets the owner of the run decide about a device, if the run has such an owner.
    fn let_owner_decide(&mut self) {
        let Some(rng) = &mut self.owner else { return };
        let state = self.master.lock();
        let devices = state.registry().iter().filter(|(_, device)| !device.is_replaced());
        let devices: Vec<_> = devices.map(|(sub, device)| (sub, device.number())).collect();
        drop(state);
        if devices.is_empty() || !chance(rng, 30) {
            return;
        }
        let (sub, number) = devices[rng.usize(0..devices.len())];
        let decision = match rng.u32(0..10) {
            0..4 => Decision::Pause,
            4..7 => Decision::Resume,
            7..9 => Decision::Cores(rng.u32(1..4)),
            _ => Decision::Remove,
        };
        say!(self, "the owner decides about device {number} of the run: {decision:?}");
        self.seen.note("the owner decides");
        if matches!(decision, Decision::Pause | Decision::Remove) {
            self.model.pauses(sub);
        }
        let decided = self.master.decide(number, decision, self.clock.instant());
        decided.expect("the device is connected");
    }

    /// The person at the device pauses or resumes it.
    fn pause_or_go_on(&mut self, number: usize) {
        let device = &mut self.devices[number];
        device.paused = !device.paused;
        say!(self, "device {number} is paused: {}", device.paused);
        self.seen.note(if device.paused { "paused" } else { "resumed" });
        let cores = if device.paused { 0 } else { device.cores };
        device.host.lend(cores, self.clock.instant());
        self.serve(number);
    }

    /// Lets a frozen device go on where it stopped.
    pub(super) fn thaw(&mut self, number: usize) {
        self.devices[number].frozen = false;
        let deferred = std::mem::take(&mut self.devices[number].deferred);
        deferred.into_iter().for_each(|event| self.clock.after(0, event));
        if let Some(link) = self.devices[number].link {
            self.clock.after(0, Event::Down(link));
        }
    }

    /// Ends all faults and adds a reliable device: from now on, the run must come to its end.
    pub(super) fn calm_down(&mut self) {
        say!(self, "calm");
        self.calm = true;
        // Behind a gateway, each wait for a device that does nothing comes once more.
        let times = if self.gateways.is_some() { 3 } else { 1 };
        self.deadline = self.clock.now() + times * self.plan.longest_end();
        self.go_on_reading();
        for device in &mut self.devices {
            device.lies = false;
        }
        for link in &mut self.links {
            link.latency = link.latency.min(50 * MS);
        }
        let count = self.plan.job.trust.map_or(1, |trust| rescuers(trust.rule));
        for _ in 0..count {
            let rescue = self.add_device();
            say!(self, "device {rescue} comes to the rescue");
        }
    }
}
