//! Pando or HTTP carries the data.

use std::fs;

use super::{ARRIVED, Sample, gate::Gate, map, pictures, serve, text};
use crate::{
    devices::{Tab, pando},
    running::{Running, until},
};

#[test]
fn pictures_come_back_blurred_as_files() {
    let sample = Sample::new(5);
    let names = sample.scenes("", &["--print", "name"]);
    let mut command = pando();
    let function = std::env::current_dir().expect("there is one").join("landsat/files.js");
    command
        .current_dir(sample.pictures())
        .arg(function)
        .args(["--stdin", "--port", "0", "--cores", "1"]);
    command.args(["--files", "--ext", "png", "--output-dir"]).arg(sample.results());
    let mut run = Running::start(&mut command, names.join("\n"));
    let _tab = Tab::open(&run.wait_for("http://127.0.0.1:"));
    let (lines, log) = run.finish();
    assert_eq!(lines.len(), 5, "{log}");
    for (name, result) in names.iter().zip(&lines) {
        assert_eq!(*result, text(&sample.results().join(name)).replace(".jpg", ".png"));
        pictures::assert_blurred(&sample.pictures().join(name), result.as_ref());
    }
}

#[test]
fn pictures_are_uploaded_by_tabs_and_by_this_machines_cores() {
    let sample = Sample::new(6);
    let (_server, url) = serve(&sample);
    let scenes =
        sample.scenes(&format!("{url}pictures/"), &["--upload", &format!("{url}results/")]);
    let confirm = format!("'{ARRIVED}' '{}'", text(&sample.results()));
    let mut run = map(
        "http.js",
        &["--json", "--cores", "1", "--batch-size", "1", "--confirm", &confirm],
        &scenes,
    );
    let _tab = Tab::open(&run.wait_for("http://127.0.0.1:"));
    let (lines, _) = run.finish();
    sample.check(&lines);
}

#[test]
fn a_tab_that_is_killed_before_its_data_arrived_loses_nothing() {
    let sample = Sample::new(4);
    let (_server, url) = serve(&sample);
    let gate = Gate::closed(&url);
    let scenes =
        sample.scenes(&format!("{url}pictures/"), &["--upload", &format!("{}results/", gate.url)]);
    let answered = sample.pictures().join("answered");
    let confirm = format!(
        "echo >>'{}'; exec '{ARRIVED}' --patience 2 '{}'",
        text(&answered),
        text(&sample.results())
    );
    let mut run = map(
        "http.js",
        &["--json", "--cores", "0", "--retries", "9", "--confirm", &confirm],
        &scenes,
    );
    let page = run.wait_for("http://127.0.0.1:");
    let tab = Tab::open(&page);
    until("an answer is there, and its data is not", || gate.held() > 0 && answered.exists());
    drop(tab);
    gate.open();
    let _other = Tab::open(&page);
    let (lines, log) = run.finish();
    assert!(log.contains("item 1 failed on Tab: the --confirm command did not succeed"), "{log}");
    assert!(log.contains("has not arrived within 2s"), "{log}");
    assert!(
        fs::read(answered).expect("it is there").len() > lines.len(),
        "item 1 was confirmed at the second attempt"
    );
    sample.check(&lines);
}
