//! Devices that fail or hand back all values, among devices that can compute them.

use crate::{answer, echo, fail, first, idle, values};
use pando_protocol::volunteer::Loan;
use pando_testing::{PandoCommand, RunningProgram, WebSocket, numbers, until, volunteer::serve};
use serde_json::json;
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

/// Calls `act` for each value until the channel ends. The thread returns the number of values.
fn each(
    mut socket: WebSocket,
    mut act: impl FnMut(&mut WebSocket, Loan, &str) + Send + 'static,
) -> JoinHandle<usize> {
    thread::spawn(move || {
        let mut count = 0;
        serve(&mut socket, |socket, loan, value| {
            count += 1;
            act(socket, loan, value);
        });
        count
    })
}

/// A device with the name `name` and one core that fails all values.
fn unfit(run: &RunningProgram, name: &str) -> JoinHandle<usize> {
    let socket = WebSocket::join(&run.url(), name, 1);
    each(socket, |socket, loan, _| fail(socket, loan, "[x].at is not a function"))
}

fn fit(run: &RunningProgram, name: &str) -> WebSocket {
    WebSocket::join(&run.url(), name, 1)
}

fn sentences(stderr: &str, name: &str) -> usize {
    stderr
        .lines()
        .filter(|line| line.starts_with(name) && line.contains("is unfit for this job"))
        .count()
}

/// Three devices fail all values, while the only good device is in a long call.
fn three_are_unfit(args: &[&str]) {
    let run = idle(60).args(args).start();
    let names = ["Ann", "Bob", "Cid"];
    let mut good = fit(&run, "good");
    let (oldest, _) = values(&mut good)[0];
    let unfit: Vec<_> = names.iter().map(|name| unfit(&run, name)).collect();
    for name in names {
        run.says(&format!(
            "{name} is unfit for this job so far: this browser lacks Array.prototype.at"
        ));
    }
    // The first call of the good device takes long.
    assert_eq!(oldest, first(0));
    (0..2).for_each(|index| answer(&mut good, first(index), &(index + 1).to_string()));
    echo(&mut good);
    let run = run.wait();
    run.gives(numbers(60)).did_not_say(&["error", "attempt"]);
    for (name, unfit) in names.iter().zip(unfit) {
        assert_eq!(sentences(&run.stderr, name), 1, "{}", run.stderr);
        let count = unfit.join().expect("it did what it should");
        assert!(count <= 6, "{name} was lent {count} values");
    }
}

#[test]
fn devices_that_fail_everything_use_up_no_attempts() {
    three_are_unfit(&["--retries", "0"]);
}

#[test]
fn nor_do_they_when_an_item_has_three() {
    three_are_unfit(&[]);
}

/// A good device joins after the only other device has failed all its values.
fn a_good_one_joins_later(retries: &str, said: &str) {
    let run = idle(20).args(["--heartbeat", "20s", "--retries", retries]).start();
    let bad = unfit(&run, "bad");
    run.says(said);
    let mut good = fit(&run, "good");
    echo(&mut good);
    run.wait().gives(numbers(20)).did_not_say(&["error"]);
    assert!(bad.join().expect("it did what it should") < 20);
}

#[test]
fn a_good_device_may_join_in_the_moment_in_which_all_others_have_failed() {
    let said = "item 1 failed on bad: [x].at is not a function (it has failed, unless another device joins in a moment)";
    a_good_one_joins_later("0", said);
    a_good_one_joins_later("2", "item 1 failed on bad: [x].at is not a function (attempt 2 of 3");
}

#[test]
fn a_function_that_fails_on_all_devices_fails_with_the_usual_attempts() {
    let run = idle(20).args(["--heartbeat", "300ms"]).start();
    let (one, two) = (unfit(&run, "one"), unfit(&run, "two"));
    run.wait().ends(1, "").said(&[
        "error: item 1 failed on ",
        "[x].at is not a function",
        "attempts: ",
    ]);
    assert!(one.join().expect("it ends") + two.join().expect("it ends") < 40);
    let run = idle(20).args(["--heartbeat", "300ms"]).start();
    let one = unfit(&run, "one");
    run.wait().ends(1, "").said(&["error: item 1 failed on one", "attempts: 3"]);
    one.join().expect("it ends");
}

