//! The rules between options: exclusions, needs, and combinations without sense.

use super::OnError;
use crate::{
    cli::Cli,
    volunteer::{EngineChoice, ExecCommand},
};

/// The message for a command line without a function.
pub(super) const NO_FUNCTION: &str = "no FUNCTION is named: give its file, its code by -e, or a program by --exec (pando --help has an example)";

/// An option, the excluded options, and the reason.
const EXCLUSIONS: &[(&str, &[&str], &str)] = &[
    (
        "--exec",
        &["--dom", "--host", "--start-idle", "--open", "--deny-net", "--copies", "--verify"],
        "runs a program on this machine's cores only",
    ),
    ("--exec", &["--eval"], "runs a program in place of a function"),
    ("--exec", &["--sandbox", "--engine"], "runs a program of this machine, as its owner does"),
    ("--dom", &["--sandbox", "--engine"], "runs the function in volunteers' pages only"),
    ("--exec", &["--env"], "runs a program that has the whole environment"),
    ("--stdin", &["ITEMS"], "reads values from standard input"),
    (
        "--sync-stdio",
        &[
            "ITEMS",
            "--stdin",
            "--null",
            "--files",
            "--on-error",
            "--failed",
            "--only-failed",
            "--journal",
        ],
        "puts a program in the loop, which gives the values and hears of all results and failures",
    ),
    ("--only-failed", &["ITEMS", "--stdin"], "takes the values from its file"),
    (
        "--copies",
        &["--verify", "--sync-stdio", "--output-dir"],
        "makes one line of the answers of several devices",
    ),
    (
        "--verify",
        &["--sync-stdio"],
        "waits for the answers of several devices before a result counts",
    ),
    ("--verify-with", &["--output-dir"], "compares results as lines"),
    ("--files", &["--json"], "hands the function the bytes of files"),
    ("--csv", &["--tsv"], "puts commas between fields"),
    ("--csv", &["--tag"], "prints the columns of the input beside each result already"),
    ("--tsv", &["--tag"], "prints the columns of the input beside each result already"),
    ("--csv", TEXT, "prints rows of a table"),
    ("--tsv", TEXT, "prints rows of a table"),
    ("--csv", &["--json"], OBJECTS),
    ("--tsv", &["--json"], OBJECTS),
    ("--csv", &["ITEMS"], "reads rows from standard input"),
    ("--tsv", &["ITEMS"], "reads rows from standard input"),
    (
        "--grid",
        &["ITEMS", "--stdin", "--only-failed", "--files", "--sync-stdio"],
        "makes the values itself",
    ),
    (
        "--chunk",
        &["--files", "--output-dir", "--sync-stdio"],
        "makes lists of values, and needs lists of results",
    ),
    ("--tag", &["--files"], "prints inputs, and with --files those are the bytes of files"),
    (
        "--sync-stdio",
        &["--unordered", "--tag", "--head", "--dry-run"],
        "tells the program each result at once, by the index of its value",
    ),
    ("--tls-cert", &["--tls"], "names a certificate, so that none is made"),
    ("--open-access", &["--token"], "lets everyone join without a token"),
    ("--cores", &["--start-idle"], "lends cores of this machine"),
    (
        "--local",
        &[
            "--start-idle",
            "--port",
            "--open",
            "--dom",
            "--tls",
            "--tls-cert",
            "--host",
            "--deny-net",
            "--copies",
            "--verify",
        ],
        "uses only this machine's cores, and nobody can join",
    ),
];

/// What a table excludes.
const TEXT: &[&str] = &["--null", "--files", "--sync-stdio"];
/// Why a table is not printed as JSON, and what to do.
const OBJECTS: &str = "gives the function objects already, and prints rows, in which objects and lists are JSON (for lines of JSON, convert the table first: mlr --icsv --ojsonl cat)";

/// Options without effect unless another option is given.
const NEEDS: &[(&str, &str)] = &[
    ("--ext", "--output-dir"),
    ("--overwrite", "--output-dir"),
    ("--tls-cert", "--tls-key"),
    ("--tls-key", "--tls-cert"),
    ("--host", "--secret"),
    ("--journal-keep", "--journal"),
    ("--max-failures", "--on-error"),
    ("--verify-with", "--verify"),
];

/// Options for the command line, with its standard input and output.
const OF_COMMAND_LINE: &[&str] = &[
    "ITEMS",
    "--stdin",
    "--null",
    "--json",
    "--files",
    "--output-dir",
    "--csv",
    "--tsv",
    "--grid",
    "--chunk",
    "--tag",
    "--head",
    "--dry-run",
    "--sync-stdio",
    "--journal",
    "--only-failed",
];

