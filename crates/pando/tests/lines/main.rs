//! Streams that just work: status 0, every line in its place.

#[path = "../common/mod.rs"]
mod common;

mod framing;
