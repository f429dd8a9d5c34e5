//! A server of somebody else, which remembers who came.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// Answers everything with the text `from afar`, to pages of any origin.
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

    /// The paths that were asked for, without the first `/`; a connection on which nothing was asked is `(connection)`.
    pub(crate) fn seen(&self) -> BTreeSet<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, seen: &Mutex<BTreeSet<String>>) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).map_or("(connection)", |path| path.trim_start_matches('/'));
    // A browser looks for pictures of its own accord.
    if path != "favicon.ico" {
        seen.lock().unwrap().insert(path.to_owned());
    }
    let body = "from afar";
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}
