//! The relay, with the real binary, real sockets, and masters and volunteers that follow a script.

#[path = "../common/mod.rs"]
mod common;

mod support;

mod ends;
mod limits;
mod links;
mod options;
mod pages;
mod proxy;
mod rooms;
mod signalling;
mod tls;
mod turn;
