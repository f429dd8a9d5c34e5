//! Options on the command line and in the environment.

use pando_testing::{PandoCommand, get, numbers, request};

#[test]
fn version() {
    PandoCommand::bare()
        .args(["--version"])
        .run()
        .gives(format!("pando {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_port_to_which_browsers_do_not_connect_is_refused() {
    let run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--port", "5060"])
        .on_the_default_port()
        .stdin("1\n")
        .run();
    run.ends(2, "").said(&["browsers refuse to connect to port 5060", "--port"]);
}

#[test]
fn an_option_that_is_given_twice_counts_as_said_last_and_lists_grow() {
    let run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--token", "first", "--json", "--json", "--token", "second"]);
    let run =
        run.args(["--allow-host", "a.example", "--allow-host", "b.example"]).stdin_open().start();
    let url = run.url();
    assert!(url.ends_with("/second/"), "{url}");
    let host = url.split('/').nth(2).unwrap();
    for (name, status) in [("a.example", 200), ("b.example", 200), ("c.example", 421)] {
        let asked = format!("GET /second/ HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
        assert_eq!(request(host, &asked).status, status, "{name}");
    }
}

#[test]
fn an_ending_of_names_is_no_path() {
    for ext in ["../zz", "a/b", "", "."] {
        let run = PandoCommand::f("(x, cb) => cb(null, x)").local().args([
            "--files",
            "--output-dir",
            "o",
            "--ext",
            ext,
        ]);
        run.stdin("f.js\n").run().ends(2, "").said(&["--ext"]);
    }
}

#[test]
fn durations_with_units_and_without() {
    for time in ["20", "20s", "20000ms", "1m", "1h30m", "20.5"] {
        let args = ["--timeout", time, "--heartbeat", time, "--reporting-interval", time];
        PandoCommand::f("(x, cb) => cb(null, x)").args(args).stdin("1\n").run().gives("1\n");
    }
}

#[test]
fn a_token_of_one_s_own() {
    let run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--token", "our-party_7"])
        .stdin_open()
        .start();
    let url = run.url();
    assert!(url.ends_with("/our-party_7/"), "{url}");
    assert_eq!(get(&url).status, 200);
}

#[test]
fn a_fresh_token_of_ten_to_twelve_unambiguous_characters_per_run() {
    let token = || {
        let run = PandoCommand::f("(x, cb) => cb(null, x)").stdin_open().start();
        run.url().split('/').nth(3).unwrap().to_owned()
    };
    let (one, other) = (token(), token());
    assert_ne!(one, other);
    for token in [one, other] {
        let fine = |c: char| (c.is_ascii_lowercase() || c.is_ascii_digit()) && !"l1o0".contains(c);
        assert!((10..=12).contains(&token.len()) && token.chars().all(fine), "{token}");
    }
}

#[test]
fn open_access_is_said_aloud_and_has_no_token() {
    let run =
        PandoCommand::f("(x, cb) => cb(null, x)").args(["--open-access"]).stdin_open().start();
    let url = run.url();
    assert_eq!(url.matches('/').count(), 3, "{url}");
    run.says("open access");
    assert_eq!(get(&url).status, 200);
}

#[test]
fn bound_to_one_address_only_that_is_shown() {
    let run =
        PandoCommand::f("(x, cb) => cb(null, x)").args(["--bind", "127.0.0.1"]).stdin("1\n").run();
    run.gives("1\n");
    let said: Vec<&str> = run.stderr.lines().collect();
    assert!(
        said.len() == 2 && said.iter().all(|line| line.contains(" http://127.0.0.1:")),
        "{said:?}"
    );
}

#[test]
fn bound_to_ipv6_the_url_is_in_brackets() {
    let run =
        PandoCommand::f("(x, cb) => cb(null, x)").args(["--bind", "::1"]).stdin_open().start();
    let url = run.url_at("http://[::1]:");
    let host = url.split('/').nth(2).unwrap();
    let port = host.rsplit(':').next().unwrap();
    let path = url.splitn(4, '/').nth(3).unwrap();
    let response = request(
        &format!("[::1]:{port}"),
        &format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
    );
    assert_eq!(response.status, 200);
}

#[test]
fn with_local_no_other_machine_can_connect() {
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)").local().stdin_open().start();
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap()
        + &std::fs::read_to_string("/proc/net/tcp6").unwrap_or_default();
    let own: Vec<_> = std::fs::read_dir(format!("/proc/{}/fd", run.pid()))
        .unwrap()
        .filter_map(|fd| std::fs::read_link(fd.unwrap().path()).ok())
        .collect();
    // In this list, 127.0.0.1 is 0100007F, and 0A is the state of a socket that listens.
    let listening = sockets.lines().filter(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        fields.next().is_some_and(|address| !address.starts_with("0100007F:"))
            && fields.nth(1) == Some("0A")
    });
    for line in listening {
        let inode = line.split_ascii_whitespace().nth(9).unwrap();
        assert!(
            !own.iter().any(|link| link.to_string_lossy() == format!("socket:[{inode}]")),
            "{line}"
        );
    }
    run.wait().gives("1\n").did_not_say(&["Serving volunteer"]);
}

#[test]
fn a_qr_code_on_request_and_only_then() {
    let run =
        |when| PandoCommand::f("(x, cb) => cb(null, x)").args(["--qr", when]).stdin("1\n").run();
    assert!(run("always").stderr.contains('█'));
    assert!(!run("auto").stderr.contains('█') && !run("never").stderr.contains('█'));
}

#[test]
fn dom_implies_no_core_of_this_machine_and_says_so() {
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)").args(["--dom"]).stdin_open().start();
    run.url();
    run.write_line("1");
    assert!(run.children().is_empty());
    run.says("--cores 0");
}

#[test]
fn a_verbose_run_computes_the_same() {
    PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["-v"])
        .stdin(numbers(3))
        .run()
        .gives(numbers(3));
}
