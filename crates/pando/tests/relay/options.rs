//! The command line of the relay.

use crate::support::RelayProcess;
use pando_testing::PandoCommand;

fn relay(args: &[&str]) -> PandoCommand {
    PandoCommand::bare().args(["relay"]).args(args)
}

#[test]
fn without_a_secret_it_does_not_start_and_says_how_to_make_one() {
    for none in [&[][..], &["--secret", ""], &["--secret", " , "]] {
        let finished = relay(&["--port", "0"]).args(none).run();
        finished.ends(2, "").said(&[
            "error: there is no secret",
            "openssl rand -hex 16",
            "PANDO_RELAY_SECRET",
        ]);
    }
}

#[test]
fn wrong_options_are_told_in_words() {
    for (args, word) in [
        (&["--port", "70000"][..], "70000"),
        (&["--tls-cert", "a"], "--tls-key"),
        (&["--turn-range", "5"], "49160-49299"),
        (&["--url", "relay.example.org"], "https://relay.example.org"),
        (&["--max-function", "lots"], "32M"),
        (&["--stun", "x"], "stun.example.org:3478"),
        (&["--secrets-file", "/nowhere/secrets"], "/nowhere/secrets"),
        (
            &["--secret", "abc", "--tls-cert", "/nowhere/a", "--tls-key", "/nowhere/b"],
            "--tls-cert /nowhere/a",
        ),
        (&["f.js"], "f.js"),
        (&["--nonsense"], "--nonsense"),
    ] {
        let has_port = args.contains(&"--port");
        let finished = relay(if has_port { &[] } else { &["--port", "0"] }).args(args).run();
        finished.ends(2, "").said(&[word]);
    }
}

#[test]
fn a_port_that_is_taken_is_told() {
    let other = RelayProcess::start(&[]);
    let finished =
        relay(&["--secret", "abc", "--bind", "127.0.0.1", "--port", &other.port().to_string()])
            .run();
    finished.ends(2, "").said(&["cannot be used", "--port"]);
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = udp.local_addr().unwrap().port().to_string();
    let finished =
        relay(&["--secret", "abc", "--bind", "127.0.0.1", "--port", "0", "--turn-port", &port])
            .run();
    finished.ends(2, "").said(&["cannot be used", "--turn-port", "--no-udp"]);
}

#[test]
fn options_come_from_the_environment_too_and_the_port_from_the_platform() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port().to_string()
    };
    let run = PandoCommand::bare()
        .args(["relay", "--bind=127.0.0.1"])
        .on_the_default_port()
        .env("PORT", &port)
        .env("PANDO_RELAY_SECRET", "first-secret,second-secret")
        .env("PANDO_RELAY_NO_UDP", "yes")
        .start();
    run.says(&format!("Relay listening at http://127.0.0.1:{port}"));
    let finished = PandoCommand::bare()
        .args(["relay"])
        .on_the_default_port()
        .env("PORT", "x")
        .env("PANDO_RELAY_SECRET", "abc")
        .run();
    finished.ends(2, "").said(&["PORT=\"x\""]);
}

#[test]
fn help_is_there_and_the_other_help_names_it() {
    let help = relay(&["--help"]).run();
    help.status(0);
    for option in [
        "--secret",
        "--tls-cert",
        "--turn-range",
        "--max-rooms",
        "PANDO_RELAY_PORT=80",
        "pando relay",
    ] {
        assert!(help.text().contains(option), "{option}");
    }
    let other = PandoCommand::bare().args(["--help"]).run();
    assert!(other.status(0).text().contains("pando relay"));
}

#[test]
fn a_function_in_a_file_called_relay_is_named_by_its_path() {
    let run = PandoCommand::bare()
        .with_file("relay.js", "module.exports['/pando/1.0.0'] = (x, cb) => cb(null, x)")
        .args(["./relay.js", "1"])
        .run();
    run.gives("1\n");
}

#[test]
fn short_secrets_are_warned_of() {
    let relay = RelayProcess::start(&["--secret", "short"]);
    assert_eq!(relay.logs("short-secret")["letters"], 5);
}
