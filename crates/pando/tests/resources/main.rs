//! Machines with few resources, and long runs: disks, file descriptors, memory, sleep, changes of
//! the network.

mod addresses;
mod awake;
mod descriptors;
mod disk;
mod large;
mod long;
mod unread;

const ECHO: &str = "(x, cb) => cb(null, x)";
