//! Imports of files that are not code.

use std::{fs, path::Path};

use crate::{error::Problem, location::Location};

/// Kinds of files accepted by other bundlers, but not by Pando's.
const KINDS: &[(&str, &[&str])] = &[
    ("WebAssembly", &["wasm"]),
    ("a stylesheet", &["css", "less", "sass", "scss"]),
    ("a page", &["htm", "html"]),
];

/// Whether a specifier names a native addon. An addon throws when it is loaded, because packages
/// try to load it and have an alternative.
pub(crate) fn is_addon(specifier: &str) -> bool {
    specifier.ends_with(".node")
}

pub(crate) fn is_foreign(specifier: &str) -> bool {
    is_address(specifier) || kind(specifier).is_some()
}

/// Why the file `importer` cannot import `specifier`.
pub(crate) fn refusal(specifier: &str, importer: &Path) -> Problem {
    let location = location_of(specifier, importer);
    if let (false, Some((file, query))) = (is_address(specifier), specifier.split_once('?')) {
        let text = format!("'{specifier}': Pando knows no '?{query}', which is of another bundler");
        return Problem::at(location, text).remedy(format!(
            "import '{file}': a .txt file gives its text, and others that are not code give their bytes"
        ));
    }
    match kind(specifier) {
        Some(kind) if !is_address(specifier) => {
            Problem::at(location, format!("'{specifier}' is {kind}, which is not bundled")).remedy(
                "put its contents into a .js, .json or .txt file, or give its folder to the run by --assets DIR, and read it in \
                 the function by context.asset or context.assetUrl",
            )
        }
        _ => Problem::at(
            location,
            format!("'{specifier}' is an address: only files and installed packages are bundled"),
        ),
    }
}

fn is_address(specifier: &str) -> bool {
    specifier.starts_with("http://") || specifier.starts_with("https://")
}

fn kind(specifier: &str) -> Option<&'static str> {
    let extension = Path::new(specifier).extension()?.to_str()?;
    KINDS.iter().find(|(_, extensions)| extensions.contains(&extension)).map(|(kind, _)| *kind)
}

/// The location of the specifier's text in the file.
fn location_of(specifier: &str, importer: &Path) -> Option<Location> {
    let source = fs::read_to_string(importer).ok()?;
    let offset = ['\'', '"', '`']
        .iter()
        .find_map(|quote| source.find(&format!("{quote}{specifier}{quote}")))?;
    Some(Location::at_offset(importer, &source, offset))
}
