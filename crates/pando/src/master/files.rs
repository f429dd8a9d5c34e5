//! Results that go into files (`--output-dir`), and values that are names of files (`--files`): the
//! function receives the content of a file, and its result goes into a file of the same name in
//! another folder. Results of other values go into files with their numbers as names.
//!
//! A result never overwrites an input. Without `--overwrite`, a result overwrites only files
//! written by this run or named in its journal. Names are not enough to ensure this: files are
//! compared by their identity in the file system ([`FileId`]), and a new file is created in a way
//! that fails if the name is taken.

mod by_name;

use super::items::{Cut, InputError, LONGEST, Taken, Unusable, check_length};
use crate::{
    failed::FailedInput,
    files::{self, FileId, Temporary},
    journal::{Commit, Digest, digest},
    protocol::{Form, Value},
};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex},
};
use stream_lender::Index;

/// Where results go.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// Values are names of files (`--files`).
    pub(crate) reads: bool,
    /// A value is the path of a file, not its bytes (`--exec`).
    pub(crate) by_name: bool,
    /// The folder for results; without one, results are printed.
    pub(crate) output_dir: Option<PathBuf>,
    /// The extension of result files, instead of the inputs' extensions.
    pub(crate) ext: Option<String>,
    /// The byte after each printed path.
    pub(crate) separator: u8,
    /// Existing files are overwritten, unless they are inputs.
    pub(crate) overwrite: bool,
    /// The other files of the run: its function, its journal, its standard output and so on.
    pub(crate) used: Vec<Use>,
    /// The folder of `--assets`, without symbolic links.
    pub(crate) assets: Option<PathBuf>,
    /// Hashes of the target paths in the journal: an earlier run has written these files.
    pub(crate) own: HashSet<Digest>,
    /// The inputs read so far.
    pub(crate) inputs: Mutex<HashSet<FileId>>,
    /// The result files that this process has written.
    pub(crate) written: Mutex<HashSet<FileId>>,
    /// The names of items that are read and not yet output, with their indexes.
    pub(crate) names: Mutex<VecDeque<(Index, String)>>,
}

/// A file in use by the run, apart from the inputs and results of `--files`.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    /// The role of the file, in words for people.
    pub(crate) what: String,
    /// The identity of the file.
    pub(crate) id: FileId,
    /// Whether the run writes the file.
    pub(crate) written: bool,
}

/// The places of all targets so far, perhaps millions: no two inputs may share a target, and no
/// input may be a target.
pub(super) type Places = HashSet<FileId>;

