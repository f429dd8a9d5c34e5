//! Functions that use npm packages, from the folder `tests/npm`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

/// The path of a function in that folder. Installs the packages if this has not been done.
pub(crate) fn with_packages(name: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm");
    let written =
        |file: &str| fs::metadata(folder.join(file)).and_then(|about| about.modified()).ok();
    // npm writes this file last.
    if written("node_modules/.package-lock.json") < written("package-lock.json") {
        let status =
            Command::new("npm").arg("ci").current_dir(&folder).status().expect("npm starts");
        assert!(status.success(), "npm ci: {status}");
    }
    folder.join(name)
}
