//! Runs that fail: an error message, status 1 or 2, all output before the failure, and no wrong
//! output after it.

mod attempts;
mod browsers;
mod failed;
mod function;
mod input;
mod limits;
mod node;
mod on_error;
mod remedies;
mod results;
mod start;
mod timeouts;
mod told;
