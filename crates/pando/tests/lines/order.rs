//! `--unordered` and `--tag`: results as they come, and results with their inputs.

use pando_testing::{Finished, PandoCommand, lines};

fn run(function: &str, args: &[&str], input: impl Into<Vec<u8>>) -> Finished {
    PandoCommand::new(function).local().args(args).stdin(input).run()
}

fn sorted(run: &Finished) -> Vec<String> {
    let mut lines = run.lines();
    lines.sort_unstable();
    lines
}

/// The first value answers once all others were printed: in order, the run would never end.
#[test]
fn a_slow_value_holds_up_no_other() {
    let f = "export default async x => { if (x === '1') await new Promise(resolve => { globalThis.go = resolve }); \
             else if (x === 'last') globalThis.go(); return x }";
    let mut run = PandoCommand::new(f)
        .local()
        .args(["--unordered", "--cores", "1", "--concurrency", "2", "--window", "4"])
        .stdin_open()
        .start();
    run.write_line("1");
    // More values than the window has places.
    for n in 2..40 {
        run.write_line(&n.to_string());
        assert_eq!(run.line(), Some(n.to_string()));
    }
    run.write_line("last");
    run.close_stdin();
    let mut last = [run.line().unwrap(), run.line().unwrap()];
    last.sort();
    assert_eq!(last, ["1", "last"]);
    run.wait().status(0);
}

#[test]
fn nothing_is_lost_or_doubled() {
    let f = "export default async x => { await new Promise(done => setTimeout(done, x % 7)); return x }";
    let args = ["--unordered", "--cores", "3", "--concurrency", "20", "--window", "500"];
    let run = run(f, &args, lines(1..=3000));
    let mut numbers: Vec<u64> = run.lines().iter().map(|line| line.parse().unwrap()).collect();
    assert!(!numbers.is_sorted(), "they are in order by chance");
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(1..=3000));
}

#[test]
fn what_failed_is_left_out_or_ends_the_run_after_those_before_it() {
    let f = "export default async x => { if (x % 10 === 3) throw new Error('no'); return x }";
    let left = run(f, &["--unordered", "--retries", "0", "--on-error", "skip"], lines(1..=50));
    left.status(1).said(&["5 items failed and were left out"]);
    assert_eq!(left.text().lines().count(), 45);
    let stopped = run(f, &["--unordered", "--retries", "0"], lines(1..=50));
    stopped.status(1).said(&["item 3 failed"]);
    let text = stopped.text();
    assert!(["1", "2"].iter().all(|x| text.lines().any(|line| line == *x)), "{stopped:?}");
}

#[test]
fn a_journal_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("j");
    let run = |count: u64| {
        let args = ["--unordered", "--cores", "2", "--journal"];
        let f = "export default x => { console.log('computed'); return x * 2 }";
        PandoCommand::new(f).local().args(args).args([&journal]).stdin(lines(1..=count)).run()
    };
    let all = |count: u64| {
        let mut lines: Vec<String> = (1..=count).map(|n| (n * 2).to_string()).collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(sorted(&run(100)), all(100));
    let again = run(120);
    assert_eq!(sorted(&again), all(120));
    again
        .said(&["100 results are there", "item 101: computed"])
        .did_not_say(&["item 100: computed"]);
}

#[test]
fn tagged_results_stand_beside_their_inputs() {
    let f = "export default x => x * 2";
    run(f, &["--tag"], "1\n2\n\n").gives("1\t2\n2\t4\n\t0\n");
    run(f, &["--tag", "-0"], "1\x002\0").gives("1\t2\x002\t4\0");
    run(f, &["--tag", "--json"], "1\n 2\n")
        .gives("{\"index\":1,\"input\":1,\"result\":2}\n{\"index\":2,\"input\": 2,\"result\":4}\n");
    PandoCommand::new(f).local().args(["--tag", "5", "6"]).run().gives("5\t10\n6\t12\n");
    let slow = "export default async x => { await new Promise(done => setTimeout(done, x % 5)); return x * 2 }";
    let tagged =
        run(slow, &["--tag", "--unordered", "--concurrency", "9", "--cores", "2"], lines(1..=200));
    let mut expected: Vec<String> = (1..=200).map(|n| format!("{n}\t{}", n * 2)).collect();
    expected.sort_unstable();
    assert_eq!(sorted(&tagged), expected);
}

#[test]
fn reports_of_failures_have_their_inputs_too() {
    let f = "export default x => { if (x === 2) throw new Error('no'); return x }";
    let args = ["--tag", "--json", "--on-error", "report", "--retries", "0"];
    let run = run(f, &args, "1\n2\noops\n");
    run.status(1);
    let text = run.text();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3, "{run:?}");
    assert_eq!((&lines[0]["input"], &lines[0]["result"]), (&1.into(), &1.into()));
    assert_eq!((&lines[1]["index"], &lines[1]["input"]), (&2.into(), &2.into()));
    assert_eq!(lines[1]["error"]["message"], "no");
    assert_eq!((&lines[2]["index"], &lines[2]["error"]["index"]), (&3.into(), &3.into()));
}

#[test]
fn a_table_has_its_inputs_already_and_files_have_names() {
    for other in ["--csv", "--files"] {
        let run = run("export default x => x", &["--tag", other], "");
        run.ends(2, "").said(&["--tag", other, "cannot be used with"]);
    }
}
