use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{
    devices::{map, pando},
    npm,
    program::{apply, leave_early, run},
};
use pando_testing::Finished;

const SEEDS: &str = env!("CARGO_BIN_EXE_seeds");
const VIOLATIONS: &str = env!("CARGO_BIN_EXE_violations");
const SCHEDULES: &str = env!("CARGO_BIN_EXE_lender-schedules");

/// The deliberate bugs of broken.js, and the properties that a violation by each bug may name.
const BUGS: [(&str, &[u64]); 14] = [
    ("eager", &[1, 6, 11]),
    ("deaf", &[0, 3]),
    ("asleep", &[6]),
    ("hasty", &[4]),
    ("alarmed", &[4]),
    ("unordered", &[5]),
    ("lossy", &[6]),
    ("jumbled", &[6]),
    ("endless", &[3, 8]),
    ("twice", &[9]),
    ("late", &[10]),
    ("wide", &[11]),
    ("greedy", &[0]),
    ("rude", &[0]),
];

/// The deliberate bugs of `lender-schedules`.
const NATIVE_BUGS: [&str; 8] =
    ["eager", "asleep", "hasty", "newest", "twice", "late", "wide", "forgetful"];

fn test_pull_streams(input: &str) -> Finished {
    npm::install("random-testing");
    apply("random-testing/random-testing.js", input)
}

