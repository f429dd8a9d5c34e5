//! What one run of rolldown finds out about the modules.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    empty_builtins::Missing,
    env_vars,
    error::Problem,
    foreign,
    location::{Location, shown},
    package::Manifests,
};

/// Facts about the modules, collected during a run.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(super) manifests: Manifests,
    /// Empty built-ins, each with a requiring file.
    pub(super) empty: Mutex<BTreeSet<(String, PathBuf)>>,
    pub(super) missing: Mutex<Missing>,
    /// Variables of the environment that the user's files read, each with a location.
    pub(super) environment: Mutex<BTreeMap<String, String>>,
    pub(super) notes: Mutex<BTreeSet<String>>,
    /// Files without code, each with a requiring file.
    pub(super) foreign: Mutex<BTreeSet<(String, PathBuf)>>,
    /// Problems with JSON files.
    pub(super) not_json: Mutex<Vec<Problem>>,
    /// Problems with files of bytes.
    pub(super) too_long: Mutex<Vec<Problem>>,
    /// Where decorators are.
    pub(super) decorated: Mutex<Option<Location>>,
    /// Whether some module must be strict, although the bundle is not.
    pub(super) strict: AtomicBool,
}

impl Findings {
    /// Warnings about the modules.
    ///
    /// `given`: the variables of the environment that the function has.
    pub(crate) fn warnings(&self, given: &BTreeMap<String, String>) -> Vec<String> {
        let empty = self.empty.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = empty.iter().map(|(name, importer)| {
            format!(
                "Node's built-in '{name}' has no form for browsers: it is an empty object in {}",
                shown(importer)
            )
        });
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut environment =
            self.environment.lock().unwrap_or_else(PoisonError::into_inner).clone();
        environment.retain(|name, _| !given.contains_key(name));
        let environment = env_vars::note(&environment);
        empty.chain(notes.iter().cloned()).chain(environment).collect()
    }

    /// Problems with the modules.
    pub(crate) fn refused(&self) -> Vec<Problem> {
        let foreign = self.foreign.lock().unwrap_or_else(PoisonError::into_inner);
        let not_json = self.not_json.lock().unwrap_or_else(PoisonError::into_inner);
        let foreign =
            foreign.iter().map(|(specifier, importer)| foreign::refusal(specifier, importer));
        let too_long = self.too_long.lock().unwrap_or_else(PoisonError::into_inner);
        foreign.chain(not_json.iter().cloned()).chain(too_long.iter().cloned()).collect()
    }

    /// The uses of empty built-ins.
    pub(crate) fn missing(&self) -> Missing {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn decorated(&self) -> Option<Location> {
        self.decorated.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn strict(&self) -> bool {
        self.strict.load(Ordering::Relaxed)
    }
}
