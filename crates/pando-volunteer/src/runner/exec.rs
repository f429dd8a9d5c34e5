//! The helper of the sandboxes on Linux: a process that restricts itself for ever, and then becomes
//! the engine. What it may do afterwards, each program has that it becomes.
//!
//! - Landlock (Linux 5.13 and later): it can read the files that are named, and change none. It
//!   neither connects nor listens, and sends no signal to processes outside.
//! - seccomp: it makes no socket and starts no process, and controls no other one.
//! - It ends with its parent, and leaves no core dump.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, Scope,
};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, getpid, getppid, set_parent_process_death_signal, setrlimit,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};
use std::{
    collections::BTreeMap, error::Error, ffi::OsString, fs, os::unix::process::CommandExt,
    path::PathBuf, process::Command,
};

/// Most open files of a core.
const OPEN_FILES: u64 = 256;

/// The newest version of Landlock whose restrictions are known here.
const NEWEST: ABI = ABI::V6;

/// What a core needs.
#[derive(Default)]
struct Needs {
    /// The oldest version of Landlock that is enough; 0: none is needed.
    landlock: u32,
    /// The process with which the core ends.
    parent: Option<i32>,
    network: bool,
    read: Vec<PathBuf>,
}

/// Restricts this process and becomes the program that `args` name after `--`. Returns the exit
/// status if that fails.
pub(crate) fn sandbox_exec(args: impl Iterator<Item = OsString>) -> i32 {
    let error = match become_program(args) {
        Ok(never) => match never {},
        Err(error) => error,
    };
    eprintln!("{error}");
    126
}

fn become_program(
    mut args: impl Iterator<Item = OsString>,
) -> Result<std::convert::Infallible, Box<dyn Error>> {
    let needs = read_needs(&mut args)?;
    let program = args.next().ok_or("no program is named")?;
    // Should memory run out, it is the core that ends, and not the master.
    let _ = fs::write("/proc/self/oom_score_adj", "500");
    if let Some(parent) = needs.parent.and_then(Pid::from_raw) {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        if getppid() != Some(parent) {
            return Err("the parent has ended".into());
        }
    }
    limit(Resource::Core, 0)?;
    limit(Resource::Nofile, OPEN_FILES)?;
    restrict_files(&needs)?;
    restrict_calls(needs.network)?;
    Err(Command::new(program).args(args).exec().into())
}

fn read_needs(args: &mut impl Iterator<Item = OsString>) -> Result<Needs, Box<dyn Error>> {
    let mut needs = Needs::default();
    let number = |word: Option<OsString>| {
        word.and_then(|word| word.to_str()?.parse().ok()).ok_or("a number is missing")
    };
    while let Some(word) = args.next() {
        match word.to_str() {
            Some("--") => return Ok(needs),
            Some("--landlock") => needs.landlock = number(args.next())? as u32,
            Some("--parent") => needs.parent = Some(number(args.next())?),
            Some("--network") => needs.network = true,
            Some("--read") => needs.read.extend(args.next().map(PathBuf::from)),
            _ => return Err(format!("{} is not known here", word.display()).into()),
        }
    }
    Err("no program is named".into())
}

fn limit(resource: Resource, most: u64) -> Result<(), Box<dyn Error>> {
    Ok(setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?)
}

/// Restricts this process to the files that it needs, by Landlock.
fn restrict_files(needs: &Needs) -> Result<(), Box<dyn Error>> {
    let least = match needs.landlock {
        0 => ABI::Unsupported,
        1 => ABI::V1,
        2 => ABI::V2,
        3 => ABI::V3,
        _ => ABI::V4,
    };
    let old =
        |error: &dyn std::fmt::Display| format!("Landlock of this kernel is not enough: {error}");
    let mut rules = Ruleset::default();
    if least != ABI::Unsupported {
        rules = rules
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_all(least))
            .map_err(|error| old(&error))?;
        if least >= ABI::V4 && !needs.network {
            rules = rules.handle_access(AccessNet::from_all(least)).map_err(|error| old(&error))?;
        }
    }
    rules = rules
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?;
    if !needs.network {
        rules = rules.handle_access(AccessNet::from_all(NEWEST))?;
    }
    let mut rules = rules.create()?;
    for path in &needs.read {
        let Ok(about) = fs::metadata(path) else { continue };
        let access = match about.is_dir() {
            true => AccessFs::ReadFile | AccessFs::ReadDir,
            false => AccessFs::ReadFile | AccessFs::Execute,
        };
        rules = rules.add_rule(PathBeneath::new(PathFd::new(path)?, access))?;
    }
    rules.restrict_self()?;
    Ok(())
}

/// Restricts the system calls of this process, by seccomp.
fn restrict_calls(network: bool) -> Result<(), Box<dyn Error>> {
    let mut denied: BTreeMap<i64, Vec<SeccompRule>> =
        ALWAYS_DENIED.iter().map(|call| (*call, Vec::new())).collect();
    if !network {
        denied.insert(libc::SYS_socket, Vec::new());
    }
    // Threads share their process, children do not.
    let flag = libc::CLONE_THREAD as u64;
    denied.insert(libc::SYS_clone, vec![rule(&[(0, SeccompCmpOp::MaskedEq(flag), 0)])?]);
    let own = u64::from(getpid().as_raw_nonzero().get().unsigned_abs());
    for call in [libc::SYS_kill, libc::SYS_tgkill] {
        denied.insert(call, vec![rule(&[(0, SeccompCmpOp::Ne, own)])?]);
    }
    for (call, argument) in [(libc::SYS_prlimit64, 0), (libc::SYS_setpriority, 1)] {
        let others = [(argument, SeccompCmpOp::Ne, own), (argument, SeccompCmpOp::Ne, 0)];
        denied.insert(call, vec![rule(&others)?]);
    }
    for call in [
        libc::SYS_sched_setaffinity,
        libc::SYS_sched_setattr,
        libc::SYS_sched_setparam,
        libc::SYS_sched_setscheduler,
    ] {
        denied.insert(call, vec![rule(&[(0, SeccompCmpOp::Ne, 0)])?]);
    }
    apply(denied, libc::EPERM)?;
    // The flags of this call cannot be checked. Programs use `clone` where the call is missing.
    apply(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)
}

fn rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, Box<dyn Error>> {
    let conditions: Result<Vec<_>, _> = conditions
        .iter()
        .map(|(argument, is, value)| {
            SeccompCondition::new(*argument, SeccompCmpArgLen::Dword, is.clone(), *value)
        })
        .collect();
    Ok(SeccompRule::new(conditions?)?)
}

/// Answers these calls with an error.
fn apply(denied: BTreeMap<i64, Vec<SeccompRule>>, error: i32) -> Result<(), Box<dyn Error>> {
    let target = TargetArch::try_from(std::env::consts::ARCH)?;
    let error = SeccompAction::Errno(error as u32);
    let program: BpfProgram =
        SeccompFilter::new(denied, SeccompAction::Allow, error, target)?.try_into()?;
    Ok(apply_filter(&program)?)
}

/// Calls that no function needs: they reach other processes, or parts of the kernel that have
/// often been a way out.
const ALWAYS_DENIED: &[i64] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_ioprio_set,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_migrate_pages,
    libc::SYS_mount,
    libc::SYS_move_mount,
    libc::SYS_move_pages,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_tkill,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];
