//! The assets of a run, for the devices behind a gateway. They get the first bytes of a file while
//! the last ones are still coming.

use super::{Fetcher, incoming::IncomingAsset};
use std::{
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{sync::watch, task::spawn_blocking};

/// How much of an asset is here.
#[derive(Debug, Clone)]
pub(super) struct AssetProgress {
    /// The file while it is coming, and the file when all of it is here.
    files: [PathBuf; 2],
    /// The hash of the whole asset and its length, once the run has told them.
    about: Option<(String, u64)>,
    /// The number of bytes that are here.
    here: u64,
    /// Present if nothing more comes; an error says why the asset is not here.
    pub(super) end: Option<Result<(), String>>,
}

impl AssetProgress {
    /// Nothing is here of an asset that comes into the file `coming`, and at last to `target`.
    pub(super) fn begin(coming: &Path, target: &Path) -> Self {
        let files = [coming.to_owned(), target.to_owned()];
        Self { files, about: None, here: 0, end: None }
    }

    /// Notes how much is here of an `asset` of `length` bytes.
    pub(super) fn note(&mut self, asset: &IncomingAsset, length: u64) {
        self.about.get_or_insert_with(|| (asset.hash.clone(), length));
        self.here = asset.length;
    }

    fn error(&self) -> Option<&String> {
        self.end.as_ref()?.as_ref().err()
    }

    /// Opens the file, which may get its last name at any time.
    fn open(&self) -> io::Result<File> {
        let [coming, target] = &self.files;
        File::open(coming).or_else(|_| File::open(target))
    }
}

/// The assets of a run that another machine has.
#[derive(Clone)]
pub struct RemoteAssets(pub(super) Arc<Fetcher>);

/// An asset of which the first bytes are here.
#[derive(Debug)]
pub struct RemoteAsset {
    /// Hash of the whole content.
    pub hash: String,
    /// Length of the whole content, in bytes.
    pub length: u64,
    progress: watch::Receiver<AssetProgress>,
}

impl RemoteAssets {
    /// Waits until the asset `name` is here.
    ///
    /// # Errors
    /// When it does not come, in words.
    pub(super) async fn fetch(&self, name: &str) -> Result<(), String> {
        let mut progress = self.0.progress(name)?;
        let at_end = progress.wait_for(|progress| progress.end.is_some()).await;
        at_end.ok().and_then(|progress| progress.end.clone()).unwrap_or_else(|| Err(gone()))
    }

    /// Opens the asset `name` for reading, as soon as its first bytes are here.
    ///
    /// # Errors
    /// When there is no such asset, or when it does not come, in words.
    pub async fn open(&self, name: &str) -> Result<(RemoteAsset, File), String> {
        let mut progress = self.0.progress(name)?;
        let first =
            |progress: &AssetProgress| progress.about.is_some() || progress.error().is_some();
        let now = progress.wait_for(first).await.map_err(|_| gone())?.clone();
        let Some((hash, length)) = now.about.clone().filter(|_| now.error().is_none()) else {
            return Err(now.error().cloned().unwrap_or_else(gone));
        };
        let file = spawn_blocking(move || now.open()).await;
        let file = file.map_err(io::Error::other).flatten();
        let file =
            file.map_err(|error| format!("the asset '{name}' cannot be read here: {error}"))?;
        Ok((RemoteAsset { hash, length, progress }, file))
    }
}

impl fmt::Debug for RemoteAssets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteAssets").finish_non_exhaustive()
    }
}

impl RemoteAsset {
    /// Waits until the first `length` bytes are here.
    ///
    /// # Errors
    /// When they do not come, in words.
    pub async fn reach(&mut self, length: u64) -> Result<(), String> {
        let here = |progress: &AssetProgress| progress.here >= length || progress.end.is_some();
        let now = self.progress.wait_for(here).await.map_err(|_| gone())?;
        now.error().map_or(Ok(()), |why| Err(why.clone()))
    }
}

/// The words about an asset that is not fetched any more.
fn gone() -> String {
    "this machine does not fetch assets any more".into()
}