#[test]
fn an_item_that_fails_everywhere_fails_by_those_that_can_do_others() {
    let run = idle(20).args(["--on-error", "skip", "--retries", "1"]).start();
    let mut good = fit(&run, "good");
    assert_eq!(values(&mut good)[0].0, first(0));
    let bad = unfit(&run, "bad");
    run.says("bad is unfit for this job so far");
    (0..2).for_each(|index| answer(&mut good, first(index), &(index + 1).to_string()));
    let good = each(good, |socket, loan, value| match loan.index {
        7 => fail(socket, loan, "no eight"),
        _ => answer(socket, loan, value),
    });
    let others: String = (1..=20).filter(|n| *n != 8).map(|n| format!("{n}\n")).collect();
    run.wait().ends(1, others).said(&[
        "item 8 failed on good: no eight (attempt 1 of 2",
        "attempts: 2",
        "1 item failed",
    ]);
    good.join().expect("it ends");
    bad.join().expect("it ends");
}

#[test]
fn most_items_may_fail_and_no_device_is_unfit_for_that() {
    let run = idle(200).args(["--on-error", "skip", "--heartbeat", "20s"]).start();
    let tenth = |socket: &mut WebSocket, loan: Loan, value: &str| match loan.index % 10 {
        9 => answer(socket, loan, value),
        _ => fail(socket, loan, "not this one"),
    };
    let mut computed: BTreeSet<u64> = (1..=20).map(|n| n * 10).collect();
    // Each device computes its first value, so that nobody is in doubt about the device.
    let devices = ["Ann", "Bob"].map(|name| {
        let mut socket = fit(&run, name);
        let batch = values(&mut socket);
        for (n, (loan, value)) in batch.into_iter().enumerate() {
            let value = std::str::from_utf8(&value).expect("text");
            if n == 0 {
                computed.insert(loan.index + 1);
                answer(&mut socket, loan, value);
            } else {
                tenth(&mut socket, loan, value);
            }
        }
        each(socket, tenth)
    });
    let run = run.wait();
    let failed = format!("{} items failed", 200 - computed.len());
    let lines: String = computed.iter().map(|value| format!("{value}\n")).collect();
    run.ends(1, lines).said(&[&failed]).did_not_say(&["unfit"]);
    assert!(devices.into_iter().all(|device| device.join().is_ok()));
}

#[test]
fn an_unfit_device_that_comes_back_rests_on() {
    let run = idle(30).args(["--batch-size", "1", "--window", "10", "--heartbeat", "20s"]).start();
    let url = run.url();
    let mut good = fit(&run, "good");
    assert_eq!(values(&mut good)[0].0, first(0));
    let mut bad = fit(&run, "bad");
    for _ in 0..3 {
        let (loan, _) = values(&mut bad)[0];
        fail(&mut bad, loan, "no");
    }
    run.says("bad is unfit for this job so far: all that it tried failed (no)");
    drop(bad);
    run.says("bad is gone");
    let again = WebSocket::join(&url, "bad", 1);
    let again = each(again, |socket, loan, _| fail(socket, loan, "no"));
    answer(&mut good, first(0), "1");
    echo(&mut good);
    let run = run.wait();
    run.gives(numbers(30));
    assert_eq!(sentences(&run.stderr, "bad"), 1, "{}", run.stderr);
    assert_eq!(again.join().expect("it ends"), 0, "it rests");
}

#[test]
fn an_unfit_device_gets_its_share_again_once_it_has_computed_something() {
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--cores", "0", "--batch-size", "1", "--heartbeat", "500ms"])
        .stdin_open()
        .start();
    let good = each(fit(&run, "good"), answer);
    let mut failures = 0;
    let bad = each(fit(&run, "bad"), move |socket, loan, value| {
        failures += 1;
        if failures > 4 { answer(socket, loan, value) } else { fail(socket, loan, "not yet") }
    });
    let mut count = 0;
    until("it computes", || {
        count += 1;
        run.write_line(&count.to_string());
        run.stderr().contains("bad has computed an item: it gets its share again").then_some(())
    });
    run.close_stdin();
    run.wait()
        .gives(numbers(count))
        .said(&["bad is unfit for this job so far: all that it tried failed (not yet)"]);
    good.join().expect("it ends");
    bad.join().expect("it ends");
}

#[test]
fn a_device_that_can_do_it_no_more_is_unfit_as_well() {
    let run = idle(3000).args(["--batch-size", "1", "--heartbeat", "20s"]).start();
    let (tired, good) = (fit(&run, "tired"), fit(&run, "good"));
    let (computed, mut done) = (Arc::new(AtomicU64::new(0)), 0);
    let by_good = computed.clone();
    let tired = each(tired, move |socket, loan, value| {
        done += 1;
        if done < 5 {
            return answer(socket, loan, value);
        }
        // However slow the machine is, the other device is not slower.
        until("the good device computes", || {
            (by_good.load(Ordering::SeqCst) >= done).then_some(())
        });
        fail(socket, loan, "out of memory")
    });
    let good = each(good, move |socket, loan, value| {
        computed.fetch_add(1, Ordering::SeqCst);
        answer(socket, loan, value)
    });
    let run = run.wait();
    run.gives(numbers(3000))
        .said(&["tired is unfit for this job so far: all that it tried failed (out of memory)"]);
    assert!(tired.join().expect("it ends") < 1000);
    good.join().expect("it ends");
}

