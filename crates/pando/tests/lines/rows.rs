//! `--csv` and `--tsv`: rows in, rows with more columns out.

use pando_testing::{Finished, PandoCommand};

/// Answers an object, whose fields become columns.
const LENGTH: &str = "export default row => ({ length: row.name.length, first: row.name[0] })";
/// Answers plain results.
const UPPER: &str = "export default row => row.name.toUpperCase()";

fn run(function: &str, args: &[&str], input: impl Into<Vec<u8>>) -> Finished {
    PandoCommand::new(function).local().args(args).stdin(input).run()
}

#[test]
fn rows_have_the_columns_of_the_input_and_then_the_fields_of_the_result() {
    run(LENGTH, &["--csv"], "name,year\nAda,1815\n\"Hopper, Grace\",1906\n")
        .gives("name,year,length,first\nAda,1815,3,A\n\"Hopper, Grace\",1906,13,H\n");
    run(UPPER, &["--csv"], "name\nada\n\"a\"\"b\nc\"\n")
        .gives("name,result\nada,ADA\n\"a\"\"b\nc\",\"A\"\"B\nC\"\n");
    run(UPPER, &["--tsv"], "name\tx\na,b\t1\n").gives("name\tx\tresult\na,b\t1\tA,B\n");
}

/// Each case: an input, and the output of a function that answers its row as JSON text.
#[test]
fn inputs_are_read_as_rfc_4180_says() {
    let show = "export default row => JSON.stringify(row)";
    for (input, rows) in [
        ("", ""),
        ("\u{feff}a\n1\n", "a,result\n1,\"{\"\"a\"\":\"\"1\"\"}\"\n"),
        ("a\r\n1\r\n", "a,result\n1,\"{\"\"a\"\":\"\"1\"\"}\"\n"),
        ("a\n\"1\r\n2\"", "a,result\n\"1\r\n2\",\"{\"\"a\"\":\"\"1\\r\\n2\"\"}\"\n"),
        ("a\n\n \n", "a,result\n ,\"{\"\"a\"\":\"\" \"\"}\"\n"),
        ("a,b\n1,", "a,b,result\n1,,\"{\"\"a\"\":\"\"1\"\",\"\"b\"\":\"\"\"\"}\"\n"),
        ("a,b\n", "a,b\n"),
        ("a,b", "a,b\n"),
    ] {
        run(show, &["--csv"], input).gives(rows);
    }
}

#[test]
fn a_result_replaces_the_column_of_its_name_and_missing_fields_leave_cells_empty() {
    let f = "export default ({ a }) => a === '1' ? { b: 'new', c: [1, { d: 2 }] } : a === '2' ? { c: null } : null";
    run(f, &["--csv"], "a,b\n1,old\n2,old\n3,old\n")
        .gives("a,b,c\n1,new,\"[1,{\"\"d\"\":2}]\"\n2,old,\n3,old,\n");
}

const OTHER_FIELDS: &str =
    "export default ({ a }) => a === '2' ? { other: 1 } : a === '3' ? 5 : { twice: a + a }";

#[test]
fn a_field_without_a_column_fails_its_item() {
    let input = "a\n1\n2\n3\n4\n";
    let stopped = run(OTHER_FIELDS, &["--csv"], input);
    stopped.ends(1, "a,twice\n1,11\n");
    // The result is refused when it comes or when it is printed, because the first row of the
    // output may be printed before or after it comes.
    stopped.said(&[
        "error: item 2 failed",
        ": its result has the field \"other\"",
        "the first row",
    ]);
    let skipped = run(OTHER_FIELDS, &["--csv", "--on-error", "skip"], input);
    skipped.ends(1, "a,twice\n1,11\n4,44\n").said(&[
        "item 2 failed",
        ": its result has the field \"other\"",
        "item 3 failed",
        ": its result is no object",
        "2 items failed and were left out",
    ]);
}

#[test]
fn a_row_that_is_not_as_its_header_fails_alone() {
    let input = "name,x\na,1\nb\nc,1,2\n\"d\"e,1\nf,\"1\n2\"\ng,1\n\"h,1\n";
    let skipped = run(UPPER, &["--csv", "--on-error", "skip"], input);
    skipped.ends(1, "name,x,result\na,1,A\nf,\"1\n2\",F\ng,1,G\n").said(&[
        "item 2 failed: row 2 (line 3) has 1 field where the header has 2",
        "item 3 failed: row 3 (line 4) has 3 fields where the header has 2",
        "item 4 failed: row 4 (line 5) has text after the closing quote",
        "item 7 failed: row 7 (line 9) has a field that begins with a quote and has no closing quote",
        "4 items failed and were left out",
    ]);
    let stopped = run(UPPER, &["--csv"], input);
    stopped.ends(1, "name,x,result\na,1,A\n").said(&["error: row 2 (line 3) has 1 field"]);
    let bytes = run(UPPER, &["--csv", "--on-error", "skip"], b"name\n\xff\nb\n");
    bytes.ends(1, "name,result\nb,B\n").said(&["item 1 failed: row 1 (line 2) is not valid UTF-8"]);
    // Without any row, the header is that of the input.
    let none = run(UPPER, &["--csv", "--on-error", "skip"], "name,x\na\n");
    none.ends(1, "name,x\n").said(&["1 item failed and was left out"]);
}

