//! Addresses and runs that a native volunteer cannot help: each is told, with status 2.

use super::without_cores;
use crate::idle;
use pando_protocol::page::PageOptions;
use pando_testing::JoinCommand;
use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};
use tokio_tungstenite::tungstenite;

#[test]
fn wrong_usage_is_told() {
    let url = "http://127.0.0.1:9/k7d2m9qx4t/";
    let cases: [(&[&str], &str); 5] = [
        (&[], "<URL>"),
        (&["k7d2m9qx4t"], "give the address that the run prints"),
        (&["--cores", "0", url], "give 1 or more"),
        (&["--until-idle", "soon", url], "give a duration"),
        (&["--engine", "v8", url], "give auto, node, deno, bun or embedded"),
    ];
    for (args, words) in cases {
        JoinCommand::bare().args(args.iter().copied()).start().wait().status(2).said(&[words]);
    }
}

#[test]
fn an_address_where_nothing_answers_is_told() {
    let port = pando_testing::free_port();
    let url = format!("http://127.0.0.1:{port}/k7d2m9qx4t/");
    JoinCommand::to(&url)
        .start()
        .wait()
        .status(2)
        .said(&["nothing answers at http://127.0.0.1:", "leads to this machine itself"]);
}

#[test]
fn an_address_without_a_run_is_told() {
    let run = idle(1).stdin_open().start();
    let url = run.url();
    let token = url.trim_end_matches('/').rsplit('/').next().expect("a token");
    let wrong = url.replace(token, "k7d2m9qx4t");
    JoinCommand::to(&wrong)
        .start()
        .wait()
        .status(2)
        .said(&["there is no run at", "ask for a new one"]);
}

#[test]
fn a_function_that_needs_a_page_is_told() {
    let run = without_cores("(x, cb) => cb(null, x)").args(["--dom"]).stdin_open().start();
    JoinCommand::to(&run.url())
        .start()
        .wait()
        .status(2)
        .said(&["needs a page (--dom)", "in a browser"]);
}

#[test]
fn a_machine_without_node_is_told() {
    let run = idle(1).stdin_open().start();
    let volunteer = JoinCommand::to(&run.url()).args(["--engine", "node"]);
    let volunteer = volunteer.env("PATH", "/nonexistent").start();
    volunteer.wait().status(2).said(&["Node.js was not found", "install Node.js"]);
    // Without --trust, the machine must also hold the function.
    let args = ["--engine", "deno", &*run.url()];
    let volunteer = JoinCommand::bare().args(args).env("PATH", "/nonexistent").start();
    volunteer.wait().status(2).said(&["cannot run other people's functions safely", "--trust"]);
}

/// A server that speaks another version of the protocol: it serves the settings of a run, and
/// answers each hello with a goodbye.
fn another_version() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/k7d2m9qx4t/", listener.local_addr().expect("it is bound"));
    let settings = PageOptions { function: "f".into(), ..PageOptions::default() };
    let settings = settings.json("9.9.9", false);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut start = [0; 64];
            let length = stream.peek(&mut start).expect("a request comes");
            if start[..length].starts_with(b"GET /k7d2m9qx4t/job.json") {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).expect("a request is whole");
                    request.extend(byte);
                }
                let length = settings.len();
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
                let _ = stream.write_all((head + &settings).as_bytes());
                continue;
            }
            let Ok(mut socket) = tungstenite::accept(stream) else { continue };
            let _ = socket.read();
            let bye = r#"{"type":"bye","reason":"version","text":"this master has version 999"}"#;
            let _ = socket.send(tungstenite::Message::text(bye));
            while socket.read().is_ok() {}
        }
    });
    url
}

#[test]
fn a_run_of_another_version_is_told() {
    let url = another_version();
    JoinCommand::to(&url).start().wait().status(2).said(&[
        "has another version of Pando",
        "version 999",
        "the same version on both machines",
    ]);
    let waiting = JoinCommand::to(&url).args(["--wait"]).start();
    waiting.says("has another version of Pando");
    waiting.says("waiting for the next run");
}