impl Files {
    /// Checks that each of `names`, a complete list, has its own place for a result. With `free`,
    /// the place must be empty.
    ///
    /// # Errors
    /// The first name without a place, and the reason.
    pub(crate) fn check<'a>(
        &self,
        names: impl Iterator<Item = &'a str> + Clone,
        free: bool,
    ) -> Result<(), InputError> {
        if self.output_dir.is_none() {
            return Ok(());
        }
        let inputs: HashMap<FileId, &str> =
            names.clone().map(|name| (FileId::of(Path::new(name)), name)).collect();
        let mut targets = HashMap::new();
        for name in names {
            let refuse = |why: String| InputError::usage(format!("{name}: {why}"));
            let Some(target) = self.target(name).map_err(refuse)? else { continue };
            let id = FileId::of(&target);
            if let Some(input) = inputs.get(&id) {
                let input = if *input == name { "it" } else { input };
                return Err(refuse(over(&format!("{input}, which is an input"))));
            }
            if let Some(other) = targets.insert(id, name) {
                return Err(refuse(same_target(other, &target)));
            }
            self.refuse_used(id).map_err(refuse)?;
            if free {
                self.refuse_taken(&target).map_err(refuse)?;
            }
        }
        Ok(())
    }

    /// Collects and checks all of `names`.
    pub(super) fn all_first(
        &self,
        names: impl Iterator<Item = Result<Cut, InputError>>,
    ) -> Result<Vec<Cut>, InputError> {
        let names = names.collect::<Result<Vec<Cut>, InputError>>()?;
        let texts = names.iter().flatten().filter_map(|name| std::str::from_utf8(&name.bytes).ok());
        self.check(texts, false)?;
        Ok(names)
    }

    /// Notes the name of the item `index`, which is read next, and forgets the names of items
    /// before `output`.
    pub(super) fn note_name(&self, index: Index, name: &Cut, output: Index) {
        let mut names = self.names.lock().expect("nobody panics with it");
        while names.pop_front_if(|(index, _)| *index < output).is_some() {}
        if let Ok(name) = name {
            names.push_back((index, String::from_utf8_lossy(&name.bytes).into_owned()));
        }
    }

    /// The name of the item `index`, which is not output yet.
    pub(super) fn name(&self, index: Index) -> Option<String> {
        let names = self.names.lock().expect("nobody panics with it");
        let at = names.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        Some(names[at].1.clone())
    }

    /// Creates the folder for results.
    pub(super) fn make_folder(&self) -> Result<(), InputError> {
        let Some(dir) = &self.output_dir else { return Ok(()) };
        fs::create_dir_all(dir).map_err(|error| {
            InputError::usage(format!("--output-dir {}: cannot be made: {error}", dir.display()))
        })
    }

    /// Reads the file called `name`, which is item `number`, and reserves the place for its
    /// result. An error becomes a failure of the item.
    pub(super) fn take(&self, number: u64, name: Cut, places: &mut Places) -> Taken {
        let read = name.and_then(|name| {
            let name = String::from_utf8_lossy(&name.bytes);
            let shown = if name.is_empty() { "an empty name" } else { &*name };
            self.read(&name, places).map_err(|why| {
                // The file may be all right when its item is tried again.
                let input = FailedInput::Text(name.to_string().into());
                Box::new(Unusable { number, why: format!("item {number}: {shown} {why}"), input })
            })
        });
        match read {
            Ok((value, target)) => (Ok(value), target),
            Err(unusable) => (Err(unusable), None),
        }
    }

    /// Reserves the place for the result of item `number`, whose value is no file: its file has the
    /// number as its name. An error becomes a failure of the item.
    pub(super) fn place(&self, number: u64, value: Cut) -> Taken {
        let Some(dir) = &self.output_dir else { return (value, None) };
        let mut target = dir.join(format!("{number:06}"));
        if let Some(ext) = &self.ext {
            target.set_extension(ext.trim_start_matches('.'));
        }
        let free = value.and_then(|value| {
            let found =
                self.refuse_used(FileId::of(&target)).and_then(|()| self.refuse_taken(&target));
            let refuse = |why| {
                // The place may be free when the item is tried again.
                let input = match value.form {
                    Form::Json => FailedInput::Json(value.bytes.clone()),
                    _ => FailedInput::Text(value.bytes.clone()),
                };
                Box::new(Unusable {
                    number,
                    why: format!("item {number} is refused: {why}"),
                    input,
                })
            };
            found.map_err(refuse).map(|()| value)
        });
        let target = free.is_ok().then_some(target);
        (free, target)
    }

    fn read(&self, name: &str, places: &mut Places) -> Result<(Value, Option<PathBuf>), String> {
        let refused = |why: String| format!("is refused: {why}");
        let target = self.target(name).map_err(refused)?;
        if places.contains(&FileId::of_place(Path::new(name))) {
            return Err(refused("it is the result of another item".into()));
        }
        let read = if self.by_name { by_name::look } else { read };
        let (id, bytes) =
            read(Path::new(name)).map_err(|error| format!("cannot be read: {error}"))?;
        if let Some(used) = self.used.iter().find(|used| used.written && used.id == id) {
            return Err(refused(format!("it is the file of {}, which this run writes", used.what)));
        }
        if let Some(target) = &target {
            let mut inputs = self.inputs.lock().expect("nobody panics with it");
            inputs.insert(id);
            self.find_place(target, &inputs, places).map_err(refused)?;
        }
        check_length(bytes.len())?;
        Ok((Value::new(bytes.into(), Form::Bytes), target))
    }

    /// Reserves the place of `target`, if it is free.
    fn find_place(
        &self,
        target: &Path,
        inputs: &HashSet<FileId>,
        places: &mut Places,
    ) -> Result<(), String> {
        let id = FileId::of(target);
        if inputs.contains(&id) {
            return Err(over("an input"));
        }
        self.refuse_used(id)?;
        if !places.insert(FileId::of_place(target)) {
            return Err(same_target("another input", target));
        }
        self.refuse_taken(target)
    }

    fn refuse_used(&self, id: FileId) -> Result<(), String> {
        let used = self.used.iter().find(|used| used.id == id);
        used.map_or(Ok(()), |used| Err(over(&format!("the file of {}", used.what))))
    }

    /// Refuses a target if its path is taken by something that must not be overwritten.
    fn refuse_taken(&self, target: &Path) -> Result<(), String> {
        match fs::symlink_metadata(target) {
            Ok(there) if there.is_dir() => {
                Err(format!("there is a folder in the place of its result, {}", target.display()))
            }
            Ok(_) if !self.may_replace(target) => {
                Err(format!("{} already exists: {TAKEN}", target.display()))
            }
            Ok(_) if self.is_asset(target) => Err(over("a file of --assets")),
            Err(error) if error.kind() == ErrorKind::NotADirectory => Err(format!(
                "its result cannot be written to {}: a folder in its path is a file",
                target.display()
            )),
            _ => Ok(()),
        }
    }

    fn is_asset(&self, target: &Path) -> bool {
        let Some(assets) = &self.assets else { return false };
        fs::canonicalize(target).is_ok_and(|target| target.starts_with(assets))
    }

    fn may_replace(&self, target: &Path) -> bool {
        self.overwrite || self.own.contains(&digest(target.as_os_str().as_encoded_bytes()))
    }

    /// The path for the result of the file called `name`.
    ///
    /// # Errors
    /// When the path would lie outside the output folder, or is unusable.
    fn target(&self, name: &str) -> Result<Option<PathBuf>, String> {
        let Some(dir) = &self.output_dir else { return Ok(None) };
        let mut target = dir.clone();
        for component in Path::new(name).components() {
            match component {
                Component::Normal(part) => target.push(part),
                Component::CurDir => {}
                Component::ParentDir => {
                    return Err("with --output-dir a name may not contain `..`: its result would lie elsewhere".into());
                }
                Component::RootDir | Component::Prefix(_) => {
                    return Err(
                        "with --output-dir a name may not be absolute: its result has the same name below that folder".into()
                    );
                }
            }
        }
        if name.as_bytes().contains(&self.separator) {
            return Err(
                "its path would be taken for two: print paths with NUL between them by -0".into()
            );
        }
        if target == *dir {
            return Err("this is not the name of a file".into());
        }
        if let Some(ext) = &self.ext {
            target.set_extension(ext.trim_start_matches('.'));
        }
        Ok(Some(target))
    }

    /// Writes a result to a temporary file beside `target`. The returned action moves the complete
    /// file to `target` in one step.
    ///
    /// # Errors
    /// When a folder or the file cannot be written.
    pub(crate) fn prepare(self: &Arc<Self>, target: &Path, bytes: &[u8]) -> io::Result<Commit> {
        if let Some(dir) = self.output_dir.as_ref().filter(|dir| !dir.is_dir()) {
            let why = format!(
                "the folder {} was removed while this run went on, and results with it",
                dir.display()
            );
            return Err(io::Error::new(ErrorKind::NotFound, why));
        }
        let folder = target.parent().unwrap_or_else(|| Path::new("."));
        fs::create_dir_all(folder)?;
        let (temporary, mut file) = Temporary::beside(target)?;
        file.write_all(bytes)?;
        let (files, target) = (self.clone(), target.to_owned());
        Ok(Box::new(move || files.put(&temporary, &target)))
    }

    fn put(&self, temporary: &Temporary, target: &Path) -> io::Result<()> {
        if self.may_replace(target) {
            self.refuse_needed(FileId::of(target)).map_err(io::Error::other)?;
            fs::rename(temporary.path(), target)?;
        } else {
            put_new(temporary.path(), target)?;
        }
        self.written.lock().expect("nobody panics with it").insert(FileId::of(target));
        Ok(())
    }

    /// Refuses to replace a file that the run needs, even if it may replace other files.
    fn refuse_needed(&self, id: FileId) -> Result<(), String> {
        if self.inputs.lock().expect("nobody panics with it").contains(&id) {
            return Err(over("an input"));
        }
        // Where names differ only in case, or in the form of their letters, some file systems hold
        // one file for both.
        if self.written.lock().expect("nobody panics with it").contains(&id) {
            return Err(over("the result of another item, whose name is the same here"));
        }
        self.refuse_used(id)
    }
}

