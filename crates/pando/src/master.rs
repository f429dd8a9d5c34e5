//! The master: lends the values of the input to volunteers and writes their results to the output,
//! in order.
//!
//! The rooms of the master, from the bottom up. Each room uses only rooms above in this list:
//!
//! - [`items`]: the way of an item from the input to the output, around the lender;
//! - [`registry`]: the devices, each with one book of loans, and with a health;
//! - [`files`], [`shape`], [`job`], [`resume`]: the purpose of a run, and the results of an earlier
//!   run;
//! - [`said`]: the newest failures and printed lines, for people who look at the run;
//! - [`gallery`]: results for people who look at them;
//! - [`policy`]: the decisions (retries, stragglers, speculation, trust, back-pressure,
//!   confirmation);
//! - [`forecast`]: the time until the end;
//! - [`exchange`]: loans and answers between the lender and a session;
//! - [`shutdown`]: how a run ends;
//! - [`state`]: composes all rooms above; one lock guards the whole;
//! - [`run`]: the lock, and the threads and tasks that wait for a change;
//! - [`session`]: one task per volunteer, which takes values and delivers results, a frame at a
//!   time;
//! - [`io`]: the threads or tasks that read the input, write the output and confirm or compare
//!   results;
//! - [`report`]: what people see of a run: messages, the status line, the summary, snapshots.

mod exchange;
mod files;
mod forecast;
mod gallery;
mod io;
mod items;
mod job;
mod policy;
mod recent;
mod registry;
mod report;
mod resume;
mod run;
mod said;
mod session;
mod shape;
mod shutdown;
#[cfg(test)]
mod simulation;
mod state;

pub(crate) use files::Files;
pub(crate) use files::Use;
pub(crate) use gallery::{GalleryNews, GalleryVisit};
pub(crate) use io::{InputValues, values_of_failed, values_of_items};
pub(crate) use io::{compare, confirm};
pub(crate) use items::{Cut, Ending, Framing, InputError, Left};
pub(crate) use items::{FromProgram, ToProgram};
pub(crate) use job::{InputSize, Job, TrustJob};
pub(crate) use policy::{Decision, MissingFeature};
pub(crate) use registry::Page;
pub(crate) use report::{
    DeviceFigures, IdleCause, LastFigures, ReportFigures, RunPhase, RunSample, RunSnapshot,
    Summary, WallTime, recall_stragglers, watch,
};
pub(crate) use run::{Master, StopRequest};
pub(crate) use session::same_secret;
pub(crate) use session::{Door, attend};
pub(crate) use shape::Shape;
