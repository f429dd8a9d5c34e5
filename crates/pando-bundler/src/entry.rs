//! The user's file: opened, and checked for a function before the bundling starts.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::json;

use oxc::{
    allocator::Allocator,
    ast::ast::{
        ExportDefaultDeclarationKind, Expression, IdentifierReference, ModuleDeclaration,
        ModuleExportName, Program, Statement, ThisExpression,
    },
    ast_visit::Visit,
    parser::Parser,
    span::{GetSpan, SourceType},
};

use crate::{
    Options,
    error::Problem,
    inline,
    location::Location,
    package::Manifests,
    plugin::{ADAPTER, ASSETS},
    second::SecondArgument,
    source,
};

/// The name under which a module exports a function in callback style.
const CALLBACK_STYLE: &str = "/pando/1.0.0";

/// The members of the context that the adapter adds.
const ADDED: [&str; 5] = ["asset", "assetUrl", "device", "env", "name"];

/// The extensions of code.
pub(crate) const EXTENSIONS: &[&str] = &["js", "cjs", "mjs", "jsx", "ts", "cts", "mts", "tsx"];

/// Examples of modules with a function, for error messages.
pub const WHAT_TO_WRITE: &str = "write one of these:\n\
    \u{20} export default function (x) { return 'result of ' + x }\n\
    \u{20} module.exports = function (x, cb) { cb(null, 'result of ' + x) }\n\
    \u{20} module.exports['/pando/1.0.0'] = function (x, cb) { cb(null, 'result of ' + x) }";

/// The user's module.
#[derive(Debug)]
pub(crate) struct EntryModule {
    /// The absolute path, without symbolic links.
    pub(crate) path: PathBuf,
    /// Whether the module is an ES module or TypeScript.
    pub(crate) esm: bool,
    pub(crate) typescript: bool,
    /// Whether `import` gives the module's exports as they are.
    exports_names: bool,
    /// What the function does with its second argument.
    second: SecondArgument,
    /// Whether the source has the word `name`.
    mentions_name: bool,
}

impl EntryModule {
    /// Opens the file, and refuses a module that cannot have a usable function.
    pub(crate) fn open(path: &Path) -> Result<Self, Problem> {
        let source = read(path)?;
        // Files are named relative to the working directory.
        if let Err(error) = std::env::current_dir() {
            let problem = Problem::new(format!(
                "the working directory cannot be found, perhaps it was deleted: {error}"
            ));
            return Err(problem.remedy("go to one that exists: cd DIRECTORY"));
        }
        let path = absolute(path).map_err(|error| Problem::in_file(path, error))?;
        check_manifests(&inline::importer(&path))?;
        let typescript = source::is_typescript(&path);
        let source = source::from_hashbang(&source);
        let look = Look::at(&path, source);
        if let Some(look) = &look {
            look.refuse_unusable(&path, source)?;
        }
        // A module with syntax errors is refused later, with all errors.
        Ok(Self {
            typescript,
            esm: typescript || look.as_ref().is_some_and(|look| look.esm),
            exports_names: look.as_ref().is_some_and(|look| look.export_statements),
            second: match look.map_or(SecondArgument::Unknown, |look| look.second) {
                SecondArgument::Unknown if source.contains(CALLBACK_STYLE) => {
                    SecondArgument::Unused
                }
                second => second,
            },
            mentions_name: source.contains("name"),
            path,
        })
    }

    /// The folder from which imports are looked up.
    pub(crate) fn folder(&self) -> PathBuf {
        inline::importer(&self.path).parent().unwrap_or(Path::new("/")).to_owned()
    }

    /// The source of the first module in the bundle, which hands the exports to the runtime.
    pub(crate) fn starter(&self, options: &Options) -> String {
        let buffer = if options.buffer { ", Buffer: require('buffer').Buffer" } else { "" };
        let path = serde_json::Value::from(self.path.to_string_lossy());
        let esm = self.esm;
        let (import, exports) = match self.exports_names {
            true => (format!("import * as exported from {path};\n"), "exported".to_owned()),
            false => (String::new(), format!("require({path})")),
        };
        let exports = self.adapted(&exports, options);
        format!(
            "{import}globalThis.__pandoModule = {{ exports: {exports}, esm: {esm}{buffer} }};\n"
        )
    }

    /// Whether values need the names of their files.
    pub(crate) fn asks_for_names(&self, options: &Options) -> bool {
        options.files
            && match &self.second {
                SecondArgument::Unused => false,
                SecondArgument::Context(members) => members.contains("name"),
                SecondArgument::Callback { .. }
                | SecondArgument::Hidden
                | SecondArgument::Unknown => self.mentions_name,
            }
    }

