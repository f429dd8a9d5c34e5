//! The master's decisions: small machines and functions over the items, the devices and the time.
//! [`RunState`](super::state::RunState) composes them.

mod account;
pub(crate) mod backpressure;
mod blame;
pub(crate) mod confirm;
mod failure_kinds;
mod failures;
mod missing;
mod notices;
mod oldest;
pub(crate) mod owner;
mod postponed;
mod retries;
pub(crate) mod speculation;
pub(crate) mod stand_back;
pub(crate) mod stragglers;
pub(crate) mod trust;
pub(crate) mod unwanted;
pub(crate) mod watch;
pub(crate) mod workload;

pub(crate) use account::excerpt;
pub(crate) use backpressure::ResultBackPressure;
pub(crate) use blame::hint;
pub(crate) use confirm::{Confirmations, Unconfirmed};
pub(crate) use missing::MissingFeature;
pub(crate) use oldest::Oldest;
pub(crate) use owner::Decision;
pub(crate) use retries::{Attempt, Retries};
pub(crate) use speculation::Speculation;
pub(crate) use trust::Trust;
pub(crate) use unwanted::Unwanted;

use super::{items::Items, job::Job, registry::Registry};
use std::time::Instant;

/// The subjects of all decisions.
pub(crate) struct RunContext<'a> {
    pub(crate) items: &'a mut Items,
    pub(crate) registry: &'a mut Registry,
    pub(crate) job: &'a Job,
    pub(crate) now: Instant,
}
