//! What goes between the lender and one session: values out, results and untried values back.
//!
//! Each step changes the lender and the device's book together, so that they always agree.

mod lend;
mod messages;
mod shared;
mod take_back;

pub(crate) use messages::Leaving;

use super::{
    gallery::ShownResult,
    policy::{Confirmations, ResultBackPressure, Retries, RunContext, Speculation, Trust},
};
use crate::protocol::Form;
use bytes::Bytes;
use serde_json::json;
use stream_lender::{Loan, SubStreamId};

/// The machines that a value meets on its way to the session `sub` and back.
pub(super) struct Exchange<'a> {
    pub(super) sub: SubStreamId,
    pub(super) context: RunContext<'a>,
    pub(super) retries: &'a mut Retries,
    pub(super) speculation: &'a mut Speculation,
    pub(super) trust: &'a mut Option<Trust>,
    pub(super) confirmations: &'a mut Confirmations,
    pub(super) backpressure: &'a mut ResultBackPressure,
}

/// The answer to an ask.
#[derive(Default)]
pub(crate) struct Asked {
    /// Nothing is ever lent again.
    pub(crate) done: bool,
    /// Asking again at once makes sense.
    pub(crate) asks_again: bool,
    pub(crate) room: usize,
}

/// Events and lines to write, and results to show, after the lock is released.
#[derive(Default)]
pub(crate) struct Told {
    events: bool,
    /// Whether results are shown.
    shows: bool,
    /// The number of the device.
    number: u64,
    pub(crate) happened: Vec<(&'static str, serde_json::Value)>,
    pub(crate) lines: Vec<String>,
    pub(crate) results: Vec<ShownResult>,
}

impl Told {
    /// Nothing told yet; `events`: the events are wanted; `shows`: somebody looks at the results.
    pub(crate) fn new(events: bool, shows: bool) -> Self {
        Self { events, shows, ..Self::default() }
    }

    /// The result of the loan, if it is to be shown once it is accepted.
    fn to_show(&self, loan: Loan, form: Form, result: &Bytes) -> Option<ShownResult> {
        let (index, device) = (loan.index, self.number);
        self.shows.then(|| ShownResult { index, device, form, bytes: result.clone() })
    }

    /// Whether anybody hears of results.
    fn is_heard(&self) -> bool {
        self.events || self.shows
    }

    /// Tells of a result, and shows it if it is `shown`.
    fn result(&mut self, loan: Loan, device: &str, micros: u64, shown: Option<ShownResult>) {
        self.results.extend(shown);
        let ms = micros as f64 / 1000.0;
        self.event("result", || json!({"index": loan.index + 1, "device": device, "ms": ms}));
    }

    fn event(&mut self, kind: &'static str, fields: impl FnOnce() -> serde_json::Value) {
        if self.events {
            self.happened.push((kind, fields()));
        }
    }
}
