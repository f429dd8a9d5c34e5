//! A relay that lies: the master trusts its messages only within their purpose.

use pando_testing::{DEADLINE, PandoCommand};
use serde_json::{Value, json};
use std::{
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};
use tokio_tungstenite::tungstenite::{
    Message, accept_hdr,
    handshake::server::{ErrorResponse, Request, Response},
};

/// A relay that answers every master with `says`. Returns its URL and the requested paths.
fn hostile(says: Vec<Value>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, paths) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (says, asked) = (says.clone(), asked.clone());
            thread::spawn(move || serve(stream, &says, &asked));
        }
    });
    (url, paths)
}

fn serve(stream: TcpStream, says: &[Value], asked: &Sender<String>) {
    let mut path = String::new();
    #[allow(clippy::result_large_err)]
    let heard = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        path = request.uri().to_string();
        Ok(response)
    };
    let socket = accept_hdr(stream, heard).ok();
    let is_control = path.ends_with("/rooms");
    let _ = asked.send(path);
    let Some(mut socket) = socket else { return };
    // The function comes last, in one message.
    while is_control && !matches!(socket.read(), Ok(Message::Binary(_)) | Err(_)) {}
    for word in says.iter().filter(|_| is_control) {
        let _ = socket.send(Message::Text(word.to_string().into()));
    }
    while socket.read().is_ok() {}
}

#[test]
fn what_it_says_leads_its_master_to_no_other_path_and_is_not_printed_as_it_is() {
    let mut says = vec![json!({
        "type": "opened",
        "url": "https://evil.example/\u{1b}[2J/",
        "stun": ["", "a b:1", "evil.example:0", "[::1", "127.0.0.1:9\r\n"],
    })];
    let odd = ["../../x?", "..", "", "a/b", "a?b", "%2e%2e", "a#b", "a\\b", "http://evil.example/"];
    says.extend(odd.map(|id| json!({"type": "link", "id": id})));
    says.extend([
        json!({"type": "link", "id": 7}),
        json!({"type": "signal", "peer": -1, "message": {}}),
        json!({"type": "signal", "peer": 1, "message": {"type": "offer", "sdp": "x".repeat(40_000)}}),
        json!({"type": "left", "peer": 99}),
        json!({"type": "nonsense"}),
        json!({"type": "link", "id": "abcdefghijkmnpqrstuvwxyz"}),
    ]);
    let (base, paths) = hostile(says);
    let run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--cores", "0", "--token", "sesame-open", "--secret", "s", "--host", &base])
        .stdin_open()
        .start();
    assert_eq!(run.room(), format!("{base}/sesame-open/"));
    let asked = [(); 2].map(|()| paths.recv_timeout(DEADLINE).expect("the master asks"));
    assert_eq!(asked, ["/rooms", "/rooms/sesame-open/links/abcdefghijkmnpqrstuvwxyz"]);
    assert!(!run.stderr().contains("evil"), "{}", run.stderr());
}

#[test]
fn a_message_that_is_too_long_ends_its_connection_and_not_the_run() {
    let opened = json!({"type": "opened", "url": ""});
    let (base, paths) =
        hostile(vec![opened, json!({"type": "nonsense", "text": "x".repeat(100_000)})]);
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--secret", "s", "--host", &base])
        .stdin_open()
        .start();
    run.says("the relay is out of reach");
    let asked = [(); 2].map(|()| paths.recv_timeout(DEADLINE).expect("the master asks"));
    assert_eq!(asked, ["/rooms", "/rooms"], "it is tried again");
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
}
