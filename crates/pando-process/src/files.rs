//! Checks what kind of file a path leads to.
mod id;
mod temporary;

pub use id::FileId;
pub use temporary::Temporary;

use std::{
    fs::{self, Metadata},
    io::{self, Read},
    path::Path,
};

/// The metadata of the file at `path`, if its content has an end: folders and devices are refused.
/// A pipe is accepted only if inherited by this process (`/dev/fd/63`), because then it surely has
/// a writer.
///
/// # Errors
/// When `path` leads to something else, to more than `most` bytes, or to nothing; the text is for
/// people.
pub fn look(path: &Path, most: u64) -> io::Result<Metadata> {
    let about = fs::metadata(path)?;
    let why = if about.is_file() {
        if about.len() <= most {
            return Ok(about);
        }
        format!("it has {} bytes, and {most} is the most", about.len())
    } else if about.is_dir() {
        "this is a folder, not a file".into()
    } else if !is_pipe(&about) {
        "this is a device, not a file".into()
    } else if path.starts_with("/dev") || path.starts_with("/proc") {
        return Ok(about);
    } else {
        "this is a pipe, not a file".into()
    };
    Err(io::Error::other(why))
}

/// The first bytes of the file at `path`, at most `most`; none of what is no file.
///
/// # Errors
/// When the file cannot be read.
pub fn head(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    if fs::metadata(path)?.is_file() {
        fs::File::open(path)?.take(most).read_to_end(&mut start)?;
    }
    Ok(start)
}

/// Whether the file is a pipe, with a name or without.
#[cfg(unix)]
pub fn is_pipe(about: &Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&about.file_type())
}

/// Whether the file is a pipe, with a name or without.
#[cfg(not(unix))]
pub fn is_pipe(_: &Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let why = |path: &Path| look(path, 3).unwrap_err().to_string();
        fs::write(folder.path().join("four"), "four").unwrap();
        assert!(why(folder.path()).contains("a folder"));
        assert!(why(&folder.path().join("four")).contains("4 bytes"));
        assert!(why(Path::new("/dev/zero")).contains("a device"));
    }
}
