//! A machine of which little is left, and a run that is long: disks, file descriptors, memory, sleep, networks that change.

#[path = "../common/mod.rs"]
mod common;

mod addresses;
mod awake;
mod descriptors;
mod disk;
mod large;
mod long;
mod unread;

const ECHO: &str = "(x, cb) => cb(null, x)";
