//! Why cores have no value, in kinds that can be added up over a run.

use serde::Serialize;
use std::collections::BTreeMap;

/// Why a core that may compute has no value. The kinds follow the sentence of
/// [`why`](super::why), in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum IdleCause {
    /// No further value has come from the input.
    Input,
    /// The reader of the output is slow, so that no value can be read.
    Reader,
    /// The window is full: all results wait for an earlier item.
    Order,
    /// All values are lent or done.
    End,
    /// The device rests or stands back.
    Aside,
    /// Values that failed or came back wait for other devices.
    Failures,
    /// By `--copies` or `--verify`, values wait for devices other than those that are connected.
    Devices,
    /// The command of `--confirm` checks results.
    Confirm,
    /// There are values, and they are on their way.
    Network,
}

/// The number of cores without a value, by the cause.
pub(crate) type IdleCores = BTreeMap<IdleCause, u64>;
