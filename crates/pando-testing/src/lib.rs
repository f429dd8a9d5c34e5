//! Helpers for tests, benchmarks and examples: the real programs, raw HTTP and WebSocket,
//! volunteers by hand, real browsers, and virtual networks.
//!
//! ```ignore
//! let run = PandoCommand::f("(x, cb) => cb(null, x * 2)").stdin("1\n2\n").run();
//! run.gives("2\n4\n");
//! ```
//!
//! | subject | modules |
//! |---|---|
//! | programs | `program`, `finished`, `pando`, `relay`, `engines`, `processes`, `surroundings` |
//! | browsers | `tab` (one tab without control), `driven` (one tab under control), `browser` (every engine) |
//! | volunteers by hand | `websocket`, `volunteer`, `http` |
//! | native volunteers | `join` |
//! | networks | `networks`, `proxy` |
//! | files | `files`, `events`, `certificate`, `npm` |
//! | functions and inputs | `gate`, `text`, `without_form` |

mod browser;
mod certificate;
mod devtools;
mod driven;
mod engines;
mod events;
mod files;
mod finished;
mod gate;
mod gathered;
mod http;
mod join;
mod networks;
mod npm;
mod pando;
mod processes;
mod program;
mod proxy;
mod relay;
mod surroundings;
mod tab;
mod text;
pub mod volunteer;
mod websocket;
pub mod without_form;

use std::time::Duration;

pub use browser::{ANOTHER_NAME, Browser, BrowserEngine, BrowserProgram, TabId};
pub use certificate::{TestCertificate, encrypted};
pub use driven::DrivenTab;
pub use engines::{find_program, path_with_engines};
pub use events::EventsFile;
pub use files::make_pipe;
pub use finished::Finished;
pub use gate::FunctionGate;
pub use http::{Response, connect, free_port, get, http2, refuses_http2, request, visit};
pub use join::{CuttablePort, JoinCommand};
pub use networks::{Internet, Loss, Router};
pub use npm::{install, with_packages};
pub use pando::PandoCommand;
pub use processes::{Cpu, Group, children, has_ended, kill, memory, peak_memory, until};
pub use program::{Output, RunningProgram, Stdin, Streams, built};
pub use proxy::{connect_proxy, exactly, proxy, socks5_proxy};
pub use relay::{RelayProcess, SECRET};
pub use surroundings::make_neutral;
pub use tab::{Chromium, Tab};
pub use text::{BOOM, lines, numbers};
pub use websocket::{Received, WebSocket};

/// The longest time that a test waits for anything, on a busy machine with two cores. Then the
/// test fails.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// The longest time for a run. Then the run is killed, and its output is shown.
pub const LONGEST_RUN: Duration = Duration::from_secs(180);
