//! The lock of the adaptor. The test for lost wake-ups compiles the adaptor with a checker's lock
//! instead.

pub(crate) use std::sync::{Mutex, MutexGuard};
