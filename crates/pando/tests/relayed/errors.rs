//! A relay that cannot be used: status 2 and a message.

use pando_testing::{PandoCommand, RelayProcess, SECRET, free_port};
use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

fn master(host: &str, secret: &str) -> PandoCommand {
    PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--host", host, "--secret", secret])
        .stdin("1\n")
}

#[test]
fn a_wrong_secret() {
    let relay = RelayProcess::start(&[]);
    master(relay.url(), "wrong")
        .run()
        .ends(2, "")
        .said(&["error: the relay at ", "refuses this --secret"]);
}

#[test]
fn no_secret() {
    PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--host", "http://127.0.0.1:1", "1"])
        .run()
        .ends(2, "")
        .said(&["--secret"]);
}

#[test]
fn nobody_there() {
    let url = format!("http://127.0.0.1:{}", free_port());
    master(&url, "s").run().ends(2, "").said(&["error: no relay runs at ", "connection refused"]);
}

#[test]
fn an_address_that_is_none() {
    master("ftp://example.org", "s")
        .run()
        .ends(2, "")
        .said(&["error: --host ftp://example.org", "http"]);
}

#[test]
fn something_else_than_a_relay() {
    let (url, _) =
        answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    master(&url, "s").run().ends(2, "").said(&["error: there is no Pando relay at "]);
}

#[test]
fn a_network_that_blocks_websockets() {
    // The server answers plain requests like a relay, and upgrades like some proxies.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let request = head(&mut stream);
            let answer = if request.starts_with("GET /healthz ") {
                "HTTP/1.1 200 OK\r\nContent-Length: 31\r\nConnection: close\r\n\r\n{\"status\":\"ok\",\"rooms\":0,\"v\":0}"
            } else {
                "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            };
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    master(&url, "s").run().ends(2, "").said(&["this network blocks WebSockets"]);
}

#[test]
fn a_proxy_of_the_environment_is_used_unless_the_relay_is_spared() {
    let relay = RelayProcess::start(&[]);
    let (proxy, asked) =
        answering("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    let refused = master(relay.url(), SECRET).env("HTTPS_PROXY", &proxy).run();
    refused.ends(2, "").said(&["error: the proxy ", "wants a name and a password"]);
    let host = relay.url().trim_start_matches("http://");
    assert!(asked.recv().unwrap().starts_with(&format!("CONNECT {host} HTTP/1.1\r\n")));
    let spared =
        master(relay.url(), SECRET).env("HTTPS_PROXY", &proxy).env("NO_PROXY", "127.0.0.1").run();
    spared.gives("1\n");
}

#[test]
fn a_proxy_that_makes_the_tunnel() {
    let relay = RelayProcess::start(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://ann:secret@{}", listener.local_addr().unwrap());
    let target = relay.url().trim_start_matches("http://").to_owned();
    let served = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let request = head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
        let mut relay = std::net::TcpStream::connect(target).unwrap();
        let (mut back, mut forth) = (relay.try_clone().unwrap(), stream.try_clone().unwrap());
        thread::spawn(move || drop(std::io::copy(&mut back, &mut forth)));
        let _ = std::io::copy(&mut stream, &mut relay);
        request
    });
    master(relay.url(), SECRET).env("HTTPS_PROXY", &proxy).run().gives("1\n");
    assert!(served.join().unwrap().contains("Proxy-Authorization: Basic YW5uOnNlY3JldA=="));
}

#[test]
fn a_relay_without_a_secret_does_not_start() {
    let relay = PandoCommand::bare().args(["relay", "--port", "0", "--no-udp"]);
    relay.run().status(2).said(&["there is no secret"]);
}

/// A server that answers every request with `answer`. Also returns the requests.
fn answering(answer: &'static str) -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, questions) = std::sync::mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = asked.send(head(&mut stream));
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (url, questions)
}

fn head(stream: &mut std::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
        bytes.push(byte[0]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
