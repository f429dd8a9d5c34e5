//! The meaning of a script: the same for scripts that differ only in white space, comments, names
//! of local variables, and names that the bundler made from names of files.

use oxc::{
    allocator::Allocator,
    codegen::{Codegen, CodegenOptions},
    mangler::{MangleOptions, MangleOptionsKeepNames, Mangler},
    parser::Parser,
    semantic::Scoping,
    span::SourceType,
    str::Ident,
};

/// The text of `code` without all this. Names that a program can read (of functions, classes and
/// properties) stay.
pub(crate) fn meaning(code: &str) -> String {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, code, SourceType::script()).parse();
    if parsed.panicked {
        return code.to_owned();
    }
    let options = MangleOptions {
        keep_names: MangleOptionsKeepNames::all_true(),
        ..MangleOptions::default()
    };
    let mut mangled = Mangler::new().with_options(options).build(&parsed.program);
    forget_files(&mut mangled.scoping);
    Codegen::new()
        .with_options(CodegenOptions::minify())
        .with_scoping(Some(mangled.scoping))
        .with_private_member_mappings(Some(mangled.class_private_mappings))
        .build(&parsed.program)
        .code
}

/// Gives the symbols that the bundler named after files names of their own. A default export
/// without a name is `STEM_default` in the bundle.
fn forget_files(scoping: &mut Scoping) {
    let is_of_file = |name: &str| {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let stem = stem.strip_suffix('$').unwrap_or(name);
        stem.ends_with("_default")
    };
    let ids: Vec<_> =
        scoping.symbol_ids().filter(|id| is_of_file(scoping.symbol_name(*id))).collect();
    for (number, id) in ids.into_iter().enumerate() {
        scoping.set_symbol_name(id, Ident::from(&*format!("default_{number}")));
    }
}
