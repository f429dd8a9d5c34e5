//! `--copies` and `--verify` among devices that answer otherwise than others.

use crate::{again, answer, fail, idle};
use pando_testing::{
    RunningProgram, WebSocket, lines, numbers,
    volunteer::{serve, values},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    thread::{self, JoinHandle},
};

/// A device that gives `result` of each value until the channel ends. The thread returns the
/// values that it was lent.
pub(crate) fn device(
    run: &RunningProgram,
    name: &str,
    mut result: impl FnMut(u64) -> String + Send + 'static,
) -> JoinHandle<Vec<u64>> {
    let mut socket = WebSocket::join(&run.url(), name, 1);
    thread::spawn(move || {
        let mut lent = Vec::new();
        serve(&mut socket, |socket, loan, value| {
            let value: u64 = value.parse().expect("values are numbers");
            lent.push(value);
            answer(socket, loan, &result(value));
        });
        lent
    })
}

pub(crate) fn honest(run: &RunningProgram, name: &str) -> JoinHandle<Vec<u64>> {
    device(run, name, |value| value.to_string())
}

pub(crate) fn liar(run: &RunningProgram, name: &str) -> JoinHandle<Vec<u64>> {
    device(run, name, |value| (value + 1000).to_string())
}

pub(crate) fn lent(device: JoinHandle<Vec<u64>>) -> Vec<u64> {
    device.join().expect("it did what it should")
}

#[test]
fn each_value_goes_to_different_devices_and_the_result_holds_all_answers() {
    let run = idle(30).args(["--copies", "3"]).start();
    let names = ["Ada", "Bob", "Cy \"x\""];
    let devices = names.map(|name| device(&run, name, move |value| format!("{name} {value}")));
    let finished = run.wait();
    finished.status(0);
    let lines = finished.lines();
    assert_eq!(lines.len(), 30);
    for (number, line) in (1..).zip(lines) {
        let answers: Vec<Value> = serde_json::from_str(&line).expect("a JSON array");
        let mut by: Vec<&str> = Vec::new();
        for answer in &answers {
            let device = answer["device"].as_str().expect("a name");
            assert_eq!(answer["result"], format!("{device} {number}"));
            assert_eq!(answer.as_object().map(serde_json::Map::len), Some(2));
            by.push(device);
        }
        by.sort_unstable();
        assert_eq!(by, names);
    }
    for device in devices {
        assert_eq!(lent(device), (1..=30).collect::<Vec<_>>(), "each value once, in order");
    }
}

#[test]
fn a_confirmed_result_speaks_for_all_devices_that_agreed_on_it() {
    let run = idle(60)
        .args(["--verify", "2", "--confirm", "true", "--retries", "1000", "--heartbeat", "200ms"])
        .start();
    let devices = ["Ada", "Bob"].map(|name| {
        let mut socket = WebSocket::join(&run.url(), name, 1);
        thread::spawn(move || {
            let mut tried = BTreeSet::new();
            serve(&mut socket, |socket, loan, value| {
                let number: u64 = value.parse().expect("values are numbers");
                match number.is_multiple_of(3) && tried.insert(number) {
                    true => fail(socket, loan, "flaky"),
                    false => answer(socket, loan, value),
                }
            });
        })
    });
    run.wait().gives(numbers(60)).did_not_say(&["unfit"]);
    devices.into_iter().for_each(|device| device.join().expect("it did what it should"));
}

#[test]
fn results_that_are_json_stand_in_the_array_as_they_are() {
    let run = idle(2).args(["--copies", "2", "--json"]).start();
    let json = |value: u64| format!("{{\"x\": [{value}, null]}}");
    let (ada, bob) = (json_device(&run, "Ada", json), json_device(&run, "Bob", json));
    let finished = run.wait();
    finished.status(0);
    let lines: Vec<Value> =
        finished.lines().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines[1][0]["result"], serde_json::json!({"x": [2, null]}));
    drop((ada.join(), bob.join()));
}

fn json_device(
    run: &RunningProgram,
    name: &str,
    result: impl Fn(u64) -> String + Send + 'static,
) -> JoinHandle<()> {
    use pando_protocol::volunteer::{Answer, Form, encode_results};
    let mut socket = WebSocket::join(&run.url(), name, 1);
    thread::spawn(move || {
        serve(&mut socket, |socket, loan, value| {
            let result = result(value.parse().expect("values are numbers"));
            let answer = Answer { loan, micros: 1, result: Ok((Form::Json, result.into())) };
            socket.binary(&encode_results([&answer]));
        });
    })
}

#[test]
fn no_device_gets_a_value_twice_not_even_after_it_comes_back() {
    let run = idle(5).args(["--copies", "2"]).start();
    let mut ada = WebSocket::join(&run.url(), "Ada", 1);
    let mut seen = BTreeSet::new();
    while seen.len() < 5 {
        for (loan, value) in values(&mut ada) {
            assert!(seen.insert(loan.index), "{value:?} came twice");
            answer(&mut ada, loan, "first");
        }
    }
    run.says("item 1 waits for 1 more device that can compute it: by --copies 2, no device gets a value twice");
    drop(ada);
    run.says("Ada is gone");
    let again = device(&run, "Ada", |_| "second".into());
    run.says("Ada joined");
    let bob = device(&run, "Bob", |_| "other".into());
    let line = r#"[{"device":"Ada","result":"first"},{"device":"Bob","result":"other"}]"#;
    run.wait().ends(0, format!("{line}\n").repeat(5));
    assert_eq!((lent(again), lent(bob)), (vec![], vec![1, 2, 3, 4, 5]));
}

