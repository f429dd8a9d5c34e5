//! The figures of one device.

use super::{
    super::{WallTime, micros, millis},
    seconds,
};
use crate::{
    master::{
        policy::workload::held,
        registry::{Contribution, Device, Health, ReportSum},
        state::RunState,
    },
    protocol::Path,
};
use serde::Serialize;
use stream_lender::SubStreamId;

/// The name of the devices that have left and are not told apart.
const OTHERS: &str = "other devices";

/// See the module. Times are in seconds.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeviceFigures {
    /// The number of the device among all devices of the run, from 1; `0` for several devices.
    pub(crate) id: String,
    pub(crate) name: String,
    kind: DeviceKind,
    /// The browser and its system, in words; may be empty.
    browser: String,
    path: Path,
    pub(crate) connected: bool,
    /// The cores that the device offers.
    pub(crate) cores: u32,
    /// The cores that may compute for this run.
    pub(crate) lent: u32,
    /// Values that the device computes, as far as the master knows.
    pub(crate) computing: u64,
    /// Values that wait at the device.
    pub(crate) queued: u64,
    pub(crate) items: u64,
    /// The share of all results of this run, from 0 to 1.
    share: f64,
    pub(crate) per_second: f64,
    pub(crate) mean_seconds: Option<f64>,
    deviation_seconds: Option<f64>,
    pub(crate) round_trip_seconds: Option<f64>,
    /// Bytes from the device.
    pub(crate) bytes_in: u64,
    /// Bytes to the device.
    pub(crate) bytes_out: u64,
    pub(crate) failed_attempts: u64,
    /// The share of the time of its cores that was spent on results, from 0 to 1.
    pub(crate) busy: f64,
    since: f64,
    health: DeviceHealth,
    /// The health in words.
    words: &'static str,
    /// What the function reported, one sum for each of its units.
    pub(crate) reports: Vec<ReportFigures>,
    /// How its results compare with those of others, if they are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<CheckFigures>,
}

/// How the results of a device compare with those of others.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct CheckFigures {
    /// Results that other devices have confirmed.
    agreed: u64,
    /// Results that other devices have refuted.
    disagreed: u64,
    /// Whether the results of the device count.
    trusted: bool,
}

/// What a device is.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum DeviceKind {
    Browser,
    /// A program with cores, such as this machine's own.
    Cores,
}

/// The health of a device for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum DeviceHealth {
    Working,
    Stalled,
    Suspect,
    Unfit,
    Unresponsive,
    Paused,
    Gone,
}

/// The sum of what the function reported on a device.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReportFigures {
    pub(crate) units: String,
    pub(crate) items: f64,
    pub(crate) cpu_time: f64,
    pub(crate) data_transfer_time: f64,
}

impl DeviceFigures {
    /// The figures of the device with this contribution.
    pub(super) fn of(contribution: &Contribution, state: &RunState, time: &WallTime) -> Self {
        let registry = state.registry();
        let session = contribution.session.and_then(|sub| Some((sub, registry.get(sub)?)));
        let (computing, queued) = session.map_or((0, 0), |session| values(session, state));
        let (health, mut words) = health(session.map(|(_, device)| device), computing);
        let record = state.trust().zip(contribution.key.as_ref());
        let record = record.and_then(|(trust, key)| trust.record(key));
        if health == DeviceHealth::Unfit && record.is_some_and(|record| record.is_caught) {
            words = "is not trusted any more: its results differ from those of others";
        }
        let device = session.map(|(_, device)| device);
        let all = registry.statistics().total();
        let origin = &contribution.origin;
        Self {
            id: contribution.number.to_string(),
            name: match contribution.number {
                0 => OTHERS.into(),
                _ => contribution.name.clone(),
            },
            kind: if origin.is_browser { DeviceKind::Browser } else { DeviceKind::Cores },
            browser: origin.browser.clone(),
            path: origin.path,
            connected: device.is_some(),
            cores: device.map_or(contribution.cores, Device::offered),
            lent: device.map_or(0, Device::cores),
            computing,
            queued,
            items: contribution.items,
            share: micros(contribution.items as f64 / all.max(1) as f64),
            per_second: device.map_or(0.0, |device| millis(device.per_second(time.now))),
            mean_seconds: seconds(contribution.calls.mean()),
            deviation_seconds: seconds(contribution.calls.deviation()),
            round_trip_seconds: seconds(
                device.and_then(Device::round_trip).map(|time| time.as_secs_f64()),
            ),
            bytes_in: contribution.bytes.0,
            bytes_out: contribution.bytes.1,
            failed_attempts: contribution.failures,
            busy: millis(contribution.busy()),
            since: contribution.since.map_or(millis(time.unix), |since| time.unix_of(since)),
            health,
            words,
            reports: contribution.reports.iter().map(ReportFigures::of).collect(),
            checks: record.map(|record| CheckFigures {
                agreed: record.agreed,
                disagreed: record.disagreed,
                trusted: !record.is_caught,
            }),
        }
    }
}

/// The values which a device computes, as far as the master knows, and the values which wait at
/// the device.
fn values((sub, device): (SubStreamId, &Device), state: &RunState) -> (u64, u64) {
    let held = held(state.items().lender(), sub, device);
    let calls = u64::from(device.cores()) * state.registry().calls_per_core();
    let computing = calls.min(held as u64);
    (computing, held as u64 - computing)
}

/// The health of a device, and its words; `computing`: the number of values that it computes.
fn health(device: Option<&Device>, computing: u64) -> (DeviceHealth, &'static str) {
    let Some(device) = device else { return (DeviceHealth::Gone, "has left") };
    match device.health() {
        _ if device.rule().removed => (DeviceHealth::Gone, "is sent away"),
        _ if device.rule().paused => (DeviceHealth::Paused, "is paused by you"),
        _ if device.cores() == 0 => (DeviceHealth::Paused, "is paused on the device"),
        Health::Working if computing > 0 => (DeviceHealth::Working, "works"),
        Health::Working => (DeviceHealth::Working, "waits for values"),
        Health::Stalled => (DeviceHealth::Stalled, "has values, but shows no work"),
        Health::Suspect => (DeviceHealth::Suspect, "showed no work: other devices come first"),
        Health::Unfit => (
            DeviceHealth::Unfit,
            "stands back, because values fail or come back that others compute",
        ),
        Health::Unresponsive => {
            (DeviceHealth::Unresponsive, "keeps its values without work: its link is closed")
        }
    }
}

impl ReportFigures {
    fn of(sum: &ReportSum) -> Self {
        Self {
            units: sum.units.clone(),
            items: sum.items,
            cpu_time: sum.cpu,
            data_transfer_time: sum.transfer,
        }
    }
}
