//! Makes the processes of tests independent of the environment of the tests.

use std::{process::Command, sync::Once};
use tokio::signal::unix::{SignalKind, signal};

/// Variables that change the behaviour or the messages of `pando`, its children or the programs of
/// tests.
const CHANGES: [&str; 13] = [
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "all_proxy",
    "https_proxy",
    "http_proxy",
    "no_proxy",
    "LANGUAGE",
    "LC_MESSAGES",
    "NODE_OPTIONS",
    "NODE_PATH",
    "POSIXLY_CORRECT",
];

/// Gives `command` the same environment on every machine. A test sets its own variables after
/// this.
pub fn make_neutral(command: &mut Command) {
    heed_ignored_signals();
    let own = std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_string_lossy().starts_with("PANDO_"));
    for name in own.chain(CHANGES.map(Into::into)) {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C");
}

/// `nohup`, and shells that start background commands, make a process ignore signals, and its
/// children inherit this. A signal that this process handles is not ignored by its children.
fn heed_ignored_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status
            .lines()
            .find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
        let kinds = [
            SignalKind::hangup(),
            SignalKind::interrupt(),
            SignalKind::quit(),
            SignalKind::terminate(),
        ];
        let kinds = kinds
            .into_iter()
            .filter(move |kind| ignored.unwrap_or_default() >> (kind.as_raw_value() - 1) & 1 == 1);
        // The signals are handled on a new thread, because a runtime cannot be dropped inside the
        // runtime of a test.
        let handle = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .build()
                .expect("a runtime can be made");
            let _within = runtime.enter();
            for kind in kinds {
                let _ = signal(kind).expect("a signal can be handled");
            }
        };
        std::thread::spawn(handle).join().expect("the signals are handled");
    });
}
