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

pub use file::{Opened, is_shown, open};
pub use pages::Pages;
pub use record::{Digest, HEADER, Item, Kept, Record, digest};
pub use recorder::{Entry, Put, Recorder, Store, Unwritten};
pub use replay::{Known, Replay};
pub use scan::{Contents, read};
pub use writer::Writer;
