//! Limits of the relay.

use crate::support::{AsyncSocket, RelayProcess, ScriptedMaster};
use pando_testing::{refuses_http2, until};
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};

fn connect(relay: &RelayProcess) -> TcpStream {
    let socket = TcpStream::connect(&relay.host).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    socket
}

/// Waits until the other side closes the connection.
fn is_closed(socket: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    match socket.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn who_says_nothing_or_dribbles_its_headers_is_dropped() {
    let relay = RelayProcess::start(&[]);
    let (mut silent, mut slow, mut idle) = (connect(&relay), connect(&relay), connect(&relay));
    let mut dribbling = slow.try_clone().unwrap();
    let dribble = std::thread::spawn(move || {
        let mut headers =
            "GET /healthz HTTP/1.1\r\nHost: a\r\n".to_owned() + &"X-More: a\r\n".repeat(10_000);
        while !headers.is_empty()
            && dribbling.write_all(headers.remove(0).to_string().as_bytes()).is_ok()
        {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert!(is_closed(&mut silent) && is_closed(&mut slow));
    assert!(is_closed(&mut idle), "after an answer, too");
    dribble.join().unwrap();
}

#[test]
fn who_speaks_http_2_is_dropped_at_once() {
    let relay = RelayProcess::start(&[]);
    refuses_http2(connect(&relay));
}

#[test]
fn long_headers_are_refused() {
    let relay = RelayProcess::start(&[]);
    let response = pando_testing::request(
        &relay.host,
        &format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(100_000)),
    );
    assert_eq!(response.status, 431);
}

#[test]
fn one_address_has_only_so_many_connections() {
    let relay = RelayProcess::start(&["--max-connections-per-address", "5"]);
    let held: Vec<TcpStream> = (0..5).map(|_| connect(&relay)).collect();
    assert!(is_closed(&mut connect(&relay)));
    drop(held);
    until("there is room again", || {
        let mut socket = connect(&relay);
        socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        (socket.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200"))
            .then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_s_links_do_not_count_for_its_address() {
    let relay = RelayProcess::start(&["--max-connections-per-address", "10"]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    let mut links = Vec::new();
    for _ in 0..8 {
        links.push(master.link().await);
    }
    assert_eq!(relay.health()["links"], 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_has_only_so_many_volunteers() {
    let relay = RelayProcess::start(&["--max-volunteers", "3"]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    let _first = master.volunteer().await;
    let _second = master.link().await;
    let third = master.volunteer().await;
    for name in ["signal", "socket"] {
        assert_eq!(AsyncSocket::open(&master.url(name), &[]).await.unwrap_err(), 503);
    }
    let other = ScriptedMaster::open(&relay, "another").await;
    other.volunteer().await;
    third.0.vanish();
    until("there is room again", || (relay.health()["volunteers"] == 2).then_some(()));
    master.link().await;
}

#[test]
fn too_many_requests_from_one_address_are_told_to_wait() {
    let relay = RelayProcess::start(&[]);
    let mut socket = connect(&relay);
    let (mut answers, mut block) = (Vec::new(), vec![0; 64 << 10]);
    for asked in 1..=100 {
        socket
            .write_all("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100).as_bytes())
            .unwrap();
        while answers.windows(9).filter(|window| window == b"HTTP/1.1 ").count() < 100 {
            let read = socket.read(&mut block).unwrap();
            assert!(read > 0, "closed after {asked} hundred");
            answers.extend_from_slice(&block[..read]);
        }
        if answers.windows(12).any(|window| window == b"HTTP/1.1 429") {
            return;
        }
        answers.clear();
    }
    panic!("all were answered");
}
