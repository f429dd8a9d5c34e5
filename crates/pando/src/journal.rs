//! `--journal FILE`: keeps the results of a run in a file, so that the same command goes on where
//! an earlier run ended, for whatever reason.
//!
//! A journal is a header followed by records, each with a checksum, which are only ever appended
//! ([`Record`]). Opening a journal ([`open`]) takes a lock, reads the file through, cuts off an
//! incomplete tail, and notes roughly where each result lies ([`Pages`]). While the input is read
//! again, [`Replay`] finds the result of each value, with constant memory, whatever the journal's
//! length and order. Meanwhile [`Recorder`] appends new results, in a thread of its own. This
//! module knows nothing of tokio, volunteers or the lender.

mod file;
mod pages;
mod record;
mod recorder;
mod replay;
mod scan;
mod writer;

pub use record::{Digest, HEADER, JobFacts, Record, ResultRecord};
pub use scan::{Contents, read};

pub(crate) use file::{OpenJournal, is_shown, open};
pub(crate) use record::digest;
pub(crate) use recorder::{Commit, Entry, Recorder, Store};
pub(crate) use replay::{Known, Replay};

use pages::Pages;
use writer::Writer;
