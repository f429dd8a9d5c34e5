//! Options in the environment.

use crate::help::{entries, help};
use pando_testing::PandoCommand;

#[test]
fn options_may_come_from_the_environment_and_the_command_line_wins() {
    let f = "export default (x, { attempt }) => { if (attempt < 3) throw new Error('not yet'); return x }";
    let pando = || PandoCommand::new(f).env("PANDO_RETRIES", "1").env("PANDO_LOCAL", "true");
    pando()
        .stdin("1\n")
        .on_the_default_port()
        .run()
        .ends(1, "")
        .did_not_say(&["Serving volunteer"]);
    pando()
        .args(["--retries", "2"])
        .stdin("1\n")
        .on_the_default_port()
        .run()
        .gives("1\n")
        .did_not_say(&["Serving volunteer"]);
}

#[test]
fn a_variable_that_conflicts_with_the_command_line_is_ignored_in_words() {
    let pando = |variables: &[(&str, &str)]| {
        let pando = PandoCommand::f("(x, cb) => cb(null, x)").local().args(["1"]);
        variables.iter().fold(pando, |pando, (name, value)| pando.env(name, value))
    };
    let ignored = |name: &str| format!("{name} in the environment is ignored, because");
    for (name, value) in [
        ("PANDO_PORT", "5000"),
        ("PANDO_OPEN", "true"),
        ("PANDO_DENY_NET", "1"),
        ("PANDO_CORES", "0"),
        ("PANDO_STDIN", "true"),
        ("PANDO_CSV", "true"),
    ] {
        pando(&[(name, value)]).run().gives("1\n").said(&[&ignored(name)]);
    }
    let several = [
        ("PANDO_HOST", "http://127.0.0.1:1"),
        ("PANDO_SECRET", "s"),
        ("PANDO_TLS_CERT", "none"),
        ("PANDO_TLS_KEY", "none"),
        ("PANDO_VERIFY", "2"),
    ];
    let run = pando(&several).run();
    run.gives("1\n").said(&[
        &ignored("PANDO_HOST"),
        &ignored("PANDO_TLS_KEY"),
        &ignored("PANDO_VERIFY"),
    ]);
    // A variable without a conflict holds, and two variables or two options conflict as before.
    pando(&[("PANDO_JSON", "true")]).run().gives("1\n").did_not_say(&["ignored"]);
    let conflict = "--csv cannot be used with --tsv";
    let both = pando(&[("PANDO_CSV", "true"), ("PANDO_TSV", "true")]).run();
    both.ends(2, "").said(&[conflict]);
    pando(&[]).args(["--csv", "--tsv"]).run().ends(2, "").said(&[conflict]);
}

#[test]
fn flags_in_the_environment_take_words() {
    let f = "(x, cb) => cb(null, typeof x)";
    for (value, expected) in
        [("true", "\"number\"\n"), ("1", "\"number\"\n"), ("false", "string\n"), ("0", "string\n")]
    {
        PandoCommand::f(f).env("PANDO_JSON", value).stdin("1\n").run().gives(expected);
    }
}

#[test]
fn variables_that_are_empty_count_as_not_set() {
    let variables: Vec<String> = entries(&help())
        .iter()
        .filter(|(name, _)| !["--help", "--version"].contains(&name.as_str()))
        .map(|(name, _)| {
            format!("PANDO_{}", name.trim_start_matches('-').replace('-', "_").to_uppercase())
        })
        .collect();
    assert!(variables.len() > 40);
    let with =
        |pando: PandoCommand| variables.iter().fold(pando, |pando, name| pando.env(name, ""));
    with(PandoCommand::f("(x, cb) => cb(null, typeof x)")).stdin("1\n").run().gives("string\n");
    with(PandoCommand::bare())
        .args(["--cores", "1", "--exec", "cat"])
        .stdin("1\n")
        .run()
        .gives("1\n");
    let relay = PandoCommand::bare().on_the_default_port().args(["relay", "--help"]).run().text();
    let variables = entries(&relay).into_iter().map(|(_, text)| text);
    let variables = variables
        .filter_map(|text| Some(text.split_once("[env: ")?.1.split(['=', ']']).next()?.to_owned()));
    let relay = variables
        .fold(PandoCommand::bare().on_the_default_port().args(["relay"]), |relay, name| {
            relay.env(&name, "")
        });
    relay.run().ends(2, "").said(&["there is no secret"]);
}

#[test]
fn a_port_from_the_environment() {
    let free = std::net::TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
    let run = PandoCommand::f("(x, cb) => cb(null, x)")
        .env("PANDO_PORT", free.to_string())
        .on_the_default_port()
        .stdin_open()
        .start();
    assert!(run.url().starts_with(&format!("http://127.0.0.1:{free}/")));
}

#[test]
fn a_wrong_value_in_the_environment_is_named() {
    let run =
        PandoCommand::f("(x, cb) => cb(null, x)").env("PANDO_WINDOW", "wide").stdin("1\n").run();
    run.ends(2, "").said(&["wide", "--window"]);
}
