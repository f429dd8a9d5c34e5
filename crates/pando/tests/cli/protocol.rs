//! Volunteers that violate the protocol receive a reason and are disconnected, and the run goes
//! on.

use pando_protocol::volunteer::VERSION;
use pando_testing::{PandoCommand, Received, RunningProgram, WebSocket, numbers};

pub(crate) fn nobody() -> RunningProgram {
    PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--cores", "0", "--heartbeat", "30s"])
        .stdin_open()
        .start()
}

/// An honest volunteer computes the `count` values, and the run succeeds.
#[track_caller]
fn goes_on(mut run: RunningProgram, url: &str, count: usize) {
    let mut other = WebSocket::join(url, "honest", 1);
    run.close_stdin();
    let mut done = 0;
    while done < count {
        let given = values(&mut other);
        other.binary(&results(&given));
        done += given.len();
    }
    run.wait().gives(numbers(count as u64)).did_not_say(&["panicked"]);
}

/// A value of a frame with small numbers: its index, the number of its loan, its text.
type SmallValue = (u8, u8, Vec<u8>);

/// The values of the next frame.
pub(crate) fn values(socket: &mut WebSocket) -> Vec<SmallValue> {
    loop {
        match socket.receive() {
            Received::Binary(frame) => {
                assert_eq!(frame[0], 1, "a frame of values");
                let mut rest = &frame[1..];
                let mut values = Vec::new();
                while let [id, tag, more @ ..] = rest {
                    let loan = tag >> 3;
                    // The attempt follows, except for the first loan.
                    let more = if loan > 0 { &more[1..] } else { more };
                    let (text, others) = more[1..].split_at(usize::from(more[0]));
                    values.push((*id, loan, text.to_vec()));
                    rest = others;
                }
                return values;
            }
            Received::Text(_) => {}
            Received::Closed => panic!("closed before values came"),
        }
    }
}

/// A frame that answers each value with itself.
pub(crate) fn results(values: &[SmallValue]) -> Vec<u8> {
    let mut frame = vec![2];
    for (id, loan, text) in values {
        frame.extend([*id, loan << 2, 1, text.len() as u8]);
        frame.extend(text);
    }
    frame
}

/// Waits for the goodbye from the master and the end of the connection. Returns the reason and the
/// text.
#[track_caller]
pub(crate) fn sent_away(socket: &mut WebSocket) -> (String, String) {
    let bye = socket.message("bye");
    loop {
        match socket.receive() {
            Received::Closed => {
                return (
                    bye["reason"].as_str().unwrap().into(),
                    bye["text"].as_str().unwrap().into(),
                );
            }
            other => assert!(!matches!(other, Received::Binary(_)), "values after goodbye"),
        }
    }
}

#[test]
fn a_volunteer_by_hand_computes_and_is_thanked() {
    let mut run = nobody();
    let url = run.url();
    let mut phone = WebSocket::open(&url);
    let welcome = phone.hello(&url, "phone", 2);
    assert_eq!(welcome["version"], VERSION);
    run.says("phone joined with 2 cores");
    run.write_line("1");
    let given = values(&mut phone);
    assert_eq!(given, [(0, 0, b"1".to_vec())]);
    phone.binary(&results(&given));
    assert_eq!(run.line().as_deref(), Some("1"));
    run.close_stdin();
    assert_eq!(sent_away(&mut phone).0, "done");
    run.wait().gives("1\n");
}

#[test]
fn garbage_before_hello_is_answered_with_a_reason_and_the_run_goes_on() {
    let mut run = nobody();
    let url = run.url();
    run.write("1\n2\n");
    for garbage in [
        "",
        "garbage",
        "{}",
        "[]",
        "{\"type\":\"hello\"}",
        "{\"type\":\"bye\"}",
        "{\"type\":\"ping\",\"t\":1}",
    ] {
        let mut socket = WebSocket::open(&url);
        socket.text(garbage);
        let (reason, text) = sent_away(&mut socket);
        assert!(reason == "protocol" && !text.is_empty(), "{garbage}: {reason} {text}");
    }
    let mut socket = WebSocket::open(&url);
    socket.binary(&[2, 0, 0, 0, 1, b'x']);
    assert_eq!(sent_away(&mut socket).0, "protocol");
    goes_on(run, &url, 2);
}