    /// The expression `exports`, with the adapter around it if the function may need one.
    fn adapted(&self, exports: &str, options: &Options) -> String {
        let (callable, answers_later, returns) = match &self.second {
            SecondArgument::Unused => return exports.to_owned(),
            SecondArgument::Context(members)
                if !ADDED.iter().any(|name| members.contains(*name)) =>
            {
                return exports.to_owned();
            }
            SecondArgument::Context(_) => (false, Some(false), true),
            SecondArgument::Callback { returns } => (true, Some(true), *returns),
            SecondArgument::Hidden => (true, Some(false), true),
            SecondArgument::Unknown => (true, None, true),
        };
        let config = json!({
            "callable": callable,
            "answersLater": answers_later,
            "returns": returns,
            "env": options.env,
            "names": self.asks_for_names(options),
        });
        let assets = match options.assets {
            true => format!("require('{ASSETS}')"),
            false => "null".to_owned(),
        };
        format!(
            "require('{ADAPTER}').adapt({exports}, Object.assign({config}, {{ assets: {assets} }}))"
        )
    }
}

fn read(path: &Path) -> Result<String, Problem> {
    if path.is_dir() {
        let remedy = "name the file in it that has the function";
        return Err(Problem::in_file(path, "this is a folder, not a file").remedy(remedy));
    }
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => not_found(path),
        io::ErrorKind::PermissionDenied => {
            Problem::in_file(path, "no permission to read this file")
        }
        _ => Problem::in_file(path, format!("cannot read this file: {error}")),
    })?;
    let extension = path.extension().and_then(|extension| extension.to_str());
    if extension.is_some_and(|extension| !EXTENSIONS.contains(&extension)) {
        let message = "not a JavaScript or TypeScript file";
        return Err(Problem::in_file(path, message)
            .remedy(format!("its name must end in one of .{}", EXTENSIONS.join(" ."))));
    }
    String::from_utf8(bytes)
        .map_err(|_| Problem::in_file(path, "this file is not UTF-8 text").remedy(source::CONVERT))
}

/// Refuses a pipe or a device in the place of a `package.json` above `file`: it may have no end.
fn check_manifests(file: &Path) -> Result<(), Problem> {
    let is_special =
        |path: &PathBuf| fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir());
    let manifests = file.ancestors().skip(1).map(|folder| folder.join("package.json"));
    match manifests.into_iter().find(is_special) {
        Some(path) => Err(Problem::in_file(&path, "this is a pipe or a device, not a file")),
        None => Ok(()),
    }
}

fn not_found(path: &Path) -> Problem {
    let problem = Problem::in_file(path, "no such file");
    let with_extension = EXTENSIONS.iter().map(|extension| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{extension}"));
        PathBuf::from(name)
    });
    match with_extension.into_iter().find(|path| path.is_file()) {
        Some(near) => problem.remedy(format!("did you mean {}?", near.display())),
        None => problem,
    }
}

/// The path from which packages are looked up, with links resolved. Not on Windows, where few
/// programs accept the canonical form of a path.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    if cfg!(windows) { std::path::absolute(path) } else { fs::canonicalize(path) }
}

/// Facts about the source, found without running it.
struct Look {
    esm: bool,
    export_statements: bool,
    /// Whether one of the exports can be the function.
    exports_function: bool,
    /// The start of an export that cannot be called, and the reason.
    unusable: Option<(usize, &'static str)>,
    /// Whether the source mentions `module`, `exports` or `this`.
    common_js: bool,
    second: SecondArgument,
}

impl Look {
    /// Looks at a source; `None` if it does not parse.
    fn at(path: &Path, source: &str) -> Option<Self> {
        let kind = SourceType::from_path(path).unwrap_or(SourceType::mjs());
        [kind.with_module(true), kind.with_commonjs(true)].into_iter().find_map(|kind| {
            let allocator = Allocator::default();
            let parsed =
                Parser::new(&allocator, source, kind).with_options(source::parse_options()).parse();
            let ok = !parsed.panicked && !parsed.diagnostics.has_errors();
            ok.then(|| Self::of(&parsed.program, path))
        })
    }

