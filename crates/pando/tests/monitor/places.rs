//! Where the page is, and who finds it.

use crate::{act, echo, first, get, idle, monitor, place, status, until_status};
use pando_testing::{PandoCommand, RunningProgram, WebSocket, volunteer};
use serde_json::json;
use tempfile::TempDir;

const ECHO: &str = "(x, cb) => cb(null, x)";

/// What the first requests beyond the limit on wrong addresses are answered.
fn guesses(run: &RunningProgram) -> Vec<u16> {
    let url = monitor(run);
    let (host, token) = place(&url);
    let upper = token.to_uppercase();
    let wrong = [&*upper, &token[1..], "k7d2m9qx4t"];
    let paths = wrong.iter().cycle().take(70);
    paths.map(|wrong| get(&format!("http://{host}/{wrong}/status.json")).status).collect()
}

#[test]
fn the_page_has_a_token_of_its_own_and_who_guesses_is_slowed_down() {
    for words in [&[][..], &["--open-access"]] {
        let run = idle(1).args(words).start();
        let (url, volunteers) = (monitor(&run), run.url());
        let (host, token) = place(&url);
        assert_ne!(token, place(&volunteers).1);
        assert!((10..=12).contains(&token.len()), "{token}");
        assert_eq!(get(&format!("{volunteers}status.json")).status, 404);
        let bare = get(url.trim_end_matches('/'));
        assert_eq!((bare.status, bare.header("location")), (308, Some(&*format!("/{token}/"))));
        assert_eq!(get(&format!("{url}function.js")).status, 404, "that is for volunteers");
        let answers = guesses(&run);
        assert_eq!((answers[0], answers[69]), (404, 429), "{answers:?}");
        assert_eq!(
            status(&url)["volunteerUrls"][0],
            volunteers.replace("127.0.0.1", host.split(':').next().unwrap())
        );
        echo(&mut WebSocket::join(&volunteers, "Ann", 1));
    }
}

#[test]
fn the_page_and_its_parts_are_there_and_may_talk_with_their_own_server_only() {
    let run = idle(0).stdin_open().start();
    let url = monitor(&run);
    let page = get(&url);
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").unwrap();
    for rule in
        ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]
    {
        assert!(policy.split("; ").any(|part| part == rule), "{rule}: {policy}");
    }
    for (name, kind) in [("monitor.js", "text/javascript"), ("monitor.css", "text/css")] {
        assert!(page.body.contains(&format!("\"{name}\"")), "{}", page.body);
        let part = get(&format!("{url}{name}"));
        assert!(
            part.status == 200 && part.header("content-type").unwrap().starts_with(kind),
            "{name}"
        );
    }
    for other in ["page.js", "index.html", "monitor.txt", "monitor"] {
        assert_eq!(get(&format!("{url}{other}")).status, 404, "{other}");
    }
}

#[test]
fn the_address_comes_directly_after_those_for_volunteers() {
    let run = idle(0).run();
    let said: Vec<&str> = run.stderr.lines().collect();
    let last =
        said.iter().rposition(|line| line.starts_with("Serving volunteer code at ")).unwrap();
    let url = said[last + 1].strip_prefix("Serving monitoring page at ").unwrap();
    let first = said[0].strip_prefix("Serving volunteer code at ").unwrap();
    assert_eq!(place(url).0, place(first).0, "the best address of this machine");
}

#[test]
fn a_run_without_volunteers_has_a_page_for_this_machine_only() {
    let local = PandoCommand::f(ECHO).local().args(["--cores", "1"]).stdin_open();
    let program =
        PandoCommand::bare().args(["--exec", "cat", "--cores", "1"]).on_the_default_port();
    for command in [local, program.stdin_open()] {
        let mut run = command.start();
        let url = monitor(&run);
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        assert_eq!(get(&format!("http://{}/", place(&url).0)).status, 404, "nobody can join");
        run.write_line("7");
        assert_eq!(run.line().as_deref(), Some("7"));
        let status = status(&url);
        assert_eq!(status["devices"][0]["name"], "this machine");
        assert_eq!(
            (&status["devices"][0]["kind"], &status["volunteerUrls"]),
            (&"cores".into(), &json!([]))
        );
        run.wait().gives("7\n");
    }
}

#[test]
fn a_journal_keeps_the_address_of_the_page() {
    let folder = TempDir::new().unwrap();
    let journal = folder.path().join("journal");
    let command = || idle(2).args(["--journal".as_ref(), journal.as_os_str()]);
    let mut run = command().start();
    let url = monitor(&run);
    let mut ann = WebSocket::join(&run.url(), "Ann", 1);
    assert_eq!(volunteer::values(&mut ann).len(), 2);
    volunteer::answer(&mut ann, first(0), "1");
    assert_eq!(run.line().as_deref(), Some("1"));
    act(&url, &json!({"action": "stop"}));
    run.wait().ends(1, "1\n");
    let run = command().start();
    assert_eq!(monitor(&run), url);
    until_status(&url, "the result is read", |status| status["progress"]["done"] == 1);
    echo(&mut WebSocket::join(&run.url(), "Ann", 1));
    run.wait().gives("1\n2\n");
}