#[test]
fn a_hello_of_another_version_or_with_a_wrong_token_is_told_so_in_words() {
    let run = nobody();
    let url = run.url();
    let hello = |version: u32, token: &str| {
        let mut socket = WebSocket::open(&url);
        let hello = serde_json::json!({"type": "hello", "version": version, "token": token, "device": "d", "name": "d", "cores": 1, "holds": [], "kind": "browser"});
        socket.text(&hello.to_string());
        sent_away(&mut socket)
    };
    let token = url.split('/').nth(3).unwrap();
    let (reason, text) = hello(999, token);
    assert!(reason == "version" && text.contains("999"), "{reason} {text}");
    run.says("999");
    let mut other = WebSocket::open(&url);
    other.text(r#"{"type": "hello", "version": 998, "whatever": []}"#);
    let (reason, text) = sent_away(&mut other);
    assert!(reason == "version" && text.contains("998"), "with other fields: {reason} {text}");
    let (reason, text) = hello(VERSION - 1, token);
    assert!(reason == "version" && text.contains("reload the page"), "{reason} {text}");
    assert_eq!(hello(VERSION, "wrong").0, "refused");
    assert_eq!(hello(VERSION, "").0, "refused");
}

#[test]
fn a_message_that_is_too_long_before_hello_closes_and_costs_no_memory() {
    let mut run = nobody();
    let url = run.url();
    run.write("1\n2\n");
    let mut socket = WebSocket::open(&url);
    // The header announces 4 GiB.
    socket.raw(&[0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    socket.raw(&[b'x'; 1 << 20]);
    assert_eq!(socket.receive(), Received::Closed);
    assert!(run.peak_memory() < 300_000_000);
    goes_on(run, &url, 2);
}

#[test]
fn garbage_after_hello_is_answered_with_a_reason_and_what_it_held_goes_to_others() {
    let garbage: &[(bool, &[u8])] = &[
        (true, b"garbage"),
        (true, b"{\"type\":\"unknown\"}"),
        (true, b"{\"type\":\"hello\",\"version\":2,\"device\":\"d\",\"name\":\"d\",\"cores\":1,\"holds\":[]}"),
        (true, b"{\"type\":\"returned\",\"ids\":[-1]}"),
        (true, b"{\"type\":\"returned\",\"ids\":[\"0:0\"]}"),
        (true, b"{\"type\":\"returned\",\"ids\":[\"0:4294967296\"]}"),
        (false, b""),
        (false, b"\x09"),
        (false, b"\x01\x00\x00\x01x"),
        (false, b"\x02\x00\x00\x00\xff\xff\xff\xff\x0f"),
        (false, b"\x02\x00\x00\x00\x01\xff"),
        (false, b"\x02\x00\x80\x80\x80\x80\x40\x00\x01x"),
        (false, b"\x02\x00\x03\x00\x01x"),
        (false, b"\x03\xff\xff\xff\xff\xff\xff\x0fx"),
        (false, b"\x03\x02"),
    ];
    let mut run = nobody();
    let url = run.url();
    run.write("1\n2\n");
    for (number, (text, bytes)) in garbage.iter().enumerate() {
        let name = format!("device-{number}");
        let mut socket = WebSocket::join(&url, &name, 1);
        values(&mut socket);
        if *text {
            socket.text(std::str::from_utf8(bytes).unwrap())
        } else {
            socket.binary(bytes)
        }
        let (reason, text) = sent_away(&mut socket);
        assert!(reason == "protocol" && !text.is_empty(), "{bytes:?}: {reason} {text}");
        run.says(&format!("{name} was sent away: "));
    }
    goes_on(run, &url, 2);
}

#[test]
fn forged_doubled_and_late_results_change_nothing() {
    let mut run = nobody();
    let url = run.url();
    run.write("1\n2\n");
    let [mut first, mut second] = [WebSocket::open(&url), WebSocket::open(&url)];
    first.hello(&url, "first", 1);
    assert_eq!(values(&mut first).len(), 2);
    second.hello(&url, "second", 1);
    // Results for values of another volunteer, and for a value that was never lent.
    let forged = |id: u8, text: &str| results(&[(id, 0, text.into())]);
    (0..3).for_each(|id| second.binary(&forged(id, "forged")));
    heard(&mut second);
    // The first volunteer hands back a value, and the second volunteer receives it.
    first.text("{\"type\":\"update\",\"cores\":0}");
    first.text("{\"type\":\"returned\",\"ids\":[0,99]}");
    let taken = values(&mut second);
    assert_eq!(taken, [(0, 1, b"1".to_vec())]);
    first.binary(&forged(0, "late"));
    heard(&mut first);
    second.binary(&results(&taken));
    second.binary(&forged(0, "twice"));
    heard(&mut second);
    first.binary(&forged(1, "2"));
    first.binary(&forged(1, "twice"));
    heard(&mut first);
    run.close_stdin();
    run.wait().gives("1\n2\n");
}

/// Waits until the master has received everything that `socket` has sent.
fn heard(socket: &mut WebSocket) {
    socket.text("{\"type\":\"ping\",\"t\":\"heard\"}");
    while socket.message("pong")["t"] != "heard" {}
}

#[test]
fn a_volunteer_that_cannot_run_the_function_is_told_of_and_the_others_go_on() {
    let mut run = nobody();
    let url = run.url();
    run.write("1\n");
    let mut old = WebSocket::join(&url, "old phone", 1);
    old.text("{\"type\":\"broken\",\"message\":\"no WebAssembly\"}");
    run.says("old phone cannot run the function: no WebAssembly");
    goes_on(run, &url, 1);
}
