//! What the bundler must know of `package.json` files and of packages' names.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;

/// The part of a `package.json` that matters here.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    browser: Vec<String>,
    /// Whether its `.js` files are ES modules.
    pub(crate) esm: bool,
    main: Option<String>,
    module: Option<String>,
}

impl Manifest {
    /// Whether the package says itself what `specifier` is in browsers.
    pub(crate) fn maps(&self, specifier: &str) -> bool {
        self.browser.iter().any(|mapped| mapped == specifier)
    }

    fn parse(text: &str) -> Self {
        let json: Value = serde_json::from_str(text).unwrap_or_default();
        let browser = json.get("browser").and_then(Value::as_object);
        let text_of = |field: &str| json.get(field).and_then(Value::as_str).map(str::to_owned);
        Self {
            browser: browser.map(|map| map.keys().cloned().collect()).unwrap_or_default(),
            esm: json.get("type").and_then(Value::as_str) == Some("module"),
            main: text_of("main"),
            module: text_of("module"),
        }
    }
}

/// The manifests that were read, by folder.
#[derive(Debug, Default)]
pub(crate) struct Manifests(Mutex<HashMap<PathBuf, Option<Arc<Manifest>>>>);

impl Manifests {
    /// The manifest of the package that `file` belongs to.
    pub(crate) fn of(&self, file: &Path) -> Option<Arc<Manifest>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.ancestors().skip(1).find_map(|folder| {
            if let Some(manifest) = known.get(folder) {
                return manifest.clone();
            }
            let text = fs::read_to_string(folder.join("package.json")).ok();
            let manifest = text.map(|text| Arc::new(Manifest::parse(&text)));
            known.insert(folder.to_owned(), manifest.clone());
            manifest
        })
    }

    /// What `require(specifier)` in `importer` is where rolldown has chosen a package's ES module `file`: `main`, as in Node, where
    /// `require` gives what was exported rather than an object with `default`.
    pub(crate) fn main_instead_of(&self, file: &Path, specifier: &str, importer: &Path) -> Option<PathBuf> {
        let folder = installed(specifier, importer)?;
        let manifest = self.of(&folder.join("package.json"))?;
        let (main, module) = (manifest.main.as_ref()?, manifest.module.as_ref()?);
        leads_to(&folder.join(module), file).then(|| folder.join(main))
    }
}

/// Whether `path` is `file`, with or without its ending.
fn leads_to(path: &Path, file: &Path) -> bool {
    let Ok(file) = file.canonicalize() else { return false };
    let paths = [path.to_owned(), path.with_added_extension("js"), path.with_added_extension("mjs"), path.join("index.js")];
    paths.iter().any(|path| path.canonicalize().is_ok_and(|path| path == file))
}

/// The package that a specifier names: `@scope/name` of `@scope/name/sub/path`. `None` when it
/// cannot be the name of a package.
pub(crate) fn package_name(specifier: &str) -> Option<&str> {
    let slashes = if specifier.starts_with('@') { 2 } else { 1 };
    let end = specifier.match_indices('/').nth(slashes - 1).map_or(specifier.len(), |(at, _)| at);
    let name = &specifier[..end];
    let plausible = !name.is_empty()
        && !name.starts_with(['.', '#'])
        && name.matches('/').count() == slashes - 1
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "@/._-~".contains(c));
    plausible.then_some(name)
}

/// Where `package`, or a folder in one, is installed, as the file `from` would find it.
pub(crate) fn installed(package: &str, from: &Path) -> Option<PathBuf> {
    let folders = from.ancestors().skip(1).map(|folder| folder.join("node_modules").join(package));
    folders.into_iter().find(|folder| folder.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_names() {
        assert_eq!(package_name("a"), Some("a"));
        assert_eq!(package_name("a/b/c.js"), Some("a"));
        assert_eq!(package_name("@s/a/b"), Some("@s/a"));
        assert_eq!(package_name("@s"), None);
        assert_eq!(package_name("#inner"), None);
        assert_eq!(package_name("data:text/plain,x"), None);
    }

    #[test]
    fn a_browser_field_that_is_a_path_maps_nothing() {
        assert!(!Manifest::parse(r#"{"browser": "b.js"}"#).maps("b.js"));
        assert!(Manifest::parse(r#"{"browser": {"fs": false}}"#).maps("fs"));
        assert!(Manifest::parse(r#"{"type": "module"}"#).esm);
    }
}
