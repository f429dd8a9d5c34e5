//! Keeps this machine from falling asleep by itself while a run goes on.
//!
//! Each system has a program for that. It lasts until its standard input ends, which this process holds open: so it ends with this one,
//! however that ends. Where there is none, or it may not do so, nothing is said: the run goes on as it would without.

use crate::secrets;
use std::{
    io::{self, PipeWriter},
    process::Stdio,
    thread,
};

/// The programs to try, one after the other.
#[cfg(not(any(target_os = "macos", windows)))]
const WAYS: &[&[&str]] = &[
    &["systemd-inhibit", "--what=idle:sleep", "--who=pando", "--why=a run goes on", "--mode=block", "cat"],
    // Who came over the network may not forbid more.
    &["systemd-inhibit", "--what=idle", "--who=pando", "--why=a run goes on", "--mode=block", "cat"],
];
#[cfg(target_os = "macos")]
const WAYS: &[&[&str]] = &[&["caffeinate", "-i", "cat"]];
/// `ES_CONTINUOUS | ES_SYSTEM_REQUIRED`, for as long as the thread lives that says it.
#[cfg(windows)]
const WAYS: &[&[&str]] = &[&[
    "powershell",
    "-NoProfile",
    "-NonInteractive",
    "-Command",
    "$type = Add-Type -PassThru -Namespace Pando -Name Power -MemberDefinition \
     '[DllImport(\"kernel32.dll\")] public static extern uint SetThreadExecutionState(uint flags);'; \
     [void]$type::SetThreadExecutionState(2147483649); [void][Console]::In.ReadToEnd()",
]];

/// See the module. The machine may sleep again once this is dropped.
#[derive(Debug)]
pub(super) struct Awake {
    _held: PipeWriter,
}

impl Awake {
    /// Keeps the machine awake from now on, if that can be had.
    pub(super) fn start() -> Option<Self> {
        let (ends, held) = io::pipe().ok()?;
        let wait = move || {
            let lasted = |way: &&[&str]| ends.try_clone().and_then(|ends| run(way, ends.into())).unwrap_or(false);
            WAYS.iter().any(lasted);
        };
        thread::Builder::new().name("awake".into()).spawn(wait).ok()?;
        Some(Self { _held: held })
    }
}

/// Runs `words` to its end; gives whether that was a good one.
fn run(words: &[&str], ends: Stdio) -> io::Result<bool> {
    let mut command = secrets::command(words[0]);
    command.args(&words[1..]).stdin(ends).stdout(Stdio::null()).stderr(Stdio::null());
    // A terminal's Ctrl-C is for the run, which has values to finish.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    Ok(command.status()?.success())
}
