//! The figures, which are the same everywhere.

use crate::{
    EventReader, answer, echo, error, first, get, idle, monitor, report, result, until_status,
    values,
};
use pando_protocol::volunteer::{Answer, encode_results};
use pando_testing::{EventsFile, PandoCommand, RelayProcess, WebSocket, numbers, volunteer::serve};
use prometheus_parse::{Scrape, Value as Metric};
use serde_json::{Value, json};
use std::{fs, io::Read, thread};
use tempfile::TempDir;

/// A name that would be an element if anybody took it for HTML.
const NAME: &str = "<img src=x onerror=alert(1)> \"Ada\"";

/// The metric `name`, of the device with the id `device` if there is one.
fn metric(metrics: &Scrape, name: &str, device: Option<&str>) -> f64 {
    let sample = metrics
        .samples
        .iter()
        .find(|sample| sample.metric == name && sample.labels.get("device") == device)
        .unwrap_or_else(|| panic!("there is no {name}"));
    match sample.value {
        Metric::Counter(value) | Metric::Gauge(value) => value,
        ref other => panic!("{name}: {other:?}"),
    }
}

fn metrics(url: &str) -> Scrape {
    let response = get(&format!("{url}metrics"));
    let kind = Some("text/plain; version=0.0.4; charset=utf-8");
    assert_eq!((response.status, response.header("content-type")), (200, kind));
    Scrape::parse(response.body.lines().map(|line| Ok(line.to_owned()))).unwrap()
}

#[test]
fn the_page_the_metrics_and_the_summary_agree_about_a_run() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("summary.json");
    let words = ["--batch-size", "6", "--retries", "0", "--on-error", "skip", "--summary"];
    let run = idle(6).args(words).args([&file]).start();
    let (url, volunteers) = (monitor(&run), run.url());
    let waiting = until_status(&url, "nobody is here", |_| true);
    assert_eq!(waiting["why"], "Nothing is computed: no device has joined.");
    let mut ada = WebSocket::join(&volunteers, NAME, 1);
    assert_eq!(values(&mut ada).len(), 6);
    let took = |index, micros| Answer { micros, ..result(first(index), "a result") };
    ada.binary(&encode_results(&[took(0, 1_000_000), took(1, 3_000_000), took(3, 2_000_000)]));
    ada.binary(&encode_results(&[error(first(2), "no <b>way</b>")]));
    let log = json!({"level": "warn", "text": "hello\nworld", "id": 4, "count": 3});
    ada.text(&json!({"type": "log", "entries": [log]}).to_string());
    let report = json!({"nbItems": 2.5, "units": "Mpixels", "cpuTime": 30});
    ada.text(&json!({"type": "report", "id": 4, "report": report}).to_string());
    ada.text(&json!({"type": "report", "report": {"nbItems": 1}}).to_string());
    let status = until_status(&url, "all of this is known", |status| {
        status["devices"][0]["reports"][0]["items"] == 3.5 && status["window"]["waiting"] == 0
    });
    check_status(&status);
    let device = status["devices"][0]["id"].as_str();
    let metrics = metrics(&url);
    for (name, figure) in [
        ("pando_items_done", &status["progress"]["done"]),
        ("pando_items_read_total", &status["window"]["read"]),
        ("pando_items_in_progress", &status["window"]["inProgress"]),
        ("pando_failed_items_total", &status["failures"]["items"]),
        ("pando_failed_attempts_total", &status["failures"]["attempts"]),
        ("pando_devices", &json!(1)),
        ("pando_finished", &json!(0)),
    ] {
        assert_eq!(Some(metric(&metrics, name, None)), figure.as_f64(), "{name}");
    }
    for (name, figure) in [
        ("pando_device_items_total", "items"),
        ("pando_device_computing", "computing"),
        ("pando_device_failed_attempts_total", "failedAttempts"),
        ("pando_device_call_seconds_mean", "meanSeconds"),
        ("pando_device_sent_bytes_total", "bytesOut"),
    ] {
        assert_eq!(
            Some(metric(&metrics, name, device)),
            status["devices"][0][figure].as_f64(),
            "{name}"
        );
    }
    let reported = metric(&metrics, "pando_device_reported_items_total", device);
    assert_eq!(reported, 3.5);
    ada.binary(&encode_results(&[took(4, 1), took(5, 1)]));
    run.wait().ends(1, "a result\n".repeat(5));
    let summary: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!((&summary["items"], &summary["failed"]), (&json!(6), &json!(1)));
    assert_eq!(summary["failedAttempts"], status["failures"]["attempts"]);
    assert_eq!(summary["devices"][0]["name"], NAME);
}

