//! What goes wrong: an error in words, status 1 or 2, everything before it printed and nothing after it wrong.

#[path = "../common/mod.rs"]
mod common;

mod attempts;
mod browsers;
mod function;
mod input;
mod limits;
mod node;
mod on_error;
mod remedies;
mod results;
mod start;
mod timeouts;