fn answers(output: Finished) -> Vec<Value> {
    output.lines().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn seeds_follow_each_other() {
    assert_eq!(run(SEEDS, &["--count", "3"], b"").lines(), ["0 1000", "1000 1000", "2000 1000"]);
    assert_eq!(
        run(SEEDS, &["--start", "7", "--size", "5", "--count", "2", "--bug", "late"], b"").lines(),
        ["7 5 late", "12 5 late"]
    );
    assert_eq!(leave_early(SEEDS, &[], b"").status, Some(0));
}

#[test]
fn the_pull_stream_lender_shows_no_violation() {
    let answers = answers(test_pull_streams("0 2000\n123456789012 500\n"));
    assert_eq!(
        (&answers[0]["schedules"], &answers[0]["violation"]),
        (&2000.into(), &Value::Null),
        "{}",
        answers[0]
    );
    assert_eq!(
        (&answers[1]["schedules"], &answers[1]["violation"]),
        (&500.into(), &Value::Null),
        "{}",
        answers[1]
    );
}

#[test]
fn each_broken_pull_stream_lender_is_caught_again_and_again() {
    let lines: String = BUGS.iter().map(|(bug, _)| format!("0 20000 {bug}\n")).collect();
    let caught = answers(test_pull_streams(&lines));
    assert_eq!(caught.len(), BUGS.len());
    let mut again = String::new();
    for (answer, (bug, properties)) in caught.iter().zip(BUGS) {
        let violation = &answer["violation"];
        let property = violation["property"].as_u64().unwrap_or_else(|| panic!("{bug}: {answer}"));
        assert!(properties.contains(&property), "{bug}: {answer}");
        again += &format!("{} 1 {bug}\n", violation["seed"]);
    }
    for (first, second) in caught.iter().zip(answers(test_pull_streams(&again))) {
        assert_eq!(first["violation"]["what"], second["violation"]["what"], "the seed repeats it");
        assert!(
            second["violation"]["events"].as_array().is_some_and(|events| events.len() > 2),
            "{second}"
        );
    }
}

#[test]
fn lines_that_are_no_seeds_are_refused() {
    for line in ["", "5", "5 0", "-1 2", "5 5 5 5"] {
        assert_eq!(
            test_pull_streams(&format!("{line}\n")).stderr.trim(),
            format!("not \"SEED COUNT\" or \"SEED COUNT BUG\": {line}").trim()
        );
        assert_eq!(run(SCHEDULES, &[], format!("{line}\n").as_bytes()).status, Some(1), "{line}");
    }
    assert!(
        test_pull_streams("5 5 none\n").stderr.starts_with("no such bug: none; there are eager, ")
    );
    assert_eq!(
        run(SCHEDULES, &[], b"5 5 none\n").stderr,
        "lender-schedules: line 1: no such bug: \"none\"\n"
    );
}

#[test]
fn the_crate_shows_no_violation() {
    let answers = answers(run(SCHEDULES, &[], b"0 2000\n5 1\n"));
    assert_eq!(answers[0], serde_json::json!({"lender": "stream-lender", "schedules": 2000}));
    assert_eq!(answers[1]["schedules"], 1);
}

#[test]
fn each_broken_lender_of_the_crate_is_caught() {
    let lines: String = NATIVE_BUGS.iter().map(|bug| format!("0 20000 {bug}\n")).collect();
    let caught = answers(run(SCHEDULES, &[], lines.as_bytes()));
    for (answer, bug) in caught.iter().zip(NATIVE_BUGS) {
        assert_eq!(answer["violation"]["bug"], bug, "{answer}");
        let again =
            run(SCHEDULES, &[], format!("{} 1 {bug}\n", answer["violation"]["seed"]).as_bytes());
        assert!(again.stderr.contains("ask "), "the steps are told: {}", again.stderr);
        assert!(String::from_utf8(again.stdout).expect("text").contains(r#""violation":"#));
    }
    assert_eq!(caught.len(), NATIVE_BUGS.len());
}

#[test]
fn random_schedules_run_on_a_core_and_in_a_tab() {
    npm::install("random-testing");
    let seeds = run(SEEDS, &["--count", "40", "--size", "50"], b"").success();
    let (answers, _) = map("random-testing/random-testing.js", seeds);
    assert_eq!(run(VIOLATIONS, &[], &answers).lines(), ["2000 schedules, 0 violations"]);
}

#[test]
fn a_broken_lender_is_caught_while_the_seeds_go_on() {
    npm::install("random-testing");
    let mut seeds = Command::new(SEEDS)
        .args(["--size", "100", "--bug", "jumbled"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let input = seeds.stdout.take().expect("piped");
    let mut volunteers = pando()
        .args(["random-testing/random-testing.js", "--local", "--cores", "1"])
        .stdin(input)
        .stdout(Stdio::piped())
        .spawn()
        .expect("pando starts");
    let results = volunteers.stdout.take().expect("piped");
    let output =
        Command::new(VIOLATIONS).arg("--first").stdin(results).output().expect("it starts");
    let said = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("violation of property 6: "), "{said}");
    assert!(
        said.contains(
            "again: target/release/pando --local examples/random-testing/random-testing.js '"
        ),
        "{said}"
    );
    assert!(volunteers.wait().expect("it ends").success(), "its reader has gone away");
    seeds.wait().expect("it ends");
}

#[test]
fn the_crate_is_tested_as_a_program() {
    let mut volunteers = pando()
        .args(["--exec", SCHEDULES, "--local", "--cores", "2"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("pando starts");
    let seeds = run(SEEDS, &["--count", "20", "--size", "100"], b"").success();
    volunteers.stdin.take().expect("piped").write_all(&seeds).expect("a pipe");
    let output = volunteers.wait_with_output().expect("it ends");
    assert!(output.status.success());
    assert_eq!(run(VIOLATIONS, &[], &output.stdout).lines(), ["2000 schedules, 0 violations"]);
}

#[test]
fn violations_are_told_with_what_repeats_them() {
    let lines = concat!(
        r#"{"lender":"pull-stream","schedules":1000,"steps":5}"#,
        "\n",
        r#"{"lender":"pull-stream","schedules":7,"steps":5,"violation":{"seed":1006,"property":0,"what":"input: asked twice","events":["input asked"]}}"#,
        "\n",
        r#"{"lender":"stream-lender","schedules":3,"violation":{"seed":5,"bug":"late","what":"left, right"}}"#,
        "\n"
    );
    let output = run(VIOLATIONS, &[], lines.as_bytes());
    assert_eq!(output.status, Some(1));
    let expected = "  input asked\n\
        violation of the protocol: input: asked twice\n\
        \u{20} again: target/release/pando --local examples/random-testing/random-testing.js '1006 1' | target/release/violations\n\
        violation: left, right\n\
        \u{20} again: echo '5 1 late' | target/release/lender-schedules | target/release/violations\n\
        1010 schedules, 2 violations\n";
    assert_eq!(String::from_utf8(output.stdout).expect("text"), expected);
    let first = run(VIOLATIONS, &["--first"], lines.as_bytes());
    assert!(first.stdout.ends_with(b"1007 schedules, 1 violation\n"));
    let bad = run(VIOLATIONS, &[], b"five\n");
    assert_eq!(bad.status, Some(1));
    assert!(
        bad.stderr.starts_with("violations: line 1: not an answer: \"five\""),
        "{}",
        bad.stderr
    );
}
