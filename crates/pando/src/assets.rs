//! The folder of `--assets`: files that the function reads on each device by their names.
//!
//! The server of the page and, for volunteers of a relay, the uplink send them in ranges. This
//! machine's cores and programs of `--exec` read the folder themselves. A gateway has no such
//! folder: it sends what it fetches from its run ([`AssetSource`]).

mod answer;
mod source;

pub(crate) use answer::{AssetAnswer, AssetRequest};
pub(crate) use source::AssetSource;

use pando_join::RemoteAsset;
use std::{
    collections::HashMap,
    fmt, fs,
    io::{self, Read},
    path::{Component, Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

/// Bytes read at a time.
const PIECE: usize = 256 << 10;
/// Length of a hash, in hexadecimal digits.
const HASH: usize = 32;

/// The folder; see the module.
pub(crate) struct Assets {
    /// The folder's path, without symbolic links.
    root: PathBuf,
    /// The folder, as the user named it.
    given: String,
    /// The hashes that are known, as long as the files do not change.
    known: Mutex<HashMap<PathBuf, KnownFile>>,
    /// Held while a file is hashed, so that nobody hashes it twice.
    hashing: Mutex<()>,
}

struct KnownFile {
    length: u64,
    modified: Option<SystemTime>,
    hash: String,
}

/// An asset, open for reading.
pub(crate) struct Asset {
    pub(crate) file: fs::File,
    pub(crate) length: u64,
    /// Hash of the content.
    pub(crate) hash: String,
    /// The media type.
    pub(crate) kind: &'static str,
    /// Present if the content may still be coming.
    pub(crate) remote: Option<RemoteAsset>,
}

/// Why there is no such asset, in words for people.
#[derive(Debug)]
pub(crate) struct NoAsset(pub(crate) String);

impl Assets {
    /// The assets in `folder`.
    ///
    /// # Errors
    /// When it is no folder, in words for people.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self, String> {
        let given = folder.display().to_string();
        let root =
            fs::canonicalize(folder).map_err(|error| format!("--assets {given}: {error}"))?;
        if !root.is_dir() {
            return Err(format!(
                "--assets {given}: this is no folder: name the folder of the files"
            ));
        }
        Ok(Self { root, given, known: Mutex::default(), hashing: Mutex::default() })
    }

    /// The folder's path, without symbolic links.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder, as the user named it.
    pub(crate) fn given(&self) -> &str {
        &self.given
    }

    /// Opens the asset `name`, and hashes its content if that is not known. May take long.
    pub(crate) fn open(&self, name: &str) -> Result<Asset, NoAsset> {
        let no = |why: &dyn fmt::Display| {
            NoAsset(format!("no asset '{name}' in the folder {} (--assets): {why}", self.given))
        };
        let path = self.path_of(name).map_err(|why| no(&why))?;
        let mut file = fs::File::open(&path).map_err(|error| no(&error))?;
        let about = file.metadata().map_err(|error| no(&error))?;
        let modified = about.modified().ok();
        let _alone = self.hashing.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = match self.known_hash(&path, about.len(), modified) {
            Some(hash) => hash,
            None => {
                let hash = hash_of(&mut file).map_err(|error| no(&error))?;
                let known = KnownFile { length: about.len(), modified, hash: hash.clone() };
                self.known
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(path.clone(), known);
                hash
            }
        };
        Ok(Asset { file, length: about.len(), hash, kind: kind_of(&path), remote: None })
    }

    fn known_hash(&self, path: &Path, length: u64, modified: Option<SystemTime>) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(path).filter(|_| modified.is_some())?;
        (known.length == length && known.modified == modified).then(|| known.hash.clone())
    }

    /// The file of the asset `name`, which lies in the folder even if links lead to it.
    fn path_of(&self, name: &str) -> Result<PathBuf, String> {
        let parts = Path::new(name).components();
        let is_plain = !name.is_empty()
            && !name.contains(['\\', '\0'])
            && parts.clone().all(|part| matches!(part, Component::Normal(_)));
        if !is_plain {
            return Err("give a path below the folder, without `..`".into());
        }
        let path = fs::canonicalize(self.root.join(name)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        })?;
        if !path.starts_with(&self.root) {
            return Err("a link leads out of the folder".into());
        }
        // A pipe could block for ever.
        match fs::metadata(&path) {
            Ok(about) if about.is_file() => Ok(path),
            _ => Err("this is no file".into()),
        }
    }
}

impl fmt::Debug for Assets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assets").field("root", &self.root).finish_non_exhaustive()
    }
}

fn hash_of(file: &mut fs::File) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hasher.finalize().to_hex()[..HASH].to_owned()),
            length => hasher.update(&piece[..length]),
        };
    }
}

/// The media type that a browser needs to use the file at `path`. Pages are only text, because a
/// page of the folder would belong to the volunteer page's origin.
fn kind_of(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "js" | "mjs" | "cjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "wasm" => "application/wasm",
        "css" => "text/css; charset=utf-8",
        "txt" | "csv" | "md" | "html" | "htm" => "text/plain; charset=utf-8",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "ttf" => "font/ttf",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assets() -> (tempfile::TempDir, Assets) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("in/deep")).unwrap();
        fs::write(folder.path().join("in/deep/a.json"), "[1]").unwrap();
        fs::write(folder.path().join("secret"), "no").unwrap();
        let assets = Assets::in_folder(&folder.path().join("in")).unwrap();
        (folder, assets)
    }

    #[test]
    fn an_asset_has_its_length_kind_and_a_hash_that_follows_its_content() {
        let (folder, assets) = assets();
        let one = assets.open("deep/a.json").unwrap_or_else(|no| panic!("{}", no.0));
        assert_eq!((one.length, one.kind, one.hash.len()), (3, "application/json", HASH));
        let again = assets.open("deep/a.json").ok().unwrap();
        assert_eq!(again.hash, one.hash);
        fs::write(folder.path().join("in/deep/a.json"), "[12]").unwrap();
        assert_ne!(assets.open("deep/a.json").ok().unwrap().hash, one.hash);
    }

    #[test]
    fn nothing_outside_of_the_folder_is_an_asset() {
        let (folder, assets) = assets();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path().join("secret"), folder.path().join("in/link"))
                .unwrap();
            std::os::unix::fs::symlink("deep/a.json", folder.path().join("in/inner")).unwrap();
            assert!(assets.open("inner").is_ok(), "a link within the folder");
        }
        let absolute = folder.path().join("secret").display().to_string();
        for name in
            ["../secret", "deep/../../secret", "link", "", ".", "/", "deep", &absolute, "a\\b"]
        {
            let no = assets.open(name).err().unwrap_or_else(|| panic!("{name}"));
            assert!(no.0.contains(&format!("'{name}'")) && no.0.contains("/in ("), "{}", no.0);
        }
        assert!(Assets::in_folder(&folder.path().join("secret")).is_err());
        assert!(Assets::in_folder(&folder.path().join("none")).is_err());
    }
}