#[test]
fn a_header_without_a_name_for_each_column_is_wrong_usage() {
    for (input, words) in [
        ("a,,c\n1,2,3\n", "column 2 has no name in the header"),
        ("a,b,a\n1,2,3\n", "two columns are called \"a\" in the header"),
        ("a,b\r1,2\r3,4\r", "the lines of this table end with a carriage return alone"),
        ("a,\"b\n1,2\n", "the header, on line 1, has a field that begins with a quote"),
    ] {
        run(UPPER, &["--csv"], input).ends(2, "").said(&["error: ", words]);
    }
}

#[test]
fn many_rows_keep_their_order_over_blocks() {
    let name = |n: u64| if n.is_multiple_of(3) { format!("\"x\n{n}\"") } else { format!("x{n}") };
    let rows =
        |end: &str| -> String { (1..=20_000).map(|n| format!("{},{n}{end}\n", name(n))).collect() };
    let input = format!("name,n\n{}", rows(""));
    let f = "export default ({ name, n }) => ({ is: name.endsWith(n) })";
    let run = run(f, &["--csv", "--cores", "2"], input);
    run.gives(format!("name,n,is\n{}", rows(",true")));
}

#[test]
fn a_result_without_columns_fails_before_it_is_accepted_once_the_header_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("rows.journal");
    let of = "(a, attempt) => a === 'b' && attempt < 3 ? { q: 1 } : { p: a }";
    let one = format!("const f = {of}; export default ({{ a }}, c) => f(a, c.attempt)");
    let list = format!("const f = {of}; export default ([{{ a }}], c) => [f(a, c.attempt)]");
    for (f, chunk) in [(one, &[][..]), (list, &["--chunk", "1"])] {
        let args = ["--csv", "--journal"].map(str::to_owned);
        let run = PandoCommand::new(&f).local().args(args).args([&journal]).args(chunk);
        let mut run = run.stdin_open().start();
        run.write_line("a");
        run.write_line("a");
        assert_eq!(run.line().as_deref(), Some("a,p"));
        assert_eq!(run.line().as_deref(), Some("a,a"));
        run.write_line("b");
        assert_eq!(run.line().as_deref(), Some("b,b"));
        run.wait().gives("a,p\na,a\nb,b\n").said(&[
            "its result has the field \"q\", for which the header has no column",
            "attempt 2 of 3",
        ]);
        std::fs::remove_file(&journal).unwrap();
    }
}

#[test]
fn rows_are_read_only_as_they_are_wanted() {
    let mut run = PandoCommand::new(UPPER).local().args(["--csv"]).stdin_open().start();
    run.write_line("name");
    run.write_line("a");
    assert_eq!(run.line().as_deref(), Some("name,result"));
    assert_eq!(run.line().as_deref(), Some("a,A"));
    run.write_line("b");
    assert_eq!(run.line().as_deref(), Some("b,B"));
    run.close_stdin();
    run.wait().status(0);
}

#[test]
fn a_program_gets_rows_as_json_and_answers_json() {
    let program = "while read -r row; do echo \"{\\\"row\\\":$row}\"; done";
    PandoCommand::bare()
        .args(["--csv", "--exec", program])
        .stdin("a,b\n1,2\n")
        .run()
        .gives("a,b,row\n1,2,\"{\"\"a\"\":\"\"1\"\",\"\"b\"\":\"\"2\"\"}\"\n");
}

#[test]
fn a_journal_keeps_rows() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("rows.journal");
    let run = |input: &str| {
        let args = ["--csv".as_ref(), "--journal".as_ref(), journal.as_os_str()];
        PandoCommand::new("console.log('computes'); export default row => { console.log('row'); return row.a + '!' }")
            .local()
            .args(args)
            .stdin(input)
            .run()
    };
    run("a,b\n1,x\n2,y\n").gives("a,b,result\n1,x,1!\n2,y,2!\n");
    let again = run("a,b\n1,x\n2,y\n3,z\n");
    again
        .gives("a,b,result\n1,x,1!\n2,y,2!\n3,z,3!\n")
        .did_not_say(&["item 1: row", "item 2: row"]);
    again.said(&["item 3: row"]);
}

#[test]
fn rows_go_with_no_other_form() {
    for (args, words) in [
        (&["--csv", "--tsv"][..], "--csv cannot be used with --tsv"),
        (&["--csv", "--json"], "--csv cannot be used with --json"),
        (&["--tsv", "-0"], "--tsv cannot be used with --null"),
        (&["--csv", "--files"], "--csv cannot be used with --files"),
        (&["--csv", "--tag"], "--csv cannot be used with --tag"),
        (&["--csv", "7"], "--csv cannot be used with ITEMS"),
        (
            &["--csv", "--on-error", "report"],
            "a table (--csv, --tsv) has rows: use --on-error skip",
        ),
    ] {
        run(UPPER, args, "").ends(2, "").said(&[words]);
    }
}

#[test]
fn rows_that_failed_are_listed_and_computed_again() {
    let list = tempfile::NamedTempFile::new().unwrap();
    let args = |option: &str| ["--csv", "--on-error", "skip", option].map(str::to_owned);
    let f = "export default ({ a }) => { if (a === '2') throw new Error('no'); return a === '3' ? { b: 1 } : a + '!' }";
    let failed = PandoCommand::new(f)
        .local()
        .args(args("--failed"))
        .args([list.path()])
        .stdin("a,x\n1,p\n2,q\n3,r\n4\n")
        .run();
    failed.ends(1, "a,x,result\n1,p,1!\n").said(&["3 items failed and were left out"]);
    let mended = PandoCommand::new("export default ({ a }) => a + '?'")
        .local()
        .args(args("--only-failed"))
        .args([list.path()])
        .run();
    mended.ends(1, "a,x,result\n2,q,2?\n3,r,3?\n").said(&["row 4 (line 5) has 1 field"]);
}
