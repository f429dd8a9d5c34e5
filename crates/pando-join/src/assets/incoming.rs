//! An asset on its way into the private folder.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};
use tokio::task::spawn_blocking;

/// An asset that is being fetched. Its file is removed unless it is finished.
pub(super) struct IncomingAsset {
    path: PathBuf,
    /// The hash of the whole asset, as the run says; empty if that is not known.
    pub(super) hash: String,
    /// The bytes that have come.
    pub(super) length: u64,
    hasher: blake3::Hasher,
}

impl IncomingAsset {
    /// Nothing is here yet of the asset, which comes into the file at `path`.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, hash: String::new(), length: 0, hasher: blake3::Hasher::new() }
    }

    /// Adds the next `part`.
    pub(super) async fn add(&mut self, part: Vec<u8>) -> io::Result<()> {
        self.hasher.update(&part);
        let (path, is_first, length) = (self.path.clone(), self.length == 0, part.len());
        let write = move || {
            if is_first {
                fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
            }
            let mut options = File::options();
            options.write(true).create(is_first).truncate(is_first).append(!is_first);
            options.open(path)?.write_all(&part)
        };
        spawn_blocking(write).await.map_err(io::Error::other)??;
        self.length += length as u64;
        Ok(())
    }

    /// Gives the file its name, if it has the right content.
    pub(super) fn finish(self, target: &Path) -> io::Result<()> {
        let hash = self.hasher.finalize().to_hex();
        if !hash.starts_with(&self.hash) {
            return Err(io::Error::other("it has another content than the run says"));
        }
        fs::create_dir_all(target.parent().unwrap_or(Path::new("/")))?;
        fs::rename(&self.path, target)
    }
}

impl Drop for IncomingAsset {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