#[test]
fn when_only_unfit_devices_are_left_the_run_says_so_and_goes_on_with_the_next_good_one() {
    let run = idle(10).args(["--batch-size", "1", "--heartbeat", "10s"]).start();
    let mut good = fit(&run, "good");
    assert_eq!(values(&mut good)[0].0, first(0));
    let bad = unfit(&run, "bad");
    run.says("bad is unfit for this job");
    let mut loan = first(0);
    for index in 0..3 {
        answer(&mut good, loan, &(index + 1).to_string());
        loan = values(&mut good)[0].0;
        assert_eq!(loan.index, index + 1);
    }
    drop(good);
    run.says("no device that is here can compute item 4");
    let mut next = fit(&run, "next");
    echo(&mut next);
    run.wait().gives(numbers(10)).did_not_say(&["error"]);
    bad.join().expect("it ends");
}

/// A device that hands back all values hardly delays the run, although each value needs a second
/// attempt.
fn gives_back(careful: bool) {
    let f = "export default (x, { attempt }) => { if (attempt === 1) throw new Error('once'); return x }";
    let mut run =
        PandoCommand::new(f).args(["--cores", "1", "--heartbeat", "20s"]).stdin_open().start();
    let socket = WebSocket::join(&run.url(), "phone", 4);
    let returner = each(socket, move |socket, loan, _| {
        let id = match loan.number {
            0 => json!(loan.index),
            number => json!(format!("{}:{number}", loan.index)),
        };
        socket.text(&json!({"type": "returned", "ids": [id], "careful": careful}).to_string());
    });
    (1..=100).for_each(|n| run.write_line(&n.to_string()));
    run.says(
        "phone is unfit for this job so far: it gives back what it is lent, and has not begun it",
    );
    run.close_stdin();
    run.wait().gives(numbers(100));
    assert!(returner.join().expect("it ends") < 200);
}

#[test]
fn a_device_that_gives_everything_back_costs_next_to_nothing() {
    gives_back(false);
}

#[test]
fn nor_does_one_that_says_that_it_did_so_with_care() {
    gives_back(true);
}

#[test]
fn a_device_whose_results_are_never_confirmed_is_unfit() {
    let run = idle(20).args(["--confirm", "! grep -q wrong", "--retries", "0"]).start();
    let mut good = fit(&run, "good");
    assert_eq!(values(&mut good)[0].0, first(0));
    let liar = each(fit(&run, "liar"), |socket, loan, _| answer(socket, loan, "wrong"));
    run.says("liar is unfit for this job so far");
    (0..2).for_each(|index| answer(&mut good, first(index), &(index + 1).to_string()));
    echo(&mut good);
    run.wait().gives(numbers(20)).did_not_say(&["error"]);
    liar.join().expect("it ends");
}

#[test]
fn a_program_in_the_loop_hears_nothing_of_what_an_unfit_device_failed() {
    let args = ["--cores", "0", "--sync-stdio", "--retries", "0", "--heartbeat", "20s"];
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)").args(args).stdin_open().start();
    let mut good = fit(&run, "good");
    assert_eq!(run.line().as_deref(), Some(r#"{"ask":1}"#));
    run.write_line(r#"{"value":1}"#);
    assert_eq!(values(&mut good)[0].0, first(0));
    let bad = unfit(&run, "bad");
    assert_eq!(run.line().as_deref(), Some(r#"{"ask":1}"#));
    run.write_line(r#"{"value":2}"#);
    run.says("item 2 failed on bad: [x].at is not a function (this device has computed nothing yet, and others may");
    answer(&mut good, first(0), "0");
    assert_eq!(next_result(&mut run), 1);
    let (loan, _) = values(&mut good)[0];
    assert_eq!(loan.index, 1);
    answer(&mut good, loan, "0");
    assert_eq!(next_result(&mut run), 2);
    run.write_line(r#"{"end":true}"#);
    let run = run.wait();
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    bad.join().expect("it ends");
}

/// The index of the next result.
fn next_result(run: &mut RunningProgram) -> u64 {
    until("a result", || {
        let line = run.line().expect("there is one");
        assert!(!line.contains("error"), "{line} {}", run.stderr());
        let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        line["index"].as_u64()
    })
}
