//! The summary at the end of a run.

use pando_testing::{EventsFile, FunctionGate, PandoCommand, WebSocket};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

#[test]
fn people_read_what_was_done_by_whom_and_what_failed() {
    let f = "(x, cb) => x === '2' ? cb(new Error('no')) : setTimeout(() => cb(null, x), 100)";
    let words = ["--cores", "1", "--summary", "always", "--on-error", "skip", "--retries", "1"];
    let run = PandoCommand::f(f).local().args(words).args(["1", "2", "3"]).run();
    run.ends(1, "1\n3\n").said(&[
        "3 items in 1 s: ",
        " times one core\n",
        "  device        cores      items   share   busy  failed\n",
        "  this machine      1          2   100 %",
        "1 item failed: 2\n",
        "2 failed attempts\n",
    ]);
    PandoCommand::f(f).local().args(["1"]).run().gives("1\n").did_not_say(&["times one core"]);
}

#[test]
fn programs_read_the_same_from_a_file_also_when_the_run_fails() {
    let command = PandoCommand::f("(x, cb) => x === '3' ? cb(new Error('no')) : cb(null, x)");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("summary.json");
    fs::write(&file, r#"{"status": 0, "failedAttempts": 0}"#).unwrap();
    let words = ["--cores", "1", "--retries", "0", "--summary"];
    let run = command.local().args(words).args([&file]).args(["1", "2", "3"]).run();
    run.ends(1, "1\n2\n").did_not_say(&["times one core"]);
    let summary: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!((&summary["status"], &summary["computed"]), (&1.into(), &2.into()));
    assert_eq!(summary["items"], 2, "the item that ended the run has no result");
    assert_eq!((&summary["failed"], &summary["failedItems"][0]), (&1.into(), &3.into()));
    let device = &summary["devices"][0];
    assert_eq!((&device["name"], &device["items"]), (&"this machine".into(), &2.into()));
    assert_eq!((&device["failedAttempts"], &device["share"]), (&1.into(), &1.0.into()));
    // Nothing else is left in its folder.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// As with `> file`, a shell may have opened the file.
#[test]
fn an_open_file_is_written_as_well() {
    let command = PandoCommand::f("(x, cb) => cb(null, x)").local();
    let redirections = "3>summary 4>report; cat summary; grep -c '<html' report";
    let words = ["--summary", "/dev/fd/3", "--report", "/proc/self/fd/4", "1"];
    let script = format!("\"$@\" {redirections}");
    let run = command.args(words).inside(&["sh", "-c", &script, "sh"].map(str::to_owned)).run();
    run.status(0);
    let text = run.text();
    assert!(text.starts_with("1\n{") && text.ends_with("}\n1\n"), "{text}");
}

#[test]
fn a_summary_or_report_without_a_place_is_refused_before_anything_is_computed() {
    let command = || PandoCommand::f("(x, cb) => cb(null, x)").local();
    for option in ["--summary", "--report"] {
        let run = command().args([option, "nowhere/file", "1"]).run();
        run.ends(2, "")
            .said(&[&format!("error: {option} nowhere/file: this folder does not exist")]);
        let run = command().args([option, "/", "1"]).run();
        run.ends(2, "").said(&[&format!("{option} /: this is a folder")]);
    }
    // The system lets nobody create a file there.
    for option in ["--summary", "--report"] {
        let run = command().args([option, "/proc/pando", "1"]).run();
        run.ends(2, "").said(&[&format!(
            "error: {option} /proc/pando: this file could not be written at the end: "
        )]);
    }
    let folder = TempDir::new().unwrap();
    let [summary, report] = ["summary", "report"].map(|name| folder.path().join(name));
    let words =
        ["--summary".as_ref(), summary.as_os_str(), "--report".as_ref(), report.as_os_str()];
    let broken = PandoCommand::f("(x, cb) => {").local().args(words).args(["1"]);
    broken.run().ends(2, "");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    for other in ["--summary", "--events", "--journal"] {
        let command = command();
        let same = command.folder().join("same");
        let words = ["--report", same.to_str().unwrap(), other, same.to_str().unwrap()];
        command.args(words).stdin("1\n").run().ends(2, "").said(&[
            "--report",
            other,
            "name one file",
        ]);
    }
    let run = command().args(["--report", "f.js", "1"]).run();
    run.ends(2, "").said(&["--report and the function name one file"]);
}

#[test]
fn a_device_that_has_left_stays_in_the_summary() {
    let (gate, events) = (FunctionGate::closed(), EventsFile::empty());
    let f = format!("(x, cb) => {}.then(() => cb(null, x))", gate.knock("x"));
    let command = PandoCommand::f(&f).events(&events);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("summary.json");
    let mut run = command.args(["--cores", "1", "--summary"]).args([&file]).stdin_open().start();
    run.write("a\nb\nc\nd\n");
    gate.waits_for("a");
    let mut ann = WebSocket::join(&run.url(), "Ann", 2);
    let values = pando_testing::volunteer::values(&mut ann);
    drop(ann);
    events.wait("left", |event| event["device"] == "Ann");
    gate.open_for_all();
    run.wait().gives("a\nb\nc\nd\n");
    let summary: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(summary["lentAgain"], values.len());
    let of = |name: &str| {
        let devices = summary["devices"].as_array().unwrap();
        devices.iter().find(|device| device["name"] == name).cloned().unwrap_or_default()
    };
    assert_eq!((&of("Ann")["items"], &of("Ann")["cores"]), (&0.into(), &2.into()));
    assert_eq!(of("this machine")["items"], 4);
}

#[test]
fn a_command_gets_the_summary_at_the_end_however_the_run_ends() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("given");
    let given = format!("echo printed; cat > '{0}'; echo $PANDO_STATUS >> '{0}'", file.display());
    let f = "(x, cb) => x === '2' ? cb(new Error('no')) : cb(null, x)";
    let words = ["--cores", "1", "--retries", "0", "--on-finish", &given];
    let run = |items: &[&str]| {
        let run = PandoCommand::f(f).local().args(words).args(items).run();
        let given = fs::read_to_string(&file).unwrap();
        let (summary, status) = given.trim_end().rsplit_once('\n').unwrap();
        (run, serde_json::from_str::<Value>(summary).unwrap(), status.to_owned())
    };
    let (well, summary, status) = run(&["1", "3"]);
    // What the command prints is no result.
    well.gives("1\n3\n").said(&["printed\n"]);
    assert_eq!((&summary["computed"], &summary["status"], &*status), (&2.into(), &0.into(), "0"));
    let (failed, summary, status) = run(&["1", "2"]);
    failed.ends(1, "1\n");
    assert_eq!((&summary["computed"], &summary["status"], &*status), (&1.into(), &1.into(), "1"));
    let words = ["--cores", "1", "--on-finish", "exit 3", "1"];
    PandoCommand::f(f)
        .local()
        .args(words)
        .run()
        .gives("1\n")
        .said(&["the command failed (exit status: 3)"]);
}

#[test]
fn the_command_at_the_end_also_hears_of_a_run_that_cannot_begin() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("given");
    let given = format!("cat > '{0}'; echo $PANDO_STATUS >> '{0}'", file.display());
    let heard = |command: PandoCommand| {
        let run = command.local().args(["--on-finish", &given, "1"]).run();
        let given = fs::read_to_string(&file).unwrap();
        let (summary, status) = given.trim_end().rsplit_once('\n').unwrap();
        assert_eq!(Some(status), run.status.map(|status| status.to_string()).as_deref());
        (run, serde_json::from_str::<Value>(summary).unwrap())
    };
    let (run, summary) = heard(PandoCommand::f("(x, cb) => {"));
    run.ends(2, "");
    let words = summary["exitWords"].as_str().unwrap();
    assert!(words.starts_with("error: ") && run.stderr.contains(words), "{words}");
    assert_eq!((&summary["status"], &summary["items"]), (&2.into(), &0.into()));
    assert_eq!(summary["devices"], Value::Array(Vec::new()));
    let missing = PandoCommand::f("(x, cb) => cb(null, x)").args(["--report", "nowhere/r"]);
    let (run, summary) = heard(missing);
    run.ends(2, "");
    assert!(summary["exitWords"].as_str().unwrap().contains("this folder does not exist"));
    assert!(!folder.path().join("nowhere").exists());
}

