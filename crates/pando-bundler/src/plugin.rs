//! The rolldown plugin that resolves and loads modules which are not plain files of the user.

mod findings;
mod sources;

pub(crate) use findings::Findings;

use std::{
    borrow::Cow,
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, atomic::Ordering},
};

use rolldown_common::{ExportsKind, ImportKind, ModuleInfo, ModuleType, NormalModule};
use rolldown_plugin::{
    HookLoadArgs, HookLoadOutput, HookLoadReturn, HookNoopReturn, HookResolveIdArgs,
    HookResolveIdOutput, HookResolveIdReturn, HookTransformArgs, HookTransformAstArgs,
    HookTransformAstReturn, HookTransformOutput, HookTransformOutputMap, HookTransformReturn,
    HookUsage, Plugin, PluginContext, PluginContextResolveOptions, SharedLoadPluginContext,
    SharedTransformPluginContext,
};

use crate::{
    Options,
    builtins::Builtin,
    bytes, decorators, env_vars,
    finder::{self, Finder},
    foreign, inline,
    location::{Location, shown},
    notes,
    package::package_name,
    requires, source,
};

/// The id of the first module in the bundle.
pub(crate) const STARTER: &str = "pando:starter";
/// The id of the module between the runtime and a function with a second argument.
pub(crate) const ADAPTER: &str = "pando:adapter";
/// The id of the module for assets.
pub(crate) const ASSETS: &str = "pando:assets";
const SHIM: &str = "pando:computing";
/// The id of an empty module; the name of a built-in may follow.
const EMPTY: &str = "pando:empty";
const ADDON: &str = "pando:addon";
/// The start of the id of an optional package that is not installed.
const MISSING: &str = "pando:missing/";
/// The start of the id of a module for `require` of a file of bytes; the file's id follows.
const REQUIRED_BYTES: &str = "pando:bytes/";
/// The id of the stand-in for `require`.
pub(crate) const REQUIRE: &str = "pando:require";
/// The start of the id of an embedded file.
pub(crate) const BUILTIN: &str = "pando:node/";

/// The package name under which a function finds the runtime.
const SHIM_NAME: &str = "pando-computing";

const SHIM_SOURCE: &str = "\
var host = globalThis.__pandoHost || {};
exports.version = host.version;
exports.report = function (info) { if (host.report) host.report(info); };
";

/// The id of a built-in's embedded file.
pub(crate) fn builtin_id(file: &str) -> String {
    format!("{BUILTIN}{file}")
}

/// The plugin for one run of rolldown.
pub(crate) struct PandoPlugin {
    pub(crate) starter: String,
    pub(crate) options: Options,
    /// Files that only parse in sloppy mode.
    pub(crate) sloppy: BTreeSet<PathBuf>,
    /// Browser files of packages without some of the names imported by other modules.
    pub(crate) lacking: BTreeSet<PathBuf>,
    pub(crate) finder: Arc<Finder>,
    pub(crate) seen: Arc<Findings>,
}

impl fmt::Debug for PandoPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PandoPlugin").finish_non_exhaustive()
    }
}

impl PandoPlugin {
    /// The id of a specifier, unless the specifier names a plain file.
    fn virtual_id(&self, specifier: &str, importer: Option<&str>) -> Option<String> {
        if specifier.starts_with(source::OURS) {
            return Some(specifier.to_owned());
        }
        if specifier == SHIM_NAME {
            return Some(SHIM.to_owned());
        }
        if foreign::is_addon(specifier) {
            return Some(ADDON.to_owned());
        }
        if let (Some(file), Some(true)) =
            (specifier.strip_prefix("./"), importer.map(|id| id.starts_with(BUILTIN)))
        {
            return Some(builtin_id(file));
        }
        let importer = &*source::file_of(importer.unwrap_or_default());
        if foreign::is_foreign(specifier) {
            self.refuse(specifier, importer);
            return Some(EMPTY.to_owned());
        }
        let importer = &*inline::importer(importer);
        if self.seen.manifests.of(importer).is_some_and(|manifest| manifest.maps(specifier)) {
            return None;
        }
        match Builtin::find(specifier, &self.options)? {
            Builtin::File(file) => Some(builtin_id(&file)),
            Builtin::Empty(name) => {
                let mut empty = self.seen.empty.lock().unwrap_or_else(PoisonError::into_inner);
                let id = format!("{EMPTY}/{name}");
                empty.insert((name, importer.to_owned()));
                Some(id)
            }
            Builtin::Unknown => None,
        }
    }

    fn refuse(&self, specifier: &str, importer: &Path) {
        let mut foreign = self.seen.foreign.lock().unwrap_or_else(PoisonError::into_inner);
        foreign.insert((specifier.to_owned(), importer.to_owned()));
    }