    fn of(program: &Program<'_>, path: &Path) -> Self {
        let statements: Vec<_> =
            program.body.iter().filter_map(Statement::as_module_declaration).collect();
        let by_name = match path.extension().and_then(|extension| extension.to_str()) {
            Some("mjs" | "mts") => true,
            Some("js" | "jsx" | "ts" | "tsx") => {
                Manifests::default().of(path).is_some_and(|manifest| manifest.esm)
            }
            _ => false,
        };
        let classes: Vec<&str> = program.body.iter().filter_map(class_name).collect();
        let mut mentions = NameUses::default();
        mentions.visit_program(program);
        Self {
            esm: by_name || !statements.is_empty(),
            export_statements: statements.iter().any(|statement| statement.is_export()),
            exports_function: statements.iter().any(|statement| may_export_function(statement)),
            unusable: program.body.iter().find_map(|statement| unusable(statement, &classes)),
            common_js: mentions.found,
            second: SecondArgument::of(program),
        }
    }

    fn refuse_unusable(&self, path: &Path, source: &str) -> Result<(), Problem> {
        if let Some((offset, why)) = self.unusable {
            let location = Some(Location::at_offset(path, source, offset));
            let message = format!("no usable function: {why}");
            return Err(Problem::at(location, message).remedy(WHAT_TO_WRITE));
        }
        let reason = match (self.export_statements, self.exports_function, self.common_js) {
            (true, true, _) | (false, _, true) => return Ok(()),
            (true, false, _) => "no usable function: there is no default export",
            (false, ..) if source.trim().is_empty() => "no usable function: the file is empty",
            (false, ..) => "no usable function: nothing is exported",
        };
        Err(Problem::in_file(path, reason).remedy(WHAT_TO_WRITE))
    }
}

fn may_export_function(statement: &ModuleDeclaration<'_>) -> bool {
    let usable =
        |name: &ModuleExportName<'_>| ["default", CALLBACK_STYLE].contains(&name.name().as_str());
    match statement {
        ModuleDeclaration::ExportDefaultDeclaration(_)
        | ModuleDeclaration::TSExportAssignment(_) => true,
        ModuleDeclaration::ExportNamedDeclaration(named) => {
            named.specifiers.iter().any(|specifier| usable(&specifier.exported))
        }
        ModuleDeclaration::ExportFromDeclaration(from) => {
            from.specifiers.iter().any(|specifier| usable(&specifier.exported))
        }
        // `export *` may include the name of the callback style, but never `default`.
        ModuleDeclaration::ExportAllDeclaration(all) => all.exported.as_ref().is_none_or(usable),
        _ => false,
    }
}

/// The name of a class that a statement declares.
fn class_name<'a>(statement: &'a Statement<'_>) -> Option<&'a str> {
    match statement {
        Statement::ClassDeclaration(class) => Some(class.id.as_ref()?.name.as_str()),
        _ => None,
    }
}

/// Where a statement exports what cannot be called, and the reason. `classes`: the names of the
/// module's classes.
fn unusable(statement: &Statement<'_>, classes: &[&str]) -> Option<(usize, &'static str)> {
    const CLASS: &str = "the module exports a class, which cannot be called";
    const OTHER: &str = "the default export is not a function";
    let exported = |expression: &Expression<'_>| match expression.without_parentheses() {
        Expression::ClassExpression(_) => Some(CLASS),
        Expression::Identifier(name) if classes.contains(&name.name.as_str()) => Some(CLASS),
        literal if literal.is_literal() => Some(OTHER),
        _ => None,
    };
    let (start, why) = match statement {
        Statement::ExportDefaultDeclaration(default) => {
            let why = match &default.declaration {
                ExportDefaultDeclarationKind::ClassDeclaration(_) => CLASS,
                other => exported(other.as_expression()?)?,
            };
            (default.declaration.span().start, why)
        }
        Statement::ExportNamedDeclaration(named) => {
            let default = named.specifiers.iter().find(|specifier| {
                specifier.exported.name() == "default"
                    && classes.contains(&specifier.local.name().as_str())
            })?;
            (default.span.start, CLASS)
        }
        Statement::ExpressionStatement(statement) => {
            let Expression::AssignmentExpression(assignment) = &statement.expression else {
                return None;
            };
            let target = assignment.left.as_member_expression()?;
            let is_module = target.object().is_specific_id("module");
            let is_exports = is_module && target.static_property_name() == Some("exports");
            let why = exported(&assignment.right).filter(|why| is_exports && *why == CLASS)?;
            (assignment.right.span().start, why)
        }
        _ => return None,
    };
    Some((start as usize, why))
}

#[derive(Default)]
struct NameUses {
    found: bool,
}

impl<'a> Visit<'a> for NameUses {
    fn visit_identifier_reference(&mut self, identifier: &IdentifierReference<'a>) {
        self.found |= ["module", "exports"].contains(&identifier.name.as_str());
    }

    fn visit_this_expression(&mut self, _: &ThisExpression) {
        self.found = true;
    }
}
