//! `--journal FILE`: checks that the journal is of the same job, and keeps the port, the token and
//! the relay's key beside the results.

use super::StartError;
use crate::{
    config::{JournalConfig, RunConfig},
    inspect::seconds_since_1970,
    journal::{self, Digest, JobFacts, OpenJournal},
    master::Master,
};
use anyhow::Context;
use pando_bundler::Bundle;
use std::{
    collections::HashSet,
    env, fs, mem,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// How long a run that has just ended may still hold its journal and its port.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// The most damaged places that are told one by one.
const MOST_DAMAGES: usize = 5;

/// The journal of a run; see the module.
pub(super) struct Journal {
    file: OpenJournal,
    /// The facts about the job that the journal keeps from now on.
    facts: JobFacts,
    keep: bool,
}

impl Journal {
    /// Opens the journal of `config`.
    pub(super) fn open(
        config: &JournalConfig,
        notes: &mut Vec<String>,
    ) -> Result<Self, StartError> {
        let file = journal::open(&config.path, PATIENCE)?;
        let name = config.path.display();
        if file.cut > 0 {
            notes.push(format!(
                "the journal {name}: its last {} bytes were not written whole and are cut off",
                file.cut
            ));
        }
        for place in file.damaged.iter().take(MOST_DAMAGES) {
            notes.push(format!(
                "the journal {name}: {} bytes from byte {} on are damaged; the results in them are lost, and those after them are not",
                place.end - place.start,
                place.start + 1
            ));
        }
        if file.damaged.len() > MOST_DAMAGES {
            let more = file.damaged.len() - MOST_DAMAGES;
            notes.push(format!("the journal {name}: {more} more places are damaged"));
        }
        if file.count() > 0 {
            notes.push(format!(
                "going on with the journal {name}: {} results are there",
                file.count()
            ));
        }
        let facts = file.facts.clone().unwrap_or_default();
        Ok(Self { file, facts, keep: config.keep })
    }

    /// The facts that an earlier run left.
    pub(super) fn facts(&self) -> &JobFacts {
        &self.facts
    }

    /// Takes the files of results that the journal names, as hashes of their paths.
    pub(super) fn targets(&mut self) -> HashSet<Digest> {
        mem::take(&mut self.file.targets)
    }

    /// Refuses the job of `config`, whose function is in the file `entry` and has the script
    /// `bundle`, if the journal is of another job.
    pub(super) fn check(
        &mut self,
        config: &RunConfig,
        entry: Option<&Path>,
        bundle: &Bundle,
    ) -> Result<(), StartError> {
        self.facts.function =
            entry.map_or(Ok(String::new()), |path| hash_of(path, &bundle.modules))?;
        self.facts.meaning =
            entry.map(|_| blake3::hash(bundle.meaning().as_bytes()).to_hex()[..32].to_owned());
        self.facts.options = config.options_of_results();
        self.facts.began = Some(seconds_since_1970());
        if self.keep {
            return Ok(());
        }
        let Some(was) = &self.file.facts else { return self.refuse_unknown() };
        let mut other = Vec::new();
        let is_same = was.function == self.facts.function
            || was.meaning.is_some() && was.meaning == self.facts.meaning;
        if !is_same {
            other.push("for another function, or for this one before it was changed".to_owned());
        }
        let without = |these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|option| !those.contains(option)).cloned().collect()
        };
        other.extend(
            without(&was.options, &self.facts.options)
                .into_iter()
                .map(|option| format!("with {option}")),
        );
        other.extend(
            without(&self.facts.options, &was.options)
                .into_iter()
                .map(|option| format!("without {option}")),
        );
        if other.is_empty() {
            return Ok(());
        }
        Err(StartError(format!(
            "the journal {} was written {}: name another, or go on with its results by --journal-keep",
            self.file.path().display(),
            other.join(", ")
        )))
    }

    /// Refuses results without a description of their job, which was lost by damage.
    fn refuse_unknown(&self) -> Result<(), StartError> {
        if self.file.count() == 0 {
            return Ok(());
        }
        Err(StartError(format!(
            "the journal {} is damaged: it does not say any more with which function it was written. Name another, or go on with its results by --journal-keep",
            self.file.path().display()
        )))
    }

    /// Starts to keep the results of `master`; `reached` says how volunteers reach it.
    pub(super) fn start(
        self,
        master: &Arc<Master>,
        reached: JobFacts,
        notes: &mut Vec<String>,
    ) -> Result<(), StartError> {
        let JobFacts { function, meaning, options, began, .. } = self.facts;
        let (path, was_shown) = (self.file.path().to_owned(), self.file.is_shown());
        let facts = JobFacts { function, meaning, options, began, ..reached };
        master.keep_journal(self.file, facts)?;
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

/// The hash of a function's source: of its modules' contents and relative paths, wherever they lie.
/// The hash is independent of Pando's version, which may bundle modules differently.
fn hash_of(function: &Path, modules: &[PathBuf]) -> anyhow::Result<String> {
    let entry = fs::canonicalize(function).unwrap_or_else(|_| function.into());
    // A source that is in no file of the user lies in a new folder each time.
    let others = modules.iter().filter(|module| **module != entry);
    let folder = match pando_bundler::is_inline(&entry) {
        true => env::current_dir().unwrap_or_default(),
        false => entry.parent().unwrap_or(Path::new("")).to_owned(),
    };
    let root = others.fold(&*folder, |root, module| {
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
