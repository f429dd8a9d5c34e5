//! A full disk, for the files that a run writes besides its journal. The journal has its own
//! tests.

use crate::ECHO;
use pando_testing::{EventsFile, PandoCommand, make_pipe, numbers};
use std::fs;

/// A launcher that limits the size of each file to `kilobytes`.
fn limited(kilobytes: u32) -> Vec<String> {
    let script = format!("ulimit -f {kilobytes}; exec \"$@\"");
    ["bash", "-c", &script, "bash"].map(str::to_owned).to_vec()
}

#[test]
fn results_that_find_no_room_leave_no_half_files_and_come_when_there_is_some() {
    let out = tempfile::tempdir().unwrap();
    let path = |name: &str| format!("{}\n", out.path().join(name).display());
    let job = || {
        let run =
            PandoCommand::f("(bytes, cb) => cb(null, Buffer.alloc(Number(bytes) * 1024))").local();
        let run = run.with_file("a/small", "1").with_file("b/large", "1000").with_file("c", "2");
        run.args(["--files", "--output-dir"]).args([out.path()]).stdin("a/small\nb/large\nc\n")
    };
    let run = job().inside(&limited(64)).run();
    run.ends(1, path("a/small")).said(&["error: ", "b/large", "cannot be written"]);
    let left: Vec<_> =
        ["", "a", "b"].iter().flat_map(|dir| fs::read_dir(out.path().join(dir)).unwrap()).collect();
    let names: Vec<_> = left
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .collect();
    assert_eq!(names.len(), 1, "only what was printed is there: {names:?}");
    job().run().ends(1, "").said(&["a/small already exists", "--overwrite"]);
    job().args(["--overwrite"]).run().gives([path("a/small"), path("b/large"), path("c")].concat());
    assert_eq!(fs::metadata(out.path().join("b/large")).unwrap().len(), 1000 * 1024);
}

#[test]
fn events_that_find_no_room_are_told_once_and_the_run_goes_on() {
    let events = EventsFile::empty();
    let run = PandoCommand::f(ECHO)
        .local()
        .events(&events)
        .stdin(numbers(3000))
        .inside(&limited(64))
        .run();
    run.gives(numbers(3000));
    assert_eq!(
        run.stderr.matches("cannot be written any more (File too large").count(),
        1,
        "{}",
        run.stderr
    );
    let text = fs::read_to_string(events.path()).unwrap();
    assert!(text.ends_with("}\n") && text.len() <= 64 * 1024, "only whole lines");
    assert!(!events.all().is_empty());
    // A later run appends to the file.
    PandoCommand::f(ECHO).local().events(&events).stdin("1\n").run().gives("1\n");
    assert!(!events.items("result").is_empty());
}

#[test]
fn a_report_that_finds_no_room_is_told_and_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let old = r#"<meta name="generator" content="Pando"> of the last run"#;
    fs::write(&file, old).unwrap();
    let run = PandoCommand::f(ECHO).local().args(["--report"]).args([&file]).stdin("1\n");
    let run = run.inside(&limited(2)).run();
    run.ends(1, "1\n").said(&["error: --report ", "cannot be written: File too large"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), old);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn events_that_nobody_reads_are_waited_for_in_vain_and_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("events");
    make_pipe(&pipe);
    let _reader = fs::File::options().read(true).write(true).open(&pipe).unwrap();
    let run = PandoCommand::f(ECHO)
        .local()
        .args(["--events"])
        .args([&pipe])
        .stdin(numbers(200_000))
        .run();
    run.gives(numbers(200_000));
    run.said(&["cannot be written any more (it has taken nothing for ten seconds): later events are missing from it"]);
}
