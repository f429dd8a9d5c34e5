//! `--chunk`: several values per call.

use pando_testing::{Finished, PandoCommand, lines};

/// Answers each value with the number of values in its chunk.
const COUNT: &str = "export default values => values.map(value => `${value} of ${values.length}`)";

fn run(function: &str, args: &[&str], input: impl Into<Vec<u8>>) -> Finished {
    PandoCommand::new(function).local().args(args).stdin(input).run()
}

#[test]
fn each_value_has_its_line_and_the_last_chunk_is_shorter() {
    run(COUNT, &["--chunk", "3"], lines(1..=7))
        .gives("1 of 3\n2 of 3\n3 of 3\n4 of 3\n5 of 3\n6 of 3\n7 of 1\n");
    run(COUNT, &["--chunk", "3"], "").gives("");
    run(COUNT, &["--chunk", "1"], "a\tb\n\n").gives("a\tb of 1\n of 1\n");
    PandoCommand::new(COUNT)
        .local()
        .args(["--chunk", "2", "1", "2", "3"])
        .run()
        .gives("1 of 2\n2 of 2\n3 of 1\n");
    let many = run(COUNT, &["--chunk", "700", "--cores", "2"], lines(1..=100_000));
    let expected: String =
        (1..=100_000).map(|n| format!("{n} of {}\n", if n > 99_400 { 600 } else { 700 })).collect();
    many.gives(expected);
}

#[test]
fn it_works_with_json_rows_grids_and_tags() {
    let double = "export default values => values.map(value => ({ twice: value.x * 2 }))";
    run(double, &["--json", "--chunk", "2"], "{\"x\":1}\n{\"x\":2}\n{\"x\":3}\n")
        .gives("{\"twice\":2}\n{\"twice\":4}\n{\"twice\":6}\n");
    run(double, &["--csv", "--chunk", "2"], "x\n1\n2\n3\n").gives("x,twice\n1,2\n2,4\n3,6\n");
    let grid = PandoCommand::new(double).local().args(["--grid", "x=1,2,3", "--chunk", "2"]);
    grid.run().gives("{\"twice\":2}\n{\"twice\":4}\n{\"twice\":6}\n");
    run(COUNT, &["--tag", "--chunk", "2"], "a\nb\nc\n").gives("a\ta of 2\nb\tb of 2\nc\tc of 1\n");
    run(double, &["--json", "--tag", "--chunk", "2"], "{\"x\":1}\n{\"x\":2}\n{\"x\":3}\n").gives(
        "{\"index\":1,\"input\":{\"x\":1},\"result\":{\"twice\":2}}\n\
         {\"index\":2,\"input\":{\"x\":2},\"result\":{\"twice\":4}}\n\
         {\"index\":3,\"input\":{\"x\":3},\"result\":{\"twice\":6}}\n",
    );
    let program = "while read -r values; do echo \"$values\"; done";
    PandoCommand::bare()
        .args(["--chunk", "2", "--exec", program])
        .stdin("a\nb\nc\n")
        .run()
        .gives("a\nb\nc\n");
}

#[test]
fn another_number_of_results_is_an_error_of_the_chunk() {
    let input = lines(1..=5);
    let short = "export default values => values[0] === '3' ? [1] : values";
    let failed = run(short, &["--chunk", "2", "--retries", "0"], input.clone());
    failed.ends(1, "1\n2\n").said(&[
        "items 3-4 failed on this machine: its result is an array of 1 element for 2 values",
    ]);
    let none =
        run("export default values => 7", &["--chunk", "2", "--retries", "0"], input.clone());
    none.ends(1, "").said(&["items 1-2 failed on this machine: its result is no array"]);
    let last = "export default values => values.length === 1 ? 7 : values";
    let skipped = run(last, &["--chunk", "2", "--on-error", "skip"], input.clone());
    skipped.ends(1, "1\n2\n3\n4\n").said(&["item 5 failed on this machine"]);
    let two = "export default values => values.map(value => value + '\\n')";
    run(two, &["--chunk", "2", "--retries", "0"], input)
        .ends(1, "")
        .said(&["its result [0] contains a newline"]);
}

