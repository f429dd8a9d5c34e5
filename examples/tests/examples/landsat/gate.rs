//! A proxy to a server that can hold back uploads.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// Passes connections on to a server, but uploads only while the gate is open.
pub(super) struct UploadGate {
    /// The address of the gate, as `http://ADDRESS/`.
    pub(super) url: String,
    state: Arc<GateState>,
}

struct GateState {
    open: AtomicBool,
    held: AtomicUsize,
}

impl UploadGate {
    /// A closed gate to the server at `url`.
    pub(super) fn closed(url: &str) -> Self {
        let server = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}/", listener.local_addr().expect("it listens"));
        let state = Arc::new(GateState { open: AtomicBool::new(false), held: AtomicUsize::new(0) });
        let theirs = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (server, state) =
                    (TcpStream::connect(&server).expect("the server listens"), theirs.clone());
                let (answers, to) =
                    (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
                thread::spawn(move || copy(answers, to, |_| true));
                thread::spawn(move || copy(client, server, |piece| state.passes(piece)));
            }
        });
        Self { url, state }
    }

    /// Lets uploads pass from now on. Uploads held before never pass.
    pub(super) fn open(&self) {
        self.state.open.store(true, Ordering::SeqCst);
    }

    /// The number of uploads held so far.
    pub(super) fn held(&self) -> usize {
        self.state.held.load(Ordering::SeqCst)
    }
}

impl GateState {
    /// Whether a connection may pass on `piece`. A piece is the start of a request, because
    /// browsers send a request only after the answer to the previous one.
    fn passes(&self, piece: &[u8]) -> bool {
        let passes = !piece.starts_with(b"PUT ") || self.open.load(Ordering::SeqCst);
        if !passes {
            self.held.fetch_add(1, Ordering::SeqCst);
        }
        passes
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, passes: impl Fn(&[u8]) -> bool) {
    let mut buffer = [0; 16 * 1024];
    let mut held = false;
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        held = held || !passes(&buffer[..length]);
        if !held && to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
