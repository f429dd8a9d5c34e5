//! Results that are files: what is said of one, and whether it is there.

use std::{
    fs, io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Between two looks into the folder.
const LOOK: Duration = Duration::from_millis(20);

/// A result that is, or is said to be, in the folder of the results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// Of its file.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its hash, in hexadecimal.
    pub sha256: String,
}

impl Received {
    /// Waits until the file is in `folder`, as it was said to be; one that is not may yet be replaced.
    ///
    /// # Errors
    /// When it is not there within `patience`.
    pub fn wait(&self, folder: &Path, patience: Duration) -> anyhow::Result<()> {
        anyhow::ensure!(is_plain(&self.name), "{:?} is not the name of a result", self.name);
        let until = Instant::now() + patience;
        let mut seen = None;
        loop {
            let why = match self.look(folder, &mut seen)? {
                None => return Ok(()),
                Some(why) => why,
            };
            anyhow::ensure!(Instant::now() < until, "{} {why} within {patience:?}", self.name);
            thread::sleep(LOOK);
        }
    }

    /// Why it does not count, if so. A file that has not changed since it was `seen` is not read again.
    fn look(&self, folder: &Path, seen: &mut Option<fs::Metadata>) -> io::Result<Option<&'static str>> {
        let path = folder.join(&self.name);
        let found = match fs::metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some("has not arrived")),
            Err(error) => return Err(error),
        };
        let same = |seen: &fs::Metadata| seen.len() == found.len() && seen.modified().ok() == found.modified().ok();
        if !seen.as_ref().is_some_and(same) {
            *seen = Some(found.clone());
            if found.len() == self.bytes && hex(Sha256::digest(fs::read(path)?)) == self.sha256 {
                return Ok(None);
            }
        }
        Ok(Some("is another file than the one announced, and was not replaced"))
    }
}

/// Whether `name` can be that of a result: letters, digits, `.`, `_` and `-`, a letter or digit first.
pub fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    name.len() <= 200 && name.bytes().all(plain) && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
}

/// A hash in hexadecimal.
pub fn hex(hash: impl AsRef<[u8]>) -> String {
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
