//! `--on-error skip` and `report`: what failed does not end the run.

use crate::common::{BOOM, Pando};

fn run(args: &[&str], input: &str) -> crate::common::Finished {
    Pando::f(BOOM).local().args(["--retries", "1"]).args(args).stdin(input).run()
}

#[test]
fn skip_leaves_it_out_and_says_so() {
    run(&["--on-error", "skip"], "a\nboom\nc\nboom\n").ends(1, "a\nc\n").said(&[
        "item 2 failed on this machine",
        "its input: boom",
        "2 items failed and were left out",
    ]);
}

#[test]
fn report_puts_it_in_its_place() {
    let run = run(&["--on-error", "report", "--json"], "\"a\"\n\"boom\"\n\"c\"\n");
    run.ends(1, "\"a\"\n{\"error\":{\"index\":2,\"message\":\"it went boom\"}}\n\"c\"\n");
}

#[test]
fn report_needs_json() {
    run(&["--on-error", "report"], "a\n").ends(2, "").said(&["--json"]);
}

#[test]
fn nothing_failed() {
    run(&["--on-error", "skip"], "a\nb\n").gives("a\nb\n");
}