#[test]
fn each_value_of_a_chunk_that_failed_is_reported() {
    let f =
        "export default values => { if (values.includes(3)) throw new Error('no'); return values }";
    let report = |n: u64| format!("{{\"error\":{{\"index\":{n},");
    let run =
        run(f, &["--json", "--chunk", "2", "--on-error", "report", "--retries", "0"], lines(1..=5));
    run.status(1);
    let text = run.text();
    let got: Vec<&str> = text.lines().collect();
    assert_eq!((got.len(), got[0], got[1], got[4]), (5, "1", "2", "5"), "{run:?}");
    assert!(got[2].starts_with(&report(3)) && got[3].starts_with(&report(4)), "{run:?}");
}

#[test]
fn an_unusable_line_costs_itself_and_not_its_chunk() {
    let input = "1\noops\n3\n4\nno\nnope\n7\n";
    let skipped = run(COUNT, &["--json", "--chunk", "2", "--on-error", "skip"], input);
    skipped.ends(1, "\"1 of 1\"\n\"3 of 2\"\n\"4 of 2\"\n\"7 of 1\"\n");
    skipped.said(&["line 2 is not valid JSON", "line 5 is", "line 6 is", "3 items failed"]);
    let reported = run(COUNT, &["--json", "--chunk", "2", "--on-error", "report"], input);
    reported.status(1);
    let text = reported.text();
    let starts: Vec<&str> = text.lines().map(|line| &line[..line.len().min(19)]).collect();
    assert_eq!(
        starts,
        [
            "\"1 of 1\"",
            "{\"error\":{\"index\":2",
            "\"3 of 2\"",
            "\"4 of 2\"",
            "{\"error\":{\"index\":5",
            "{\"error\":{\"index\":6",
            "\"7 of 1\"",
        ]
    );
    run(COUNT, &["--json", "--chunk", "3"], input).ends(1, "\"1 of 1\"\n").said(&["line 2 is not"]);
}

#[test]
fn each_value_of_a_chunk_that_failed_is_listed_and_computed_again() {
    let list = tempfile::NamedTempFile::new().unwrap();
    let run = |function: &str, args: &[&str], option: &str| {
        let command = PandoCommand::new(function).local().args(["--chunk", "2", option]);
        command.args([list.path()]).args(args).args(["--retries", "0", "--on-error", "skip"])
    };
    let f = "export default values => { if (values.includes('3')) throw new Error('no'); return values }";
    let failed = run(f, &[], "--failed").stdin(lines(1..=5)).run();
    failed.ends(1, "1\n2\n5\n").said(&["items 3-4 failed", "2 items failed and were left out"]);
    let text = std::fs::read_to_string(list.path()).unwrap();
    let items: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = items.iter().map(|item| (&item["index"], &item["input"])).collect();
    assert_eq!(told, [(&3.into(), &"3".into()), (&4.into(), &"4".into())]);
    run(COUNT, &[], "--only-failed").run().gives("3 of 2\n4 of 2\n");
}

#[test]
fn too_many_failures_are_counted_in_values() {
    let f = "export default values => { if (values[0] > 4) throw new Error('no'); return values }";
    let args = ["--chunk", "2", "--retries", "0", "--on-error", "skip", "--max-failures"];
    let run = |most: &str| {
        let command = PandoCommand::new(f).local().args(args).args([most, "--cores", "1"]);
        command.stdin(lines(1..=8)).run()
    };
    run("4").ends(1, "1\n2\n3\n4\n").said(&["4 items failed and were left out"]);
    run("3").ends(1, "1\n2\n3\n4\n").said(&["4 items failed, more than --max-failures 3 allows"]);
}
