//! Translates rolldown's errors and warnings into the words of this crate.

use std::path::{Path, PathBuf};

use rolldown_common::ChecksOptions;
use rolldown_error::{BuildDiagnostic, DiagnosticOptions, EventKind};
use rolldown_resolver::ResolveError;
use serde_json::Value;

use crate::{
    Error,
    entry::EXTENSIONS,
    error::Problem,
    finder::Finder,
    inline,
    location::{Location, shown},
    package::{installed, package_name},
    source,
};

/// The checks of rolldown. Checks that do not help a user of Pando are off.
pub(crate) fn checks() -> ChecksOptions {
    ChecksOptions {
        circular_dependency: Some(false),
        eval: Some(false),
        invalid_annotation: Some(false),
        mixed_exports: Some(false),
        plugin_timings: Some(false),
        ineffective_dynamic_import: Some(false),
        large_barrel_modules: Some(false),
        sourcemap_broken: Some(false),
        missing_name_option_for_iife_export: Some(false),
        missing_global_name: Some(false),
        prefer_builtin_feature: Some(false),
        ..ChecksOptions::default()
    }
}

/// Whether a file could not be parsed.
pub(crate) fn is_syntax(diagnostic: &BuildDiagnostic) -> bool {
    matches!(diagnostic.kind(), EventKind::ParseError)
}

/// The file of a package that lacks an imported name.
pub(crate) fn lacking(diagnostic: &BuildDiagnostic) -> Option<PathBuf> {
    let file = diagnostic
        .exporter()
        .filter(|_| matches!(diagnostic.kind(), EventKind::MissingExportError));
    file.filter(|file| source::is_foreign(file)).map(PathBuf::from)
}

/// Whether the problem is about finding a file, or about the configuration of paths.
pub(crate) fn is_of_resolver(diagnostic: &BuildDiagnostic) -> bool {
    matches!(
        diagnostic.kind(),
        EventKind::ResolveError | EventKind::UnresolvedImport | EventKind::TsConfigError
    )
}

/// Divides warnings into two kinds: warnings of useless bundles, and the texts of all others.
/// Texts about packages' own files are dropped.
pub(crate) fn sort(
    warnings: Vec<BuildDiagnostic>,
    folder: &Path,
) -> (Vec<BuildDiagnostic>, Vec<String>) {
    let (fatal, others): (Vec<_>, Vec<_>) = warnings
        .into_iter()
        .partition(|warning| matches!(warning.kind(), EventKind::UnresolvedImport));
    // Syntax that cannot be lowered (BigInt) works in most browsers. A browser without this syntax
    // reports an error when loading the function. And `eval` works, because names stay.
    let told = others.iter().filter(|warning| {
        !matches!(warning.kind(), EventKind::ToleratedTransform | EventKind::Eval)
    });
    let own = told.filter(|warning| !warning.id().is_some_and(|id| source::is_foreign(&id)));
    let texts = own.map(|warning| match location(warning, folder) {
        Some(location) => format!("{location}: {}", warning_text(warning)),
        None => warning_text(warning),
    });
    (fatal, texts.collect())
}

/// The error for the user; `folder` is the entry's folder.
pub(crate) fn error(diagnostics: &[BuildDiagnostic], folder: &Path, finder: &Finder) -> Error {
    Error::all(diagnostics.iter().map(|diagnostic| problem(diagnostic, folder, finder)).collect())
}

fn problem(diagnostic: &BuildDiagnostic, folder: &Path, finder: &Finder) -> Problem {
    let location = location(diagnostic, folder);
    match diagnostic.kind() {
        EventKind::UnresolvedImport => unresolved(diagnostic, location),
        EventKind::ResolveError => not_resolved(diagnostic, location, folder, finder),
        EventKind::UnsupportedFeatureError | EventKind::RequireTlaError if mentions_await(diagnostic) => {
            Problem::at(location, "a top-level `await` is not supported: the function's module is loaded without waiting")
                .remedy("await inside the function, which may be asynchronous")
        }
        EventKind::ParseError => Problem::at(location, format!("syntax error: {}", message(diagnostic))),
        _ => {
            let text = message(diagnostic);
            let problem = Problem::at(location, &*text);
            if text.contains("valid UTF-8") { problem.remedy(source::CONVERT) } else { problem }
        }
    }
}

fn mentions_await(diagnostic: &BuildDiagnostic) -> bool {
    message(diagnostic).contains("op-level await")
}

fn warning_text(warning: &BuildDiagnostic) -> String {
    match warning.kind() {
        EventKind::EmptyImportMeta => "`import.meta` is an empty object in the bundle".to_owned(),
        EventKind::CommonJsVariableInEsm => {
            "`module` and `exports` do nothing in an ES module: use `export`".to_owned()
        }
        _ => message(warning),
    }
}

