//! Warns of code in the user's own files that can be bundled but will not work.

use std::path::Path;

use oxc::{
    ast::ast::{Argument, CallExpression, Expression, ImportExpression, NewExpression, Program},
    ast_visit::{Visit, walk},
    span::Span,
};

use crate::location::Location;

const REQUIRE: &str =
    "a `require` with a computed name cannot be bundled: it throws when it is called";
const IMPORT: &str =
    "an `import()` with a computed name cannot be bundled: it fails when it is called";
const WORKER: &str = "the script of a `new Worker` is not bundled; the function already runs on every core that is lent";
const URL: &str = "`new URL(…, import.meta.url)` leads to no file, because files beside the function are not bundled: import the file, \
     which gives its bytes, or give its folder by --assets DIR, and use context.assetUrl";
const BINDING: &str = "`process.binding` does not exist outside Node: it throws when it is called";

/// The warnings about the file `file`.
pub(crate) fn of(program: &Program<'_>, file: &Path, source: &str) -> Vec<String> {
    let mut notes = Notes::default();
    notes.visit_program(program);
    let shown = notes.0.iter().map(|(span, text)| {
        format!("{}: {text}", Location::at_offset(file, source, span.start as usize))
    });
    shown.collect()
}

#[derive(Default)]
struct Notes(Vec<(Span, &'static str)>);

impl<'a> Visit<'a> for Notes {
    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        if call.callee.is_specific_id("require")
            && call.arguments.first().is_some_and(|argument| !is_text(argument.as_expression()))
        {
            self.0.push((call.span, REQUIRE));
        }
        if call.callee.is_specific_member_access("process", "binding") {
            self.0.push((call.span, BINDING));
        }
        walk::walk_call_expression(self, call);
    }

    fn visit_import_expression(&mut self, import: &ImportExpression<'a>) {
        if !is_text(Some(&import.source)) {
            self.0.push((import.span, IMPORT));
        }
        walk::walk_import_expression(self, import);
    }

    fn visit_new_expression(&mut self, new: &NewExpression<'a>) {
        if new.callee.is_specific_id("Worker") || new.callee.is_specific_id("SharedWorker") {
            return self.0.push((new.span, WORKER));
        }
        if new.callee.is_specific_id("URL") && is_file_beside(&new.arguments) {
            self.0.push((new.span, URL));
        }
        walk::walk_new_expression(self, new);
    }
}

/// Whether the arguments of `new URL` name a file beside the module.
fn is_file_beside(arguments: &[Argument<'_>]) -> bool {
    let [path, base] = arguments else { return false };
    let of_module = |base: &Expression<'_>| {
        base.as_member_expression().is_some_and(|member| {
            matches!(member.object(), Expression::ImportMeta(_))
                && member.static_property_name() == Some("url")
        })
    };
    let is_relative = match path.as_expression() {
        Some(Expression::StringLiteral(path)) => path.value.starts_with('.'),
        _ => false,
    };
    is_relative && base.as_expression().is_some_and(of_module)
}

fn is_text(expression: Option<&Expression<'_>>) -> bool {
    match expression {
        Some(Expression::StringLiteral(_)) => true,
        Some(Expression::TemplateLiteral(template)) => template.expressions.is_empty(),
        _ => false,
    }
}
