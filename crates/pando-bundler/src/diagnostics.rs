//! rolldown's errors and warnings in the words of this crate.

use std::path::{Path, PathBuf};

use rolldown_common::ChecksOptions;
use rolldown_error::{BuildDiagnostic, DiagnosticOptions, EventKind};

use crate::{
    Error,
    error::Problem,
    package::{installed, package_name},
    place::{Place, shown},
    source,
};

/// The checks of rolldown that tell a user of Pando nothing are off.
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

/// Divides warnings into those that make the bundle useless, and the others as text. Of packages'
/// own files only the former matter.
pub(crate) fn sort(warnings: Vec<BuildDiagnostic>, folder: &Path) -> (Vec<BuildDiagnostic>, Vec<String>) {
    let (fatal, others): (Vec<_>, Vec<_>) =
        warnings.into_iter().partition(|warning| matches!(warning.kind(), EventKind::UnresolvedImport));
    let own = others.iter().filter(|warning| !warning.id().is_some_and(|id| source::is_foreign(&id)));
    let texts = own.map(|warning| match place(warning, folder) {
        Some(place) => format!("{place}: {}", warning_text(warning)),
        None => warning_text(warning),
    });
    (fatal, texts.collect())
}

/// What is wrong, for the user; `folder` is the entry's.
pub(crate) fn error(diagnostics: &[BuildDiagnostic], folder: &Path) -> Error {
    Error::all(diagnostics.iter().map(|diagnostic| problem(diagnostic, folder)).collect())
}

fn problem(diagnostic: &BuildDiagnostic, folder: &Path) -> Problem {
    let place = place(diagnostic, folder);
    match diagnostic.kind() {
        EventKind::UnresolvedImport | EventKind::ResolveError => unresolved(diagnostic, place),
        EventKind::UnsupportedFeatureError | EventKind::RequireTlaError if mentions_await(diagnostic) => {
            Problem::at(place, "a top-level `await` is not supported: the function's module is loaded without waiting")
                .remedy("await inside the function, which may be asynchronous")
        }
        EventKind::ParseError => Problem::at(place, format!("syntax error: {}", message(diagnostic))),
        EventKind::JsonParseError => Problem::at(place, format!("this is not JSON: {}", message(diagnostic))),
        _ => Problem::at(place, message(diagnostic)),
    }
}

fn mentions_await(diagnostic: &BuildDiagnostic) -> bool {
    message(diagnostic).contains("op-level await")
}

fn warning_text(warning: &BuildDiagnostic) -> String {
    match warning.kind() {
        EventKind::EmptyImportMeta => "`import.meta` is an empty object in the bundle".to_owned(),
        EventKind::CommonJsVariableInEsm => "`module` and `exports` do nothing in an ES module: use `export`".to_owned(),
        _ => message(warning),
    }
}

fn message(diagnostic: &BuildDiagnostic) -> String {
    diagnostic.to_message_with(&DiagnosticOptions::default())
}

fn place(diagnostic: &BuildDiagnostic, folder: &Path) -> Option<Place> {
    let root = DiagnosticOptions { cwd: PathBuf::from("/") };
    let (file, line, column, _) = diagnostic.to_diagnostic_with(&root).get_primary_location()?;
    let file = source::file_of(&file);
    // Most kinds name a file from the root, some from the folder that the bundler works in.
    let from_root = [Path::new("/").join(file), folder.join(file)];
    let (file, text) = from_root.into_iter().find_map(|file| std::fs::read_to_string(&file).ok().map(|text| (file, text)))?;
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    Some(Place::at_offset(&file, &text, start + utf8_length(&text[start..], column)))
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

fn unresolved(diagnostic: &BuildDiagnostic, place: Option<Place>) -> Problem {
    let specifier = diagnostic.exporter().unwrap_or_default();
    let importer = PathBuf::from(source::file_of(&diagnostic.id().unwrap_or_default()));
    if specifier.starts_with(['.', '/']) {
        return missing_file(&specifier, &importer, place);
    }
    if let Some(name) = specifier.strip_prefix("node:") {
        return Problem::at(place, format!("Node has no built-in module '{name}'"));
    }
    // What JSX becomes asks for a package without a place in the source.
    let asked_by = if place.is_none() { format!("; {} needs it", shown(&importer)) } else { String::new() };
    match package_name(&specifier) {
        None => Problem::at(place, format!("'{specifier}' cannot be found")),
        Some(package) => match installed(package, &importer) {
            Some(folder) => not_in_package(&specifier, package, &folder, place),
            None => Problem::at(place, format!("the package '{package}' is not installed{asked_by}"))
                .remedy(format!("run: npm install {package}")),
        },
    }
}

fn missing_file(specifier: &str, importer: &Path, place: Option<Place>) -> Problem {
    let wanted = importer.parent().unwrap_or(Path::new("/")).join(specifier);
    let text = if wanted.is_dir() {
        format!("'{specifier}' is a folder without an index.js")
    } else {
        format!("there is no file '{specifier}'")
    };
    Problem::at(place, text)
}

fn not_in_package(specifier: &str, package: &str, folder: &Path, place: Option<Place>) -> Problem {
    let folder = shown(folder);
    if specifier == package {
        let text = format!("the package '{package}' is installed in {folder}, but has no module for browsers");
        return Problem::at(place, text);
    }
    Problem::at(place, format!("the package '{package}' is installed in {folder}, but has no '{specifier}'"))
}
