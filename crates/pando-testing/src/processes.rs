//! Other processes: facts about them and signals to them, with `/proc` of Linux.

use super::DEADLINE;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::{
    fs,
    os::unix::process::CommandExt,
    process::{Child, Command},
    thread::sleep,
    time::{Duration, Instant},
};

/// The clock ticks per second in `/proc`, the same on every current Linux.
const TICKS: f64 = 100.0;

/// Sends `signal` (`INT`, `TERM`, `KILL` …) to `target`: a process, or a process group if
/// negative. Nothing happens when there is no such process.
pub fn kill(signal: &str, target: i64) {
    let signal = match signal {
        "CONT" => Signal::CONT,
        "HUP" => Signal::HUP,
        "INT" => Signal::INT,
        "KILL" => Signal::KILL,
        "STOP" => Signal::STOP,
        "TERM" => Signal::TERM,
        other => panic!("there is no signal {other}"),
    };
    let number = i32::try_from(target.abs()).ok().and_then(Pid::from_raw).expect("a process id");
    let _ =
        if target < 0 { kill_process_group(number, signal) } else { kill_process(number, signal) };
}

/// Whether process `pid` has ended, whether or not its parent has waited for it.
pub fn has_ended(pid: u32) -> bool {
    stat(pid).first().is_none_or(|state| state == "Z")
}

/// The running child processes of `pid`, by their ids.
pub fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let lists = lists.collect::<String>();
    let pids = lists.split_whitespace().filter_map(|child| child.parse().ok());
    let mut found: Vec<u32> = pids.filter(|child| !has_ended(*child)).collect();
    found.sort_unstable();
    found
}

/// The processor time of a process and all its threads.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    /// The time in the program.
    pub user: Duration,
    /// The time in the kernel for the program.
    pub system: Duration,
}

impl Cpu {
    /// The processor time of process `pid`, even if the process has ended and nobody has waited
    /// for it. Zero when there is no such process.
    pub fn of(pid: u32) -> Self {
        Self::at(&stat(pid), 11)
    }

    /// The same, and the processor time of its children that have ended.
    pub fn with_children(pid: u32) -> Self {
        let fields = stat(pid);
        let (own, theirs) = (Self::at(&fields, 11), Self::at(&fields, 13));
        Self { user: own.user + theirs.user, system: own.system + theirs.system }
    }

    /// The times in two fields of a process's `stat`.
    fn at(fields: &[String], at: usize) -> Self {
        let ticks = |at: usize| {
            let field = fields.get(at).and_then(|field| field.parse::<f64>().ok());
            Duration::from_secs_f64(field.unwrap_or(0.0) / TICKS)
        };
        Self { user: ticks(at), system: ticks(at + 1) }
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

/// The peak resident memory of process `pid`, in bytes. `None` when the process has ended.
pub fn peak_memory(pid: u32) -> Option<u64> {
    status(pid, "VmHWM:")
}

/// The resident memory of process `pid` now, in bytes. `None` when the process has ended.
pub fn memory(pid: u32) -> Option<u64> {
    status(pid, "VmRSS:")
}

/// A number of bytes in `/proc/PID/status`.
fn status(pid: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches("kB").trim().parse().ok().map(|kb: u64| kb * 1024)
}

/// The fields of `/proc/PID/stat`, starting with the state.
fn stat(pid: u32) -> Vec<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name, in parentheses, may contain any character.
    let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
    fields.split_whitespace().map(str::to_owned).collect()
}

/// Calls `look` until it returns a value.
///
/// # Panics
/// When this takes longer than [`DEADLINE`].
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
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
pub struct Group(Child);

impl Group {
    /// Starts `command` in a new process group.
    ///
    /// # Errors
    /// When the command cannot be started.
    pub fn start(command: &mut Command) -> std::io::Result<Self> {
        Ok(Self(command.process_group(0).spawn()?))
    }

    /// The id of the first process, which leads the group.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Sends a signal to all processes of the group.
    pub fn signal(&self, signal: &str) {
        kill(signal, -i64::from(self.pid()));
    }

    /// Kills all processes of the group at once.
    pub fn kill(&mut self) {
        self.signal("KILL");
        let _ = self.0.wait();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
