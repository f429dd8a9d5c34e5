//! Streams without faults: status 0, and every line in its place.

mod assets;
mod callbacks;
mod chunk;
mod embedding;
mod ends;
mod events;
mod feedback;
mod files;
mod framing;
mod functions;
mod grace;
mod grid;
mod head;
mod inline;
mod large;
mod library;
mod library_files;
mod numbered;
mod order;
mod programs;
mod results;
mod rows;
mod said;
mod streams;
mod summary;
mod sync_stdio;