    /// What stands for a file that is not code, as a package's main file may be.
    fn instead_of(&self, file: &Path) -> Option<Cow<'_, str>> {
        let name = shown(file);
        if foreign::is_addon(&name) {
            return self.virtual_source(ADDON);
        }
        foreign::is_foreign(&name).then(|| {
            self.refuse(&name, file);
            "".into()
        })
    }

    /// Whether the package of `importer` declares the package that `specifier` names as optional.
    fn is_optional(&self, specifier: &str, importer: &Path) -> bool {
        package_name(specifier).is_some_and(|package| {
            self.seen.manifests.of(importer).is_some_and(|manifest| manifest.is_optional(package))
        })
    }

    /// The id of the file that rolldown's own resolution finds for a specifier.
    async fn resolve(
        &self,
        ctx: &PluginContext,
        specifier: &str,
        args: &HookResolveIdArgs<'_>,
        kind: ImportKind,
    ) -> anyhow::Result<Option<String>> {
        let importer = args.importer.unwrap_or_default();
        let file = inline::importer(&source::file_of(importer));
        if specifier.contains('?') || source::has_question_mark(importer) {
            let found = self.finder.find(&file, specifier, kind);
            if specifier.contains('?') && found.as_ref().is_some_and(|file| !finder::is_file(file))
            {
                self.refuse(specifier, &file);
                return Ok(Some(EMPTY.to_owned()));
            }
            return Ok(found.map(|file| source::id_of(&file)));
        }
        let as_if = source::id_of(&file);
        let importer = if is_inline(args.importer) { &*as_if } else { importer };
        let by = args.importer.map(|_| importer);
        let options = PluginContextResolveOptions {
            import_kind: kind,
            skip_self: true,
            ..Default::default()
        };
        let resolved = ctx.resolve(specifier, by, Some(options)).await?.ok();
        let id = resolved
            .filter(|resolved| !resolved.external.is_external())
            .map(|resolved| resolved.id.to_string());
        if id.as_ref().is_some_and(|id| self.lacking.contains(Path::new(id)))
            && let Some(file) = self.finder.find_elsewhere(Path::new(importer), specifier, kind)
        {
            return Ok(Some(source::id_of(&file)));
        }
        Ok(id)
    }
}

/// Whether the module of this id has a source from the command line or a pipe.
fn is_inline(id: Option<&str>) -> bool {
    id.is_some_and(|id| inline::inline_name(&source::file_of(id)).is_some())
}

