//! Finds the file of a specifier as rolldown does, where rolldown's own answer is not enough: the
//! reason of a failure, and paths with a `?`.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use oxc_resolver::FileSystem as _;
use rolldown::{Platform, ResolveOptions, TsConfig};
use rolldown_common::ImportKind;
use rolldown_fs::OsFileSystem;
use rolldown_resolver::{ResolveError, Resolver};

/// The platform of the bundle.
pub(crate) const PLATFORM: Platform = Platform::Browser;

/// Finds files of specifiers; see the module.
pub(crate) struct Finder {
    resolver: Resolver,
    /// The resolver for platforms other than browsers.
    elsewhere: Resolver,
    /// The options that rolldown also gets.
    pub(crate) options: ResolveOptions,
    /// Whether a `tsconfig.json` next to a file, or above it, affects specifiers.
    pub(crate) reads_tsconfig: bool,
}

impl Finder {
    /// A finder for modules below `folder`, which is absolute. `page`: whether the modules have a
    /// document.
    pub(crate) fn new(folder: &Path, page: bool, reads_tsconfig: bool) -> Self {
        // The condition `worker` selects the form of a package without a document.
        let conditions = if page { Vec::new() } else { vec!["worker".to_owned()] };
        let yarn_pnp = plug_n_play(folder).is_some();
        let options = ResolveOptions {
            condition_names: Some(conditions),
            yarn_pnp: Some(yarn_pnp),
            ..ResolveOptions::default()
        };
        let resolver = |platform, options| {
            let files = OsFileSystem::new(yarn_pnp);
            Resolver::new(
                files,
                folder.to_owned(),
                platform,
                &TsConfig::Auto(reads_tsconfig),
                options,
            )
        };
        let fields = ["module", "main"].map(str::to_owned);
        let elsewhere = resolver(
            Platform::Neutral,
            ResolveOptions { main_fields: Some(fields.into()), ..options.clone() },
        );
        Self { resolver: resolver(PLATFORM, options.clone()), elsewhere, options, reads_tsconfig }
    }

    /// The file that `specifier` names in the file `importer`; a `?` in the specifier is part of a
    /// file name.
    pub(crate) fn find(
        &self,
        importer: &Path,
        specifier: &str,
        kind: ImportKind,
    ) -> Option<PathBuf> {
        let file = importer.parent().unwrap_or(Path::new("/")).join(specifier);
        if specifier.starts_with(['.', '/']) && file.is_file() {
            return Some(file.canonicalize().unwrap_or(file));
        }
        let found = self.resolver.resolve(Some(importer), specifier, kind, false).ok()?;
        Some(found.path.as_str().into())
    }

    /// The file that `specifier` names in the file `importer` on platforms other than browsers.
    pub(crate) fn find_elsewhere(
        &self,
        importer: &Path,
        specifier: &str,
        kind: ImportKind,
    ) -> Option<PathBuf> {
        let found = self.elsewhere.resolve(Some(importer), specifier, kind, false).ok()?;
        Some(found.path.as_str().into())
    }

    /// Why `specifier` is not found in the file `importer`; `None` if it is found.
    pub(crate) fn why_not(&self, importer: &Path, specifier: &str) -> Option<ResolveError> {
        self.resolver.resolve(Some(importer), specifier, ImportKind::Import, false).err()
    }
}

impl fmt::Debug for Finder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finder")
            .field("reads_tsconfig", &self.reads_tsconfig)
            .finish_non_exhaustive()
    }
}

static FILES: LazyLock<OsFileSystem> = LazyLock::new(|| OsFileSystem::new(true));

/// The text of a file, even of a file in an archive of Yarn Plug'n'Play.
pub(crate) fn read(file: &Path) -> io::Result<String> {
    // A pipe or a device may have no end.
    if !is_file(file) {
        return Err(io::ErrorKind::NotFound.into());
    }
    FILES.read_to_string(file)
}

/// Whether there is a file, perhaps in an archive of Yarn Plug'n'Play.
pub(crate) fn is_file(file: &Path) -> bool {
    FILES.metadata(file).is_ok_and(|about| about.is_file())
}

/// The bytes of a file, even of a file in an archive of Yarn Plug'n'Play.
pub(crate) fn read_bytes(file: &Path) -> io::Result<Vec<u8>> {
    FILES.read(file)
}

/// The file in which Yarn Plug'n'Play describes the packages of `folder`, if there is any.
fn plug_n_play(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(".pnp.cjs")).find(|file| file.is_file())
}
