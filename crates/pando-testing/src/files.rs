//! Special files.

use std::{path::Path, process::Command};

/// Makes a named pipe.
///
/// # Panics
/// When the pipe cannot be made.
pub fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.is_ok_and(|status| status.success()), "`mkfifo` makes {}", path.display());
}
