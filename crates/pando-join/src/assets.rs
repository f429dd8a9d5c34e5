//! The assets of a run (`--assets`): fetched once per machine when a core, or a device behind this
//! gateway, first asks for them, into a private folder that is removed at the end.

mod incoming;
mod remote;

pub use remote::{RemoteAsset, RemoteAssets};

use incoming::IncomingAsset;
use pando_client::WebServer;
use pando_volunteer::{CoreAssets, Fetching};
use remote::AssetProgress;
use std::{
    collections::HashMap,
    fs, io,
    path::{Component, Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    sync::watch,
    task::{AbortHandle, spawn_blocking},
    time::{sleep, timeout},
};
use url::Url;

/// Bytes that are requested at a time.
const PART: u64 = 4 << 20;
/// Longest answer in words.
const WORDS: usize = 64 << 10;
/// How long a part may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Tries without any progress after which an asset fails, and the time between them.
const TRIES: u32 = 8;
const AGAIN: Duration = Duration::from_secs(1);

/// The private folder. Dropping this value removes it.
#[derive(Debug)]
pub(crate) struct AssetsOnDisk {
    _folder: TempDir,
    for_cores: CoreAssets,
    remote: RemoteAssets,
}

/// What fetches the assets.
struct Fetcher {
    server: WebServer,
    /// The private folder.
    folder: PathBuf,
    /// The assets that are here, or coming.
    known: Mutex<HashMap<String, KnownAsset>>,
    /// The length of all assets that are here.
    total: AtomicU64,
}

/// An asset that is here, or coming.
struct KnownAsset {
    progress: watch::Receiver<AssetProgress>,
    fetching: AbortHandle,
}

/// Why an attempt to fetch an asset has failed, in words.
enum FetchFailure {
    /// There is no such asset, or it cannot be kept.
    ForGood(String),
    /// The connection broke: another attempt may succeed.
    ForNow(String),
}

impl AssetsOnDisk {
    /// An empty folder for the assets of the run at `server`.
    ///
    /// # Errors
    /// When there can be no such folder, in words.
    pub(crate) fn of(server: WebServer) -> Result<Self, String> {
        let no = |error: io::Error| {
            let place = std::env::temp_dir();
            format!(
                "there can be no folder for the assets of the run in {} ({error}): name another place by TMPDIR",
                place.display()
            )
        };
        let folder = tempfile::Builder::new().prefix("pando-assets-").tempdir().map_err(no)?;
        // Cores compare paths without symbolic links.
        let path = fs::canonicalize(folder.path()).map_err(no)?;
        let remote = RemoteAssets(Arc::new(Fetcher {
            server,
            folder: path.clone(),
            known: Mutex::default(),
            total: AtomicU64::new(0),
        }));
        let assets = remote.clone();
        let fetch = move |name: String| -> Fetching {
            let assets = assets.clone();
            Box::pin(async move { assets.fetch(&name).await })
        };
        let for_cores = CoreAssets::fetched_into(&path, fetch).map_err(no)?;
        Ok(Self { _folder: folder, for_cores, remote })
    }

    /// The assets, for cores.
    pub(crate) fn for_cores(&self) -> CoreAssets {
        self.for_cores.clone()
    }

    /// The assets, for further devices.
    pub(crate) fn for_devices(&self) -> RemoteAssets {
        self.remote.clone()
    }
}

impl Drop for AssetsOnDisk {
    fn drop(&mut self) {
        self.remote.0.known().values().for_each(|asset| asset.fetching.abort());
    }
}

impl Fetcher {
    fn known(&self) -> MutexGuard<'_, HashMap<String, KnownAsset>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much of the asset `name` is here. It is fetched from now on, unless it is here. This
    /// goes on when nobody waits for it any more.
    ///
    /// # Errors
    /// When it is no path below the folder, in words.
    fn progress(self: &Arc<Self>, name: &str) -> Result<watch::Receiver<AssetProgress>, String> {
        let (target, address) = self.place(name)?;
        let mut known = self.known();
        if let Some(asset) = known.get(name) {
            return Ok(asset.progress.clone());
        }
        let coming = self.folder.join("incoming").join(hash(name.as_bytes()));
        let (tell, progress) = watch::channel(AssetProgress::begin(&coming, &target));
        let (fetcher, name) = (self.clone(), name.to_owned());
        let key = name.clone();
        let fetching = tokio::spawn(async move {
            let asset = IncomingAsset::new(coming);
            let end = fetcher.fetch(&name, &address, asset, &target, &tell).await;
            if end.is_err() {
                // The next one who asks may have more luck.
                fetcher.known().remove(&name);
            }
            tell.send_modify(|progress| progress.end = Some(end));
        });
        let fetching = fetching.abort_handle();
        known.insert(key, KnownAsset { progress: progress.clone(), fetching });
        Ok(progress)
    }

    /// Fetches the asset `name`, and gives it its place.
    ///
    /// # Errors
    /// When it does not come, in words.
    async fn fetch(
        &self,
        name: &str,
        address: &str,
        mut asset: IncomingAsset,
        target: &Path,
        tell: &watch::Sender<AssetProgress>,
    ) -> Result<(), String> {
        let (mut tries, mut length) = (0, 0);
        loop {
            match self.go_on(name, address, &mut asset, tell).await {
                Ok(()) => break,
                Err(FetchFailure::ForGood(why)) => return Err(why),
                Err(FetchFailure::ForNow(why)) => {
                    tries = if asset.length > length { 0 } else { tries + 1 };
                    length = asset.length;
                    if tries >= TRIES {
                        return Err(format!("the asset '{name}' did not come: {why}"));
                    }
                }
            }
            sleep(AGAIN).await;
        }
        let (length, target) = (asset.length, target.to_owned());
        let kept = spawn_blocking(move || asset.finish(&target)).await;
        kept.map_err(io::Error::other)
            .flatten()
            .map_err(|error| format!("the asset '{name}' cannot be kept: {error}"))?;
        self.total.fetch_add(length, Ordering::Relaxed);
        Ok(())
    }

    /// Requests the parts of an asset that are missing.
    async fn go_on(
        &self,
        name: &str,
        address: &str,
        asset: &mut IncomingAsset,
        tell: &watch::Sender<AssetProgress>,
    ) -> Result<(), FetchFailure> {
        loop {
            let (from, to) = (asset.length, asset.length + PART);
            let path = format!("{address}?from={from}&to={to}");
            let answer = timeout(PATIENCE, self.server.get(&path, PART as usize + WORDS)).await;
            let answer = answer
                .map_err(|_| FetchFailure::ForNow("it takes too long".into()))?
                .map_err(|error| FetchFailure::ForNow(error.to_string()))?;
            let words = || String::from_utf8_lossy(&answer.content).into_owned();
            match answer.status {
                206 => {}
                404 => return Err(FetchFailure::ForGood(words())),
                status => return Err(FetchFailure::ForNow(format!("{status}: {}", words()))),
            }
            let of = answer.header("etag").map(|tag| tag.trim_matches('"').to_owned());
            let all = answer.header("content-range").and_then(|range| range.rsplit('/').next());
            let (Some(of), Some(all)) = (of, all.and_then(|all| all.parse::<u64>().ok())) else {
                return Err(FetchFailure::ForNow("it came without its hash and length".into()));
            };
            if asset.hash.is_empty() {
                self.make_room(name, all).map_err(FetchFailure::ForGood)?;
                asset.hash = of;
            } else if asset.hash != of {
                // The file has changed: its parts do not fit together.
                let why = format!("the asset '{name}' changed while it was fetched");
                return Err(FetchFailure::ForGood(why));
            }
            if answer.content.len() as u64 != all.min(to).saturating_sub(from) {
                return Err(FetchFailure::ForNow("a part of it was cut off".into()));
            }
            let kept = asset.add(answer.content.to_vec()).await;
            kept.map_err(|error| {
                FetchFailure::ForGood(format!("the asset '{name}' cannot be kept: {error}"))
            })?;
            tell.send_modify(|progress| progress.note(asset, all));
            if asset.length >= all {
                return Ok(());
            }
        }
    }

    /// The file for an asset, and its address below the run's.
    ///
    /// # Errors
    /// When it is no path below the folder, in words.
    fn place(&self, name: &str) -> Result<(PathBuf, String), String> {
        let is_plain = !name.is_empty()
            && !name.contains(['\\', '\0'])
            && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        let folder = self.server.base().join("assets/").ok();
        let address = folder.filter(|_| is_plain).and_then(|mut address: Url| {
            let before = self.server.base().path().len();
            address.path_segments_mut().ok()?.pop_if_empty().extend(name.split('/'));
            Some(address.path()[before..].to_owned())
        });
        let address = address.ok_or_else(|| {
            format!("no asset '{name}': give a path below the folder of --assets, without `..`")
        })?;
        Ok((self.folder.join("files").join(name), address))
    }

    /// Makes sure that all assets together take at most as much of the disk as they leave free.
    ///
    /// # Errors
    /// When they would take more, in words.
    fn make_room(&self, name: &str, length: u64) -> Result<(), String> {
        let total = self.total.load(Ordering::Relaxed).saturating_add(length);
        match free(&self.folder) {
            Some(free) if total > free.saturating_sub(length) => Err(format!(
                "the asset '{name}' has {length} bytes, which is too much for the disk of {}: name another place by TMPDIR",
                self.folder.display()
            )),
            _ => Ok(()),
        }
    }
}

/// A name for a file.
fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..32].to_owned()
}

/// The bytes that are free on the disk of `folder`, if the system tells.
fn free(folder: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let about = rustix::fs::statvfs(folder).ok()?;
        Some(about.f_bavail.saturating_mul(about.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}
