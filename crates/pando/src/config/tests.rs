use super::*;
use clap::Parser;

/// The configuration for a Rust program's stream, with these options.
fn config(options: &[&str]) -> RunConfig {
    let words = ["pando", "f.js"].iter().chain(options);
    RunConfig::for_stream(Cli::parse_from(words), false).expect("the options make sense")
}

#[test]
fn what_a_page_or_a_program_computes_leaves_this_machine_s_cores_or_other_devices_out() {
    let dom = config(&["--dom", "--cores", "3"]);
    assert_eq!((dom.cores, dom.takes_volunteers()), (0, true));
    assert!(dom.notes[0].contains("--dom"), "{:?}", dom.notes);
    assert_eq!(config(&["--dom", "--start-idle"]).notes, [] as [&str; 0]);
    let local = config(&["--local", "--cores", "3"]);
    assert_eq!((local.cores, local.server.is_some()), (3, false));
    assert!(config(&[]).takes_volunteers());
    assert!(config(&["--exec", "cat"]).server.is_none());
    let told = config(&["--exec", "cat", "--port", "0"]);
    assert!(told.server.is_some() && !told.takes_volunteers());
}

#[test]
fn too_many_cores_are_fewer_and_that_is_noted() {
    let config = config(&["--cores", "1000000"]);
    assert!(config.cores < 1_000_000 && config.notes[0].contains("--cores 1000000"));
}

#[test]
fn the_options_of_results_are_those_that_change_results() {
    let cli = |words: &[&str]| Cli::parse_from(["pando", "f.js", "7"].iter().chain(words));
    let options = |words: &[&str]| {
        let config = RunConfig::for_command_line(cli(words)).expect("the options make sense");
        config.options_of_results()
    };
    assert_eq!(options(&["--port", "0", "--retries", "7", "--timeout", "1"]), [] as [&str; 0]);
    assert_eq!(options(&["--json", "--null"]), ["--json", "--null"]);
    assert_eq!(
        options(&["--files", "--output-dir", "out", "--ext", "png", "--confirm", "true"]),
        ["--files", "--output-dir out", "--ext png", "--confirm true"]
    );
    let exec = Cli::parse_from(["pando", "--exec", "cat"]);
    let exec = RunConfig::new(exec, InputSource::Stdin, false).expect("the options make sense");
    assert_eq!(exec.options_of_results(), ["--exec cat"]);
}

#[test]
fn a_program_in_the_loop_is_asked_for_as_many_values_as_its_cores_take() {
    let of = |words: &[&str]| {
        let cli = Cli::parse_from(["pando", "f.js"].iter().chain(words));
        RunConfig::for_feedback(cli, true).expect("the options make sense").policies.batch_size
    };
    assert_eq!(of(&["--concurrency", "4"]), BatchSize::Fixed(4));
    assert_eq!(of(&["--batch-size", "2"]), BatchSize::Fixed(2));
}
