//! Functions that come from no file of the user: from the command line, or from a pipe.
//!
//! The bundler reads such a source from a temporary file, whose name has a mark. Its imports are
//! looked up in the working directory. Between the first and the last line, which are Pando's,
//! stands the source as the user wrote it; so messages count its lines without the first.

use std::{
    env,
    path::{Path, PathBuf},
};

use oxc::{
    allocator::Allocator,
    ast::ast::{Expression, Statement},
    parser::Parser,
    span::SourceType,
};

/// The start of the name of a file with such a source.
const MARK: char = '\u{f03e}';
/// The replacement for `/` in the name that people see.
const SLASH: char = '\u{f02f}';
const EXTENSION: &str = ".js";

/// The words of a module that exports something.
const EXPORTS: [&str; 2] = ["export", "module"];

/// The name of the file for a source that people know as `name`, such as `-e`.
pub fn inline_file(name: &str) -> String {
    format!("{MARK}{}{EXTENSION}", name.replace('/', &SLASH.to_string()))
}

/// The content of the file for a source: a module, or an expression whose value is the function.
pub fn inline_module(text: &str) -> String {
    // The first line of a program for Unix names its interpreter.
    let text = match text.strip_prefix("#!") {
        Some(rest) => format!("//{rest}"),
        None => text.to_owned(),
    };
    let exports = EXPORTS.iter().any(|word| text.contains(word));
    if exports && !is_plain_expression(&text) {
        format!("\n{text}\n")
    } else {
        format!("export default (\n{text}\n)")
    }
}

/// The name of the function in the file `path`, for people.
pub fn name_of(path: &Path) -> String {
    inline_name(path).unwrap_or_else(|| path.display().to_string())
}

/// Whether the file `path` has a source of this kind.
pub fn is_inline(path: &Path) -> bool {
    inline_name(path).is_some()
}

/// The name that people know, if the file `path` has a source of this kind.
pub(crate) fn inline_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.strip_prefix(MARK)?;
    Some(name.trim_end_matches(EXTENSION).replace(SLASH, "/"))
}

/// The source of the file `path`, as the user wrote it, and the length of what stands before.
pub(crate) fn as_written<'a>(path: &Path, source: &'a str) -> (&'a str, usize) {
    if inline_name(path).is_none() {
        return (source, 0);
    }
    let start = source.find('\n').map_or(0, |at| at + 1);
    let end = source.rfind('\n').map_or(source.len(), |at| at.max(start));
    (&source[start..end], start)
}

/// The file from which the imports of the file `path` are looked up.
pub(crate) fn importer(path: &Path) -> PathBuf {
    match (inline_name(path), env::current_dir()) {
        (Some(_), Ok(folder)) => folder.join("index.js"),
        _ => path.to_owned(),
    }
}

/// Whether the text is one expression, and not an assignment such as `module.exports = …`.
fn is_plain_expression(text: &str) -> bool {
    let allocator = Allocator::default();
    let text = format!("(\n{text}\n)");
    let parsed = Parser::new(&allocator, &text, SourceType::mjs()).parse();
    let [Statement::ExpressionStatement(statement)] = &parsed.program.body[..] else {
        return false;
    };
    let value = statement.expression.get_inner_expression();
    !parsed.panicked
        && !parsed.diagnostics.has_errors()
        && !matches!(value, Expression::AssignmentExpression(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_becomes_a_default_export_and_a_module_stays() {
        for text in
            ["x => x * 2", "function (x) { return x }", "async x => module(x)", "require('a')"]
        {
            assert_eq!(inline_module(text), format!("export default (\n{text}\n)"), "{text}");
        }
        for text in ["module.exports = x => x", "import a from 'a'; export default a"] {
            assert_eq!(inline_module(text), format!("\n{text}\n"), "{text}");
        }
        assert_eq!(inline_module("#!/a\nmodule.exports = 1"), "\n///a\nmodule.exports = 1\n");
    }

    #[test]
    fn names_are_those_that_people_know() {
        let path = Path::new("/tmp").join(inline_file("/dev/fd/63"));
        assert_eq!(name_of(&path), "/dev/fd/63");
        assert_eq!(name_of(Path::new("a/f.js")), "a/f.js");
        assert_eq!(as_written(&path, "export default (\nx\n)"), ("x", 17));
    }
}
