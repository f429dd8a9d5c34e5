//! What the master tells the session of a device.

use crate::protocol::Value;
use stream_lender::{Lent, Loan};

/// News for the session of a device.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// The run is over.
    pub(crate) finished: bool,
    /// The device came back on another channel.
    pub(crate) replaced: bool,
    /// The device neither computes nor returns its values.
    pub(crate) unresponsive: bool,
    /// The owner of the run sends the device away.
    pub(crate) removed: bool,
    /// Loans to recall.
    pub(crate) recalls: Vec<Loan>,
    /// The session asks for no values until other devices have had a chance at the recalled
    /// values.
    pub(crate) waits_after_recall: bool,
    /// Values to send although the session did not ask for them.
    pub(crate) values: Vec<Lent<Value>>,
}