/// Refuses combinations without sense, in words for people.
pub(crate) fn check(cli: &Cli) -> Result<(), String> {
    for (option, excluded, why) in EXCLUSIONS {
        if let Some(other) =
            excluded.iter().find(|other| is_given(cli, option) && is_given(cli, other))
        {
            return Err(format!(
                "{option} cannot be used with {other}, because {option} {why}: leave one of the two out"
            ));
        }
    }
    if let Some((option, needed)) =
        NEEDS.iter().find(|(option, needed)| is_given(cli, option) && !is_given(cli, needed))
    {
        return Err(format!("{option} is used only together with {needed}: give both, or none"));
    }
    let commands = [
        ("--exec", &cli.calls.exec),
        ("--confirm", &cli.failures.confirm),
        ("--verify-with", &cli.devices.verify_with),
        ("--on-finish", &cli.messages.on_finish),
    ];
    let is_empty = |command: &Option<String>| {
        command.as_ref().is_some_and(|command| command.trim().is_empty())
    };
    // The shell takes it for a command that always succeeds.
    if let Some((option, _)) = commands.iter().find(|(_, command)| is_empty(command)) {
        return Err(format!("the command of {option} is empty: give one, or leave the option out"));
    }
    if let Some(text) = &cli.calls.exec
        && cli.data.files
        && !exec_command(text)?.is_per_value()
    {
        return Err(
            "--files gives the command of --exec the path of a file: write {} in the place of the path, as in --exec 'wc -c {}'"
                .into(),
        );
    }
    senseless(cli).map_or(Ok(()), |why| Err(why.into()))
}

/// Refuses options of the command line, for a Rust program with values of its own.
pub(super) fn check_for_library(cli: &Cli) -> Result<(), String> {
    if OF_COMMAND_LINE.iter().any(|option| is_given(cli, option)) {
        let (last, others) = OF_COMMAND_LINE.split_last().expect("there are some");
        return Err(format!(
            "values come from this program: {} and {last} are for the command line",
            others.join(", ")
        ));
    }
    if cli.devices.sandbox {
        return Err(
            "--sandbox is for the program `pando`, which is its own helper: leave it out, or run that program"
                .into(),
        );
    }
    Ok(())
}

/// The command of `--exec`.
///
/// # Errors
/// When a `{}` in it cannot be replaced by the value, in words for people.
pub(super) fn exec_command(text: &str) -> Result<ExecCommand, String> {
    ExecCommand::parse(text).map_err(|why| format!("--exec '{text}': {why}"))
}

/// The reason why these options compute nothing, or print nothing sensible.
fn senseless(cli: &Cli) -> Option<&'static str> {
    let reports = cli.failures.on_error == Some(OnError::Report);
    if cli.function.is_none() && cli.calls.exec.is_none() && cli.calls.eval.is_none() {
        return Some(NO_FUNCTION);
    }
    let function = cli.function.as_deref();
    let is_item = cli.calls.exec.is_some() || cli.calls.eval.is_some();
    if is_item && function.is_some_and(|word| word.to_str().is_none()) {
        return Some("item 1 is not UTF-8 text");
    }
    if function.is_some_and(|path| path == "") {
        return Some("the name of the FUNCTION is empty: give the name of its file");
    }
    if cli.function.is_some() && cli.calls.eval.is_some() {
        return Some("--eval gives the function: leave the FUNCTION of a file out");
    }
    if cli.devices.cores == Some(0) && cli.calls.exec.is_some() {
        return Some(
            "--exec runs on this machine's cores only, and --cores 0 uses none of them: leave it out",
        );
    }
    if cli.devices.cores == Some(0) && cli.devices.local {
        return Some(
            "--local uses only this machine's cores, and --cores 0 none of them: leave one of the two out",
        );
    }
    if cli.failures.max_failures.is_some() && cli.failures.on_error == Some(OnError::Stop) {
        return Some(
            "--max-failures lets a number of inputs fail, and --on-error stop none: use --on-error skip or report",
        );
    }
    if reports && cli.data.files {
        return Some(
            "--on-error report puts JSON in place of results, and with --files those are no JSON: use --on-error skip",
        );
    }
    if reports && (cli.rows.csv || cli.rows.tsv) {
        return Some(
            "--on-error report puts JSON in place of results, and a table (--csv, --tsv) has rows: use --on-error skip",
        );
    }
    (reports && !cli.data.json && cli.rows.grid.is_empty())
        .then_some("--on-error report puts JSON in place of results: it needs --json")
}

