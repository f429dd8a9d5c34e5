//! Reads `package.json` files and the names of packages.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;

use crate::finder;

/// The part of a `package.json` that matters here.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    folder: PathBuf,
    browser: Vec<String>,
    /// Files that React Native uses unchanged, although browsers get other files instead.
    native: Vec<String>,
    /// Whether the package's `.js` files are ES modules.
    pub(crate) esm: bool,
    main: Option<String>,
    module: Option<String>,
    /// Optional packages, which may be missing.
    optional: Vec<String>,
}

impl Manifest {
    /// Whether the package itself maps `specifier` for browsers.
    pub(crate) fn maps(&self, specifier: &str) -> bool {
        self.browser.iter().any(|mapped| mapped == specifier)
    }

    /// Whether the package declares `package` as optional.
    pub(crate) fn is_optional(&self, package: &str) -> bool {
        self.optional.iter().any(|optional| optional == package)
    }

    fn parse(text: &str) -> Self {
        let json: Value =
            serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
        let map_of = |field: &str| json.get(field).and_then(Value::as_object);
        let browser = map_of("browser");
        let native = map_of("react-native")
            .into_iter()
            .flatten()
            .filter(|(file, form)| form.as_str() == Some(file.as_str()));
        let peers = map_of("peerDependenciesMeta")
            .into_iter()
            .flatten()
            .filter(|(_, meta)| meta["optional"] == true);
        let optional = peers.chain(map_of("optionalDependencies").into_iter().flatten());
        let text_of = |field: &str| json.get(field).and_then(Value::as_str).map(str::to_owned);
        Self {
            folder: PathBuf::new(),
            browser: browser.map(|map| map.keys().cloned().collect()).unwrap_or_default(),
            native: native.map(|(file, _)| file.clone()).collect(),
            esm: json.get("type").and_then(Value::as_str) == Some("module"),
            main: text_of("main"),
            module: text_of("module"),
            optional: optional.map(|(name, _)| name.clone()).collect(),
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
            let text = finder::read(&folder.join("package.json")).ok();
            let manifest = text.map(|text| {
                Arc::new(Manifest { folder: folder.to_owned(), ..Manifest::parse(&text) })
            });
            known.insert(folder.to_owned(), manifest.clone());
            manifest
        })
    }

    /// The file that `specifier` names in `importer`, if its package replaces the file for
    /// browsers but keeps it for React Native, which has no document either. Packages used this
    /// form before the condition `worker` existed.
    pub(crate) fn form_without_document(
        &self,
        specifier: &str,
        importer: &Path,
    ) -> Option<PathBuf> {
        let manifest = self
            .of(importer)
            .filter(|manifest| !manifest.native.is_empty() && specifier.starts_with('.'))?;
        let named = importer.parent()?.join(specifier);
        let files = manifest
            .native
            .iter()
            .filter(|file| manifest.maps(file))
            .map(|file| manifest.folder.join(file));
        files
            .into_iter()
            .find(|file| leads_to(&named, file))
            .and_then(|file| file.canonicalize().ok())
    }

    /// The file that `require(specifier)` in `importer` gives in Node (`main`), if rolldown has
    /// chosen the package's ES module `file` instead. In Node, `require` gives the exported value
    /// itself, not an object with `default`.
    pub(crate) fn main_instead_of(
        &self,
        file: &Path,
        specifier: &str,
        importer: &Path,
    ) -> Option<PathBuf> {
        let folder = installed(specifier, importer)?;
        let manifest = self.of(&folder.join("package.json"))?;
        let (main, module) = (manifest.main.as_ref()?, manifest.module.as_ref()?);
        leads_to(&folder.join(module), file).then(|| folder.join(main))
    }
}

/// Whether `path` is `file`, with or without its extension.
fn leads_to(path: &Path, file: &Path) -> bool {
    let Ok(file) = file.canonicalize() else { return false };
    let paths = [
        path.to_owned(),
        path.with_added_extension("js"),
        path.with_added_extension("mjs"),
        path.join("index.js"),
    ];
    paths.iter().any(|path| path.canonicalize().is_ok_and(|path| path == file))
}

/// The package that a specifier names: `@scope/name` of `@scope/name/sub/path`. `None` if this
/// cannot be the name of a package.
pub(crate) fn package_name(specifier: &str) -> Option<&str> {
    let slashes = if specifier.starts_with('@') { 2 } else { 1 };
    let end = specifier.match_indices('/').nth(slashes - 1).map_or(specifier.len(), |(at, _)| at);
    let name = &specifier[..end];
    let plausible = !name.is_empty()
        && !name.starts_with(['.', '#', '~'])
        && !name.starts_with("@/")
        && name.matches('/').count() == slashes - 1
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "@/._-~".contains(c));
    plausible.then_some(name)
}

/// The folder in which `package`, or a folder of a package, is installed, as seen from the file
/// `from`.
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
        assert_eq!((package_name("~/a"), package_name("@/a")), (None, None));
        assert_eq!(package_name("#inner"), None);
        assert_eq!(package_name("data:text/plain,x"), None);
    }

    #[test]
    fn a_browser_field_that_is_a_path_maps_nothing() {
        assert!(!Manifest::parse(r#"{"browser": "b.js"}"#).maps("b.js"));
        assert!(Manifest::parse(r#"{"browser": {"fs": false}}"#).maps("fs"));
        assert!(Manifest::parse("\u{feff}{\"type\": \"module\"}").esm);
    }

    #[test]
    fn packages_may_be_optional() {
        let manifest = Manifest::parse(
            r#"{"peerDependenciesMeta": {"a": {"optional": true}, "b": {"optional": false}}, "optionalDependencies": {"c": "1"}}"#,
        );
        assert_eq!(
            ["a", "b", "c", "d"].map(|name| manifest.is_optional(name)),
            [true, false, true, false]
        );
    }
}
