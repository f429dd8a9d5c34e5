//! A server of a third party that records the requests.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A server that answers every request with `7`, which is also a script, and allows every origin.
#[derive(Debug)]
pub(crate) struct Foreign {
    host: String,
    seen: Arc<Mutex<BTreeSet<String>>>,
}

impl Foreign {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let host = listener.local_addr().expect("it has one").to_string();
        let seen = Arc::<Mutex<BTreeSet<String>>>::default();
        let all = seen.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = all.clone();
                thread::spawn(move || serve(stream, &seen));
            }
        });
        Self { host, seen }
    }

    /// `host:port`
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The requested paths without the first `/`, and `(connection)` if a client connected, with
    /// or without a request.
    pub(crate) fn seen(&self) -> BTreeSet<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, seen: &Mutex<BTreeSet<String>>) {
    seen.lock().unwrap().insert("(connection)".into());
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    if let Some(path) = String::from_utf8_lossy(&head).split(' ').nth(1) {
        seen.lock().unwrap().insert(path.trim_start_matches('/').to_owned());
    }
    let body = "7";
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}
