//! Finds out whether two paths lead to the same file.

#[cfg(unix)]
use std::fs::Metadata;
use std::{
    fs::{self, File},
    io,
    path::{self, Path, PathBuf},
};

/// Most links followed to a missing file.
const MOST_LINKS: usize = 40;

/// The identity of a file, independent of names and links. For a file that does not exist yet, the
/// identity of its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId([u8; 16]);

impl FileId {
    /// The identity of the file to which `path` leads, through links.
    #[cfg(unix)]
    pub fn of(path: &Path) -> Self {
        fs::metadata(path).map_or_else(|_| Self::of_place(path), |about| Self::of_metadata(&about))
    }

    /// The identity of the file to which `path` leads, through links.
    #[cfg(not(unix))]
    pub fn of(path: &Path) -> Self {
        Self::of_place(path)
    }

    /// The identity of a file that was opened by `path`.
    #[cfg(unix)]
    pub fn of_open(_: &Path, file: &File) -> io::Result<Self> {
        Ok(Self::of_metadata(&file.metadata()?))
    }

    /// The identity of a file that was opened by `path`.
    #[cfg(not(unix))]
    pub fn of_open(path: &Path, _: &File) -> io::Result<Self> {
        Ok(Self::of(path))
    }

    /// The identity of a file with this metadata.
    #[cfg(unix)]
    pub fn of_metadata(about: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&about.dev().to_le_bytes());
        id[8..].copy_from_slice(&about.ino().to_le_bytes());
        Self(id)
    }

    /// The identity of the place to which `path` leads, whether a file is there or not.
    pub fn of_place(path: &Path) -> Self {
        let hash = blake3::hash(place(path).as_os_str().as_encoded_bytes());
        Self(*hash.as_bytes().first_chunk().expect("it has 32 bytes"))
    }
}

/// `path` with all links resolved, even links to a missing file.
fn place(path: &Path) -> PathBuf {
    let mut path = path::absolute(path).unwrap_or_else(|_| path.into());
    for _ in 0..MOST_LINKS {
        if let Ok(there) = fs::canonicalize(&path) {
            return there;
        }
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => place(folder).join(name),
        _ => path,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn one_file_has_one_id_whatever_leads_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("dir")).unwrap();
        symlink("dir", at("link")).unwrap();
        fs::write(at("dir/a"), "").unwrap();
        fs::hard_link(at("dir/a"), at("hard")).unwrap();
        symlink("link/a", at("soft")).unwrap();
        for name in ["link/a", "hard", "soft", "dir/../dir/a", "./dir//a"] {
            assert_eq!(FileId::of(&at(name)), FileId::of(&at("dir/a")), "{name}");
        }
        fs::write(at("dir/b"), "").unwrap();
        assert_ne!(FileId::of(&at("dir/a")), FileId::of(&at("dir/b")));
    }

    #[test]
    fn a_file_that_does_not_exist_yet_has_one_too() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("dir")).unwrap();
        symlink("dir", at("link")).unwrap();
        symlink("link/none", at("dangling")).unwrap();
        symlink(at("dangling"), at("to-dangling")).unwrap();
        symlink("loop", at("loop")).unwrap();
        for name in ["link/none", "dangling", "to-dangling", "./dir/none"] {
            assert_eq!(FileId::of(&at(name)), FileId::of(&at("dir/none")), "{name}");
        }
        assert_ne!(FileId::of(&at("none")), FileId::of(&at("dir/none")));
        assert_ne!(FileId::of(&at("loop")), FileId::of(&at("dir/none")));
        let before = FileId::of_place(&at("dangling"));
        fs::write(at("dir/none"), "").unwrap();
        assert_eq!(FileId::of_place(&at("dir/none")), before, "its place stays when it is written");
    }
}
