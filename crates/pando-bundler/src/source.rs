//! How a module's source is read: whether it is TypeScript, an ES module or CommonJS, and strict.

use std::path::{Path, PathBuf};

use oxc::{
    allocator::Allocator,
    parser::{ParseOptions, Parser},
    semantic::SemanticBuilder,
    span::SourceType,
};

/// A mark for a module that is strict by itself; [`crate::strict`] turns the mark into a directive
/// again. rolldown drops the directives of the modules that it wraps.
pub(crate) const STRICT_MARK: &str = "__pandoStrict__()";

/// What to do about a source in another encoding.
pub(crate) const CONVERT: &str =
    "convert it, for example by: iconv -f UTF-16 -t UTF-8 (or -f LATIN1)";

/// The end of the id of a CommonJS file that only parses in sloppy mode. rolldown parses a file as
/// strict unless its id ends in `.cjs`.
const SLOPPY: &str = "?sloppy.cjs";

pub(crate) fn sloppy_id(path: &str) -> String {
    format!("{path}{SLOPPY}")
}

/// The replacement for `?` in the id of a file, because rolldown takes a `?` as the start of a
/// query.
const QUESTION_MARK: &str = "\u{f03f}";

/// The id of a file, in a form that rolldown accepts.
pub(crate) fn id_of(file: &Path) -> String {
    file.to_string_lossy().replace('?', QUESTION_MARK)
}

/// The file of an id.
pub(crate) fn file_of(id: &str) -> PathBuf {
    id.strip_suffix(SLOPPY).unwrap_or(id).replace(QUESTION_MARK, "?").into()
}

/// Whether the path of an id's file contains a `?`.
pub(crate) fn has_question_mark(id: &str) -> bool {
    id.contains(QUESTION_MARK)
}

pub(crate) fn is_sloppy(id: &str) -> bool {
    id.ends_with(SLOPPY)
}

/// The start of an id that belongs to no file. The usual `\0` is not used, because rolldown makes
/// no source map of such modules, and places in them would be attributed to the module before.
pub(crate) const OURS: &str = "pando:";

/// Whether an id belongs to no file, but to this plugin or to rolldown.
pub(crate) fn is_virtual(id: &str) -> bool {
    id.starts_with(OURS) || id.starts_with('\0')
}

/// Whether an id belongs to a file of a package or to no file: code that the user did not write.
pub(crate) fn is_foreign(id: &str) -> bool {
    id.contains("node_modules") || is_virtual(id)
}

pub(crate) fn is_typescript(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| ["ts", "tsx", "cts", "mts"].contains(&extension))
}

/// The same options that rolldown parses with.
pub(crate) fn parse_options() -> ParseOptions {
    ParseOptions {
        allow_return_outside_function: true,
        preserve_parens: false,
        ..ParseOptions::default()
    }
}

/// Whether a source that does not parse as strict code parses as sloppy CommonJS.
pub(crate) fn parses_sloppily(source: &str) -> bool {
    let allocator = Allocator::default();
    let parsed =
        Parser::new(&allocator, source, SourceType::cjs()).with_options(parse_options()).parse();
    !parsed.panicked
        && !parsed.diagnostics.has_errors()
        && !SemanticBuilder::new()
            .with_check_syntax_error(true)
            .build(&parsed.program)
            .diagnostics
            .has_errors()
}

/// The source without a byte-order mark before `#!`, because the parser accepts `#!` only at the
/// start.
pub(crate) fn from_hashbang(source: &str) -> &str {
    source.strip_prefix('\u{feff}').filter(|rest| rest.starts_with("#!")).unwrap_or(source)
}

/// The source of a module that is not an ES module, changed so that the module keeps its mode:
/// strict with the directive or as TypeScript, and CommonJS even without exports. `None` if no
/// change is needed.
pub(crate) fn keep_mode(file: &Path, source: &str, esm_package: bool) -> Option<String> {
    if is_typescript(file) {
        // Columns of a line appear in messages, so the mark goes to the end; it is moved later.
        return Some(format!("{source}\n{STRICT_MARK}"));
    }
    let strict = says_strict(source);
    let common_js =
        !esm_package && !["import", "export", "module"].iter().any(|word| source.contains(word));
    match (strict, common_js) {
        (true, false) => Some(format!("{source}\n{STRICT_MARK}")),
        (true, true) => Some(format!("{source}\n{STRICT_MARK};module.exports;")),
        (false, true) => Some(format!("{source}\nmodule.exports;")),
        (false, false) => None,
    }
}

/// Whether a source starts with the directive "use strict", after comments and other directives.
fn says_strict(source: &str) -> bool {
    let mut rest = skip_blanks(source);
    while let Some(quote) = rest.chars().next().filter(|c| ['\'', '"'].contains(c)) {
        let Some(end) = rest[1..].find(quote) else { return false };
        if &rest[1..=end] == "use strict" {
            return true;
        }
        rest = skip_blanks(rest[end + 2..].trim_start_matches([' ', ';']));
    }
    false
}

fn skip_blanks(source: &str) -> &str {
    let mut rest = source.trim_start_matches('\u{feff}').trim_start();
    loop {
        let after = if rest.starts_with("//") || rest.starts_with("#!") {
            rest.split_once('\n').map_or("", |(_, after)| after)
        } else if rest.starts_with("/*") {
            rest.split_once("*/").map_or("", |(_, after)| after)
        } else {
            return rest;
        };
        rest = after.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_directive() {
        assert!(says_strict("#!/usr/bin/node\n// a\n/* b */ 'use strict'\nx = 1"));
        assert!(says_strict("'other'; \"use strict\";"));
        assert!(!says_strict("x = 1; 'use strict'"));
        assert!(!says_strict(""));
        assert!(!says_strict("'"));
    }

    #[test]
    fn sloppy_code_parses_as_such_only() {
        assert!(parses_sloppily("with (a) { b = 010; delete b }"));
        assert!(!parses_sloppily("var = 1"));
        assert!(!parses_sloppily("import a from 'a'"));
    }

    #[test]
    fn common_js_stays_common_js() {
        let file = Path::new("a.js");
        assert_eq!(keep_mode(file, "x = 1", false).unwrap(), "x = 1\nmodule.exports;");
        assert_eq!(keep_mode(file, "x = 1", true), None);
        assert_eq!(keep_mode(file, "module.exports = 1", false), None);
    }
}
