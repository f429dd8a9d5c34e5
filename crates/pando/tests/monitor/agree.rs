//! One run, and all its figures: those of page, `status.json`, metrics, events, summary, report and
//! the last words on the terminal.

use crate::{EventReader, PandoCommand, get, monitor, report, until, until_status};
use pando_testing::{DrivenTab, EventsFile, RunningProgram, Tab, lines};
use prometheus_parse::{Scrape, Value as Metric};
use serde_json::{Value, json};
use std::{fs, path::Path};
use tempfile::TempDir;

/// Every tenth item fails always, another tenth fails at the first attempt. All others report.
const FUNCTION: &str = "module.exports = (x, cb) => setTimeout(() => {
    const digit = Number(x) % 10;
    if (digit === 3) return cb(new Error('never'));
    if (digit === 7 && cb.attempt === 1) return cb(new Error('not yet'));
    cb.report({ nbItems: 2, units: 'tiles' });
    cb(null, x);
}, 5)";

const ITEMS: u64 = 60;

/// The figures of one device, whichever source they are from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Device {
    name: String,
    items: u64,
    failed_attempts: u64,
}

/// The figures of a run, whichever source they are from. The devices are ordered by name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Figures {
    done: u64,
    computed: u64,
    failed: u64,
    failed_attempts: u64,
    devices: Vec<Device>,
}

fn whole(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no whole number"))
}

/// The devices in a JSON list, by name.
fn devices(list: &Value) -> Vec<Device> {
    let device = |device: &Value| Device {
        name: device["name"].as_str().expect("a name").to_owned(),
        items: whole(&device["items"]),
        failed_attempts: whole(&device["failedAttempts"]),
    };
    let mut devices: Vec<Device> = list.as_array().expect("a list").iter().map(device).collect();
    devices.sort();
    devices
}

fn of_snapshot(snapshot: &Value) -> Figures {
    Figures {
        done: whole(&snapshot["progress"]["done"]),
        computed: whole(&snapshot["progress"]["computed"]),
        failed: whole(&snapshot["failures"]["items"]),
        failed_attempts: whole(&snapshot["failures"]["attempts"]),
        devices: devices(&snapshot["devices"]),
    }
}

fn of_summary(summary: &Value) -> Figures {
    Figures {
        done: whole(&summary["items"]),
        computed: whole(&summary["computed"]),
        failed: whole(&summary["failed"]),
        failed_attempts: whole(&summary["failedAttempts"]),
        devices: devices(&summary["devices"]),
    }
}

fn of_metrics(url: &str) -> Figures {
    let text = get(&format!("{url}metrics")).body;
    let scrape = Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).expect("metrics");
    let number = |value: &Metric| match value {
        Metric::Counter(value) | Metric::Gauge(value) => *value as u64,
        other => panic!("{other:?}"),
    };
    let all = |name: &str| {
        let samples = scrape.samples.iter().filter(move |sample| sample.metric == name);
        let samples = samples.map(|sample| (sample.labels.get("name"), number(&sample.value)));
        samples.collect::<Vec<_>>()
    };
    let one = |name| all(name)[0].1;
    let failed = all("pando_device_failed_attempts_total");
    let mut devices: Vec<Device> = all("pando_device_items_total")
        .into_iter()
        .map(|(name, items)| {
            let failed = failed.iter().find(|(other, _)| *other == name).expect("both are there");
            let name = name.expect("a name").to_owned();
            Device { name, items, failed_attempts: failed.1 }
        })
        .collect();
    devices.sort();
    Figures {
        done: one("pando_items_done"),
        computed: one("pando_results_total"),
        failed: one("pando_failed_items_total"),
        failed_attempts: one("pando_failed_attempts_total"),
        devices,
    }
}

fn of_events(events: &EventsFile) -> Figures {
    let (results, failures) = (events.of("result"), events.of("failed"));
    let by = |events: &[Value], name: &str| {
        events.iter().filter(|event| event["device"] == name).count() as u64
    };
    let mut devices: Vec<Device> = events
        .of("joined")
        .iter()
        .map(|joined| joined["device"].as_str().expect("a name").to_owned())
        .map(|name| Device {
            items: by(&results, &name),
            failed_attempts: by(&failures, &name),
            name,
        })
        .collect();
    devices.sort();
    let computed = results.len() as u64;
    // An item that has no result has failed for good.
    let failed = ITEMS - computed;
    Figures { done: ITEMS, computed, failed, failed_attempts: failures.len() as u64, devices }
}

/// What the page shows: its progress, its failures, and the rows of its table.
fn of_page(page: &mut DrivenTab, computed: u64) -> Figures {
    let mut text = |selector: &str| {
        let found = format!("document.querySelector('{selector}').innerText");
        page.evaluate(&found).expect("it is there").as_str().expect("text").to_owned()
    };
    let numbers = |text: &str| -> Vec<u64> {
        text.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
    };
    let done = numbers(&text(".progress-card .done"))[0];
    let failures = numbers(&text(".failures > p"));
    let rows = "[...document.querySelectorAll('.devices tbody tr')].map(row => ({
        name: row.querySelector('.name bdi').innerText,
        items: Number(row.querySelector('.items').innerText),
        failedAttempts: Number(row.querySelector('.failures').innerText) }))";
    let devices = devices(&page.evaluate(rows).expect("there is a table"));
    Figures { done, computed, failed: failures[0], failed_attempts: failures[1], devices }
}

