//! `--journal FILE`: checks that the journal is of the same job, and keeps the port, the token and
//! the relay's key beside the results.

use super::Refused;
use crate::{
    cli::Cli,
    journal::{self, Digest, Kept, Opened},
    master::Master,
};
use anyhow::Context;
use std::{
    collections::HashSet,
    fs, mem,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// How long a run that has just ended may still hold its journal and its port.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// The journal of a run; see the module.
pub(super) struct Journal {
    opened: Opened,
    /// The facts about the run that the journal keeps from now on.
    kept: Kept,
    keep: bool,
}

impl Journal {
    /// Opens the journal of `cli`, if there is one.
    pub(super) fn open(cli: &Cli, notes: &mut Vec<String>) -> Result<Option<Self>, Refused> {
        let Some(path) = &cli.journal else { return Ok(None) };
        let opened = journal::open(path, PATIENCE)?;
        let name = path.display();
        if opened.cut > 0 {
            notes.push(format!(
                "the journal {name}: its last {} bytes were not written whole and are cut off",
                opened.cut
            ));
        }
        if opened.count() > 0 {
            notes.push(format!(
                "going on with the journal {name}: {} results are there",
                opened.count()
            ));
        }
        let kept = opened.kept.clone().unwrap_or_default();
        Ok(Some(Self { opened, kept, keep: cli.journal_keep }))
    }

    /// The facts that an earlier run left.
    pub(super) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Takes the files of results that the journal names, as hashes of their paths.
    pub(super) fn targets(&mut self) -> HashSet<Digest> {
        mem::take(&mut self.opened.targets)
    }

    /// Refuses the function of `cli`, which consists of `modules`, if the journal is of another
    /// job.
    pub(super) fn check(&mut self, cli: &Cli, modules: &[PathBuf]) -> Result<(), Refused> {
        let function = cli.function.as_deref().filter(|_| cli.exec.is_none());
        (self.kept.function, self.kept.options) =
            (function.map_or(Ok(String::new()), |f| hash_of(f, modules))?, options(cli));
        let Some(was) = self.opened.kept.as_ref().filter(|_| !self.keep) else { return Ok(()) };
        let mut other = Vec::new();
        if was.function != self.kept.function {
            other.push("for another function, or for this one before it was changed".to_owned());
        }
        let without = |these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|option| !those.contains(option)).cloned().collect()
        };
        other.extend(
            without(&was.options, &self.kept.options)
                .into_iter()
                .map(|option| format!("with {option}")),
        );
        other.extend(
            without(&self.kept.options, &was.options)
                .into_iter()
                .map(|option| format!("without {option}")),
        );
        if other.is_empty() {
            return Ok(());
        }
        Err(Refused(format!(
            "the journal {} was written {}: name another, or go on with its results by --journal-keep",
            self.opened.path().display(),
            other.join(", ")
        )))
    }

    /// Starts to keep the results of `master`; `reached` says how volunteers reach it.
    pub(super) fn start(
        self,
        master: &Arc<Master>,
        reached: Kept,
        notes: &mut Vec<String>,
    ) -> Result<(), Refused> {
        let Kept { function, options, .. } = self.kept;
        let (path, was_shown) = (self.opened.path().to_owned(), self.opened.is_shown());
        master.keep_journal(self.opened, Kept { function, options, ..reached }, self.keep)?;
        if was_shown {
            let now = if journal::is_shown(&path) {
                "still can, on this file system"
            } else {
                "cannot any more (mode 0600)"
            };
            let name = path.display();
            notes.push(format!("others could read the journal {name}, which has the job's token and key; they {now}"));
        }
        Ok(())
    }
}

/// The options of `cli` that affect the results.
fn options(cli: &Cli) -> Vec<String> {
    let mut options = Vec::new();
    let flags = [(cli.json, "--json"), (cli.null, "--null"), (cli.files, "--files")];
    options.extend(flags.iter().filter(|(set, _)| *set).map(|(_, name)| (*name).to_owned()));
    let dir = cli.output_dir.as_ref().map(|dir| dir.display().to_string());
    let texts = [
        ("--output-dir", &dir),
        ("--ext", &cli.ext),
        ("--exec", &cli.exec),
        ("--confirm", &cli.confirm),
    ];
    options
        .extend(texts.iter().filter_map(|(name, text)| Some(format!("{name} {}", text.as_ref()?))));
    options
}

/// The hash of a function: of its modules' contents and relative paths, wherever they lie. The
/// hash is independent of Pando's version, which may bundle modules differently.
fn hash_of(function: &Path, modules: &[PathBuf]) -> anyhow::Result<String> {
    let entry = fs::canonicalize(function).unwrap_or_else(|_| function.into());
    let root = modules.iter().fold(entry.parent().unwrap_or(Path::new("")), |root, module| {
        root.ancestors().find(|root| module.starts_with(root)).unwrap_or(Path::new(""))
    });
    let mut named: Vec<_> = modules
        .iter()
        .map(|module| {
            (
                if *module == entry {
                    Path::new("")
                } else {
                    module.strip_prefix(root).unwrap_or(module)
                },
                module,
            )
        })
        .collect();
    named.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for (name, module) in named {
        let source =
            fs::read(module).with_context(|| format!("{} cannot be read", module.display()))?;
        for part in [name.as_os_str().as_encoded_bytes(), &source] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
    }
    Ok(hasher.finalize().to_hex()[..32].to_owned())
}
