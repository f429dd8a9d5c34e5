//! The assets of a run (`--assets`): fetched once per machine when a core first asks for them, into
//! a private folder that is removed at the end.

use pando_client::WebServer;
use pando_volunteer::{CoreAssets, Fetching};
use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Write},
    path::{Component, Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    task::spawn_blocking,
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
    assets: CoreAssets,
}

/// What fetches the assets.
struct Fetcher {
    server: WebServer,
    /// The private folder.
    folder: PathBuf,
    /// For each asset that was asked for, whether it is there; locked while it is fetched.
    known: Mutex<HashMap<String, Arc<tokio::sync::Mutex<bool>>>>,
    /// The length of all assets that are there.
    total: AtomicU64,
}

/// Why an attempt to fetch an asset has failed, in words.
enum Failure {
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
        let fetcher = Arc::new(Fetcher {
            server,
            folder: path.clone(),
            known: Mutex::default(),
            total: AtomicU64::new(0),
        });
        let fetch = move |name: String| -> Fetching {
            let fetcher = fetcher.clone();
            Box::pin(async move { fetcher.fetch(&name).await })
        };
        let assets = CoreAssets::fetched_into(&path, fetch).map_err(no)?;
        Ok(Self { _folder: folder, assets })
    }

    /// The assets, for cores.
    pub(crate) fn for_cores(&self) -> CoreAssets {
        self.assets.clone()
    }
}

impl Fetcher {
    /// Fetches the asset `name`, unless it is there.
    ///
    /// # Errors
    /// When it does not come, in words.
    async fn fetch(&self, name: &str) -> Result<(), String> {
        let (target, address) = self.place(name)?;
        let slot = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.entry(name.to_owned()).or_default().clone()
        };
        let mut is_there = slot.lock().await;
        if *is_there {
            return Ok(());
        }
        let mut asset = Incoming::new(self.folder.join("incoming").join(hash(name.as_bytes())));
        let (mut tries, mut length) = (0, 0);
        loop {
            match self.go_on(name, &address, &mut asset).await {
                Ok(()) => break,
                Err(Failure::ForGood(why)) => return Err(why),
                Err(Failure::ForNow(why)) => {
                    tries = if asset.length > length { 0 } else { tries + 1 };
                    length = asset.length;
                    if tries >= TRIES {
                        return Err(format!("the asset '{name}' did not come: {why}"));
                    }
                }
            }
            sleep(AGAIN).await;
        }
        let length = asset.length;
        let kept = spawn_blocking(move || asset.finish(&target)).await;
        match kept.map_err(io::Error::other) {
            Ok(Ok(())) => {
                *is_there = true;
                self.total.fetch_add(length, Ordering::Relaxed);
                Ok(())
            }
            Ok(Err(error)) | Err(error) => {
                Err(format!("the asset '{name}' cannot be kept: {error}"))
            }
        }
    }

    /// Requests the parts of an asset that are missing.
    async fn go_on(&self, name: &str, address: &str, asset: &mut Incoming) -> Result<(), Failure> {
        loop {
            let (from, to) = (asset.length, asset.length + PART);
            let path = format!("{address}?from={from}&to={to}");
            let answer = timeout(PATIENCE, self.server.get(&path, PART as usize + WORDS)).await;
            let answer = answer
                .map_err(|_| Failure::ForNow("it takes too long".into()))?
                .map_err(|error| Failure::ForNow(error.to_string()))?;
            let words = || String::from_utf8_lossy(&answer.content).into_owned();
            match answer.status {
                206 => {}
                404 => return Err(Failure::ForGood(words())),
                status => return Err(Failure::ForNow(format!("{status}: {}", words()))),
            }
            let of = answer.header("etag").map(|tag| tag.trim_matches('"').to_owned());
            let all = answer.header("content-range").and_then(|range| range.rsplit('/').next());
            let (Some(of), Some(all)) = (of, all.and_then(|all| all.parse::<u64>().ok())) else {
                return Err(Failure::ForNow("it came without its hash and length".into()));
            };
            if asset.hash.is_empty() {
                self.make_room(name, all).map_err(Failure::ForGood)?;
                asset.hash = of;
            } else if asset.hash != of {
                // The file has changed: its parts do not fit together.
                let why = format!("the asset '{name}' changed while it was fetched");
                return Err(Failure::ForGood(why));
            }
            if answer.content.len() as u64 != all.min(to).saturating_sub(from) {
                return Err(Failure::ForNow("a part of it was cut off".into()));
            }
            let kept = asset.add(answer.content.to_vec()).await;
            kept.map_err(|error| {
                Failure::ForGood(format!("the asset '{name}' cannot be kept: {error}"))
            })?;
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

/// An asset that is being fetched. Its file is removed unless it is finished.
struct Incoming {
    path: PathBuf,
    /// The hash of the whole asset, as the run says; empty if that is not known.
    hash: String,
    /// The bytes that have come.
    length: u64,
    hasher: blake3::Hasher,
}

impl Incoming {
    fn new(path: PathBuf) -> Self {
        Self { path, hash: String::new(), length: 0, hasher: blake3::Hasher::new() }
    }

    async fn add(&mut self, part: Vec<u8>) -> io::Result<()> {
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
    fn finish(self, target: &Path) -> io::Result<()> {
        let hash = self.hasher.finalize().to_hex();
        if !hash.starts_with(&self.hash) {
            return Err(io::Error::other("it has another content than the run says"));
        }
        fs::create_dir_all(target.parent().unwrap_or(Path::new("/")))?;
        fs::rename(&self.path, target)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
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