fn message(diagnostic: &BuildDiagnostic) -> String {
    diagnostic.to_message_with(&DiagnosticOptions::default())
}

fn location(diagnostic: &BuildDiagnostic, folder: &Path) -> Option<Location> {
    let root = DiagnosticOptions { cwd: PathBuf::from("/") };
    let (file, line, column, _) = diagnostic.to_diagnostic_with(&root).get_primary_location()?;
    let file = &source::file_of(&file);
    // Most kinds of diagnostics name a file relative to the root, some relative to the working
    // folder of the bundler.
    let from_root = [Path::new("/").join(file), folder.join(file)];
    let (file, text) = from_root
        .into_iter()
        .find_map(|file| std::fs::read_to_string(&file).ok().map(|text| (file, text)))?;
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    Some(Location::at_offset(&file, &text, start + utf8_length(&text[start..], column)))
}

/// The length in bytes of the first `units` UTF-16 code units of `text`.
fn utf8_length(text: &str, units: usize) -> usize {
    let mut left = units;
    let before = text.chars().take_while(|c| {
        let more = left > 0;
        left = left.saturating_sub(c.len_utf16());
        more
    });
    before.map(char::len_utf8).sum()
}

/// The problem with a specifier that rolldown did not resolve. For reasons other than a missing
/// file, the resolver is asked again, because rolldown does not give the whole reason.
fn not_resolved(
    diagnostic: &BuildDiagnostic,
    location: Option<Location>,
    folder: &Path,
    finder: &Finder,
) -> Problem {
    let specifier = diagnostic.exporter().unwrap_or_default();
    let importer = folder.join(source::file_of(&diagnostic.id().unwrap_or_default()));
    match finder.why_not(&inline::importer(&importer), &specifier) {
        None | Some(ResolveError::NotFound(_) | ResolveError::PackagePathNotExported { .. }) => {
            unresolved(diagnostic, location)
        }
        Some(error @ ResolveError::YarnPnpError(_)) => not_in_yarn(&error, &specifier, location),
        Some(error) => configuration(&error, &importer, location),
    }
}

/// The problem with a `package.json` or `tsconfig.json` that concerns the file `importer`.
fn configuration(error: &ResolveError, importer: &Path, location: Option<Location>) -> Problem {
    match error {
        ResolveError::Json(json) => not_json(&json.path, json.line, json.column),
        ResolveError::TsconfigLoadFailed { path, source } => match &**source {
            ResolveError::Json(json) => not_json(&json.path, json.line, json.column),
            other => Problem::in_file(path, other),
        },
        ResolveError::TsconfigNotFound(extended) => extends_nothing(extended, importer),
        other => Problem::at(location, other.to_string()),
    }
}

/// The problem with a package that Yarn Plug'n'Play does not have.
fn not_in_yarn(error: &ResolveError, specifier: &str, location: Option<Location>) -> Problem {
    let package = package_name(specifier).unwrap_or(specifier);
    let remedy =
        format!("run: yarn install, after yarn add {package} if package.json does not name it");
    Problem::at(
        location,
        format!("Yarn Plug'n'Play (.pnp.cjs) does not give '{specifier}': {error}"),
    )
    .remedy(remedy)
}

fn not_json(file: &Path, line: usize, column: usize) -> Problem {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let location = Location::at_line(file, &text, line, column);
    Problem::at(Some(location), "this is not JSON")
        .remedy("correct this file, which says how the modules below its folder are read")
}

/// The problem with the `tsconfig.json` of the file `importer`, which extends `extended` although
/// this file does not exist.
fn extends_nothing(extended: &Path, importer: &Path) -> Problem {
    let tsconfig = importer
        .ancestors()
        .map(|path| path.with_file_name("tsconfig.json"))
        .find(|path| path.is_file())
        .unwrap_or_else(|| "tsconfig.json".into());
    let text = std::fs::read_to_string(&tsconfig).unwrap_or_default();
    let name = extended.file_stem().unwrap_or_default().to_string_lossy();
    let through = if text.contains(&*name) { "" } else { ", through another file," };
    let tsconfig = shown(&tsconfig);
    let extended = extended.display().to_string();
    let remedy = match package_name(&extended) {
        Some(package) => format!("run: npm install {package}"),
        None => "correct `extends` in this tsconfig.json, or remove it".to_owned(),
    };
    Problem::new(format!("{tsconfig}{through} extends '{extended}', which does not exist"))
        .remedy(remedy)
}

/// What to do about a name that stands for a folder elsewhere.
const ALIAS: &str = "write the path of the file, or, in TypeScript, say by `paths` in tsconfig.json what this stands for";

/// What to do about a name that a package gives to a module of its own.
const INTERNAL: &str =
    "say by \"imports\" in the package.json above this file what this stands for";

