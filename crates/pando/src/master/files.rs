//! `--files`: values are names; the function receives the files' bytes, and its results go into files of the same names elsewhere.

use super::{InputError, Master};
use crate::{
    cli::OnError,
    protocol::{Form, Value},
};
use std::{
    collections::HashSet,
    fs, io,
    path::{Component, Path, PathBuf},
};

/// Where results go.
#[derive(Debug, Clone)]
pub struct Files {
    /// Below which folder; none: they are printed.
    pub output_dir: Option<PathBuf>,
    /// The ending of their names, in place of the inputs'.
    pub ext: Option<String>,
    /// Ends each of the paths that are printed.
    pub separator: u8,
}

/// The targets seen so far, as hashes: no two inputs may have one target, and there may be millions of them.
#[derive(Debug, Default)]
pub(crate) struct Targets(HashSet<[u8; 16]>);

impl Targets {
    /// Adds one; false when it is there already.
    fn insert(&mut self, target: &Path) -> bool {
        let hash = blake3::hash(target.as_os_str().as_encoded_bytes());
        self.0.insert(*hash.as_bytes().first_chunk().expect("it has 32 bytes"))
    }
}

impl Master {
    /// Reads the file that `name`, the item of this number, names. One that cannot be read is that item's failure.
    pub(super) fn feed_file(&self, files: &Files, number: u64, name: &Value, targets: &mut Targets) -> Result<(), InputError> {
        let name = String::from_utf8_lossy(&name.bytes);
        let target = files.target(&name, targets)?;
        match fs::read(&*name) {
            Ok(bytes) => self.offer([(Value::new(bytes.into(), Form::Bytes), target)]),
            Err(error) => {
                let why = format!("item {number}: {name} cannot be read: {error}");
                if self.job.on_error == OnError::Stop {
                    return Err(InputError::new(why));
                }
                self.leave_out_input(target, &why);
                Ok(())
            }
        }
    }
}

impl Files {
    /// Whether each of `names` has a place of its own for its result.
    ///
    /// # Errors
    /// When one has not.
    pub fn check(&self, names: &[String]) -> Result<(), InputError> {
        let mut targets = Targets::default();
        names.iter().try_for_each(|name| self.target(name, &mut targets).map(drop))
    }

    /// Where the result of the file called `name` goes.
    ///
    /// # Errors
    /// When that is not below the output's folder, or another's place, or the input itself.
    pub(crate) fn target(&self, name: &str, targets: &mut Targets) -> Result<Option<PathBuf>, InputError> {
        let Some(dir) = &self.output_dir else { return Ok(None) };
        let refuse = |why: &str| Err(InputError::usage(format!("{name}: {why}")));
        let mut target = dir.clone();
        for component in Path::new(name).components() {
            match component {
                Component::Normal(part) => target.push(part),
                Component::CurDir => {}
                Component::ParentDir => {
                    return refuse("with --output-dir a name may not contain `..`: its result would lie elsewhere");
                }
                Component::RootDir | Component::Prefix(_) => {
                    return refuse(
                        "with --output-dir a name may not be absolute: its result has the same name below that folder",
                    );
                }
            }
        }
        if name.as_bytes().contains(&self.separator) {
            return refuse("its path would be taken for two: print paths with NUL between them by -0");
        }
        if target == *dir {
            return refuse("this is not the name of a file");
        }
        if let Some(ext) = &self.ext {
            target.set_extension(ext.trim_start_matches('.'));
        }
        if fs::canonicalize(&target).is_ok_and(|there| fs::canonicalize(name).is_ok_and(|source| source == there)) {
            return refuse("its result would be written over it: choose another --output-dir, or an --ext");
        }
        if !targets.insert(&target) {
            return refuse(&format!("another input has the same target {}", target.display()));
        }
        Ok(Some(target))
    }
}

/// Writes a result to `target`, whole or not at all.
///
/// # Errors
/// When a folder or the file cannot be written.
pub(crate) fn write(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = target.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    // As long a name as there may be had no room for more.
    let name: String = target.file_name().unwrap_or_default().to_string_lossy().chars().take(50).collect();
    let temporary = folder.join(format!(".{name}.{}.pando", std::process::id()));
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, target));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_lie_below_the_folder_and_are_one_each() {
        let files = Files { output_dir: Some("out".into()), ext: Some(".png".into()), separator: b'\n' };
        let mut targets = Targets::default();
        let mut target = |name: &str| files.target(name, &mut targets).map_err(|error| error.text);
        assert_eq!(target("a/b.jpg").unwrap().unwrap(), Path::new("out/a/b.png"));
        assert_eq!(target("./c").unwrap().unwrap(), Path::new("out/c.png"));
        assert!(target("a/b.tif").unwrap_err().contains("same target"));
        assert!(target("../d").unwrap_err().contains("`..`"));
        assert!(target("/etc/passwd").unwrap_err().contains("absolute"));
        assert!(target(".").is_err());
        assert!(target("e\nf").unwrap_err().contains("-0"));
    }
}
