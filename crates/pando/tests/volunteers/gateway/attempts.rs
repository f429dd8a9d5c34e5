//! The attempts at values that fail behind a gateway.

use super::*;
use crate::{fail, values};
use pando_testing::volunteer::serve;
use std::{
    sync::mpsc::{self, Sender},
    thread::{self, JoinHandle},
};

/// A run that gets values one by one.
fn one_by_one() -> PandoCommand {
    PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--cores", "0", "--batch-size", "1", "--heartbeat", "60"])
        .stdin_open()
}

/// A device behind `gateway` that has computed `value`.
fn proven(
    run: &mut RunningProgram,
    gateway: &RunningProgram,
    name: &str,
    value: &str,
) -> WebSocket {
    let mut device = WebSocket::join(&gateway.url(), name, 1);
    run.write(format!("{value}\n"));
    let (loan, _) = values(&mut device).remove(0);
    answer(&mut device, loan, value);
    assert_eq!(run.line().as_deref(), Some(value));
    device
}

/// A phone and a tablet that have each computed one of the values `1` and `2`.
fn two_proven(run: &mut RunningProgram, gateway: &RunningProgram) -> [WebSocket; 2] {
    drop(proven(run, gateway, "tablet", "1"));
    gateway.says("tablet is gone");
    let phone = proven(run, gateway, "phone", "2");
    let tablet = WebSocket::join(&gateway.url(), "tablet", 1);
    let is_back = || (gateway.stderr().matches("tablet joined").count() == 2).then_some(());
    until("the tablet is back", is_back);
    [phone, tablet]
}

/// Has a device fail each value that `fails` names, and compute the others. Each failure is told.
fn serving(
    mut device: WebSocket,
    name: &'static str,
    fails: fn(&str) -> bool,
    told: Sender<&'static str>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        serve(&mut device, |socket, loan, value| match fails(value) {
            true => {
                let _ = told.send(name);
                fail(socket, loan, "boom");
            }
            false => answer(socket, loan, value),
        });
    })
}

#[test]
fn a_value_that_fails_behind_a_gateway_has_the_usual_attempts_on_different_devices() {
    let mut run = one_by_one().args(["--on-error", "skip"]).start();
    let gateway = any_gateway(&run.url());
    let [phone, tablet] = two_proven(&mut run, &gateway);
    let (told, failures) = mpsc::channel();
    let is_bad = |value: &str| value == "bad";
    let devices =
        [serving(phone, "phone", is_bad, told.clone()), serving(tablet, "tablet", is_bad, told)];
    run.write("bad\n4\n");
    run.close_stdin();
    let done = run.wait();
    done.ends(1, "1\n2\n4\n").said(&[
        "at gateway: boom (attempt 1 of 3",
        "item 3 failed on",
        "attempts: 3",
    ]);
    devices.into_iter().for_each(|device| device.join().expect("it serves to the end"));
    let failures: Vec<_> = failures.iter().collect();
    assert_eq!(failures.len(), 3, "{failures:?}");
    assert_ne!(failures[0], failures[1], "the second attempt is another device's");
}

/// The phone can do it no more, and is so fast that it takes most values.
#[test]
fn a_device_that_can_do_it_no_more_becomes_unfit_behind_its_gateway() {
    let mut run = one_by_one().start();
    let gateway = any_gateway(&run.url());
    let [phone, tablet] = two_proven(&mut run, &gateway);
    let (told, _failures) = mpsc::channel();
    let devices = [
        serving(phone, "phone", |_| true, told.clone()),
        serving(tablet, "tablet", |_| false, told),
    ];
    let values: String = (3..=500).map(|number| format!("{number}\n")).collect();
    run.write(&values);
    run.close_stdin();
    gateway.says("phone is unfit for this job so far: all that it tried failed (boom)");
    run.wait().gives(numbers(500));
    devices.into_iter().for_each(|device| device.join().expect("it serves to the end"));
}

/// Only an unfit device is left behind the gateway. What it fails is no attempt, and goes back.
#[test]
fn what_an_unfit_device_fails_alone_behind_its_gateway_goes_back_to_the_run() {
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--cores", "0", "--batch-size", "1", "--heartbeat", "1", "--retries", "0"])
        .stdin_open()
        .start();
    let gateway = any_gateway(&run.url());
    let tablet = JoinCommand::to(&gateway.url()).named("tablet").start();
    run.write("1\n");
    assert_eq!(run.line(), Some("1".into()));
    let (told, failures) = mpsc::channel();
    let phone = WebSocket::join(&gateway.url(), "phone", 1);
    let phone = serving(phone, "phone", |_| true, told);
    gateway.says("phone joined");
    let mut number = 1;
    while !gateway.stderr().contains("phone is unfit") {
        number += 1;
        run.write(format!("{number}\n"));
        assert_eq!(run.line(), Some(number.to_string()));
    }
    tablet.signal("TERM");
    tablet.wait().status(0);
    failures.try_iter().for_each(drop);
    run.write("last\n");
    failures.recv().expect("the phone is asked again after its rest");
    let url = run.url();
    let other = thread::spawn(move || echo(&mut WebSocket::join(&url, "other", 1)));
    assert_eq!(run.line(), Some("last".into()));
    run.close_stdin();
    run.wait().status(0).did_not_say(&["failed"]);
    other.join().expect("it serves to the end");
    phone.join().expect("it serves to the end");
}