/// Whether the user gave an option of a rule.
fn is_given(cli: &Cli, option: &str) -> bool {
    match option {
        "ITEMS" => !cli.items.is_empty(),
        "--chunk" => cli.rows.chunk.is_some(),
        "--csv" => cli.rows.csv,
        "--dry-run" => cli.rows.dry_run,
        "--grid" => !cli.rows.grid.is_empty(),
        "--head" => cli.rows.head.is_some(),
        "--tag" => cli.rows.tag,
        "--tsv" => cli.rows.tsv,
        "--unordered" => cli.rows.unordered,
        "--copies" => cli.devices.copies.is_some(),
        "--cores" => cli.devices.cores.is_some(),
        "--deny-net" => cli.network.deny_net,
        "--dom" => cli.calls.dom,
        "--engine" => cli.devices.engine != EngineChoice::Auto,
        "--env" => !cli.calls.env.is_empty(),
        "--eval" => cli.calls.eval.is_some(),
        "--exec" => cli.calls.exec.is_some(),
        "--ext" => cli.data.ext.is_some(),
        "--failed" => cli.failures.failed.is_some(),
        "--files" => cli.data.files,
        "--host" => cli.network.host.is_some(),
        "--journal" => cli.keeping.journal.is_some(),
        "--journal-keep" => cli.keeping.journal_keep,
        "--json" => cli.data.json,
        "--local" => cli.devices.local,
        "--max-failures" => cli.failures.max_failures.is_some(),
        "--null" => cli.data.null,
        "--on-error" => cli.failures.on_error.is_some(),
        "--only-failed" => cli.failures.only_failed.is_some(),
        "--open" => cli.devices.open,
        "--open-access" => cli.network.open_access,
        "--output-dir" => cli.data.output_dir.is_some(),
        "--overwrite" => cli.data.overwrite,
        "--port" => cli.network.port.is_some(),
        "--sandbox" => cli.devices.sandbox,
        "--secret" => cli.network.secret.is_some(),
        "--speculate" => cli.devices.speculate,
        "--start-idle" => cli.devices.start_idle,
        "--stdin" => cli.data.stdin,
        "--sync-stdio" => cli.data.sync_stdio,
        "--tls" => cli.network.tls,
        "--tls-cert" => cli.network.tls_cert.is_some(),
        "--tls-key" => cli.network.tls_key.is_some(),
        "--token" => cli.network.token.is_some(),
        "--verify" => cli.devices.verify.is_some(),
        "--verify-with" => cli.devices.verify_with.is_some(),
        other => unreachable!("{other} stands in no rule"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn all_options_of_the_rules_are_known() {
        let cli = Cli::parse_from(["pando", "f.js"]);
        let excluded = EXCLUSIONS.iter().flat_map(|(one, others, _)| others.iter().chain([one]));
        let needed = NEEDS.iter().flat_map(|(one, other)| [one, other]);
        for option in excluded.chain(needed).chain(OF_COMMAND_LINE) {
            assert!(!is_given(&cli, option), "{option}");
        }
    }

    #[test]
    fn each_exclusion_and_each_need_is_told_with_both_names() {
        let words = |option: &str| -> Vec<String> {
            let value = match option {
                "ITEMS" => return vec!["7".into()],
                "--chunk" | "--copies" | "--cores" | "--head" | "--max-failures" | "--port"
                | "--verify" => "3",
                "--grid" => "a=1,2",
                "--on-error" => "skip",
                "--engine" => "node",
                "--env" => "NAME=value",
                "--eval" | "--exec" | "--ext" | "--failed" | "--host" | "--journal"
                | "--only-failed" | "--output-dir" | "--secret" | "--tls-cert" | "--tls-key"
                | "--token" | "--verify-with" => "some",
                _ => return vec![option.into()],
            };
            vec![option.into(), value.into()]
        };
        let refusal = |options: &[&str]| {
            let given = options.iter().flat_map(|option| words(option));
            check(&Cli::parse_from(["pando".into(), "f.js".into()].into_iter().chain(given)))
                .expect_err("they make no sense together")
        };
        for (one, others, _) in EXCLUSIONS {
            for other in *others {
                let why = refusal(&[one, other]);
                assert!(why.contains(one) && why.contains(other), "{why}");
            }
        }
        for (one, needed) in NEEDS {
            let why = refusal(&[one]);
            assert!(why.contains(one) && why.contains(needed), "{why}");
        }
    }
}
