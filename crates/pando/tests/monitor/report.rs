//! The report of a run, in one file.

use crate::{
    EventReader, PandoCommand, act, answer, error, first, idle, monitor, result, until_status,
    values,
};
use pando_protocol::volunteer::{Answer, encode_results};
use pando_testing::{Browser, BrowserEngine, WebSocket, volunteer::serve};
use serde_json::{Value, json};
use std::{fs, path::Path};
use tempfile::TempDir;

/// A name that would be an element if anybody took it for HTML.
const NAME: &str = "<img src=x onerror=alert(1)>";

/// The data of the report in this file.
#[track_caller]
pub(crate) fn data(file: &Path) -> Value {
    let page = fs::read_to_string(file).expect("the report is there");
    let (_, rest) = page.split_once("id=\"data\">").expect("it has data");
    let (data, _) = rest.split_once("</script>").expect("its data end");
    serde_json::from_str(data).expect("they are JSON")
}

/// The device called `name`.
fn device<'a>(data: &'a Value, name: &str) -> &'a Value {
    let devices = data["snapshot"]["devices"].as_array().unwrap();
    devices.iter().find(|device| device["name"] == name).expect("it is there")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("it is a number")
}

/// Runs six values on two devices: one value fails. The first device leaves with three others.
fn run_with_failure(folder: &Path) -> Value {
    let (page, file) = (folder.join("report.html"), folder.join("summary.json"));
    let words = ["--batch-size", "3", "--retries", "0", "--on-error", "skip", "--report"];
    let run = idle(6).args(words).args([&page]).args(["--summary"]).args([&file]).start();
    let (url, volunteers) = (monitor(&run), run.url());
    let mut events = EventReader::open(&url, "events");
    let mut ada = WebSocket::join(&volunteers, NAME, 1);
    assert_eq!(values(&mut ada).len(), 3);
    let took = |loan| Answer { micros: 100_000, ..result(loan, "a result") };
    let failed = |loan| error(loan, "no <b>way</b>");
    ada.binary(&encode_results(&[took(first(0)), took(first(2))]));
    ada.binary(&encode_results(&[failed(first(1))]));
    until_status(&url, "three items are done", |status| status["progress"]["done"] == 3);
    events.wait("sample");
    let mut bob = WebSocket::join(&volunteers, "Bob", 1);
    drop(ada);
    until_status(&url, "the first device has left", |status| {
        let devices = status["devices"].as_array().unwrap();
        devices.iter().any(|device| device["connected"] == false)
    });
    events.wait("sample");
    serve(&mut bob, |bob, loan, value| {
        bob.binary(&encode_results(&[if value == "2" { failed(loan) } else { took(loan) }]));
    });
    let token = volunteers.trim_end_matches('/').rsplit('/').next().unwrap().to_owned();
    run.wait().ends(1, "a result\n".repeat(5));
    assert!(!fs::read_to_string(&page).unwrap().contains(&token), "nobody can join by a report");
    let summary: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(data(&page)["summary"], summary);
    summary
}

#[test]
fn the_report_has_the_figures_of_the_summary() {
    let folder = TempDir::new().unwrap();
    let summary = run_with_failure(folder.path());
    let data = data(&folder.path().join("report.html"));
    let snapshot = &data["snapshot"];
    assert_eq!((&snapshot["title"], &snapshot["state"]), (&json!("f.js"), &json!("finished")));
    assert_eq!(snapshot["exitWords"], "All other items are done; 1 item failed.");
    assert_eq!(snapshot["progress"]["done"], summary["items"]);
    assert_eq!(snapshot["failures"]["attempts"], summary["failedAttempts"]);
    assert_eq!(snapshot["failures"]["lentAgain"], summary["lentAgain"]);
    let failed = &snapshot["failures"]["last"][0];
    assert_eq!(
        (&failed["item"], &failed["input"], &failed["device"], &failed["message"]),
        (&json!(2), &json!("2"), &json!(NAME), &json!("no <b>way</b>"))
    );
    for told in summary["devices"].as_array().unwrap() {
        let shown = device(&data, told["name"].as_str().unwrap());
        assert_eq!((&shown["items"], &shown["cores"]), (&told["items"], &told["cores"]));
        assert_eq!(shown["failedAttempts"], told["failedAttempts"]);
    }
    let samples = data["history"]["samples"].as_array().unwrap();
    assert!(samples.len() >= 2 && samples.iter().all(|sample| number(&sample["cores"]) <= 2.0));
    assert_eq!(data["ingredients"]["function"].as_str().map(|hash| hash.len() >= 8), Some(true));
}

