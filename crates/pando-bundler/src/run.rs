//! The options for rolldown, and the runs of rolldown for one bundle.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use rolldown::{
    BundleOutput, Bundler, BundlerOptions, BundlerTransformOptions, CodeSplittingMode, Either,
    InjectImport, InputItem, OutputFormat, RawMinifyOptions, RawMinifyOptionsDetailed,
    SourceMapType, StrictMode, TsConfig,
};
use rolldown_common::{CommentsOptions, Output, OutputChunk};
use rolldown_error::BuildDiagnostic;
use rolldown_plugin::__inner::SharedPluginable;
use rolldown_utils::xxhash::xxhash_with_base;

use crate::{
    Bundle, Error, Options, decorators, diagnostics,
    entry::EntryModule,
    error::Problem,
    finder::{self, Finder, PLATFORM},
    origins::Origins,
    plugin::{Findings, PandoPlugin, REQUIRE, STARTER, builtin_id},
    requires, source, strict, uuid,
};

/// The language version of the oldest supported browsers.
const TARGET: &str = "es2018";

/// Globals of Node, each with the embedded file of the same export.
const INJECTED: &[(&str, &str)] = &[
    ("Buffer", "buffer.js"),
    ("process", "process.js"),
    ("setImmediate", "timers.js"),
    ("clearImmediate", "timers.js"),
];

/// The variable of the environment that packages read most.
const NODE_ENV: &str = "process.env.NODE_ENV";

/// Values known in advance. A module that checks whether it was started directly gets a negative
/// answer.
const DEFINED: &[(&str, &str)] = &[
    ("global", "globalThis"),
    (NODE_ENV, "\"production\""),
    ("__dirname", "\"/\""),
    ("__filename", "\"/index.js\""),
    ("import.meta.dirname", "\"/\""),
    ("import.meta.filename", "\"/index.js\""),
    ("import.meta.url", "\"file:///index.js\""),
    ("require.main", "undefined"),
    ("require.cache", "undefined"),
    ("require.extensions", "undefined"),
    ("module.parent", "globalThis"),
];

/// The number of hexadecimal digits in a bundle's hash.
const HASH_LENGTH: usize = 16;

/// Bundles `entry`.
///
/// rolldown parses every file as strict code. If files only parse in sloppy mode, rolldown runs
/// again with their names, and likewise if a package's browser file lacks a name that is imported
/// from it. Each further run has more of these files, or is the last.
pub(crate) async fn run(entry: &EntryModule, options: &Options) -> Result<Bundle, Error> {
    let (mut sloppy, mut lacking) = (BTreeSet::new(), BTreeSet::new());
    let mut finder = Arc::new(Finder::new(&entry.folder(), options.page, true));
    loop {
        let seen = Arc::new(Findings::default());
        let plugin = PandoPlugin {
            starter: entry.starter(options),
            options: options.clone(),
            sloppy: sloppy.clone(),
            lacking: lacking.clone(),
            finder: finder.clone(),
            seen: seen.clone(),
        };
        match generate(entry, options, plugin).await {
            Ok(output) => return finish(entry, options, output, &seen, &finder),
            // JavaScript needs no tsconfig.json, so an unusable one does not matter.
            Err(problems)
                if finder.reads_tsconfig
                    && !entry.typescript
                    && problems.iter().any(diagnostics::is_of_resolver) =>
            {
                finder = Arc::new(Finder::new(&entry.folder(), options.page, false));
            }
            Err(problems) => {
                let known = sloppy.len() + lacking.len();
                sloppy.extend(only_sloppy(&problems));
                lacking.extend(problems.iter().filter_map(diagnostics::lacking));
                let refused = seen.refused();
                if !refused.is_empty() {
                    return Err(Error::all(refused));
                }
                if sloppy.len() + lacking.len() == known {
                    return Err(diagnostics::error(&problems, &entry.folder(), &finder));
                }
            }
        }
    }
}

async fn generate(
    entry: &EntryModule,
    options: &Options,
    plugin: PandoPlugin,
) -> Result<BundleOutput, Vec<BuildDiagnostic>> {
    let rolldown = rolldown_options(&entry.folder(), options, &plugin.finder);
    let plugins: Vec<SharedPluginable> = vec![Arc::new(plugin)];
    let mut bundler = Bundler::with_plugins(rolldown, plugins).map_err(|error| error.into_vec())?;
    bundler.generate().await.map_err(|error| error.into_vec())
}

