//! Facts about processes and the machine (Linux: `/proc`).

use std::{fs, process::Command, time::Duration};

/// The clock ticks per second in `/proc`, the same on every current Linux.
const TICKS: f64 = 100.0;

/// The processor time of a process and all its threads.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    /// The time in the program.
    pub user: Duration,
    /// The time in the kernel for the program.
    pub system: Duration,
}

impl Cpu {
    /// The processor time of process `id`, even if it has ended and nobody has waited for it. Zero
    /// when there is no such process.
    pub fn of(id: u32) -> Self {
        let fields = stat(id);
        let ticks = |at: usize| {
            Duration::from_secs_f64(
                fields.get(at).and_then(|field| field.parse().ok()).unwrap_or(0.0) / TICKS,
            )
        };
        Self { user: ticks(11), system: ticks(12) }
    }

    /// The sum of both times.
    pub fn sum(&self) -> Duration {
        self.user + self.system
    }

    /// The processor time between `before` and this.
    pub fn since(&self, before: Self) -> Self {
        Self {
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
        }
    }
}

/// Whether process `id` has ended, whether or not its parent has waited for it.
pub fn has_ended(id: u32) -> bool {
    stat(id).first().is_none_or(|state| state == "Z")
}

/// The peak resident memory of process `id`, in bytes. `None` when the process has ended.
pub fn peak_memory(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok().map(|kb: u64| kb * 1024)
}

/// The resident memory of process `id` now, in bytes. Zero when the process has ended.
pub fn memory(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse().map_or(0, |kb: u64| kb * 1024)
}

/// The present children of process `id`.
pub fn children(id: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let children =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    children
        .flat_map(|list| {
            list.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<_>>()
        })
        .collect()
}

/// The fields of `/proc/ID/stat`, starting with the state.
fn stat(id: u32) -> Vec<String> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
    fields.split_whitespace().map(str::to_owned).collect()
}

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
