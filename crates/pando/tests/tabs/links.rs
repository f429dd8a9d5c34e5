//! Links that work, and links that do not.

use crate::{tab, tabs_only};
use pando_testing::{Tab, numbers};

#[test]
fn a_tab_opened_before_the_master_joins_once_it_is_there() {
    // The tab stays open after an earlier run with the same port and token.
    let f = "(x, cb) => cb(null, x)";
    let first = tabs_only(f).args(["--token", "sesame"]).stdin_open().start();
    let url = first.url();
    let port =
        url.split(':').nth(2).and_then(|rest| rest.split('/').next()).expect("a port").to_owned();
    let _tab = Tab::open(&url, "device=Faithful;cores=1;");
    first.says("Faithful joined");
    first.signal("KILL");
    drop(first);
    let second =
        tabs_only(f).args(["--token", "sesame", "--port", &port]).stdin(numbers(5)).start();
    second.says("Faithful joined");
    second.wait().gives(numbers(5));
}

#[test]
fn the_fragment_names_the_device_and_its_cores() {
    let mut run = tabs_only("(x, cb) => cb(null, x)").stdin_open().start();
    let _tab = Tab::open(&run.url(), "protocol=websocket;device=My_Phone;cores=2");
    run.says("My Phone joined with 2 cores");
    let _twin = tab(&run, "My_Phone");
    run.says("My Phone 2 joined with 1 core");
    run.write_line("x");
    run.wait().gives("x\n");
}
