//! What a held core may use.

use std::fs;

/// Most memory for a core, unless somebody says otherwise, in bytes.
const MOST: u64 = 4 << 30;
/// Least memory for a core, in bytes.
const LEAST: u64 = 256 << 20;

/// What a held core may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Memory for each core beyond what its engine needs for itself, in bytes.
    pub memory: u64,
}

/// The memory for each of so many cores: together half of this machine's memory.
pub fn memory_per_core(cores: usize) -> u64 {
    let all = fs::read_to_string("/proc/meminfo").ok().and_then(|text| field(&text, "MemTotal"));
    all.map_or(1 << 30, |all| (all / 2 / cores.max(1) as u64).clamp(LEAST, MOST))
}

/// The bytes of a line such as `VmData:  123 kB`.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// Limits the memory of the core that runs in process `pid` or in its only descendant: to what the
/// engine has now, and `memory` bytes.
///
/// The limit counts all private memory that can be written, so also buffers and WebAssembly. It
/// is set from outside, because engines reserve different amounts for themselves.
#[cfg(target_os = "linux")]
pub(crate) fn limit_memory(pid: u32, memory: u64) -> std::io::Result<()> {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let pid = innermost(pid)?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let used = field(&status, "VmData").ok_or(std::io::ErrorKind::InvalidData)?;
    let most = Some(used.saturating_add(memory));
    prlimit(Pid::from_raw(pid as i32), Resource::Data, Rlimit { current: most, maximum: most })?;
    Ok(())
}

/// Other systems have no such limit.
#[cfg(not(target_os = "linux"))]
pub(crate) fn limit_memory(_: u32, _: u64) -> std::io::Result<()> {
    Ok(())
}

/// The process at the end of the chain of children that begins with `pid`: the sandbox's programs
/// stand between this process and the core.
#[cfg(target_os = "linux")]
fn innermost(pid: u32) -> std::io::Result<u32> {
    let mut parents = std::collections::HashMap::<u32, u32>::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        // The name of the program stands in parentheses, and may have any character.
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        if let Some(parent) = rest.split_whitespace().nth(1).and_then(|word| word.parse().ok()) {
            parents.insert(parent, child);
        }
    }
    let mut last = pid;
    while let Some(child) = parents.get(&last) {
        last = *child;
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_kernel_are_read_in_bytes() {
        let text = "VmPeak:\t     100 kB\nVmData:\t  2 kB\nVmStk: 3 kB\n";
        assert_eq!((field(text, "VmData"), field(text, "Vm")), (Some(2048), None));
    }

    #[test]
    fn memory_is_shared_among_the_cores() {
        assert!(memory_per_core(1) >= memory_per_core(4));
        assert!((LEAST..=MOST).contains(&memory_per_core(1000)));
    }
}
