//! Finds other processes and sends signals to them, with only `kill` and `/proc`.

use super::DEADLINE;
use std::{
    fs,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// Sends `signal` (`INT`, `TERM`, `KILL` …) to `target`: a process, or a process group if
/// negative.
pub(crate) fn kill(signal: &str, target: i64) {
    let kill = Command::new("kill")
        .args(["-s", signal, "--", &target.to_string()])
        .stderr(Stdio::null())
        .status();
    assert!(kill.is_ok(), "`kill` is on PATH");
}

/// Whether a process exists and is not a zombie.
pub(crate) fn is_alive(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != 'Z')
}

/// The running child processes of `pid`.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc is there");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let mut found: Vec<u32> = pids
        .filter(|child| stat(*child).is_some_and(|(state, parent)| state != 'Z' && parent == pid))
        .collect();
    found.sort_unstable();
    found
}

/// The state and the parent of a process.
fn stat(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may contain any character.
    let mut rest = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    Some((rest.next()?.chars().next()?, rest.next()?.parse().ok()?))
}

/// The processor time of `pid` in clock ticks, usually hundredths of a second.
pub(crate) fn cpu_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let rest = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    rest.split_ascii_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum()
}

/// Calls `look` until it returns a value. The test fails if this takes too long.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "not within {DEADLINE:?}: {what}");
        sleep(Duration::from_millis(10));
    }
}

/// A process group, killed as a whole when this is dropped.
#[derive(Debug)]
pub(crate) struct Group(pub(crate) std::process::Child);

impl Group {
    /// Starts `command` in a new process group.
    pub(crate) fn start(command: &mut Command) -> Self {
        use std::os::unix::process::CommandExt;
        Self(command.process_group(0).spawn().expect("the command starts"))
    }

    /// Kills all processes of the group at once.
    pub(crate) fn kill(&mut self) {
        kill("KILL", -i64::from(self.0.id()));
        let _ = self.0.wait();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