#[test]
fn what_a_device_had_when_it_left_goes_to_another() {
    let run = idle(4).args(["--copies", "2"]).start();
    let mut gone = WebSocket::join(&run.url(), "Gone", 2);
    assert!(!values(&mut gone).is_empty());
    let ada = honest(&run, "Ada");
    drop(gone);
    let bob = honest(&run, "Bob");
    let finished = run.wait();
    finished.status(0);
    assert!(finished.lines().iter().all(|line| line.contains("Ada") && line.contains("Bob")));
    assert_eq!((lent(ada).len(), lent(bob).len()), (4, 4));
}

#[test]
fn a_liar_changes_no_result_and_gets_no_more_values() {
    let mut run = pando_testing::PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--cores", "0", "--verify", "2"])
        .stdin_open()
        .start();
    run.write(numbers(100));
    let eve = liar(&run, "Eve");
    let (ada, bob) = (honest(&run, "Ada"), honest(&run, "Bob"));
    run.says("Eve is not trusted any more: its result of item ");
    run.write(lines(101..=200));
    let run = run.wait();
    run.gives(numbers(200));
    assert_eq!(run.stderr.matches("is not trusted any more: its result").count(), 1);
    assert_eq!((lent(ada).len(), lent(bob).len()), (200, 200));
    assert!(lent(eve).len() <= 100);
}

#[test]
fn two_liars_that_agree_are_fewer_than_three() {
    let run = idle(100).args(["--verify", "3"]).start();
    let liars = [liar(&run, "Eve"), liar(&run, "Mallory")];
    let honest = ["Ada", "Bob", "Cy"].map(|name| honest(&run, name));
    let run = run.wait();
    run.gives(numbers(100)).said(&["Eve is not trusted", "Mallory is not trusted"]);
    liars.into_iter().for_each(|liar| drop(lent(liar)));
    honest.into_iter().for_each(|device| assert_eq!(lent(device).len(), 100));
}

#[test]
fn a_result_waits_until_enough_devices_have_answered_it() {
    let mut run = idle(3).args(["--verify", "2"]).start();
    let (eve, ada) = (liar(&run, "Eve"), honest(&run, "Ada"));
    run.says("item 1 waits for 1 more device that can compute it: by --verify 2, no device gets a value twice, because the answers so far differ");
    let bob = honest(&run, "Bob");
    assert_eq!(run.line().as_deref(), Some("1"));
    run.wait().gives(numbers(3));
    drop((lent(eve), lent(ada), lent(bob)));
}

#[test]
fn a_function_that_gives_another_result_each_time_ends_the_run_in_words() {
    let run = idle(1000).args(["--verify", "2"]).start();
    let names = ["Ada", "Bob", "Cy"];
    let devices = names.map(|name| device(&run, name, move |value| format!("{name} {value}")));
    let run = run.wait();
    run.ends(1, "").said(&[
        "error: the function gives different results on different devices, or at each call (item ",
        "Ada answered Ada ",
        "--verify-with COMMAND",
    ]);
    devices.into_iter().for_each(|device| drop(lent(device)));
}

#[test]
fn a_command_compares_results_by_a_rule_of_the_user() {
    // Results are equal if they differ by less than one.
    let compare = r#"awk 'NR == 1 { one = $1 } NR == 2 { exit !(one - $1 < 1 && $1 - one < 1) }'"#;
    let run = idle(20).args(["--verify", "2", "--verify-with", compare]).start();
    let (ada, bob) = (
        device(&run, "Ada", |value| format!("{value}.25")),
        device(&run, "Bob", |value| format!("{value}.5")),
    );
    let finished = run.wait();
    finished.status(0).did_not_say(&["trusted"]);
    for (number, line) in (1..).zip(finished.lines()) {
        assert!([format!("{number}.25"), format!("{number}.5")].contains(&line), "{line}");
    }
    assert_eq!((lent(ada).len(), lent(bob).len()), (20, 20));
    let run = idle(20).args(["--verify", "2", "--verify-with", "exit 3"]).start();
    let (ada, bob) = (honest(&run, "Ada"), liar(&run, "Bob"));
    run.wait().ends(1, "").said(&["error: the --verify-with command gave no answer"]);
    drop((lent(ada), lent(bob)));
}

