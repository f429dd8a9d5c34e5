//! What a test starts does not depend on who starts the tests, or from where.

use std::{process::Command, sync::Once};
use tokio::signal::unix::{SignalKind, signal};

/// Variables that change what `pando`, its children and the programs of tests do or say.
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

/// Has `command` start in an environment that is alike everywhere: what it needs is set after this.
pub(crate) fn make_neutral(command: &mut Command) {
    heed_ignored_signals();
    let own = std::env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("PANDO_"));
    for name in own.chain(CHANGES.map(Into::into)) {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C");
}

/// `nohup`, and shells that start something in the background, have it ignore signals, and children inherit that. A signal that this
/// process handles is no longer ignored in what it starts.
fn heed_ignored_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
        let kinds = [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::quit(), SignalKind::terminate()];
        let kinds = kinds.into_iter().filter(move |kind| ignored.unwrap_or_default() >> (kind.as_raw_value() - 1) & 1 == 1);
        // On a thread of its own: a test's runtime does not let another one end within it.
        let handle = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime can be made");
            let _within = runtime.enter();
            for kind in kinds {
                let _ = signal(kind).expect("a signal can be handled");
            }
        };
        std::thread::spawn(handle).join().expect("the signals are handled");
    });
}
