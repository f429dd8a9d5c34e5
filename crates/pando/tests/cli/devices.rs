//! Simulated devices: their names, their reconnections, their silence.

use super::protocol::{nobody, results, sent_away, values};
use pando_testing::{PandoCommand, WebSocket};
use serde_json::json;

#[test]
fn a_name_that_would_steer_the_terminal_is_made_harmless_and_long_ones_are_cut() {
    let run = nobody();
    let url = run.url();
    let mut socket = WebSocket::open(&url);
    let name = format!("\u{1b}[2J\u{202e}evil\nline {}", "x".repeat(10_000));
    socket.introduce(&url, "d", json!({"name": name, "cores": 4_000_000_000u32}));
    let line = run.says(" joined with ");
    assert!(!line.contains('\u{1b}') && !line.contains('\u{202e}') && line.len() < 500, "{line:?}");
    assert!(line.contains("evil"), "{line:?}");
}

#[test]
fn devices_of_one_name_are_told_apart() {
    let run = nobody();
    let url = run.url();
    let mut sockets = Vec::new();
    for (device, expected) in
        [("a", "Phone joined"), ("b", "Phone 2 joined"), ("c", "Phone 3 joined")]
    {
        let mut socket = WebSocket::open(&url);
        socket.introduce(&url, device, json!({"name": "Phone"}));
        run.says(expected);
        sockets.push(socket);
    }
}

#[test]
fn a_device_that_comes_back_on_another_connection_keeps_what_it_holds() {
    let mut run = nobody();
    let url = run.url();
    run.write("1\n2\n");
    let mut first = WebSocket::open(&url);
    let welcome = first.hello(&url, "phone", 1);
    let given = values(&mut first);
    let mut second = WebSocket::open(&url);
    let kept = second.introduce(&url, "phone", json!({"job": welcome["job"], "holds": [0, 1, 7]}));
    assert_eq!(kept["keep"], json!([0, 1]));
    assert_eq!(sent_away(&mut first).0, "replaced");
    second.binary(&results(&given));
    run.close_stdin();
    run.wait().gives("1\n2\n");
}

#[test]
fn a_silent_device_is_taken_for_gone_after_three_heartbeats() {
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--cores", "0", "--heartbeat", "300ms"])
        .stdin_open()
        .start();
    let url = run.url();
    run.write_line("1");
    let mut silent = WebSocket::join(&url, "silent", 1);
    values(&mut silent);
    run.says(
        "silent has been silent for 900ms and is taken for gone; its value goes to another device",
    );
    let mut other = WebSocket::join(&url, "other", 1);
    let given = values(&mut other);
    other.binary(&results(&given));
    assert_eq!(run.line().as_deref(), Some("1"));
}