impl Plugin for PandoPlugin {
    fn name(&self) -> Cow<'static, str> {
        "pando".into()
    }

    fn register_hook_usage(&self) -> HookUsage {
        HookUsage::ResolveId
            | HookUsage::Load
            | HookUsage::Transform
            | HookUsage::TransformAst
            | HookUsage::ModuleParsed
    }

    async fn resolve_id(
        &self,
        ctx: &PluginContext,
        args: &HookResolveIdArgs<'_>,
    ) -> HookResolveIdReturn {
        if let Some(id) = self.virtual_id(args.specifier, args.importer) {
            return Ok(Some(HookResolveIdOutput::from_id(id)));
        }
        if args.importer.is_some_and(|importer| importer.starts_with(REQUIRED_BYTES)) {
            return Ok(Some(HookResolveIdOutput::from_id(args.specifier.to_owned())));
        }
        let importer = inline::importer(&source::file_of(args.importer.unwrap_or_default()));
        if !self.options.page
            && let Some(file) = self.seen.manifests.form_without_document(args.specifier, &importer)
        {
            return Ok(Some(HookResolveIdOutput::from_id(source::id_of(&file))));
        }
        let of_package = args.kind == ImportKind::Require && package_name(args.specifier).is_some();
        let optional = self.is_optional(args.specifier, &importer);
        let queried =
            args.specifier.contains('?') || args.importer.is_some_and(source::has_question_mark);
        let may_be_bytes = bytes::may_name_bytes(args.specifier);
        let inline = is_inline(args.importer);
        let special = of_package || optional || queried || may_be_bytes || inline;
        if !special && self.sloppy.is_empty() && self.lacking.is_empty() {
            return Ok(None);
        }
        let mut found = self.resolve(ctx, args.specifier, args, args.kind).await?;
        // `require` also gives a package that is only for `import`.
        let is_for_import = found.is_none() && of_package;
        if is_for_import {
            found = self.resolve(ctx, args.specifier, args, ImportKind::Import).await?;
        }
        let Some(found) = found else {
            return Ok(optional
                .then(|| HookResolveIdOutput::from_id(format!("{MISSING}{}", args.specifier))));
        };
        let file = source::file_of(&found);
        let main = of_package
            .then(|| self.seen.manifests.main_instead_of(&file, args.specifier, &importer))
            .flatten();
        let main = match main {
            Some(main) => self.resolve(ctx, &main.to_string_lossy(), args, args.kind).await?,
            None => None,
        };
        let changed =
            queried || inline || is_for_import || main.is_some() || !self.lacking.is_empty();
        let id = main.unwrap_or(found);
        if args.kind == ImportKind::Require && bytes::is_bytes(&id) {
            return Ok(Some(HookResolveIdOutput::from_id(format!("{REQUIRED_BYTES}{id}"))));
        }
        let sloppy = self.sloppy.contains(&source::file_of(&id));
        let id = if sloppy { Some(source::sloppy_id(&id)) } else { changed.then_some(id) };
        Ok(id.map(HookResolveIdOutput::from_id))
    }

    async fn load(&self, _: SharedLoadPluginContext, args: &HookLoadArgs<'_>) -> HookLoadReturn {
        let file = || finder::read(&source::file_of(args.id));
        let instead =
            self.virtual_source(args.id).or_else(|| self.instead_of(&source::file_of(args.id)));
        let (code, module_type) = match instead {
            Some(code) => (code.into_owned(), Some(ModuleType::Js)),
            None if bytes::is_bytes(args.id) => (self.bytes(args.id)?, Some(ModuleType::Js)),
            None if source::is_sloppy(args.id) => (file()?, Some(ModuleType::Js)),
            // The kind of module follows from the file's extension.
            None if source::has_question_mark(args.id) => (file()?, None),
            None => return Ok(None),
        };
        Ok(Some(HookLoadOutput { code: code.into(), module_type, ..Default::default() }))
    }

    async fn transform(
        &self,
        _: SharedTransformPluginContext,
        args: &HookTransformArgs<'_>,
    ) -> HookTransformReturn {
        if matches!(args.module_type, ModuleType::Json) {
            let code = Some(self.json(args.id, args.code));
            return Ok(Some(HookTransformOutput {
                code,
                map: HookTransformOutputMap::Null,
                ..Default::default()
            }));
        }
        let script = matches!(
            args.module_type,
            ModuleType::Js | ModuleType::Jsx | ModuleType::Ts | ModuleType::Tsx
        );
        if source::is_virtual(args.id) || !script || bytes::is_bytes(args.id) {
            return Ok(None);
        }
        let file = source::file_of(args.id);
        let is_module = file.extension().is_some_and(|extension| extension == "mjs");
        let esm = is_module || self.seen.manifests.of(&file).is_some_and(|manifest| manifest.esm);
        let plain = source::from_hashbang(args.code);
        let code = source::keep_mode(&file, plain, esm)
            .or_else(|| (plain.len() < args.code.len()).then(|| plain.to_owned()));
        if code.as_ref().is_some_and(|code| code.contains(source::STRICT_MARK)) {
            self.seen.strict.store(true, Ordering::Relaxed);
        }
        // No change moves a place in the source.
        Ok(code.map(|code| HookTransformOutput {
            code: Some(code),
            map: HookTransformOutputMap::Null,
            ..Default::default()
        }))
    }

    async fn transform_ast(
        &self,
        ctx: &PluginContext,
        mut args: HookTransformAstArgs<'_>,
    ) -> HookTransformAstReturn {
        let script = !matches!(args.module_type, ModuleType::Json);
        if script && !source::is_foreign(args.id) {
            let file = &*source::file_of(args.id);
            let found = notes::of(args.ast.program(), file, args.ast.source());
            self.seen.notes.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
            let read = env_vars::read(args.ast.program(), file, args.ast.source());
            self.seen.environment.lock().unwrap_or_else(PoisonError::into_inner).extend(read);
        }
        if script && !source::is_virtual(args.id) {
            if let Some(start) = decorators::first(args.ast.program()) {
                let file = source::file_of(args.id);
                // What was appended to it is not to be seen.
                let location = Location::at_offset(&file, &finder::read(&file)?, start as usize);
                self.seen
                    .decorated
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert(location);
            }
            self.seen
                .missing
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .add(args.ast.program(), &self.options);
            let mut mentions = requires::RequireUses::of(args.ast.program());
            for (start, specifier) in std::mem::take(&mut mentions.optional) {
                let options = PluginContextResolveOptions {
                    import_kind: ImportKind::Require,
                    skip_self: true,
                    ..Default::default()
                };
                let ours = self.virtual_id(&specifier, Some(args.id)).is_some();
                let importer = source::id_of(&inline::importer(&source::file_of(args.id)));
                let importer = if is_inline(Some(args.id)) { &*importer } else { args.id };
                if !ours && ctx.resolve(&specifier, Some(importer), Some(options)).await?.is_err() {
                    mentions.note_missing(start);
                }
            }
            mentions.replace(&mut args.ast);
        }
        Ok(args.ast)
    }

    async fn module_parsed(
        &self,
        _: &PluginContext,
        info: Arc<ModuleInfo>,
        _: &NormalModule,
    ) -> HookNoopReturn {
        if !source::is_virtual(info.id.as_str()) && matches!(info.input_format, ExportsKind::Esm) {
            self.seen.strict.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}
