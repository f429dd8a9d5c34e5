//! The workload of the devices: how much each device has to compute, and its speed.

use crate::master::{
    items::Lender,
    registry::{Device, Registry},
};
use std::time::{Duration, Instant};
use stream_lender::{Loan, SubStreamId};

/// The workload of one device.
pub(super) struct Workload {
    pub(super) sub: SubStreamId,
    /// Calls that the device has open at a time.
    pub(super) calls: usize,
    /// Values that the device holds or computes.
    pub(super) held: usize,
    /// The device has had values for long without a sign of work.
    pub(super) stalled: bool,
    /// The device rests, or stands back, and is lent nothing now.
    pub(super) rests: bool,
    /// The usual time of one call.
    pub(super) each: Duration,
    pub(super) may_be_recalled: bool,
}

/// How many values a device has: those that it holds for the lender, and its copies.
pub(crate) fn held(lender: &Lender, sub: SubStreamId, device: &Device) -> usize {
    lender.held(sub) + device.loans().copies().count()
}

/// The loans of the values that a device has: those that it holds for the lender in the order of
/// lending, then its copies in the order of the items.
pub(crate) fn computed_by(lender: &Lender, sub: SubStreamId, device: &Device) -> Vec<Loan> {
    lender.outstanding(sub).chain(device.loans().copies()).collect()
}

/// The workloads of all devices that lend cores.
pub(super) fn workloads(lender: &Lender, registry: &Registry, now: Instant) -> Vec<Workload> {
    let usual = registry.statistics().median().unwrap_or(Duration::from_secs(1));
    let devices = registry.iter().filter(|(_, device)| !device.is_replaced() && device.cores() > 0);
    let workload = |(sub, device): (SubStreamId, &Device)| {
        let (loans, held) = (device.loans(), held(lender, sub, device));
        let longest = loans.longest_call(now);
        Workload {
            sub,
            calls: (u64::from(device.cores()) * registry.calls_per_core()) as usize,
            held,
            stalled: device.is_stalled(held, registry.silence_limit(), now),
            rests: device.stands_back() || device.waits_after_recall() && device.rests(now),
            each: device.each().unwrap_or(usual).max(longest).max(Duration::from_micros(1)),
            may_be_recalled: device.may_be_recalled(now),
        }
    };
    devices.map(workload).collect()
}

impl Workload {
    /// Whether the device has a free core and may be lent values.
    pub(super) fn is_idle(&self) -> bool {
        self.held < self.calls && !self.rests
    }

    /// The time until all values of the device are computed.
    pub(super) fn left(&self) -> Duration {
        let seconds = self.each.as_secs_f64() * self.held as f64 / self.calls as f64;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// Values per second.
    pub(super) fn speed(&self) -> f64 {
        self.calls as f64 / self.each.as_secs_f64()
    }
}
