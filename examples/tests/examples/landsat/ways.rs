//! Pando or HTTP carries the data.

use std::fs;

use super::{ARRIVED, SamplePictures, finish, gate::UploadGate, map, pictures, serve, text};
use pando_testing::{RunningProgram, Streams, Tab, until};

use crate::devices::{TAB, pando};

#[test]
fn pictures_come_back_blurred_as_files() {
    let sample = SamplePictures::new(5);
    let names = sample.scenes("", &["--print", "name"]);
    let mut command = pando();
    let function = std::env::current_dir().expect("there is one").join("landsat/files.js");
    command
        .current_dir(sample.pictures())
        .arg(function)
        .args(["--stdin", "--port", "0", "--cores", "1"]);
    command.args(["--files", "--ext", "png", "--output-dir"]).arg(sample.results());
    let run = RunningProgram::start(&mut command, Streams::with_input(names.join("\n")));
    let _tab = Tab::open(&run.url(), TAB);
    let (lines, log) = finish(run);
    assert_eq!(lines.len(), 5, "{log}");
    for (name, result) in names.iter().zip(&lines) {
        assert_eq!(*result, text(&sample.results().join(name)).replace(".jpg", ".png"));
        pictures::assert_blurred(&sample.pictures().join(name), result.as_ref());
    }
}

#[test]
fn pictures_are_uploaded_by_tabs_and_by_this_machines_cores() {
    let sample = SamplePictures::new(6);
    let (_server, url) = serve(&sample);
    let scenes =
        sample.scenes(&format!("{url}pictures/"), &["--upload", &format!("{url}results/")]);
    let confirm = format!("'{ARRIVED}' '{}'", text(&sample.results()));
    let run = map(
        "http.js",
        &["--json", "--cores", "1", "--batch-size", "1", "--confirm", &confirm],
        &scenes,
    );
    let _tab = Tab::open(&run.url(), TAB);
    let (lines, _) = finish(run);
    sample.check(&lines);
}

#[test]
fn a_tab_that_is_killed_before_its_data_arrived_loses_nothing() {
    let sample = SamplePictures::new(4);
    let (_server, url) = serve(&sample);
    let gate = UploadGate::closed(&url);
    let scenes =
        sample.scenes(&format!("{url}pictures/"), &["--upload", &format!("{}results/", gate.url)]);
    let answered = sample.pictures().join("answered");
    let confirm = format!(
        "echo >>'{}'; exec '{ARRIVED}' --patience 2 '{}'",
        text(&answered),
        text(&sample.results())
    );
    let run = map(
        "http.js",
        &["--json", "--cores", "0", "--retries", "9", "--confirm", &confirm],
        &scenes,
    );
    let page = run.url();
    let tab = Tab::open(&page, TAB);
    until("an answer is there, and its data is not", || {
        (gate.held() > 0 && answered.exists()).then_some(())
    });
    drop(tab);
    gate.open();
    let _other = Tab::open(&page, TAB);
    let (lines, log) = finish(run);
    assert!(log.contains("item 1 failed on Tab: the --confirm command did not succeed"), "{log}");
    assert!(log.contains("has not arrived within 2s"), "{log}");
    assert!(
        fs::read(answered).expect("it is there").len() > lines.len(),
        "item 1 was confirmed at the second attempt"
    );
    sample.check(&lines);
}
