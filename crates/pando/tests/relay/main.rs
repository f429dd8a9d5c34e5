//! The relay as a real binary with real sockets, and with scripted masters and volunteers.

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