#[test]
fn the_summary_says_how_to_go_on() {
    let f = "(x, cb) => x === '3' ? cb(new Error('no')) : cb(null, x)";
    let folder = TempDir::new().unwrap();
    let journal = folder.path().join("journal");
    let words = ["--cores", "1", "--retries", "0", "--summary", "always"];
    let run = |more: &[&str]| {
        PandoCommand::f(f).local().args(words).args(more).stdin("1\n2\n3\n4\n").run()
    };
    run(&[]).ends(1, "1\n2\n").said(&[
        "To go on: compute the items from 3 on; the output has those before. With --on-error skip, ",
        " With --journal FILE from the start, the same command goes on by itself.",
    ]);
    run(&["--unordered"]).said(&["With --journal FILE from the start, the same command goes on"]);
    let left_out = run(&["--on-error", "skip"]);
    left_out.ends(1, "1\n2\n4\n").said(&["To compute the failed items again: give their inputs."]);
    run(&["--journal", journal.to_str().unwrap()])
        .ends(1, "1\n2\n")
        .said(&["To go on: give the same command again. It computes only what has no result yet."]);
    let well = PandoCommand::f(f).local().args(words).stdin("1\n2\n").run();
    well.gives("1\n2\n").did_not_say(&["To go on", "--journal"]);
}

#[test]
fn in_a_summary_of_chunks_failed_values_have_their_numbers() {
    let f = "(xs, cb) => xs.includes('5') ? cb(new Error('no')) : cb(null, xs)";
    let words = ["--chunk", "3", "--cores", "1", "--retries", "0", "--on-error", "skip"];
    let run = PandoCommand::f(f).local().args(words).args(["--summary", "always"]);
    run.stdin("1\n2\n3\n4\n5\n6\n7\n")
        .run()
        .ends(1, "1\n2\n3\n7\n")
        .said(&["3 chunks in 1 s: ", "3 values failed: 4, 5, 6\n"]);
}
