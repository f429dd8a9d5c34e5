//! Values go out.

use super::{Asked, Exchange};
use crate::{
    master::{
        items::Items,
        policy::{RunContext, Trust, stand_back},
        registry::{Device, Registry},
    },
    protocol::{PART, Value, value_len},
};
use stream_lender::{Ask, Lent, SubStreamId};
use tracing::trace;

impl Exchange<'_> {
    /// Lends values to the session, as many as fit into a frame, and puts them into `lent`.
    pub(in crate::master) fn ask(&mut self, lent: &mut Vec<Lent<Value>>) -> Asked {
        let Self { sub, context, retries, speculation, trust, .. } = self;
        let RunContext { items, registry, now, .. } = context;
        let (sub, now) = (*sub, *now);
        let Some(loans) = registry.get_mut(sub).map(Device::loans_mut) else {
            return Asked::default();
        };
        loans.end_alone_unless(|index| items.lender().holder(index) == Some(sub));
        let (room, room_bytes) = (loans.room(), loans.room_bytes());
        let mut alone = loans.alone().is_some();
        let first = items.lender().held(sub) == 0 && !loans.has_copies();
        // A device that stands back is lent little, and values failed by other devices do not wait
        // for it.
        let limit = stand_back::lend_limit(items.lender(), registry, sub, now);
        let mut asked = Asked { asks_again: limit > 1 && !alone, ..Asked::default() };
        let (mut length, mut bytes, mut missing) = (1, 0, 0);
        while !alone && lent.len() < room.min(limit) && (lent.is_empty() || length < room_bytes) {
            let answer = match trust {
                None => items.ask(sub),
                Some(trust) => ask_for_copy(trust, items, registry, sub),
            };
            match answer {
                Ask::Value(value) if speculation.prefer_copy(items, registry, sub, value.loan) => {}
                Ask::Value(value) => {
                    alone = retries.goes_alone(value.loan.index);
                    bytes += value.value.bytes.len() as u64;
                    length += value_len(&value.value);
                    lent.push(value);
                    if length > PART {
                        break;
                    }
                }
                Ask::Wait => {
                    (asked.asks_again, missing) = (false, room - lent.len());
                    break;
                }
                Ask::Done => {
                    (asked.asks_again, asked.done) = (false, true);
                    break;
                }
            }
        }
        if let Some(device) = registry.get_mut(sub) {
            if let Some(last) = lent.last() {
                device.loans_mut().add(lent.len(), bytes);
                if alone {
                    device.loans_mut().set_alone(last.loan.index);
                }
            }
            device.asked(lent.len(), missing, first, now);
            asked.room = device.loans().room();
        }
        trace!(session = ?sub, count = lent.len(), room, limit, "values are lent");
        // A device that may have one value, and gets none now, waits for the next one that comes
        // back: others may hold all values at each moment when it asks.
        let waits = limit == 1 && lent.is_empty() && !asked.done;
        if limit <= 1 && !waits {
            stand_back::stand_back(items.lender_mut(), registry, sub);
        }
        asked
    }
}

/// Asks for a copy of a value that wants another device, or else of a new value.
fn ask_for_copy(
    trust: &mut Trust,
    items: &mut Items,
    registry: &mut Registry,
    sub: SubStreamId,
) -> Ask<Value> {
    loop {
        if let Some(copy) = trust.lend(items, registry, sub) {
            return Ask::Value(copy);
        }
        match items.ask(sub) {
            Ask::Value(lent) => {
                if let Some(copy) = trust.take_in(items, registry, sub, lent.loan) {
                    return Ask::Value(copy);
                }
            }
            Ask::Wait => {
                trust.waits(sub);
                return Ask::Wait;
            }
            Ask::Done => return Ask::Done,
        }
    }
}
