//! Options in the help and in the README.

use pando_testing::PandoCommand;

const README: &str = include_str!("../../../../README.md");
const DESIGN: &[(&str, &str)] = &[
    ("--stdin", ""),
    ("--null", "-0, --null"),
    ("--json", ""),
    ("--exec", ""),
    ("--files", ""),
    ("--output-dir", "000001"),
    ("--ext", "--output-dir"),
    ("--overwrite", "--output-dir"),
    ("--csv", "docs/rows.md"),
    ("--tsv", "--csv"),
    ("--grid", "varies fastest"),
    ("--chunk", "array"),
    ("--unordered", ""),
    ("--tag", "input, TAB, result"),
    ("--head", ""),
    ("--dry-run", "no device can join"),
    ("--sync-stdio", ""),
    ("--confirm", ""),
    ("--on-error", "stop"),
    ("--max-failures", "100"),
    ("--failed", "JSON"),
    ("--only-failed", "--failed"),
    ("--speculate", ""),
    ("--copies", "2 to 100"),
    ("--verify", "N devices have answered the same"),
    ("--verify-with", "status 0 means that they are equal"),
    ("--host", ""),
    ("--secret", ""),
    ("--ice-servers", "stun:"),
    ("--port", "5000"),
    ("--bind", "0.0.0.0"),
    ("--allow-host", ""),
    ("--tls", "warn"),
    ("--tls-cert", "PEM"),
    ("--tls-key", "PEM"),
    ("--max-connections", "as many as the system has files for"),
    ("--max-connections-per-address", "[default: 500]"),
    ("--deny-net", "docs/security.md"),
    ("--token", "fresh per run"),
    ("--open-access", ""),
    ("--engine", "[default: auto]"),
    ("--sandbox", "docs/sandbox.md"),
    ("--title", "the name of the function's file"),
    ("--from", "your name"),
    ("--open", ""),
    ("--cores", "all but one"),
    ("--local", ""),
    ("--start-idle", ""),
    ("--dom", "--cores 0"),
    ("--concurrency", "[default: 1]"),
    ("--batch-size", "[default: auto]"),
    ("--window", "[default: 65536]"),
    ("--timeout", "none"),
    ("--retries", "[default: 2]"),
    ("--heartbeat", "[default: 5s]"),
    ("--grace", "[default: 25s]"),
    ("--events", ""),
    ("--journal", ""),
    ("--journal-keep", "--journal"),
    ("--allow-sleep", ""),
    ("--reporting-interval", "[default: 3s]"),
    ("--qr", "[default: auto]"),
    ("--total", "time left"),
    ("--summary", "[default: auto]"),
    ("--report", "no network"),
    ("--on-finish", "PANDO_STATUS"),
    ("--progress", "[default: auto]"),
    ("--quiet", "-q, --quiet"),
    ("--verbose", "-v, --verbose"),
    ("--assets", "Each device fetches a file once"),
    ("--eval", "-e, --eval"),
    ("--env", "All volunteers can read it"),
    ("--help", "-h, --help"),
    ("--version", ""),
];

pub(crate) fn help() -> String {
    let run = PandoCommand::bare().args(["--help"]).run();
    run.status(0);
    run.text()
}

/// The entries of the help: the name of each option, and its text in one line.
pub(crate) fn entries(help: &str) -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in help.lines() {
        let words = line.trim_start();
        let indent = line.len() - words.len();
        if words.starts_with('-') && (2..=8).contains(&indent) {
            let name = words
                .split([' ', ',', '=', '['])
                .find(|word| word.starts_with("--"))
                .unwrap_or(words);
            entries.push((name.to_owned(), words.to_owned()));
        } else if let Some((_, text)) = entries.last_mut().filter(|_| indent > 0) {
            text.push(' ');
            text.push_str(words);
        }
    }
    entries
}

#[test]
fn help_mentions_every_option_once_with_its_default() {
    let help = help();
    let entries = entries(&help);
    for (name, text) in DESIGN {
        let found: Vec<_> = entries.iter().filter(|(option, _)| option == name).collect();
        assert_eq!(found.len(), 1, "{name} in\n{help}");
        assert!(found[0].1.contains(text), "{name} without {text:?}: {:?}", found[0].1);
    }
    let known = |name: &str| DESIGN.iter().any(|(option, _)| *option == name);
    let unknown: Vec<_> = entries.iter().filter(|(name, _)| !known(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn help_names_the_environment_variables_once() {
    let help = help();
    assert!(help.contains("PANDO_CORES=2 is --cores 2") && !help.contains("[env"), "{help}");
}

#[test]
fn every_option_that_the_readme_names_is_in_the_help() {
    let join = PandoCommand::bare().args(["join", "--help"]).run().text();
    let help = help() + &join;
    let words = README.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).filter(|word| {
        word.strip_prefix("--")
            .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
    });
    // Without the options of cargo in the lines about building.
    let own: Vec<&str> = words.filter(|word| !["--release", "--path"].contains(word)).collect();
    assert!(own.len() > 8, "{own:?}");
    for option in own {
        assert!(help.contains(option), "{option}");
    }
}

#[test]
fn help_shows_no_secret_of_the_environment() {
    let secrets = ["PANDO_SECRET", "PANDO_TOKEN", "PANDO_ICE_SERVERS"];
    let run = secrets
        .iter()
        .fold(PandoCommand::bare(), |run, name| run.env(name, "turn:me:s3cret@127.0.0.1:1"));
    let run = run.args(["--help"]).run();
    run.status(0);
    assert!(!run.text().contains("s3cret"), "{}", run.text());
}

#[test]
fn the_short_help_fits_a_small_screen_and_names_only_options_that_exist() {
    let run = PandoCommand::bare().args(["f.js", "-h"]).run();
    run.status(0);
    let short = run.text();
    assert!(short.lines().count() <= 24, "{short}");
    assert!(short.lines().all(|line| line.chars().count() <= 80), "{short}");
    let long = help();
    let words = short.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let named: Vec<&str> = words.filter(|word| word.starts_with("--")).collect();
    assert!(named.len() > 10, "{short}");
    for option in named {
        assert!(long.split_whitespace().any(|word| word == option), "{option}");
    }
    // After `--`, the word is an item.
    let run = PandoCommand::new("export default x => x").args(["--local", "--", "-h"]).run();
    run.gives("-h\n");
}

#[test]
fn help_tells_the_exit_statuses_and_an_example() {
    let help = help();
    assert!(help.contains("Exit status") && help.contains("seq"), "{help}");
}
