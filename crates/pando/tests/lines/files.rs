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
        .said(&["error: none cannot be read"]);
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
