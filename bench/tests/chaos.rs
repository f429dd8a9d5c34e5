//! Tests chaos, and tests that it detects errors.

use pando_bench::chaos::ChaosPlan;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

/// The first seed; the same runs every time.
const SEED: u64 = 1_000_000;

fn chaos(words: &[&str]) -> Output {
    let output =
        Command::new(env!("CARGO_BIN_EXE_chaos")).args(words).output().expect("it can be started");
    println!(
        "chaos {}: {}\n{}{}",
        words.join(" "),
        output.status,
        told(&output.stdout),
        told(&output.stderr)
    );
    output
}

fn told(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn whatever_happens_to_volunteers_and_master_the_output_is_that_of_a_loop() {
    let output = chaos(&["--runs", "200", "--seed", &SEED.to_string()]);
    assert!(output.status.success());
    assert!(told(&output.stdout).contains("200 runs"));
}

#[test]
fn the_same_with_tabs_that_freeze_and_crash() {
    let output =
        chaos(&["--runs", "5", "--seed", &SEED.to_string(), "--tabs", "1", "--lanes", "5"]);
    assert!(output.status.success());
    assert!(told(&output.stdout).contains("5 runs with a tab"));
}

#[test]
fn the_same_with_gateways_and_machines_that_are_killed_frozen_and_taken_away() {
    let machines = ["--machines", "1", "--lanes", "3"];
    let output = chaos(&[&["--runs", "10", "--seed", &SEED.to_string()], &machines[..]].concat());
    assert!(output.status.success());
    assert!(told(&output.stdout).contains("10 runs"));
}

#[test]
fn a_volunteer_that_answers_wrongly_for_what_it_holds_is_noticed_and_the_seed_is_told() {
    let kept = tempfile::tempdir().unwrap();
    let folder = kept.path().to_str().unwrap();
    let output = chaos(&["--runs", "10", "--seed", &SEED.to_string(), "--forge", "--keep", folder]);
    assert_eq!(output.status.code(), Some(1));
    let said = told(&output.stderr);
    let line = said.lines().find(|line| line.contains("VIOLATION with seed")).expect("it is told");
    let seed = line.rsplit(' ').next().unwrap();
    assert!(said.contains("\"forged\"") || said.contains("forged"), "the difference is told");
    let run = fs::read_dir(kept.path())
        .unwrap()
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().contains(seed));
    let run = run.expect("it is kept").path();
    for name in ["plan", "steps", "input", "f.js", "expected", "printed.1", "said.1"] {
        assert!(run.join(name).exists(), "{name}");
    }
    assert!(chaos(&["--seed", seed]).status.success(), "the same seed without a forger");
}

#[test]
fn a_pando_that_loses_doubles_or_swaps_a_line_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let pando = Path::new(env!("CARGO_BIN_EXE_chaos")).with_file_name("pando");
    let seed = (SEED..)
        .find(|seed| has_lines_and_no_restart(&ChaosPlan::new(*seed, 0.0, 0.0, 1).to_string()))
        .unwrap();
    for (change, words) in [
        ("2d", "it is missing"),
        ("2p", "that of 2 comes once more"),
        ("2{h;d};3G", "comes in its place"),
    ] {
        let wrong = folder.path().join("wrong");
        fs::write(&wrong, format!("#!/bin/sh\n'{}' \"$@\" | sed '{change}'\n", pando.display()))
            .unwrap();
        fs::set_permissions(&wrong, fs::Permissions::from_mode(0o755)).unwrap();
        let [wrong, kept] = [wrong.to_str().unwrap(), folder.path().to_str().unwrap()];
        let output = chaos(&["--seed", &seed.to_string(), "--pando", wrong, "--keep", kept]);
        assert_eq!(output.status.code(), Some(1));
        assert!(told(&output.stderr).contains(words));
    }
}

/// Whether the plan has some lines as values and a single master process.
fn has_lines_and_no_restart(plan: &str) -> bool {
    let job = plan.lines().find_map(|line| line.strip_prefix("job: ")).expect("each plan has one");
    let values: u64 = job.split(' ').next().and_then(|count| count.parse().ok()).expect("a number");
    (5..500).contains(&values)
        && !["journal", " -0", "--json", "--confirm", "poisonous: Some", "a relay"]
            .iter()
            .any(|word| plan.contains(word))
}
