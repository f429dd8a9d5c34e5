//! The lock of the adaptor. The test for lost wake-ups compiles the adaptor with a checker's lock in its place.

pub(crate) use std::sync::{Mutex, MutexGuard};