fn rolldown_options(folder: &Path, options: &Options, finder: &Finder) -> BundlerOptions {
    let mut defined: Vec<_> =
        DEFINED.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    if let Some(value) = options.env.get("NODE_ENV") {
        let value = serde_json::Value::from(value.as_str()).to_string();
        defined.retain(|(name, _)| name != NODE_ENV);
        defined.push((NODE_ENV.to_owned(), value));
    }
    let whitespace =
        RawMinifyOptionsDetailed { mangle: None, compress: None, remove_whitespace: true };
    BundlerOptions {
        input: Some(vec![InputItem {
            name: Some("function".to_owned()),
            import: STARTER.to_owned(),
        }]),
        cwd: Some(folder.to_owned()),
        platform: Some(PLATFORM),
        resolve: Some(finder.options.clone()),
        tsconfig: Some(TsConfig::Auto(finder.reads_tsconfig)),
        format: Some(OutputFormat::Iife),
        strict: Some(StrictMode::Never),
        code_splitting: Some(CodeSplittingMode::Bool(false)),
        minify: Some(RawMinifyOptions::Object(whitespace)),
        comments: Some(CommentsOptions { legal: true, annotation: false, jsdoc: false }),
        profiler_names: Some(false),
        sourcemap: Some(SourceMapType::Hidden),
        sourcemap_exclude_sources: Some(true),
        transform: Some(BundlerTransformOptions {
            target: Some(Either::Left(TARGET.to_owned())),
            ..Default::default()
        }),
        define: Some(defined.into_iter().collect()),
        inject: Some(injected(options)),
        checks: Some(diagnostics::checks()),
        ..Default::default()
    }
}

fn injected(options: &Options) -> Vec<InjectImport> {
    let available = INJECTED.iter().filter(|(_, file)| (options.builtins)(file).is_some());
    let import = |&(name, file): &(&str, &str)| {
        let from = builtin_id(file);
        if name == "process" {
            InjectImport::default(name.to_owned(), from)
        } else {
            InjectImport::named(name.to_owned(), None, from)
        }
    };
    let require = InjectImport::default(requires::NAME.to_owned(), REQUIRE.to_owned());
    available.map(import).chain([require]).collect()
}

/// The files with problems that parse as CommonJS in sloppy mode.
fn only_sloppy(problems: &[BuildDiagnostic]) -> Vec<PathBuf> {
    let files = problems
        .iter()
        .filter(|problem| diagnostics::is_syntax(problem))
        .filter_map(BuildDiagnostic::id);
    let files = files.filter(|file| !source::is_sloppy(file)).map(|file| source::file_of(&file));
    files
        .filter(|file| finder::read(file).is_ok_and(|source| source::parses_sloppily(&source)))
        .collect()
}

/// The bundle of rolldown's `output`.
fn finish(
    entry: &EntryModule,
    options: &Options,
    output: BundleOutput,
    seen: &Findings,
    finder: &Finder,
) -> Result<Bundle, Error> {
    let (fatal, harmless) = diagnostics::sort(output.warnings, &entry.folder());
    if !fatal.is_empty() {
        return Err(diagnostics::error(&fatal, &entry.folder(), finder));
    }
    let refused = seen.refused();
    if !refused.is_empty() {
        return Err(Error::all(refused));
    }
    let chunk = single_chunk(&output.assets)?;
    if let Some(location) = seen.decorated().filter(|_| decorators::remain(&chunk.code)) {
        return Err(decorators::refusal(location).into());
    }
    let origins = Origins::of(chunk, &entry.folder());
    let (code, origins) = if seen.strict() {
        let unknown = || Problem::new("the bundle has an unknown form; this is a bug of Pando");
        let restored = strict::restore(&chunk.code).ok_or_else(unknown)?;
        let origins = origins.rearranged(&chunk.code, &restored);
        (restored.code, origins)
    } else {
        (chunk.code.clone(), origins)
    };
    let (code, origins) = uuid::fill_in(code, origins);
    let files =
        chunk.modules.keys.iter().map(|id| id.as_str()).filter(|id| !source::is_virtual(id));
    Ok(Bundle {
        hash: xxhash_with_base(code.as_bytes(), 16)[..HASH_LENGTH].to_owned(),
        code,
        warnings: seen.warnings(&options.env).into_iter().chain(harmless).collect(),
        modules: files.map(source::file_of).collect(),
        esm: entry.esm,
        names: entry.asks_for_names(options),
        origins,
        missing: seen.missing(),
    })
}

fn single_chunk(assets: &[Output]) -> Result<&OutputChunk, Problem> {
    let chunks: Vec<_> = assets
        .iter()
        .filter_map(|asset| if let Output::Chunk(chunk) = asset { Some(chunk) } else { None })
        .collect();
    match chunks[..] {
        [chunk] => Ok(chunk),
        _ => Err(Problem::new(format!(
            "{} scripts came out of the bundler instead of one",
            chunks.len()
        ))),
    }
}
