//! WebTorrent carries the data from a program on this machine to a tab and back.

use std::{fs, path::Path, process::Command};

use super::{Sample, map, text};
use crate::{
    devices::Tab,
    npm::install,
    running::{Running, until},
};

/// The program that offers `scenes` and collects results. Also returns its address for result
/// requests, and the scenes with their links.
fn depot(sample: &Sample, scenes: &[String], patience: &str) -> (Running, String, Vec<String>) {
    install("landsat/webtorrent");
    let mut node = Command::new("node");
    node.arg("landsat/webtorrent/depot.mjs").args(["--port", "0", "--patience", patience]);
    node.arg("--pictures").arg(sample.pictures()).arg("--results").arg(sample.results());
    let mut depot = Running::start(node.current_dir(env!("CARGO_MANIFEST_DIR")), scenes.join("\n"));
    let desk = depot.wait_for("http://");
    let offered = scenes.iter().map(|_| depot.line()).collect();
    (depot, desk, offered)
}

/// The command that asks the depot to collect a result.
fn collect(desk: &str) -> String {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("landsat/webtorrent/collect.mjs");
    format!("node '{}' {desk}", text(&program))
}

#[test]
fn pictures_go_by_webtorrent_to_a_tab_and_back() {
    let sample = Sample::new(3);
    let (_depot, desk, scenes) = depot(&sample, &sample.scenes("", &[]), "30");
    let mut run =
        map("webtorrent/blur.js", &["--json", "--dom", "--confirm", &collect(&desk)], &scenes);
    let _tab = Tab::open(&run.wait_for("http://127.0.0.1:"));
    let (lines, _) = run.finish();
    sample.check(&lines);
}

#[test]
fn a_tab_that_is_killed_before_its_data_was_downloaded_loses_nothing() {
    let sample = Sample::new(3);
    let (_depot, desk, scenes) = depot(&sample, &sample.scenes("", &[]), "5");
    let [answered, go] = ["answered", "go"].map(|name| sample.pictures().join(name));
    let wait =
        format!("echo >>'{}'; until [ -e '{}' ]; do sleep 0.05; done", text(&answered), text(&go));
    let confirm = format!("{wait}; exec {}", collect(&desk));
    let mut run = map(
        "webtorrent/blur.js",
        &["--json", "--dom", "--retries", "9", "--confirm", &confirm],
        &scenes,
    );
    let page = run.wait_for("http://127.0.0.1:");
    let tab = Tab::open(&page);
    until("an answer is there", || answered.exists());
    drop(tab);
    fs::write(go, "").expect("written");
    let _other = Tab::open(&page);
    let (lines, log) = run.finish();
    assert!(log.contains("item 1 failed on Tab: the --confirm command did not succeed"), "{log}");
    assert!(log.contains("has not arrived within 5 s"), "{log}");
    sample.check(&lines);
}
