//! Tools for end-to-end tests: the real binary, raw HTTP and WebSocket, and real browsers.
//!
//! ```ignore
//! let run = Pando::f("(x, cb) => cb(null, x * 2)").stdin("1\n2\n").run();
//! run.gives("2\n4\n");
//! ```

#![allow(dead_code, unused_imports)]

mod browser;
mod certificate;
mod driven;
mod events;
mod finished;
mod gate;
mod gathered;
mod http;
mod npm;
mod pando;
mod process;
mod running;
mod surroundings;
mod tab;
mod text;
mod websocket;
pub(crate) mod without_form;

use std::time::Duration;

pub(crate) use browser::{ANOTHER_NAME, Browser, DevTools, Engine, Page, Program};
pub(crate) use certificate::{Certificate, encrypted};
pub(crate) use driven::Driven;
pub(crate) use events::Events;
pub(crate) use finished::Finished;
pub(crate) use gate::Gate;
pub(crate) use http::{Response, connect, free_port, get, http2, request, visit};
pub(crate) use npm::with_packages;
pub(crate) use pando::{BINARY, Pando};
pub(crate) use process::{Group, children, cpu_ticks, is_alive, kill, until};
pub(crate) use running::Running;
pub(crate) use surroundings::make_neutral;
pub(crate) use tab::Tab;
pub(crate) use text::{BOOM, lines, numbers};
pub(crate) use websocket::{Received, WebSocket};

/// The longest time that a test waits for anything, on a busy machine with two cores. Then the
/// test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// The longest time for a run. Then the run is killed, and its output is shown.
pub(crate) const LONGEST_RUN: Duration = Duration::from_secs(180);
