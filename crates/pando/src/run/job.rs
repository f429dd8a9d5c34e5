//! The job of a run, by its configuration.

use super::{function::Function, open::fresh_token, used};
use crate::{
    config::{InputSource, RunConfig},
    failed::FailedItems,
    files::FileId,
    journal::Digest,
    master::{Files, InputSize, Job, TrustJob, Use},
};
use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{Arc, Mutex},
};

/// The settings of `config` for files, with a function of these `modules`. Earlier runs wrote the
/// files whose paths have the hashes `own`.
pub(super) fn files(
    config: &RunConfig,
    modules: &[PathBuf],
    own: HashSet<Digest>,
) -> Option<Files> {
    let module = |path: &PathBuf| Use {
        what: "a module of the function".into(),
        id: FileId::of(path),
        written: false,
    };
    config.files.as_ref().map(|files| Files {
        reads: files.reads,
        by_name: files.reads && config.function.command().is_some(),
        output_dir: files.output_dir.clone(),
        ext: files.ext.clone(),
        separator: config.framing.separator,
        overwrite: files.overwrite,
        used: used::all(config).into_iter().chain(modules.iter().map(module)).collect(),
        assets: config.assets.as_ref().map(|assets| assets.root().to_owned()),
        own,
        inputs: Mutex::default(),
        written: Mutex::default(),
        names: Mutex::default(),
    })
}

/// The job of a run with `config`. Earlier runs wrote the files whose paths have the hashes `own`.
pub(super) fn job(
    config: &RunConfig,
    function: &Function,
    own: HashSet<Digest>,
    failed: Option<Arc<FailedItems>>,
) -> Job {
    let policies = &config.policies;
    Job {
        id: fresh_token(),
        function: function.bundle.clone(),
        options: config.job.clone(),
        framing: config.framing,
        batch_size: policies.batch_size,
        sync: config.sync,
        gateway: config.is_gateway(),
        retries: policies.retries,
        speculate: policies.speculate,
        shape: config.shape.shape(),
        shows_first: config.dry_run,
        trust: policies.trust.map(|rule| TrustJob {
            rule,
            compares: policies.verify_with.is_some(),
            seed: fresh_seed(),
        }),
        on_error: policies.on_error,
        max_failures: policies.max_failures,
        failed,
        numbers: match &config.input {
            InputSource::Failed { list, .. } => {
                Some(list.items.iter().map(|item| item.number).collect())
            }
            _ => None,
        },
        confirms: policies.confirm.is_some(),
        files: files(config, &function.bundle.modules, own).map(Arc::new),
        local_only: !config.takes_volunteers(),
        program: config.program_for_others(),
        answers_lines: config.function.command().is_some_and(|command| !command.is_per_value()),
        window: policies.window,
        order: policies.order,
        size: input_size(config),
        quiet: config.report.quiet,
        explains: config.report.verbose,
    }
}

/// What is known of the number of values. Names of files say nothing by their bytes, because they
/// are not counted before their files are read.
fn input_size(config: &RunConfig) -> InputSize {
    match config.total {
        Some(count) => InputSize::Items(count),
        None if config.reads_stdin() && !config.reads_files() => {
            used::bytes_on_stdin().map_or(InputSize::Unknown, InputSize::Bytes)
        }
        None => InputSize::Unknown,
    }
}

/// Decides which values are checked.
fn fresh_seed() -> u64 {
    let mut random = [0; 8];
    getrandom::fill(&mut random).expect("the system gives random bytes");
    u64::from_le_bytes(random)
}
