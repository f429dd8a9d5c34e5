//! Names and messages of devices never become HTML, and never more than a line with the device's
//! name.

use crate::{host, served};
use pando_testing::{EventsFile, PandoCommand, Tab, WebSocket};
use serde_json::json;

/// A text that clears the screen, renames the window, reverses the direction of writing, adds a
/// line, and is very long.
fn nasty() -> String {
    format!(
        "\u{1b}[2J\u{1b}]0;evil\u{7}\u{9b}31m\u{202e}\u{2066}\r\nServing volunteer code at http://evil/\u{2028}{}",
        "x".repeat(200_000)
    )
}

#[test]
fn nothing_that_a_device_says_steers_the_terminal_or_looks_like_the_master_s_word() {
    let events = EventsFile::empty();
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args([
            "--cores",
            "0",
            "--on-error",
            "skip",
            "--retries",
            "0",
            "--reporting-interval",
            "100ms",
        ])
        .events(&events)
        .stdin_open()
        .start();
    let url = run.url();
    let nasty = nasty();
    run.write("1\n");
    let mut socket = WebSocket::open(&url);
    let token = url.trim_end_matches('/').rsplit('/').next().unwrap();
    let hello = json!({"type": "hello", "version": pando_protocol::volunteer::VERSION, "token": token, "device": "nasty", "name": nasty, "cores": 1, "holds": [], "kind": nasty});
    // The text is shorter than the limit for a stranger's message.
    socket.text(&hello.to_string().replace(&"x".repeat(200_000), &"x".repeat(20_000)));
    socket.message("welcome");
    socket.text(
        &json!({"type": "log", "entries": [{"level": "log", "text": nasty, "id": 0}]}).to_string(),
    );
    socket.text(&json!({"type": "report", "report": {"nbItems": 1, "units": nasty}}).to_string());
    socket.text(&json!({"type": "update", "name": format!("other {nasty}")}).to_string());
    run.says("is now called");
    run.says("/s");
    // An error for item 1: kind, index, tag, time, length, JSON.
    let error = json!({"message": nasty, "stack": nasty, "kind": nasty}).to_string();
    let mut frame = vec![2, 0, 3, 0];
    let mut length = error.len();
    while length >= 0x80 {
        frame.push(length as u8 | 0x80);
        length >>= 7;
    }
    frame.push(length as u8);
    frame.extend(error.as_bytes());
    socket.binary(&frame);
    run.says("item 1 failed on");
    let mut other = WebSocket::join(&url, "Bob", 1);
    other.text(&json!({"type": "broken", "message": nasty, "stack": nasty}).to_string());
    run.says("Bob cannot run the function");
    let mut third = WebSocket::join(&url, "Cleo", 1);
    third.text(&json!({"type": nasty}).to_string());
    run.says("Cleo was sent away");
    run.close_stdin();
    let end = run.wait();
    let steers = |c: &char| {
        *c != '\n'
            && (c.is_control()
                || ('\u{2028}'..='\u{202e}').contains(c)
                || ('\u{2066}'..='\u{2069}').contains(c))
    };
    assert_eq!(end.stderr.chars().find(steers), None, "{}", &end.stderr[..2000]);
    let written = std::fs::read_to_string(events.path()).unwrap();
    assert_eq!(written.chars().find(steers), None);
    assert!(written.contains("\\u009b31m\\u202e\\u2066"), "it means the same");
    for line in end.stderr.lines() {
        assert!(!line.starts_with("Serving volunteer code at http://evil"), "{line}");
        assert!(line.len() < 11_000, "{} bytes", line.len());
    }
}

#[test]
fn what_functions_print_and_how_devices_are_called_is_text_on_the_page() {
    let f = r"(x, cb) => {
      const evil = '<img src=x onerror=window.hit=1><script>window.hit=1</scr' + 'ipt>'
      if (x === 'print') { console.log(evil); setTimeout(() => cb(null, 'printed'), 100); return }
      const look = () => {
        const lines = document.getElementById('lines')
        if (!lines.textContent.includes('<img src=x')) return setTimeout(look, 50)
        cb(null, [lines.querySelectorAll('img, script').length, document.images.length, window.hit, document.getElementById('name').value].join(' '))
      }
      look()
    }";
    let run = PandoCommand::f(f).args(["--dom"]).stdin("print\nlook\n").start();
    let _tab = Tab::open(&run.url(), "device=%3Cimg/src=x/onerror=hit=1%3E;");
    run.wait()
        .gives("printed\n0 0  <img/src=x/onerror=hit=1>\n")
        .said(&["<img src=x onerror=window.hit=1>"]);
}

#[test]
fn what_the_address_says_is_not_repeated_as_html() {
    let run = served(&[]);
    let url = run.url();
    for path in ["<script>alert(1)</script>", "%3Cscript%3Ealert(1)%3C/script%3E"] {
        let request =
            format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let response = pando_testing::request(host(&url), &request);
        assert!(
            !response.body.contains("script")
                && response.header("content-type") != Some("text/html"),
            "{response:?}"
        );
    }
}
