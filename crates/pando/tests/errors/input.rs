//! Inputs that cannot be parsed.

use pando_testing::{FunctionGate, PandoCommand};

const ECHO: &str = "(x, cb) => cb(null, x)";

#[test]
fn a_line_that_is_not_utf8_after_good_ones() {
    let run = PandoCommand::f(ECHO).stdin(b"a\nb\n\xff\xfe\nd\n").run();
    run.ends(1, "a\nb\n").said(&["error: line 3 ", "UTF-8"]);
}

#[test]
fn a_last_line_that_ends_within_a_character() {
    PandoCommand::f(ECHO)
        .stdin(b"a\ncaf\xc3")
        .run()
        .ends(1, "a\n")
        .said(&["error: line 2 ", "UTF-8"]);
}

#[test]
fn a_first_line_that_is_not_utf8() {
    PandoCommand::f(ECHO).stdin(b"\x80\n").run().ends(1, "").said(&["error: line 1 ", "UTF-8"]);
}

#[test]
fn an_item_that_is_not_utf8_with_nul_separation() {
    PandoCommand::f(ECHO)
        .args(["--null"])
        .stdin(b"a\0\xff\0")
        .run()
        .ends(1, "a\0")
        .said(&["item 2 ", "UTF-8"]);
}

#[test]
fn values_before_a_bad_line_are_finished() {
    let gate = FunctionGate::closed();
    let f = format!("export default async x => {{ await {}; return x }}", gate.knock("x"));
    let run = PandoCommand::new(&f).args(["--concurrency", "3"]).stdin(b"1\n2\n\xff\n").start();
    gate.waits_for("2");
    gate.open_for_all();
    run.wait().ends(1, "1\n2\n").said(&["error: line 3 "]);
}

#[test]
fn a_line_that_is_not_json() {
    let run = PandoCommand::f(ECHO).args(["--json"]).stdin("1\n[2]\n{oops}\n4\n").run();
    run.ends(1, "1\n[2]\n").said(&["error: line 3 is not valid JSON"]);
}

#[test]
fn an_empty_line_is_not_json() {
    PandoCommand::f(ECHO)
        .args(["--json"])
        .stdin("1\n\n3\n")
        .run()
        .ends(1, "1\n")
        .said(&["line 2 is not valid JSON"]);
}

#[test]
fn two_json_texts_on_a_line_are_not_one() {
    PandoCommand::f(ECHO)
        .args(["--json"])
        .stdin("1 2\n")
        .run()
        .ends(1, "")
        .said(&["line 1 is not valid JSON"]);
}

#[test]
fn an_item_that_is_not_json() {
    PandoCommand::f(ECHO)
        .args(["--json", "1", "oops"])
        .run()
        .ends(2, "")
        .said(&["item 2 is not valid JSON"]);
}

#[test]
fn an_item_that_is_not_utf8() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let bad = OsStr::from_bytes(b"\xff");
    let run = PandoCommand::f(ECHO).args([bad]).run();
    run.ends(2, "");
    assert!(!run.stderr.is_empty());
    for options in [["--eval", "x => x"], ["--exec", "echo {}"]] {
        let run = || PandoCommand::bare().local().args(options);
        run().args([bad]).run().ends(2, "").said(&["item 1 is not UTF-8 text"]);
        run().args(["", "a"]).run().gives("\na\n");
        run().args([OsStr::new("a"), bad]).run().ends(2, "").said(&["UTF-8"]);
    }
    PandoCommand::bare().local().args(["", "a"]).run().ends(2, "").said(&["FUNCTION is empty"]);
}

#[test]
fn a_folder_as_standard_input() {
    let pando = PandoCommand::f(ECHO);
    let folder = pando.folder().to_owned();
    pando.stdin_file(folder).run().ends(1, "").said(&["error: standard input cannot be read"]);
}

/// Runs with an output that accepts no bytes: the run prints an error and ends with status 1.
#[track_caller]
fn unwritable(stdout: std::fs::File) {
    let pando = PandoCommand::f(ECHO).local();
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

#[test]
fn a_standard_output_that_is_closed_is_noticed_at_the_start() {
    for redirections in [">&-", "1</dev/null", "1</etc/hostname"] {
        let run = PandoCommand::f(ECHO).local().stdin("1\n").redirected(redirections).run();
        run.ends(1, "").said(&[
            "error: standard output cannot be written: it is closed, or not open for writing",
        ]);
    }
    for redirections in [">/dev/null", "1<>/dev/null", "2>&-", "<&- >/dev/null"] {
        PandoCommand::f(ECHO).local().args(["1"]).redirected(redirections).run().status(0);
    }
}

#[test]
fn a_standard_input_that_is_closed_is_no_empty_input() {
    for redirections in ["<&-", "0>/dev/null", "0>>f.js"] {
        let run = PandoCommand::f(ECHO).local().redirected(redirections).run();
        run.ends(2, "").said(&[
            "error: there are no values: standard input is closed, or not open for reading",
        ]);
        PandoCommand::f(ECHO)
            .local()
            .args(["--sync-stdio"])
            .redirected(redirections)
            .run()
            .ends(2, "");
    }
    PandoCommand::f(ECHO).local().args(["1"]).redirected("<&-").run().gives("1\n");
    PandoCommand::f(ECHO).local().redirected("</dev/null").run().gives("");
    PandoCommand::f(ECHO).local().redirected("0<>/dev/null").run().gives("");
}

/// A launcher that limits the memory of each process to `kilobytes`.
fn limited(kilobytes: u32) -> Vec<String> {
    let script = format!("ulimit -v {kilobytes}; exec \"$@\"");
    ["bash", "-c", &script, "bash"].map(str::to_owned).to_vec()
}

#[test]
fn a_line_that_is_too_long_for_the_memory_is_told_by_number() {
    let long = "a".repeat(150_000_000);
    let job = |on_error: &str| {
        let run = PandoCommand::bare().args([
            "--exec",
            "cat",
            "--local",
            "--cores",
            "1",
            "--on-error",
            on_error,
        ]);
        run.stdin(format!("first\n{long}\nlast\n")).inside(&limited(400_000))
    };
    job("stop")
        .run()
        .ends(1, "first\n")
        .said(&["error: line 2 is too long for the memory that there is"]);
    job("skip")
        .run()
        .ends(1, "first\nlast\n")
        .said(&["item 2 failed: line 2 is too long", "1 item failed"]);
}