/// Advice about a file in the way.
const TAKEN: &str = "this run has not written it. Move it away, choose another --output-dir, or write over such files by --overwrite";

fn over(what: &str) -> String {
    format!("its result would be written over {what}: choose another --output-dir, or an --ext")
}

fn same_target(other: &str, target: &Path) -> String {
    format!("{other} has the same target {}", target.display())
}

/// The content and the identity of an input file.
fn read(path: &Path) -> io::Result<(FileId, Vec<u8>)> {
    let most = LONGEST as u64;
    let about = files::look(path, most)?;
    let file = File::open(path)?;
    let id = FileId::of_open(path, &file)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(about.len() as usize)?;
    file.take(most + 1).read_to_end(&mut bytes)?;
    Ok((id, bytes))
}

/// Gives the file at `temporary` the name `target`, which must not exist.
fn put_new(temporary: &Path, target: &Path) -> io::Result<()> {
    let taken = |error: io::Error| match error.kind() {
        ErrorKind::AlreadyExists => {
            io::Error::new(error.kind(), format!("it already exists: {TAKEN}"))
        }
        _ => error,
    };
    match fs::hard_link(temporary, target) {
        // Some file systems have no hard links: an empty file reserves the name.
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            File::options().write(true).create_new(true).open(target).map_err(taken)?;
            fs::rename(temporary, target).inspect_err(|_| drop(fs::remove_file(target)))
        }
        linked => linked.map_err(taken),
    }
}

#[cfg(test)]
mod tests;
