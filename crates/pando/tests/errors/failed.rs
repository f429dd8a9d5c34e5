//! `--failed` and `--only-failed`: a list of the items that failed, and a run of only those.

use pando_testing::{PandoCommand, numbers};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A list of failed items in its own folder.
struct FailedFile {
    folder: TempDir,
}

impl FailedFile {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("the temporary folder can be written") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("failed.ndjson")
    }

    fn items(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path()).expect("the list is there");
        text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }

    fn inputs(&self) -> Vec<(u64, Value)> {
        let items = self.items().into_iter();
        let mut inputs: Vec<_> = items
            .map(|item| (item["index"].as_u64().expect("a number"), item["input"].clone()))
            .collect();
        inputs.sort_by_key(|(index, _)| *index);
        inputs
    }
}

fn with(pando: PandoCommand, option: &str, path: &Path) -> PandoCommand {
    pando.local().args([option]).args([path])
}

/// Fails multiples of three, unless MEND is set.
const THIRDS: &str = "export default x => { if (Number(x) % 3 === 0) throw new RangeError('no ' + x); return 'f' + x }";
const MENDED: &str = "export default x => 'f' + x";

#[test]
fn the_list_has_each_failed_item_and_a_run_of_only_those_gives_the_rest() {
    let list = FailedFile::new();
    let run = with(PandoCommand::new(THIRDS), "--failed", &list.path())
        .args(["--on-error", "skip", "--retries", "1"])
        .stdin(numbers(10))
        .run();
    run.ends(1, "f1\nf2\nf4\nf5\nf7\nf8\nf10\n")
        .said(&["3 items failed and were left out", "--only-failed"]);
    assert_eq!(list.inputs(), [(3, json!("3")), (6, json!("6")), (9, json!("9"))]);
    for item in list.items() {
        let input = item["input"].as_str().expect("a text");
        assert_eq!(item["message"], format!("RangeError: no {input}"));
        assert_eq!((&item["device"], &item["attempts"]), (&json!("this machine"), &json!(2)));
        let stack = item["stack"].as_str().expect("a stack");
        assert!(stack.contains("RangeError: no") && stack.contains("f.js:1:"), "{stack}");
    }
    // Some of them fail again: their numbers are those of the first run.
    let sixth =
        MENDED.replace("'f' + x", "{ if (x === '6') throw new Error('still'); return 'f' + x }");
    let again = FailedFile::new();
    let run = with(PandoCommand::new(&sixth), "--only-failed", &list.path())
        .args(["--on-error", "skip", "--retries", "0", "--failed"])
        .args([again.path()])
        .args(["--summary"])
        .args([again.path().with_extension("summary")])
        .run();
    run.status(1);
    let summary = fs::read(again.path().with_extension("summary")).expect("it is written");
    let summary: Value = serde_json::from_slice(&summary).expect("it is JSON");
    assert_eq!((&summary["failed"], &summary["failedItems"]), (&json!(1), &json!([6])));
    let order = list.items();
    let expected: String = order
        .iter()
        .filter(|item| item["index"] != 6)
        .map(|item| format!("f{}\n", item["input"].as_str().expect("a text")))
        .collect();
    assert_eq!(run.text(), expected, "in the order of the list");
    run.said(&["(number 6 of the whole input) failed on this machine: still"]);
    assert_eq!(again.inputs(), [(6, json!("6"))]);
    let run = with(PandoCommand::new(MENDED), "--only-failed", &again.path()).run();
    run.gives("f6\n");
}

#[test]
fn nothing_failed_means_an_empty_list_and_an_old_list_goes() {
    let list = FailedFile::new();
    let run = |f: &str| {
        with(PandoCommand::new(f), "--failed", &list.path())
            .args(["--on-error", "skip", "--retries", "0"])
            .stdin("1\n3\n")
            .run()
    };
    run(MENDED).gives("f1\nf3\n");
    assert_eq!(list.items(), [] as [Value; 0]);
    run(THIRDS).status(1);
    run(THIRDS).status(1);
    assert_eq!(list.inputs(), [(2, json!("3"))]);
    run(MENDED).gives("f1\nf3\n");
    assert_eq!(list.items(), [] as [Value; 0]);
}