/// The last words of a run.
fn of_last_words(stderr: &str) -> Figures {
    let last = stderr.rfind(" times one core").expect("there is a summary");
    let start = stderr[..last].rfind('\n').map_or(0, |at| at + 1);
    let mut told = stderr[start..].lines();
    let first = |line: &str| line.split(' ').next().unwrap().replace(',', "").parse().ok();
    let done = first(told.next().unwrap()).expect("the number of items");
    let rows = told.clone().skip(1).take_while(|line| line.starts_with("  "));
    let mut devices: Vec<Device> = rows
        .map(|row| {
            let words: Vec<&str> = row.split_whitespace().collect();
            // A name may have several words; after it: cores, items, share, %, busy, %, failed.
            let [name @ .., _, items, _, _, _, _, failed] = &words[..] else { panic!("{row}") };
            let name = name.join(" ");
            Device { name, items: items.parse().unwrap(), failed_attempts: failed.parse().unwrap() }
        })
        .collect();
    devices.sort();
    let count = |what: &str| {
        told.clone().find(|line| line.contains(what)).and_then(first).unwrap_or_default()
    };
    Figures {
        done,
        computed: devices.iter().map(|device| device.items).sum(),
        failed: count("items failed"),
        failed_attempts: count("failed attempts"),
        devices,
    }
}

/// A run with this machine's cores and a tab, in which all values that were written are done.
fn run(report: &Path, told: &Path, events: &EventsFile) -> (RunningProgram, Tab) {
    let command = format!("cat > '{}'", told.display());
    let words = ["--cores", "1", "--retries", "1", "--on-error", "skip", "--summary", "always"];
    let command = PandoCommand::new(FUNCTION).args(words).args(["--on-finish", &command]);
    let mut run = command.args(["--report"]).args([report]).events(events).stdin_open().start();
    let tab = Tab::open(&run.url(), "device=Ada;cores=1;");
    events.wait("joined", |event| event["device"] == "Ada");
    run.write(lines(1..=ITEMS));
    (run, tab)
}

#[test]
fn all_figures_of_a_run_agree_wherever_they_stand() {
    let (folder, events) = (TempDir::new().unwrap(), EventsFile::empty());
    let [report, told] = ["report.html", "told.json"].map(|name| folder.path().join(name));
    let (run, tab) = run(&report, &told, &events);
    let url = monitor(&run);
    let reader = EventReader::open(&url, "events");
    let snapshot = until_status(&url, "all that was written is done", |status| {
        status["progress"]["done"] == ITEMS
    });
    let figures = of_snapshot(&snapshot);
    assert_eq!((figures.done, figures.failed, figures.computed), (ITEMS, 6, ITEMS - 6));
    assert!(figures.failed_attempts > 6, "{figures:?}");
    assert_eq!(figures.devices.len(), 2, "{figures:?}");
    assert!(figures.devices.iter().all(|device| device.items > 0), "{figures:?}");
    assert_eq!(of_metrics(&url), figures);
    let mut page = DrivenTab::open(&url).expect("a browser");
    page.wait_for("document.querySelectorAll('.devices tbody tr').length === 2").unwrap();
    assert_eq!(of_page(&mut page, figures.computed), figures);
    let sums = |snapshot: &Value| -> f64 {
        let devices = snapshot["devices"].as_array().unwrap().iter();
        devices.filter_map(|device| device["reports"][0]["items"].as_f64()).sum()
    };
    until("all reports are there", || {
        let status = until_status(&url, "it is there", |_| true);
        (sums(&status) == 2.0 * figures.computed as f64).then_some(())
    });

    let finished = run.wait();
    let last = reader.last_status();
    let summary: Value = serde_json::from_slice(&fs::read(&told).unwrap()).unwrap();
    let report = report::data(&report);
    assert_eq!(of_snapshot(&last), figures);
    assert_eq!(of_summary(&summary), figures);
    assert_eq!(report["summary"], summary);
    assert_eq!(of_snapshot(&report["snapshot"]), figures);
    assert_eq!(of_last_words(&finished.stderr), figures);
    assert_eq!(of_events(&events), figures);
    assert_eq!(summary["failedItems"], json!([3, 13, 23, 33, 43, 53]));
    assert_eq!(summary["exitWords"], "All other items are done; 6 items failed.");
    assert_eq!(summary["exitWords"], last["exitWords"]);
    assert_eq!(sums(&report["snapshot"]), 2.0 * figures.computed as f64);
    page.wait_for("document.body.innerText.includes('6 items failed')").unwrap();
    assert_eq!(of_page(&mut page, figures.computed), figures);
    drop(tab);
}