#[test]
fn an_item_that_ends_the_run_counts_as_failed_everywhere() {
    let (folder, events) = (TempDir::new().unwrap(), EventsFile::empty());
    let [summary, report] = ["summary.json", "report.html"].map(|name| folder.path().join(name));
    let words = ["--batch-size", "3", "--retries", "0", "--summary"];
    let run = idle(3).args(words).args([&summary]).args(["--report"]).args([&report]);
    let run = run.events(&events).start();
    let (url, volunteers) = (monitor(&run), run.url());
    let reader = EventReader::open(&url, "events");
    let mut ada = WebSocket::join(&volunteers, "Ada", 1);
    assert_eq!(values(&mut ada).len(), 3);
    ada.binary(&encode_results(&[error(first(1), "no")]));
    // The first item is still computed.
    let status =
        until_status(&url, "an item has failed", |status| status["failures"]["items"] == 1);
    assert_eq!(
        (&status["failures"]["attempts"], &status["state"]),
        (&json!(1), &json!("finishing"))
    );
    assert_eq!(metric(&metrics(&url), "pando_failed_items_total", None), 1.0);
    ada.binary(&encode_results(&[result(first(0), "x")]));
    let last = reader.last_status();
    assert_eq!((&last["failures"]["items"], &last["progress"]["done"]), (&json!(1), &json!(1)));
    run.wait().ends(1, "x\n");
    let summary: Value = serde_json::from_slice(&fs::read(&summary).unwrap()).unwrap();
    assert_eq!((&summary["failed"], &summary["failedItems"]), (&json!(1), &json!([2])));
    let report = report::data(&report);
    assert_eq!(report["summary"], summary);
    assert_eq!(report["snapshot"]["failures"]["items"], 1);
    assert_eq!(events.of("failed").len(), 1);
}

#[test]
fn it_is_said_that_the_run_waits_for_the_relay() {
    let mut relay = RelayProcess::start(&[]);
    let run = relay.used_by(idle(1)).start();
    let (url, volunteers) = (monitor(&run), run.url());
    until_status(&url, "nobody is here", |status| {
        status["why"] == "Nothing is computed: no device has joined."
    });
    relay.kill();
    until_status(&url, "the relay is lost", |status| {
        status["why"]
            == "Nothing is computed: no device is connected, and the run waits for the relay, which is out of reach."
    });
    relay.restart();
    until_status(&url, "the relay is back", |status| {
        status["why"] == "Nothing is computed: no device has joined."
    });
    echo(&mut WebSocket::join(&volunteers, "Ann", 1));
    run.wait().gives("1\n");
}

#[test]
fn it_is_said_that_the_run_waits_for_the_input_or_for_the_reader_of_the_output() {
    // More than a pipe holds.
    let long = "x".repeat(200_000);
    let command = PandoCommand::f("(x, cb) => cb(null, x)").args(["--cores", "0", "--window", "2"]);
    let mut run = command.stdin_open().stdout_unread().start();
    let (url, volunteers) = (monitor(&run), run.url());
    let why = |words: &str| {
        until_status(&url, words, |status| status["why"].as_str().unwrap().contains(words));
    };
    let mut ann = WebSocket::join(&volunteers, "Ann", 2);
    why("Nothing is computed: no further value has come from the input.");
    run.write(numbers(20));
    run.close_stdin();
    thread::scope(|scope| {
        scope.spawn(|| serve(&mut ann, |ann, loan, _| answer(ann, loan, &long)));
        why("for the reader of the output, which is slow.");
        let mut output = String::new();
        run.take_stdout().read_to_string(&mut output).expect("it is text");
        assert_eq!(output, format!("{long}\n").repeat(20));
    });
    run.wait().status(0);
}

