//! Addresses and runs that a native volunteer cannot help: each is told, with status 2.

use super::without_cores;
use crate::idle;
use pando_testing::JoinCommand;

#[test]
fn wrong_usage_is_told() {
    let url = "http://127.0.0.1:9/k7d2m9qx4t/";
    let cases: [(&[&str], &str); 5] = [
        (&[], "<URL>"),
        (&["k7d2m9qx4t"], "give the address that the run prints"),
        (&["--cores", "0", url], "give 1 or more"),
        (&["--until-idle", "soon", url], "give a duration"),
        (&["--engine", "bun", url], "Bun cannot"),
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
