//! Keeps this machine from going to sleep while a run goes on.
//!
//! Each system has a program for this. The program lasts until the end of its standard input,
//! which this process holds open. So both processes end together, for whatever reason. Without a
//! program or a permission, the run goes on without a message.

use crate::secrets;
use std::{
    io::{self, PipeWriter},
    process::Stdio,
    thread,
};

/// The programs to try, one after the other.
#[cfg(not(any(target_os = "macos", windows)))]
const WAYS: &[&[&str]] = &[
    &[
        "systemd-inhibit",
        "--what=idle:sleep",
        "--who=pando",
        "--why=a run goes on",
        "--mode=block",
        "cat",
    ],
    // Users who are logged in over the network may only prevent idling.
    &[
        "systemd-inhibit",
        "--what=idle",
        "--who=pando",
        "--why=a run goes on",
        "--mode=block",
        "cat",
    ],
];
#[cfg(target_os = "macos")]
const WAYS: &[&[&str]] = &[&["caffeinate", "-i", "cat"]];
/// `ES_CONTINUOUS | ES_SYSTEM_REQUIRED`, in effect as long as the calling thread lives.
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

/// Keeps the machine awake until this value is dropped; see the module.
#[derive(Debug)]
pub(super) struct Awake {
    _held: PipeWriter,
}

impl Awake {
    /// Keeps the machine awake from now on, if the system can.
    pub(super) fn start() -> Option<Self> {
        let (ends, held) = io::pipe().ok()?;
        let wait = move || {
            let lasted = |way: &&[&str]| {
                ends.try_clone().and_then(|ends| run(way, ends.into())).unwrap_or(false)
            };
            WAYS.iter().any(lasted);
        };
        thread::Builder::new().name("awake".into()).spawn(wait).ok()?;
        Some(Self { _held: held })
    }
}

/// Runs `words` as a command to the end; returns whether the command succeeded.
fn run(words: &[&str], ends: Stdio) -> io::Result<bool> {
    let mut command = secrets::command(words[0]);
    command.args(&words[1..]).stdin(ends).stdout(Stdio::null()).stderr(Stdio::null());
    // Ctrl-C in a terminal must only reach the run, which still has values to finish.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    Ok(command.status()?.success())
}
