//! The assets of a run behind a gateway, which fetches each of them once.

use super::*;
use crate::join::assets::{self, PART, SUM};
use pando_testing::{RelayProcess, get};
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{self, Sender},
    },
    thread,
};

const LENGTH: usize = 2 * PART + 5;

fn model() -> Vec<u8> {
    assets::model(LENGTH)
}

/// What the function answers.
fn sum() -> String {
    assets::sum(&model())
}

/// A run of `f` with assets and without local cores.
fn with_assets(f: &str, events: &EventsFile) -> PandoCommand {
    PandoCommand::new(f)
        .with_file("data/deep/model é.bin", model())
        .with_file("data/lexicon.json", r#"{"one":1}"#)
        .with_file("data/empty", "")
        .args(["--cores", "0", "--assets", "data"])
        .events(events)
}

/// Where the parts begin that the run has sent.
fn sent(events: &EventsFile) -> Vec<u64> {
    events.of("asset").iter().filter_map(|event| event["from"].as_u64()).collect()
}

#[test]
fn tabs_machines_and_own_cores_read_an_asset_that_the_gateway_fetches_once() {
    let events = EventsFile::empty();
    let mut run = with_assets(SUM, &events).stdin_open().start();
    let own = JoinCommand::to(&run.url()).args(["--share", "--port", "0", "--allow-sleep"]);
    let own = own.named("gateway").start();
    own.says("1 core of this machine computes");
    run.write("1\n");
    assert_eq!(run.line(), Some(sum()));
    own.signal("TERM");
    own.wait().status(0);

    let gateway = any_gateway(&run.url());
    let url = gateway.url();
    let tab = Tab::open(&url, "device=tab;cores=2;");
    run.write("2\n3\n");
    assert_eq!([run.line(), run.line()], [Some(sum()), Some(sum())]);
    drop(tab);
    gateway.says_any(&["tab left", "tab is gone"]);
    let _machine = JoinCommand::to(&url).named("node 7").start();
    run.write("4\n");
    assert_eq!(run.line(), Some(sum()));
    run.close_stdin();
    run.wait().status(0);
    let once = [0, PART as u64, 2 * PART as u64];
    assert_eq!(sent(&events), [once, once].concat(), "each gateway fetched it once");
}

#[test]
fn assets_go_through_gateways_of_gateways_and_relays() {
    let (events, relay) = (EventsFile::empty(), RelayProcess::start(&[]));
    let run = relay.used_by(with_assets(SUM, &events)).stdin("1\n").start();
    let first = any_gateway(&run.room());
    let below = ["--host", &format!("http://127.0.0.1:{}", relay.port()), "--secret"];
    let second = gateway(&first.url()).args(below).args([pando_testing::SECRET, "--port", "0"]);
    let second = second.start();
    let _machine = JoinCommand::to(&second.room()).start();
    run.wait().gives(sum() + "\n");
    assert_eq!(sent(&events), [0, PART as u64, 2 * PART as u64]);
}

#[test]
fn a_gateway_answers_as_its_run_does() {
    let events = EventsFile::empty();
    let run = with_assets(SUM, &events).stdin_open().start();
    let gateway = any_gateway(&run.url());
    let at = |url: &str, name: &str| get(&format!("{url}assets/{name}"));
    for name in ["lexicon.json", "empty", "lexicon.json?from=1&to=4", "none.txt", "deep"] {
        let [here, there] = [gateway.url(), run.url()].map(|url| at(&url, name));
        let kinds = ["etag", "content-type", "content-range"]
            .map(|kind| here.header(kind).map(str::to_owned));
        assert_eq!(
            kinds,
            ["etag", "content-type", "content-range"]
                .map(|kind| there.header(kind).map(str::to_owned)),
            "{name}"
        );
        assert_eq!((here.status, &here.body), (there.status, &there.body), "{name}");
    }
}

/// A large file takes long on a slow link. Devices that wait for all of it would lose patience.
#[test]
fn devices_get_the_first_part_of_an_asset_while_the_last_one_is_still_coming() {
    let events = EventsFile::empty();
    let run = with_assets(SUM, &events).stdin_open().start();
    let url = run.url();
    let (slow, go_on) = stalling_port(host(&url).to_owned(), PART + PART / 2);
    let gateway = any_gateway(&url.replace(host(&url), &slow));
    let model = format!("{}assets/deep/model%20%C3%A9.bin", gateway.url());
    assert_eq!(get(&format!("{model}?from=5&to=9")).status, 206);
    assert_eq!(get(&format!("{model}?from=4194300&to=4194304")).status, 206);
    events.wait("asset", |event| event["from"] == PART);
    go_on.send(()).expect("it waits");
    let last = get(&format!("{model}?from={}", LENGTH - 3));
    assert_eq!((last.status, last.header("content-length")), (206, Some("3")));
}

/// A port in front of `host` that passes so many bytes of answers on, and the others when it is
/// told to. Returns its address.
fn stalling_port(host: String, most: usize) -> (String, Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let own = listener.local_addr().expect("it is bound").to_string();
    let (go_on, stalled) = mpsc::channel();
    let left = Arc::new(Mutex::new((most, Some(stalled))));
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let Ok(far) = TcpStream::connect(&host) else { return };
            let [from, to] = [near.try_clone(), far.try_clone()].map(|end| end.expect("a handle"));
            thread::spawn(move || pass(from, to, |_| {}));
            let left = left.clone();
            thread::spawn(move || {
                pass(far, near, |length| {
                    let (left, stalled) = &mut *left.lock().expect("nobody panics with it");
                    *left = left.saturating_sub(length);
                    if *left == 0
                        && let Some(stalled) = stalled.take()
                    {
                        let _ = stalled.recv();
                    }
                });
            });
        }
    });
    (own, go_on)
}

/// Passes bytes on, and calls `before` with the length of each piece first.
fn pass(mut from: TcpStream, mut to: TcpStream, mut before: impl FnMut(usize)) {
    let mut piece = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        before(length);
        if to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
