//! Devices that leave, crash, fall asleep and come back.

use crate::{tab, tabs_only};
use pando_testing::{EventsFile, numbers, until};

const SOME_MILLISECONDS: &str = "(x, cb) => setTimeout(() => cb(null, x), 2 + Number(x) % 7)";

#[test]
fn tabs_killed_and_reopened_twenty_times_lose_and_misplace_nothing() {
    let mut run = tabs_only(SOME_MILLISECONDS).stdin(numbers(5000)).start();
    let mut tabs = [tab(&run, "Ann"), tab(&run, "Bob")];
    let mut out = String::new();
    for round in 0..20 {
        for _ in 0..200 {
            out += &(run.line().expect("there is more") + "\n");
        }
        let name = ["Ann", "Bob"][round % 2];
        let fresh = tab(&run, name);
        std::mem::replace(&mut tabs[round % 2], fresh).kill();
    }
    let end = run.wait();
    assert!(numbers(5000).starts_with(&out));
    end.gives(numbers(5000));
}

#[test]
fn a_device_that_falls_asleep_is_noticed_and_comes_back_by_itself() {
    let run = tabs_only(SOME_MILLISECONDS).args(["--heartbeat", "500ms"]).stdin_open().start();
    let mut run = run;
    let sleeper = tab(&run, "Sleeper");
    run.says("Sleeper joined");
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    sleeper.signal("STOP");
    run.says("Sleeper has been silent for 1.5s");
    run.write_line("2");
    sleeper.signal("CONT");
    assert_eq!(run.line().as_deref(), Some("2"));
    run.wait().gives("1\n2\n");
}

#[test]
fn a_tab_that_is_there_at_the_end_is_told_that_the_job_is_done() {
    let events = EventsFile::empty();
    let mut run = tabs_only("(x, cb) => cb(null, x)").events(&events).stdin_open().start();
    let _tab = tab(&run, "Late");
    run.says("Late joined");
    run.write(numbers(10));
    run.close_stdin();
    until("Late is told", || {
        events.all().into_iter().find(|event| event["event"] == "left" && event["why"] == "done")
    });
    run.wait().gives(numbers(10));
}
