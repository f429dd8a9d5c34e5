//! WebTorrent carries the data from a program on this machine to a tab and back.

use std::{fs, path::Path, process::Command};

use super::{SamplePictures, finish, map, text};
use pando_testing::{RunningProgram, Streams, Tab, until};

use crate::{devices::TAB, npm::install};

/// The program that offers `scenes` and collects results. Also returns its address for result
/// requests, and the scenes with their links.
fn depot(
    sample: &SamplePictures,
    scenes: &[String],
    patience: &str,
) -> (RunningProgram, String, Vec<String>) {
    install("landsat/webtorrent");
    let mut node = Command::new("node");
    node.arg("landsat/webtorrent/depot.mjs").args(["--port", "0", "--patience", patience]);
    node.arg("--pictures").arg(sample.pictures()).arg("--results").arg(sample.results());
    node.current_dir(env!("CARGO_MANIFEST_DIR"));
    let mut depot = RunningProgram::start(&mut node, Streams::with_input(scenes.join("\n")));
    let line = depot.says("http://");
    let desk = line[line.find("http://").expect("it was found")..].to_owned();
    let offered = scenes.iter().map(|_| depot.line().expect("a scene")).collect();
    (depot, desk, offered)
}

/// The command that asks the depot to collect a result.
fn collect(desk: &str) -> String {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("landsat/webtorrent/collect.mjs");
    format!("node '{}' {desk}", text(&program))
}

#[test]
fn pictures_go_by_webtorrent_to_a_tab_and_back() {
    let sample = SamplePictures::new(3);
    let (_depot, desk, scenes) = depot(&sample, &sample.scenes("", &[]), "30");
    let run =
        map("webtorrent/blur.js", &["--json", "--dom", "--confirm", &collect(&desk)], &scenes);
    let _tab = Tab::open(&run.url(), TAB);
    let (lines, _) = finish(run);
    sample.check(&lines);
}

#[test]
fn a_tab_that_is_killed_before_its_data_was_downloaded_loses_nothing() {
    let sample = SamplePictures::new(3);
    let (_depot, desk, scenes) = depot(&sample, &sample.scenes("", &[]), "5");
    let [answered, go] = ["answered", "go"].map(|name| sample.pictures().join(name));
    let wait =
        format!("echo >>'{}'; until [ -e '{}' ]; do sleep 0.05; done", text(&answered), text(&go));
    let confirm = format!("{wait}; exec {}", collect(&desk));
    let run = map(
        "webtorrent/blur.js",
        &["--json", "--dom", "--retries", "9", "--confirm", &confirm],
        &scenes,
    );
    let page = run.url();
    let tab = Tab::open(&page, TAB);
    until("an answer is there", || (answered.exists()).then_some(()));
    drop(tab);
    fs::write(go, "").expect("written");
    let _other = Tab::open(&page, TAB);
    let (lines, log) = finish(run);
    assert!(log.contains("item 1 failed on Tab: the --confirm command did not succeed"), "{log}");
    assert!(log.contains("has not arrived within 5 s"), "{log}");
    sample.check(&lines);
}