#[test]
fn new_devices_are_checked_always() {
    // Without a small window, a device that is alone for a moment computes all values while it is
    // new.
    let run = idle(300).args(["--verify", "1%", "--batch-size", "4", "--window", "8"]).start();
    let eve = liar(&run, "Eve");
    let (ada, bob) = (honest(&run, "Ada"), honest(&run, "Bob"));
    let run = run.wait();
    run.gives(numbers(300)).said(&["Eve is not trusted any more: its result of item "]);
    drop(lent(eve));
    // Ten checks at least, which may confirm both devices at once, and those of the values that
    // they have by then; afterwards about one value in a hundred is computed twice.
    let computed = lent(ada).len() + lent(bob).len();
    assert!((310..400).contains(&computed), "{computed}");
}

#[test]
fn what_a_proven_device_has_falsified_is_told_by_number() {
    let run = idle(400).args(["--verify", "30%"]).start();
    let mut answered = 0;
    let eve = device(&run, "Eve", move |value| {
        answered += 1;
        if answered > 40 { "0".into() } else { value.to_string() }
    });
    let (ada, bob) = (honest(&run, "Ada"), honest(&run, "Bob"));
    let run = run.wait();
    let text = run.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 400, "{}", run.stderr);
    let wrong: Vec<usize> =
        (1..=400).filter(|number| lines[number - 1] != number.to_string()).collect();
    let told = run.stderr.lines().find(|line| line.contains("output without a check"));
    match wrong.is_empty() {
        true => assert_eq!(run.status, Some(i32::from(told.is_some())), "{}", run.stderr),
        false => {
            run.status(1);
            let told = told.expect("wrong results are told").rsplit_once(": ").expect("items").1;
            let items = items_of(told);
            assert!(wrong.iter().all(|number| items.contains(number)), "{wrong:?} of {told}");
        }
    }
    drop((lent(eve), lent(ada), lent(bob)));
}

/// The numbers of `items 3, 5 to 9, 12`.
pub(crate) fn items_of(words: &str) -> BTreeSet<usize> {
    let ranges = words.trim_start_matches("items ").trim_start_matches("item ").split(", ");
    ranges
        .flat_map(|range| {
            let (first, last) = range.split_once(" to ").unwrap_or((range, range));
            let number = |word: &str| word.trim().parse().expect("a number");
            number(first)..=number(last)
        })
        .collect()
}

#[test]
fn this_machine_s_own_cores_settle_a_spot_check() {
    let run = pando_testing::PandoCommand::f("(x, cb) => setTimeout(() => cb(null, x), 2)")
        .args(["--cores", "1", "--verify", "5%"])
        .stdin(numbers(300))
        .start();
    let (ada, eve) = (honest(&run, "Ada"), liar(&run, "Eve"));
    run.wait().gives(numbers(300));
    drop((lent(ada), lent(eve)));
}

#[test]
fn a_device_that_fails_an_item_leaves_it_to_others() {
    let run = idle(30).args(["--verify", "2"]).start();
    let mut socket = WebSocket::join(&run.url(), "Ann", 1);
    let ann = thread::spawn(move || {
        serve(&mut socket, |socket, loan, value| match value {
            "3" | "7" => fail(socket, loan, "no"),
            _ => answer(socket, loan, value),
        });
    });
    let (ada, bob) = (honest(&run, "Ada"), honest(&run, "Bob"));
    run.wait().gives(numbers(30));
    drop((ann.join(), lent(ada), lent(bob)));
}

#[test]
fn spot_checks_find_a_liar_when_results_come_in_any_order() {
    let run = idle(300).args(["--verify", "5%", "--unordered", "--tag"]).start();
    let eve = liar(&run, "Eve");
    let (ada, bob) = (honest(&run, "Ada"), honest(&run, "Bob"));
    let finished = run.wait();
    finished.status(0).said(&["Eve is not trusted any more: its result of item "]);
    let mut lines = finished.lines();
    lines.sort_by_key(|line| line.split('\t').next().and_then(|input| input.parse::<u64>().ok()));
    assert_eq!(lines, (1..=300).map(|n| format!("{n}\t{n}")).collect::<Vec<_>>());
    drop((lent(eve), lent(ada), lent(bob)));
}

#[test]
fn an_idle_device_takes_the_place_of_a_slow_one_that_others_wait_for() {
    let started = json!({"type": "started", "items": [{"id": "0:1", "ms": 3000}]}).to_string();
    for rule in ["--verify", "--copies"] {
        let run = idle(2).args([rule, "2", "--speculate", "--batch-size", "1", "-v"]).start();
        let mut slow = WebSocket::join(&run.url(), "slow", 1);
        assert_eq!(values(&mut slow), [(again(0, 1), "1".into())]);
        slow.text(&started);
        let devices = ["Bob", "Cy"].map(|name| honest(&run, name));
        run.says("computes item 1 as well (--speculate): another device takes long");
        let finished = run.wait();
        if rule == "--verify" {
            finished.gives(numbers(2));
        } else {
            for line in finished.lines() {
                let answers: Value = serde_json::from_str(&line).expect("a JSON array");
                let mut by = [&answers[0]["device"], &answers[1]["device"]];
                by.sort_by_key(|name| name.as_str());
                assert_eq!(by, ["Bob", "Cy"]);
            }
        }
        for device in devices {
            assert_eq!(lent(device).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([1, 2]));
        }
    }
}