fn check_status(status: &Value) {
    assert_eq!((&status["title"], &status["state"]), (&json!("f.js"), &json!("running")));
    assert!(status["command"].as_str().unwrap().contains("--batch-size 6"), "{status}");
    let progress = &status["progress"];
    assert_eq!((&progress["done"], &progress["total"]), (&json!(4), &json!(6)));
    let window = json!({"read": 6, "output": 4, "inProgress": 2, "waiting": 0, "limit": 65536, "blockedBy": null});
    assert_eq!(status["window"], window);
    let failed = &status["failures"]["last"][0];
    assert_eq!(
        (&failed["number"], &failed["item"], &failed["input"], &failed["message"]),
        (&json!(1), &json!(3), &json!("3"), &json!("no <b>way</b>"))
    );
    assert_eq!(failed["device"], NAME);
    let printed = &status["prints"][0];
    assert_eq!(
        (&printed["item"], &printed["level"], &printed["text"], &printed["count"]),
        (&json!(5), &json!("warn"), &json!("hello\nworld"), &json!(3))
    );
    let device = &status["devices"][0];
    for (name, figure) in [
        ("id", json!("1")),
        ("name", json!(NAME)),
        ("kind", json!("browser")),
        ("path", json!("websocket")),
        ("connected", json!(true)),
        ("cores", json!(1)),
        ("lent", json!(1)),
        ("computing", json!(1)),
        ("queued", json!(1)),
        ("items", json!(3)),
        ("share", json!(1.0)),
        ("meanSeconds", json!(2.0)),
        ("deviationSeconds", json!(0.816497)),
        ("failedAttempts", json!(1)),
        ("health", json!("working")),
        (
            "reports",
            json!([{"units": "Mpixels", "items": 3.5, "cpuTime": 30.0, "dataTransferTime": 0.0}]),
        ),
    ] {
        assert_eq!(device[name], figure, "{name}");
    }
    for bytes in ["bytesIn", "bytesOut"] {
        assert!(device[bytes].as_u64().is_some_and(|bytes| bytes > 100), "{device}");
    }
}

#[test]
fn it_is_said_which_item_blocks_the_output_and_who_has_left() {
    let events = EventsFile::empty();
    let run = idle(4).args(["--window", "4", "--batch-size", "4"]).events(&events).start();
    let (url, volunteers) = (monitor(&run), run.url());
    let mut ada = WebSocket::join(&volunteers, "Ada", 1);
    assert_eq!(values(&mut ada).len(), 4);
    let three: Vec<Answer> = (1..4).map(|index| result(first(index), "x")).collect();
    ada.binary(&encode_results(&three));
    let status = until_status(&url, "three results wait", |status| {
        status["window"]["blockedBy"]["seconds"].as_f64().is_some_and(|seconds| seconds >= 1.5)
    });
    let blocked = &status["window"]["blockedBy"];
    assert_eq!((&blocked["item"], &blocked["device"]), (&json!(1), &json!("Ada")));
    assert_eq!(
        (&status["window"]["inProgress"], &status["window"]["waiting"]),
        (&json!(1), &json!(3))
    );
    let why = status["why"].as_str().unwrap();
    assert!(why.starts_with("The window is full: all wait for item 1, which Ada has; "), "{why}");
    drop(ada);
    events.wait("left", |event| event["device"] == "Ada");
    let status =
        until_status(&url, "Ada has left", |status| status["devices"][0]["connected"] == false);
    assert_eq!(status["why"], "Nothing is computed: no device is connected.");
    let gone = &status["devices"][0];
    assert_eq!(
        (&gone["health"], &gone["items"], &gone["name"]),
        (&json!("gone"), &json!(3), &json!("Ada"))
    );
    assert_eq!(status["failures"]["lentAgain"], 1);
    // The same device has the same number again.
    let mut ada = WebSocket::join(&volunteers, "Ada", 1);
    let loans = values(&mut ada);
    ada.binary(&encode_results(&[result(loans[0].0, "x")]));
    run.wait().gives("x\n".repeat(4));
}
