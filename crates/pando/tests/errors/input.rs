//! Inputs that cannot be understood.

use crate::common::{Gate, Pando};

const ECHO: &str = "(x, cb) => cb(null, x)";

#[test]
fn a_line_that_is_not_utf8_after_good_ones() {
    let run = Pando::f(ECHO).stdin(b"a\nb\n\xff\xfe\nd\n").run();
    run.ends(1, "a\nb\n").said(&["error: line 3 ", "UTF-8"]);
}

#[test]
fn a_last_line_that_ends_within_a_character() {
    Pando::f(ECHO).stdin(b"a\ncaf\xc3").run().ends(1, "a\n").said(&["error: line 2 ", "UTF-8"]);
}

#[test]
fn a_first_line_that_is_not_utf8() {
    Pando::f(ECHO).stdin(b"\x80\n").run().ends(1, "").said(&["error: line 1 ", "UTF-8"]);
}

#[test]
fn an_item_that_is_not_utf8_with_nul_separation() {
    Pando::f(ECHO).args(["--null"]).stdin(b"a\0\xff\0").run().ends(1, "a\0").said(&["item 2 ", "UTF-8"]);
}

#[test]
fn values_before_a_bad_line_are_finished() {
    let gate = Gate::new();
    let f = format!("export default async x => {{ await {}; return x }}", gate.knock("x"));
    let run = Pando::new(&f).args(["--concurrency", "3"]).stdin(b"1\n2\n\xff\n").start();
    gate.waits_for("2");
    gate.open_for_all();
    run.wait().ends(1, "1\n2\n").said(&["error: line 3 "]);
}

#[test]
fn a_line_that_is_not_json() {
    let run = Pando::f(ECHO).args(["--json"]).stdin("1\n[2]\n{oops}\n4\n").run();
    run.ends(1, "1\n[2]\n").said(&["error: line 3 is not valid JSON"]);
}

#[test]
fn an_empty_line_is_not_json() {
    Pando::f(ECHO).args(["--json"]).stdin("1\n\n3\n").run().ends(1, "1\n").said(&["line 2 is not valid JSON"]);
}

#[test]
fn two_json_texts_on_a_line_are_not_one() {
    Pando::f(ECHO).args(["--json"]).stdin("1 2\n").run().ends(1, "").said(&["line 1 is not valid JSON"]);
}

#[test]
fn an_item_that_is_not_json() {
    Pando::f(ECHO).args(["--json", "1", "oops"]).run().ends(2, "").said(&["item 2 is not valid JSON"]);
}

#[test]
fn an_item_that_is_not_utf8() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let run = Pando::f(ECHO).args([OsStr::from_bytes(b"\xff")]).run();
    run.ends(2, "");
    assert!(!run.stderr.is_empty());
}

#[test]
fn a_folder_as_standard_input() {
    let pando = Pando::f(ECHO);
    let folder = pando.folder().to_owned();
    pando.stdin_file(folder).run().ends(1, "").said(&["error: standard input cannot be read"]);
}

/// Nothing can be written to `stdout`: the run says so, and ends with status 1.
#[track_caller]
fn unwritable(stdout: std::fs::File) {
    let pando = Pando::f(ECHO).local();
    let output = pando.command().arg("1").stdout(stdout).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error: standard output cannot be written"), "{said}");
}

#[test]
fn a_full_disk_as_standard_output() {
    unwritable(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
}

#[test]
fn a_standard_output_that_is_only_open_for_reading() {
    unwritable(std::fs::File::open("/dev/null").unwrap());
}