fn unresolved(diagnostic: &BuildDiagnostic, location: Option<Location>) -> Problem {
    let specifier = diagnostic.exporter().unwrap_or_default();
    let importer = source::file_of(&diagnostic.id().unwrap_or_default());
    if specifier.starts_with(['.', '/']) {
        return missing_file(&specifier, &importer, location);
    }
    if let Some(name) = specifier.strip_prefix("node:") {
        return Problem::at(location, format!("Node has no built-in module '{name}'"));
    }
    // An import that JSX is compiled to has no location in the source.
    let asked_by =
        if location.is_none() { format!("; {} needs it", shown(&importer)) } else { String::new() };
    match package_name(&specifier) {
        None => {
            let problem = Problem::at(location, format!("'{specifier}' cannot be found"));
            // What other bundlers are told to take for a folder.
            match specifier.chars().next() {
                Some('~' | '@') => problem.remedy(ALIAS),
                Some('#') => problem.remedy(INTERNAL),
                _ => problem,
            }
        }
        Some(package) => match installed(package, &importer) {
            Some(folder) => not_in_package(&specifier, package, &folder, location),
            None => {
                Problem::at(location, format!("the package '{package}' is not installed{asked_by}"))
                    .remedy(format!("run: npm install {package}"))
            }
        },
    }
}

fn missing_file(specifier: &str, importer: &Path, location: Option<Location>) -> Problem {
    let wanted = importer.parent().unwrap_or(Path::new("/")).join(specifier);
    if wanted.is_dir() {
        return Problem::at(location, format!("'{specifier}' is a folder without an index.js"));
    }
    let problem = Problem::at(location, format!("there is no file '{specifier}'"));
    match similar_name(&wanted) {
        Some(name) => {
            let folder = specifier.rsplit_once('/').map_or("", |(folder, _)| folder);
            problem.remedy(format!("did you mean '{folder}/{name}'?"))
        }
        None => problem,
    }
}

/// The name of a file in the folder of `wanted` that differs from it in case or by an extension
/// of code.
fn similar_name(wanted: &Path) -> Option<String> {
    let wanted_name = wanted.file_name()?.to_str()?;
    let names = std::fs::read_dir(wanted.parent()?).ok()?.flatten();
    names
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| {
            let stem = name.rsplit_once('.').filter(|(_, ext)| EXTENSIONS.contains(ext));
            let is_same = |name: &str| name.eq_ignore_ascii_case(wanted_name);
            is_same(name) || stem.is_some_and(|(stem, _)| is_same(stem))
        })
        .min()
}

fn not_in_package(
    specifier: &str,
    package: &str,
    folder: &Path,
    location: Option<Location>,
) -> Problem {
    let text = std::fs::read(folder.join("package.json")).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&text).unwrap_or_default();
    let (installed, folder) = (folder, shown(folder));
    if manifest.get("exports").is_some_and(Value::is_null) {
        let text = format!(
            "the package '{package}' is installed in {folder}, but its package.json has \"exports\": null, which hides all its modules"
        );
        return Problem::at(location, text)
            .remedy("take \"exports\" out of that package.json, or import a file of the package by its path");
    }
    if specifier == package {
        if let Some(main) = missing_main(&manifest, installed) {
            let text = format!(
                "the package '{package}' is installed in {folder}, but its package.json names '{main}', which does not exist"
            );
            return Problem::at(location, text).remedy(format!(
                "build the package first, for instance: (cd {folder} && npm run build)"
            ));
        }
        let text = format!(
            "the package '{package}' is installed in {folder}, but has no module for browsers"
        );
        return Problem::at(location, text);
    }
    Problem::at(
        location,
        format!("the package '{package}' is installed in {folder}, but has no '{specifier}'"),
    )
}

/// The main module that the package in `folder` names in its `manifest`, if none of those that it
/// names exists.
fn missing_main<'a>(manifest: &'a Value, folder: &Path) -> Option<&'a str> {
    let mut named = Vec::new();
    match manifest.get("exports") {
        Some(exports) => texts(exports.get(".").unwrap_or(exports), &mut named),
        None => {
            let fields = ["browser", "module", "main"].map(|field| manifest.get(field));
            named.extend(fields.into_iter().flatten().filter_map(Value::as_str));
        }
    }
    let exists = |name: &&str| {
        let path = folder.join(name);
        path.exists() || path.with_added_extension("js").is_file()
    };
    if named.iter().any(exists) { None } else { named.pop() }
}

/// The texts among the conditions of `exports` that name modules.
fn texts<'a>(exports: &'a Value, found: &mut Vec<&'a str>) {
    match exports {
        Value::String(text) => found.push(text),
        Value::Array(all) => all.iter().for_each(|each| texts(each, found)),
        Value::Object(conditions) => {
            let of_code = conditions.iter().filter(|(name, _)| *name != "types");
            of_code.for_each(|(_, each)| texts(each, found));
        }
        _ => {}
    }
}
