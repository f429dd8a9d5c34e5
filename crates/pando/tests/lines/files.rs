//! `--files`: the bytes of files in, and results into files.

use crate::common::Pando;
use std::fs;

const ECHO: &str = "(bytes, cb) => cb(null, Buffer.isBuffer(bytes) ? bytes : 'no Buffer')";

fn echo() -> Pando {
    Pando::f(ECHO).with_file("a/x.txt", "hello\n").with_file("b.bin", (0..=255).collect::<Vec<u8>>()).local().args(["--files"])
}

#[test]
fn results_lie_below_the_folder_under_the_same_names() {
    let out = tempfile::tempdir().unwrap();
    let (text, bytes) = (out.path().join("a/x.dat"), out.path().join("b.dat"));
    let run = echo().args(["--ext", "dat", "a/x.txt", "./b.bin", "--output-dir"]).args([out.path()]).run();
    run.gives(format!("{}\n{}\n", text.display(), bytes.display()));
    assert_eq!(fs::read(text).unwrap(), b"hello\n");
    assert_eq!(fs::read(bytes).unwrap(), (0..=255).collect::<Vec<u8>>());
    let names: Vec<_> = fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "nothing temporary is left: {names:?}");
}

#[test]
fn a_blob_is_written_as_its_bytes() {
    let out = tempfile::tempdir().unwrap();
    let f = "export default async bytes => new Blob([bytes, '!'], { type: 'image/png' })";
    let run = Pando::new(f).with_file("a", [0, 10, 255]).local().args(["--files", "a", "--output-dir"]).args([out.path()]).run();
    run.gives(format!("{}\n", out.path().join("a").display()));
    assert_eq!(fs::read(out.path().join("a")).unwrap(), [0, 10, 255, b'!']);
}

#[test]
fn names_come_from_standard_input_as_well_and_results_can_be_printed() {
    let run = Pando::f("(bytes, cb) => cb(null, String(bytes.length))").with_file("a", "xyz").with_file("b", "").local();
    run.args(["--files"]).stdin("a\nb\n").run().gives("3\n0\n");
}

#[test]
fn a_file_that_is_not_there_ends_the_run_after_those_before_it() {
    echo()
        .args(["--output-dir", "out"])
        .stdin("b.bin\nnone\na/x.txt\n")
        .run()
        .ends(1, "out/b.bin\n")
        .said(&["error: item 2: none cannot be read"]);
}

#[test]
fn a_file_that_cannot_be_read_is_left_out_where_failures_are() {
    let out = tempfile::tempdir().unwrap();
    let run = echo().args(["--on-error", "skip", "--output-dir"]).args([out.path()]).stdin("none\nb.bin\na\na/x.txt\n").run();
    run.ends(1, format!("{0}/b.bin\n{0}/a/x.txt\n", out.path().display()));
    run.said(&["item 1: none cannot be read", "item 3: a cannot be read", "2 items failed and were left out"]);
    assert_eq!(fs::read(out.path().join("a/x.txt")).unwrap(), b"hello\n");
}

#[test]
fn a_file_that_cannot_be_read_is_tried_again_when_a_journal_is_gone_on_with() {
    let journal = tempfile::NamedTempFile::new().unwrap();
    let again = || echo().args(["-0", "--on-error", "skip", "--journal"]).args([journal.path()]).stdin("none\0a/x.txt\0");
    again().run().ends(1, "hello\n\0");
    let run = again().with_file("none", "there\n").run();
    run.gives("there\n\0hello\n\0");
}

#[test]
fn errors_in_place_of_results_need_results_that_are_json() {
    echo().args(["--on-error", "report", "b.bin"]).run().ends(2, "").said(&["--files", "--on-error skip"]);
}

#[test]
fn names_without_a_place_of_their_own_are_refused() {
    for (names, why) in [
        (["a/x.txt", "a/../b.bin"], "`..`"),
        (["a/x.txt", "/etc/hostname"], "absolute"),
        (["a/x.txt", "./a/x.txt"], "same target"),
    ] {
        echo().args(["--output-dir", "out"]).args(names).run().ends(2, "").said(&["error: ", why]);
    }
    echo().args(["--output-dir", ".", "b.bin"]).run().ends(2, "").said(&["would be written over it"]);
    echo().args(["--ext", "png", "b.bin"]).run().ends(2, "").said(&["--output-dir"]);
}
