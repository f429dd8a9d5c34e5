//! The master: lends the values of the input to volunteers and writes their results to the output,
//! in order.
//!
//! Its rooms, from the bottom up; each knows only rooms above it in this list:
//!
//! - [`path`]: the way of an item from the input to the output, around the lender;
//! - [`registry`]: the devices, each with one book of its loans, and its health;
//! - [`files`], [`job`], [`resume`]: what a run is about, and what an earlier run has left;
//! - [`policy`]: what is decided (retries, stragglers, speculation, back-pressure, confirmation);
//! - [`state`]: composes all these; one lock guards the result;
//! - [`run`]: the lock, and whoever waits for a change;
//! - [`session`]: one task per volunteer, which takes values and delivers results, a frame at a
//!   time;
//! - [`ends`]: the threads or tasks that read the input, write the output and confirm results;
//! - [`report`]: what people are told while a run goes on.

mod ends;
mod files;
mod job;
mod path;
mod policy;
mod registry;
mod report;
mod resume;
mod run;
mod session;
#[cfg(test)]
mod simulation;
mod state;

pub(crate) use ends::confirm;
pub use ends::{Values, items};
pub use files::Files;
pub(crate) use files::Use;
pub use job::Job;
pub use path::{Cut, Ending, Framing, InputError, Left, Unusable};
pub(crate) use path::{FromProgram, ToProgram};
pub(crate) use policy::MissingFeature;
pub use registry::{Page, Statistics};
pub use report::{recall_stragglers, watch};
pub use run::Master;
pub(crate) use session::same_secret;
pub use session::{Door, attend};
