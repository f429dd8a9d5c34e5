//! A relay below a path, behind a proxy that removes the path.

use super::tabs_only;
use pando_testing::{EventsFile, PandoCommand, RelayProcess, SECRET, Tab, lines, numbers, visit};
use std::{
    io::{Read, Write, copy},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
};

/// Passes requests below `/pando/` on to `relay`, and answers 404 to all others. Returns its own
/// URL.
fn proxy(relay: &RelayProcess) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let relay = relay.url().trim_start_matches("http://").to_owned();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let relay = relay.clone();
            thread::spawn(move || pass(client, &relay));
        }
    });
    url
}

fn pass(mut client: TcpStream, relay: &str) -> std::io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let Some((method, rest)) = head.split_once(" /pando/") else {
        return client.write_all(
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    };
    // Each connection carries a single request, because the path of every request must be changed.
    let rest = rest.replace("Connection: keep-alive", "Connection: close");
    let mut server = TcpStream::connect(relay)?;
    server.write_all(format!("{method} /{rest}").as_bytes())?;
    let (mut up_from, mut up_to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = copy(&mut up_from, &mut up_to);
        let _ = up_to.shutdown(Shutdown::Write);
    });
    copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Both)
}

#[test]
fn all_urls_are_below_the_path_and_tabs_come_by_every_way() {
    let relay = RelayProcess::start(&[]);
    let base = proxy(&relay);
    for (protocol, path) in [("websocket", "relay"), ("webrtc", "direct")] {
        let events = EventsFile::empty();
        let run = PandoCommand::f("(x, cb) => cb(null, x * 2)")
            .args(["--cores", "0", "--secret", SECRET, "--host", &format!("{base}/pando")])
            .events(&events)
            .stdin(numbers(100))
            .start();
        let url = run.room();
        assert!(url.starts_with(&format!("{base}/pando/")) && url.len() > base.len() + 17, "{url}");
        let _tab = Tab::open(&url, &format!("device=Far;cores=1;protocol={protocol};"));
        run.wait().gives(lines((1..=100).map(|n| n * 2)));
        assert_eq!(events.wait("joined", |_| true)["path"], path);
        assert!(
            visit(&url).body.contains("This link is not in use any more"),
            "with the run its room ends"
        );
    }
}

#[test]
fn what_the_relay_s_operator_says_of_its_address_counts_more() {
    let relay = RelayProcess::start(&["--url", "http://relay.example.org/below"]);
    let run = tabs_only("(x, cb) => cb(null, x)", &relay).stdin_open().start();
    assert!(run.room().starts_with("http://relay.example.org/below/"), "{}", run.room());
    let whom = run.says("Which URL is for which devices: relay.example.org for devices anywhere; ");
    assert!(whom.contains("127.0.0.1:") && whom.ends_with(" for this machine only"), "{whom}");
}

#[test]
fn a_path_at_which_no_relay_is_is_told() {
    let relay = RelayProcess::start(&[]);
    let run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--secret", SECRET, "--host", &format!("{}/pando", relay.url()), "1"])
        .run();
    run.ends(2, "").said(&["error: there is no Pando relay at ", "/pando/"]);
}
