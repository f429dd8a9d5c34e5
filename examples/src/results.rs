//! Results in files: a description of a result, and a check whether its file has arrived.

use std::{
    fs, io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The pause between two checks of the folder.
const LOOK: Duration = Duration::from_millis(20);

/// The description of a result in the folder of the results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// The name of the file.
    pub name: String,
    /// The length of the file.
    pub bytes: u64,
    /// The hash of the file, in hexadecimal.
    pub sha256: String,
}

impl Received {
    /// Waits until `folder` contains the file with this length and hash. A wrong file may still be
    /// replaced.
    ///
    /// # Errors
    /// When the file has not arrived within `patience`.
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

    /// Checks the file, and returns the reason if it does not match. A file that is unchanged
    /// since `seen` is not read again.
    fn look(
        &self,
        folder: &Path,
        seen: &mut Option<fs::Metadata>,
    ) -> io::Result<Option<&'static str>> {
        let path = folder.join(&self.name);
        let found = match fs::metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Some("has not arrived"));
            }
            Err(error) => return Err(error),
        };
        let same = |seen: &fs::Metadata| {
            seen.len() == found.len() && seen.modified().ok() == found.modified().ok()
        };
        if !seen.as_ref().is_some_and(same) {
            *seen = Some(found.clone());
            if found.len() == self.bytes && hex(Sha256::digest(fs::read(path)?)) == self.sha256 {
                return Ok(None);
            }
        }
        Ok(Some("is another file than the one announced, and was not replaced"))
    }
}

/// Whether `name` is a valid name of a result: letters, digits, `.`, `_` and `-`, a letter or
/// digit first.
pub fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    name.len() <= 200
        && name.bytes().all(plain)
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
}

/// A hash in hexadecimal.
pub fn hex(hash: impl AsRef<[u8]>) -> String {
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
