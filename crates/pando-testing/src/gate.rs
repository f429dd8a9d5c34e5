//! A gate in a function: the function knocks with `fetch`, and goes on when the test opens the
//! gate. So a test knows which values are being computed and for how long, without waiting for
//! time to pass.

use super::DEADLINE;
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Instant,
};

#[derive(Debug, Default)]
struct GateState {
    /// The names that knocked, in order.
    knocked: Vec<String>,
    /// The number of connections, with or without a knock.
    connections: usize,
    /// The names that may pass; `*` means every name.
    open: BTreeSet<String>,
}

/// A server that holds each request until the test opens its name.
#[derive(Debug)]
pub struct FunctionGate {
    url: String,
    state: Arc<(Mutex<GateState>, Condvar)>,
}

impl FunctionGate {
    /// A gate that is closed to every name.
    pub fn closed() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let state = Arc::<(Mutex<GateState>, Condvar)>::default();
        let served = state.clone();
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let state = served.clone();
                state.0.lock().unwrap().connections += 1;
                thread::spawn(move || serve(socket, &state));
            }
        });
        Self { url, state }
    }

    /// The URL for a knock, to be followed by a name.
    pub fn url(&self) -> String {
        format!("{}/", self.url)
    }

    /// A JavaScript expression for use after `await`: it knocks with the value of the expression
    /// `name`, and waits.
    pub fn knock(&self, name: &str) -> String {
        format!("fetch('{}/' + {name}).then(r => r.text())", self.url)
    }

    /// Waits until `name` has knocked.
    #[track_caller]
    pub fn waits_for(&self, name: &str) {
        let end = Instant::now() + DEADLINE;
        let mut state = self.state.0.lock().unwrap();
        while !state.knocked.iter().any(|other| other == name) {
            let left = end
                .checked_duration_since(Instant::now())
                .unwrap_or_else(|| panic!("{name} did not knock; {:?} did", state.knocked));
            state = self.state.1.wait_timeout(state, left).unwrap().0;
        }
    }

    /// The names that knocked, in order.
    pub fn knocked(&self) -> Vec<String> {
        self.state.0.lock().unwrap().knocked.clone()
    }

    /// The number of connections, with or without a knock.
    pub fn connections(&self) -> usize {
        self.state.0.lock().unwrap().connections
    }

    /// Lets `name` pass, now and later.
    pub fn open(&self, name: &str) {
        self.state.0.lock().unwrap().open.insert(name.into());
        self.state.1.notify_all();
    }

    /// Lets every name pass.
    pub fn open_for_all(&self) {
        self.open("*");
    }
}

fn serve(mut socket: TcpStream, (state, changed): &(Mutex<GateState>, Condvar)) -> Option<()> {
    let mut lines = BufReader::new(socket.try_clone().ok()?).lines();
    let name = lines.next()?.ok()?.split(' ').nth(1)?.trim_start_matches('/').to_owned();
    while !lines.next()?.ok()?.is_empty() {}
    let mut guard = state.lock().unwrap();
    guard.knocked.push(name.clone());
    changed.notify_all();
    while !guard.open.contains(&name) && !guard.open.contains("*") {
        guard = changed.wait(guard).unwrap();
    }
    drop(guard);
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\nAccess-Control-Allow-Origin: *\r\n\r\npass";
    socket.write_all(answer.as_bytes()).ok()
}
