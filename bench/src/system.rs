//! Facts about the machine (Linux: `/proc`).

use std::{fs, process::Command};

/// The load: the average number of processes ready to run in the last minute.
pub fn load() -> String {
    fs::read_to_string("/proc/loadavg")
        .unwrap_or_default()
        .split(' ')
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// One line about the machine and the programs on which the figures depend.
pub fn machine(chromium: &str) -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or("?")
        .trim_start_matches(['\t', ' ', ':']);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let [kernel, node, browser] =
        [said("uname", &["-sr"]), said("node", &["--version"]), said(chromium, &["--version"])];
    format!("{cores} cores ({model}), {kernel}, Node {node}, {browser}")
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| format!("no {program}"),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
