//! `--head` and `--dry-run`: the first values, and the first one alone.

use pando_testing::{Finished, PandoCommand, lines};
use std::fs;

const SQUARE: &str = "export default x => x * x";

fn run(args: &[&str], input: impl Into<Vec<u8>>) -> Finished {
    PandoCommand::new(SQUARE).local().args(args).stdin(input).run()
}

#[test]
fn the_first_values_are_computed_and_no_others() {
    run(&["--head", "3"], lines(1..=100_000)).gives("1\n4\n9\n");
    run(&["--head", "3"], "1\n2\n").gives("1\n4\n");
    run(&["--head", "0"], "1\n2\n").gives("");
    run(&["--head", "2", "--json"], "1\n2\noops\n").gives("1\n4\n");
    run(&["--head", "3", "--chunk", "2", "--tag"], "").gives("");
    PandoCommand::new(SQUARE).local().args(["--head", "2", "3", "4", "5"]).run().gives("9\n16\n");
    let rows = PandoCommand::new("export default row => row.a * 2").local();
    rows.args(["--csv", "--head", "1"]).stdin("a\n1\n2\nx,y,z\n").run().gives("a,result\n1,2\n");
    let chunks = PandoCommand::new("export default list => list.map(() => list.length)").local();
    chunks.args(["--chunk", "2", "--head", "3"]).stdin(lines(1..=9)).run().gives("2\n2\n1\n");
    let files =
        PandoCommand::new("export default bytes => bytes.length").with_file("a", "xyz").local();
    files.args(["--files", "--head", "1", "a", "none"]).run().gives("3\n");
}

/// The input stays open, and nobody reads it after the head.
#[test]
fn the_run_ends_although_the_input_does_not() {
    let mut run = PandoCommand::new(SQUARE).local().args(["--head", "2"]).stdin_open().start();
    run.write_line("5");
    run.write_line("6");
    assert_eq!(run.line().as_deref(), Some("25"));
    assert_eq!(run.line().as_deref(), Some("36"));
    run.wait_with_input_open().status(0);
}

#[test]
fn a_dry_run_says_what_would_run_and_computes_the_first_value() {
    let dry = PandoCommand::new(SQUARE).args(["--dry-run", "7", "8", "9"]).run();
    dry.gives("49\n").said(&[
        "f.js would be applied to 3 values from the command line, by",
        "and devices that join",
        "2 further attempts; an item that fails for good ends the run",
        "dry run: the first value is 7",
    ]);
    dry.did_not_say(&["Serving"]);
    let rows = PandoCommand::new("export default row => ({ twice: row.a * 2 })");
    rows.args(["--dry-run", "--csv", "--local"]).stdin("a\n1\n2\n").run().gives("a,twice\n1,2\n");
    let none = run(&["--dry-run"], "");
    none.gives("").said(&["dry run: there are no values"]);
    let failed = PandoCommand::new("export default x => { throw new Error('no') }");
    failed.args(["--dry-run", "7"]).run().ends(1, "").said(&["item 1 failed", "no"]);
    PandoCommand::new("export default 7").args(["--dry-run", "7"]).run().status(2);
}

#[test]
fn a_dry_run_leaves_nothing_behind() {
    let run = PandoCommand::new(SQUARE)
        .args([
            "--dry-run",
            "--journal",
            "j",
            "--events",
            "e",
            "--report",
            "r.html",
            "--summary",
            "s.json",
        ])
        .args(["--output-dir", "out", "--confirm", "touch c", "--on-finish", "touch o", "7", "8"])
        .start();
    let folder = run.folder().to_owned();
    let names = || -> Vec<_> {
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    let (run, names) = run.wait_and(names);
    assert_eq!(names, ["f.js"]);
    run.gives("49\n").said(&[
        "results would be written to files below out",
        "results would be kept in the journal j",
        "each result would be confirmed by `touch c`",
    ]);
}

#[test]
fn a_dry_run_tells_how_many_devices_would_compute_a_value_and_computes_it_once() {
    for (option, plan) in [
        (["--copies", "3"], "each value would go to 3 different devices"),
        (["--verify", "2"], "a result would count when 2 devices have answered the same"),
        (["--verify", "5%"], "and 5% of the values of a proven one (--verify 5%)"),
    ] {
        let run = PandoCommand::new(SQUARE).args(["--dry-run", "7", "8"]).args(option).run();
        run.gives("49\n").said(&[plan, "now, the cores of this machine compute alone"]);
    }
}

#[test]
fn a_dry_run_of_a_function_for_browsers_says_so() {
    let dom =
        PandoCommand::new("export default x => document.title").args(["--dry-run", "--dom", "7"]);
    dom.run().gives("").said(&["by devices that join", "no value is computed", "needs a browser"]);
}