#[test]
fn a_function_that_cannot_be_loaded_leaves_an_old_list_as_it_is() {
    let list = FailedFile::new();
    let old = "{\"index\":7,\"input\":\"seven\"}\n";
    fs::write(list.path(), old).unwrap();
    with(PandoCommand::new("export default x => ("), "--failed", &list.path())
        .stdin("1\n")
        .run()
        .status(2);
    assert_eq!(fs::read_to_string(list.path()).unwrap(), old);
}

#[test]
fn the_item_that_ends_the_run_is_in_the_list() {
    let list = FailedFile::new();
    let run = with(PandoCommand::new(THIRDS), "--failed", &list.path())
        .args(["--retries", "0", "--cores", "1"])
        .stdin(numbers(4))
        .run();
    run.ends(1, "f1\nf2\n").said(&["error: item 3 failed", "--only-failed"]);
    assert_eq!(list.inputs(), [(3, json!("3"))]);
}

#[test]
fn json_values_stay_as_they_were_written() {
    let list = FailedFile::new();
    let odd = "[12345678901234567890123, {\"a\": \"b\\u0000\"}]";
    let f = |body: &str| format!("export default x => {{ {body} }}");
    let run = with(
        PandoCommand::new(&f("if (Array.isArray(x)) throw 'no'; return x")),
        "--failed",
        &list.path(),
    )
    .args(["--json", "--on-error", "report", "--retries", "0"])
    .stdin(format!("1\n{odd}\n{{\n\"text\"\n"))
    .run();
    run.status(1);
    let lines: Vec<_> = run.text().lines().map(str::to_owned).collect();
    assert_eq!(
        lines[1],
        format!("{{\"error\":{{\"index\":2,\"message\":\"no\",\"input\":{odd}}}}}")
    );
    let bad: Value = serde_json::from_str(&lines[2]).unwrap();
    assert_eq!((&bad["error"]["input"], &bad["error"]["unusable"]), (&json!("{"), &json!(true)));
    let text = fs::read_to_string(list.path()).unwrap();
    assert!(text.contains(&format!("\"index\":2,\"input\":{odd},\"message\"")), "{text}");
    assert!(text.contains("\"index\":3,\"input\":\"{\",\"unusable\":true,"), "{text}");
    // Both go through again: one is a value, and the other one fails as before.
    let run = with(PandoCommand::new(&f("return x[1]")), "--only-failed", &list.path())
        .args(["--json", "--on-error", "skip"])
        .run();
    run.ends(1, "{\"a\":\"b\\u0000\"}\n").said(&["line 3 is not valid JSON"]);
    // As text it is no value at all.
    with(PandoCommand::new(MENDED), "--only-failed", &list.path())
        .run()
        .ends(2, "")
        .said(&["line ", "--json"]);
}

#[test]
fn lines_that_are_no_text_are_in_the_list_and_fail_again() {
    let list = FailedFile::new();
    let run = with(PandoCommand::new(MENDED), "--failed", &list.path())
        .args(["--on-error", "skip"])
        .stdin(b"a\ncaf\xe9\nb\n")
        .run();
    run.ends(1, "fa\nfb\n");
    assert_eq!(list.inputs(), [(2, json!("caf\u{fffd}"))]);
    let item = &list.items()[0];
    assert_eq!((&item["unusable"], &item["attempts"]), (&json!(true), &json!(0)));
    let again = with(PandoCommand::new(MENDED), "--only-failed", &list.path());
    again.args(["--on-error", "skip"]).run().ends(1, "").said(&["line 2 is not valid UTF-8"]);
}

