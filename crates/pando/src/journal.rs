//! `--journal FILE`: the results of a run in a file, so that the same command goes on where an earlier one ended, however that was.
//!
//! A journal is a header and then records, each with a checksum, which are only ever appended ([`Record`]). Opening it ([`open`]) takes a
//! lock, reads it through, cuts off a tail that was not written whole, and notes roughly where each result lies ([`Pages`]). While the
//! input is read again, [`Replay`] finds the result of each value; memory stays constant, whatever the journal's length and order.
//! Meanwhile [`Recorder`] appends what is new, in a thread of its own. Nothing here knows of tokio, volunteers or the lender.

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
