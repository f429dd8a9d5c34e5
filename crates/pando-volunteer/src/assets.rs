//! The assets of a run, for cores that run its function.

use pando_protocol::core::{AssetsFolder, ToCore};
use std::{
    fmt, fs,
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};
use tokio::task::spawn_blocking;

/// The end of an attempt to fetch an asset; an error is in words for people.
pub type Fetching = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// The folder of assets, and what fetches missing ones.
#[derive(Clone)]
pub struct CoreAssets {
    /// The folder, as cores know it.
    folder: AssetsFolder,
    /// The folder that held cores may read.
    readable: PathBuf,
    fetch: Option<Arc<dyn Fn(String) -> Fetching + Send + Sync>>,
}

impl CoreAssets {
    /// The folder `root`, which has all assets. The user named it `given`.
    pub fn all_in(root: &Path, given: &str) -> Self {
        let (root, given) = (root.display().to_string(), given.to_owned());
        let readable = root.clone().into();
        Self { folder: AssetsFolder { root, given, answers: None }, readable, fetch: None }
    }

    /// Assets that `fetch` brings into the folder `files` inside of `private` when a core asks for
    /// them. The answers to cores are files as well, in the folder `answers`.
    ///
    /// # Errors
    /// When the folders cannot be made.
    pub fn fetched_into(
        private: &Path,
        fetch: impl Fn(String) -> Fetching + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let [files, answers] = ["files", "answers"].map(|name| private.join(name));
        fs::create_dir_all(&files)?;
        fs::create_dir_all(&answers)?;
        let folder = AssetsFolder {
            root: files.display().to_string(),
            given: "of the run".into(),
            answers: Some(answers.display().to_string()),
        };
        Ok(Self { folder, readable: private.to_owned(), fetch: Some(Arc::new(fetch)) })
    }

    /// The folder, as cores know it.
    pub(crate) fn folder(&self) -> &AssetsFolder {
        &self.folder
    }

    /// The folder that held cores may read.
    pub(crate) fn readable(&self) -> &Path {
        &self.readable
    }

    /// Answers the request `id` of a core, for the asset `name`. `None` for a request that no core
    /// of Pando makes.
    pub(crate) async fn answer(self, id: String, name: String) -> Option<ToCore> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_id = (1..=64).contains(&id.len()) && id.bytes().all(is_plain);
        let (fetch, folder) = (self.fetch?, self.folder.answers.filter(|_| is_id)?);
        let answer = Path::new(&folder).join(&id);
        let heard = answer.with_extension("heard");
        let _ = spawn_blocking(|| fs::write(heard, "")).await;
        let error = fetch(name).await.err();
        let text = error.clone().unwrap_or_default();
        // A core that waits reads the file as soon as it has its name.
        let _ = spawn_blocking(move || {
            let begun = answer.with_extension("begun");
            fs::write(&begun, text).and_then(|()| fs::rename(begun, answer))
        })
        .await;
        Some(ToCore::Asset { id, error })
    }
}

impl fmt::Debug for CoreAssets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoreAssets").field("folder", &self.folder).finish_non_exhaustive()
    }
}
