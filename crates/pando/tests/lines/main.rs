//! Streams without faults: status 0, and every line in its place.

mod callbacks;
mod embedding;
mod ends;
mod events;
mod feedback;
mod files;
mod framing;
mod functions;
mod grace;
mod inline;
mod large;
mod library;
mod library_files;
mod programs;
mod results;
mod said;
mod streams;
mod summary;
mod sync_stdio;
