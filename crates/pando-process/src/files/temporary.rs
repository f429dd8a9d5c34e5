//! Files that are written whole before they get their names.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// A temporary file, removed when dropped.
#[derive(Debug)]
pub struct Temporary(PathBuf);

impl Temporary {
    /// Creates a temporary file for the later `target`, in the same folder and open for writing.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn beside(target: &Path) -> io::Result<(Self, File)> {
        let folder = target.parent().unwrap_or_else(|| Path::new("."));
        // A prefix, because the longest possible name would leave no room for the number.
        let name: String =
            target.file_name().unwrap_or_default().to_string_lossy().chars().take(50).collect();
        let mut number = std::process::id();
        loop {
            let path = folder.join(format!(".{name}.{number}.pando"));
            match File::options().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Self(path), file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    number = number.wrapping_add(1)
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The present name of the file.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
