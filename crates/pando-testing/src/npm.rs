//! npm packages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

/// Installs the packages of `folder/package-lock.json`, if this has not been done since that file
/// changed.
///
/// # Panics
/// When the packages cannot be installed.
pub fn install(folder: &Path) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let written =
        |file: &str| fs::metadata(folder.join(file)).and_then(|about| about.modified()).ok();
    // npm writes this file last.
    if written("node_modules/.package-lock.json") < written("package-lock.json") {
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        let status = Command::new(npm).arg("ci").current_dir(folder).status().expect("npm starts");
        assert!(status.success(), "npm ci: {status}");
    }
}

/// The path of a function of this crate's folder `npm`, whose packages are then installed.
pub fn with_packages(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("npm");
    install(&folder);
    folder.join(name)
}
