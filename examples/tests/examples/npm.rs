//! The examples' npm packages.

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Installs the packages of an example's folder, if this has not been done.
pub(crate) fn install(folder: &str) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    // npm writes this file last.
    if !folder.join("node_modules/.package-lock.json").exists() {
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        let status = Command::new(npm).arg("ci").current_dir(folder).status().expect("npm starts");
        assert!(status.success(), "npm ci: {status}");
    }
}
