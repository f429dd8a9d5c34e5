//! `--journal FILE`: keeps the results of a run in a file, so that the same command goes on where
//! an earlier run ended, for whatever reason.
//!
//! A journal is a header ([`Format`]) followed by records, each with a checksum, which are only
//! ever appended ([`Record`]). Opening a journal ([`open`]) takes a lock, reads the file through,
//! cuts off an incomplete tail, and notes roughly where each result lies ([`Pages`]). While the
//! input is read again, [`Replay`] finds the result of each value: with constant memory as long as
//! the input is as it was, and otherwise with an index by value. Meanwhile [`Recorder`] appends new
//! results, in a thread of its own. This module knows nothing of tokio, volunteers or the lender.

mod at;
mod by_value;
mod contents;
mod file;
mod filter;
mod format;
mod pages;
mod record;
mod recorder;
mod replay;
mod scan;
mod writer;

pub use format::{Format, HEADER};
pub use record::{DeviceMark, Digest, JobFacts, Record, ResultRecord, digest};
pub use scan::{Contents, read};

pub(crate) use contents::{JournalContents, PrintedResult};
pub(crate) use file::{OpenJournal, is_shown, open};
pub(crate) use recorder::{Commit, Entry, Recorder, Store};
pub(crate) use replay::{Known, Replay};
#[cfg(test)]
pub(crate) use scan::results;

use pages::Pages;
use writer::Writer;