#[test]
fn with_files_the_names_are_in_the_list() {
    let list = FailedFile::new();
    let f = |word: &str| {
        format!(
            "export default bytes => {{ if (String(bytes) === '{word}') throw 'no'; return String(bytes) }}"
        )
    };
    let of = |f: &str| {
        PandoCommand::new(f)
            .with_file("a", "alpha")
            .with_file("b", "beta")
            .with_file("c", "gamma")
            .args(["--files", "--on-error", "skip", "--retries", "0"])
    };
    let run = with(of(&f("beta")), "--failed", &list.path()).stdin("a\nb\nnone\nc\n").run();
    run.ends(1, "alpha\ngamma\n");
    assert_eq!(list.inputs(), [(2, json!("b")), (3, json!("none"))]);
    let run = with(of(&f("")), "--only-failed", &list.path()).run();
    run.ends(1, "beta\n").said(&["none cannot be read"]);
}

#[test]
fn with_a_journal_a_restart_doubles_no_line() {
    let list = FailedFile::new();
    let journal = list.folder.path().join("journal");
    let run = || {
        with(PandoCommand::new(THIRDS), "--failed", &list.path())
            .args(["--on-error", "skip", "--retries", "0", "--journal"])
            .args([&journal])
            .stdin(numbers(10))
            .run()
    };
    let first = run();
    let second = run();
    second.said(&["7 results are there"]);
    assert_eq!((first.status, &first.stdout), (second.status, &second.stdout));
    assert_eq!(list.inputs(), [(3, json!("3")), (6, json!("6")), (9, json!("9"))]);
}

#[test]
fn a_list_that_cannot_be_is_refused_before_anything_is_computed() {
    let list = FailedFile::new();
    let refused = |path: &Path, why: &str| {
        with(PandoCommand::new(MENDED), "--failed", path)
            .stdin("1\n")
            .run()
            .ends(2, "")
            .said(&[why]);
    };
    refused(list.folder.path(), "this is not a file");
    refused(&list.folder.path().join("none/failed"), "cannot be written");
    let mine = list.folder.path().join("mine");
    fs::write(&mine, "dear diary\n").unwrap();
    refused(&mine, "not a list of failed items");
    assert_eq!(fs::read_to_string(&mine).unwrap(), "dear diary\n");
    fs::write(list.path(), "{\"index\":1,\"input\":\"x\"}\n").unwrap();
    let both = with(PandoCommand::new(MENDED), "--failed", &list.path());
    let both = with(both, "--only-failed", &list.path()).run();
    both.ends(2, "").said(&["--failed and --only-failed name one file"]);
    assert_eq!(list.inputs(), [(1, json!("x"))]);
    with(PandoCommand::new(MENDED), "--failed", &list.path())
        .args(["--journal"])
        .args([list.path()])
        .stdin("1\n")
        .run()
        .ends(2, "")
        .said(&["--journal and --failed name one file"]);
}

#[test]
fn a_damaged_list_is_told_by_its_line() {
    let list = FailedFile::new();
    for (text, why) in [
        ("{\"index\":1,\"input\":\"x\"}\n\n{\"index\":2,\"inp", "line 3: it is not valid JSON"),
        (
            "{\"index\":1,\"input\":\"x\"}\n{\"index\":2}\n",
            "line 2: its field \"input\" is missing",
        ),
        ("x\n", "line 1: "),
    ] {
        fs::write(list.path(), text).unwrap();
        with(PandoCommand::new(MENDED), "--only-failed", &list.path())
            .run()
            .ends(2, "")
            .said(&[why]);
    }
    let none = list.folder.path().join("none");
    with(PandoCommand::new(MENDED), "--only-failed", &none)
        .run()
        .ends(2, "")
        .said(&["cannot be read"]);
    fs::write(list.path(), "").unwrap();
    with(PandoCommand::new(MENDED), "--only-failed", &list.path()).run().gives("");
    // Some editors put a byte-order mark before the text.
    fs::write(list.path(), "\u{feff}{\"index\":1,\"input\":\"x\"}\r\n").unwrap();
    with(PandoCommand::new("export default x => x"), "--only-failed", &list.path())
        .run()
        .gives("x\n");
    with(PandoCommand::new(MENDED), "--only-failed", &list.path())
        .args(["7"])
        .run()
        .ends(2, "")
        .said(&["--only-failed cannot be used with ITEMS"]);
}