#[test]
fn the_lost_time_adds_up_and_each_device_has_its_time() {
    let folder = TempDir::new().unwrap();
    let summary = run_with_failure(folder.path());
    let data = data(&folder.path().join("report.html"));
    let parts = data["idle"].as_array().unwrap();
    let lost: f64 = parts.iter().map(|part| number(&part["seconds"])).sum();
    let (lent, idle) = (number(&summary["coreSeconds"]), number(&summary["idleCoreSeconds"]));
    assert!((lost - idle).abs() < 1e-6, "{lost} of {idle}");
    // Both devices have computed for less than a second in several.
    assert!(idle > 0.0 && idle < lent, "{idle} of {lent}");
    let snapshot = &data["snapshot"];
    let stay = |name| {
        let id = device(&data, name)["id"].as_str().unwrap();
        [0, 1].map(|end| number(&data["stays"][id][0][end]))
    };
    let [[joined, left], [later, at_the_end]] = [stay(NAME), stay("Bob")];
    let times = [&snapshot["started"], &snapshot["now"]].map(number);
    let order = [times[0], joined, later, left, at_the_end, times[1]];
    assert!(order.is_sorted() && joined < left, "{order:?}");
}

#[test]
fn a_browser_shows_the_report_from_the_disk() {
    let Some(mut browser) = Browser::start(BrowserEngine::Chromium) else { return };
    let folder = TempDir::new().unwrap();
    run_with_failure(folder.path());
    let url = format!("file://{}", folder.path().join("report.html").display());
    let page = browser.open(&url);
    browser.until(&page, "document.readyState === 'complete' && document.querySelector('h1')");
    let shown = browser.eval(&page, "document.body.innerText").unwrap();
    let shown = shown.as_str().unwrap();
    for words in [NAME, "6 of 6", "no <b>way</b>", "1 item failed", "Bob", "Exit status"] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    assert_eq!(browser.eval(&page, "document.images.length").unwrap(), 0);
    assert_eq!(browser.eval(&page, "performance.getEntriesByType('resource').length").unwrap(), 0);
    assert_eq!(browser.console(&page), [""; 0]);
}

#[test]
fn a_run_that_fails_or_is_stopped_has_a_report() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("report.html");
    let f = "(x, cb) => x === '2' ? cb(new Error('no')) : cb(null, x)";
    // With these options there is no monitoring page.
    let words = ["-q", "--cores", "1", "--env", "KEY=hush", "--retries", "0", "--report"];
    let run = PandoCommand::f(f).local().args(words).args([&file]).stdin("1\n2\n").run();
    run.ends(1, "1\n").did_not_say(&["monitoring page"]);
    assert!(!fs::read_to_string(&file).unwrap().contains("hush"), "that is a secret");
    let failed = data(&file);
    assert!(failed["snapshot"]["command"].as_str().unwrap().contains("--env KEY=…"));
    let summary = &failed["summary"];
    assert_eq!((&summary["status"], &summary["failedAttempts"]), (&1.into(), &1.into()));
    let engine = failed["ingredients"]["engine"].as_str().unwrap();
    assert!(engine.starts_with("Node.js "), "{engine}");
    let words = failed["snapshot"]["exitWords"].as_str().unwrap();
    assert!(words.starts_with("An item failed: "), "{words}");

    let run = idle(3).args(["--batch-size", "1", "--report"]).args([&file]).start();
    let (url, volunteers) = (monitor(&run), run.url());
    let mut ada = WebSocket::join(&volunteers, "Ada", 1);
    let (loan, _) = values(&mut ada).remove(0);
    answer(&mut ada, loan, "x");
    values(&mut ada);
    act(&url, &json!({"action": "stop"}));
    run.wait().ends(1, "x\n");
    let stopped = data(&file);
    assert_eq!(stopped["snapshot"]["progress"]["done"], 1);
    let words = stopped["snapshot"]["exitWords"].as_str().unwrap();
    assert!(words.starts_with("Stopped: "), "{words}");
}
