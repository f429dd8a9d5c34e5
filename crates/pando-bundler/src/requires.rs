//! Handles `require` where it remains a function: `typeof require`, `var r = require`,
//! `require(name)`, `require.resolve`, and `require` of an optional package that is missing.
//!
//! rolldown leaves these uses unchanged, and browsers have no `require`. But old packages test
//! `typeof require`, and check whether an error has the code of a missing module. So they get a
//! stand-in, which throws the same error as Node.

use std::collections::BTreeSet;

use oxc::{
    ast::ast::{
        CallExpression, Expression, FunctionBody, IdentifierReference, MemberExpression, Program,
        TryStatement,
    },
    ast_visit::{Visit, VisitMut, walk},
    semantic::SemanticBuilder,
    span::GetSpan,
};
use rolldown_ecmascript::EcmaAst;

use crate::package::package_name;

/// The name of the stand-in, which rolldown injects.
pub(crate) const NAME: &str = "__pandoRequire";

/// The source of the stand-in.
pub(crate) const SOURCE: &str = "\
module.exports = function require (name) {
  var error = new Error(\"Cannot find module '\" + name + \"': it is not in the bundle\")
  error.code = 'MODULE_NOT_FOUND'
  throw error
}
module.exports.resolve = module.exports
";

/// A module in place of `name`, of an optional package which is not installed: it throws what Node
/// throws.
pub(crate) fn missing(name: &str) -> String {
    let package = package_name(name).unwrap_or(name);
    let message = format!(
        "Cannot find module '{name}': it is optional, and is not installed (npm install {package})"
    );
    let message = serde_json::Value::from(message);
    // `module` makes it CommonJS: whatever is imported from it.
    format!(
        "module.exports = {{}}; throw Object.assign(new Error({message}), {{ code: 'MODULE_NOT_FOUND' }})"
    )
}

/// Members of `require` that the bundler defines as something else.
const DEFINED: [&str; 3] = ["main", "cache", "extensions"];

/// The places where a module mentions `require`, as starts of spans.
#[derive(Debug, Default)]
pub(crate) struct RequireUses {
    /// The mentions that get the stand-in.
    at: BTreeSet<u32>,
    /// The calls that may fail, with their specifiers.
    pub(crate) optional: Vec<(u32, String)>,
    in_try: bool,
}

impl RequireUses {
    pub(crate) fn of(program: &Program<'_>) -> Self {
        let mut mentions = Self::default();
        mentions.visit_program(program);
        mentions
    }

    /// Notes that the module required at `start` is missing.
    pub(crate) fn note_missing(&mut self, start: u32) {
        self.at.insert(start);
    }

    /// Inserts the stand-in, except where the module itself declares `require`.
    pub(crate) fn replace(mut self, ast: &mut EcmaAst) {
        if self.at.is_empty() {
            return;
        }
        ast.program.with_mut(|fields| {
            self.keep_undeclared(fields.program);
            Rename(&self.at).visit_program(fields.program);
        });
    }

    fn keep_undeclared(&mut self, program: &Program<'_>) {
        let semantic = SemanticBuilder::new().with_build_nodes(true).build(program).semantic;
        let scoping = semantic.scoping();
        let references = scoping.root_unresolved_references().get("require").into_iter().flatten();
        let undeclared: BTreeSet<u32> = references
            .map(|&id| semantic.reference_span(scoping.get_reference(id)).start)
            .collect();
        self.at.retain(|start| undeclared.contains(start));
    }
}

impl<'a> Visit<'a> for RequireUses {
    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        let required = call.arguments.first().and_then(|argument| argument.as_expression());
        let Some(required) =
            required.filter(|required| call.callee.is_specific_id("require") && is_known(required))
        else {
            return walk::walk_call_expression(self, call);
        };
        if let (Expression::StringLiteral(text), true) = (required, self.in_try) {
            self.optional.push((call.callee.span().start, text.value.to_string()));
        }
        self.visit_arguments(&call.arguments);
    }

    fn visit_try_statement(&mut self, statement: &TryStatement<'a>) {
        let outside = std::mem::replace(&mut self.in_try, true);
        walk::walk_try_statement(self, statement);
        self.in_try = outside;
    }

    // A call inside a function is not optional, even if the function is inside `try`. rolldown has
    // the same rule.
    fn visit_function_body(&mut self, body: &FunctionBody<'a>) {
        let outside = std::mem::replace(&mut self.in_try, false);
        walk::walk_function_body(self, body);
        self.in_try = outside;
    }

    fn visit_member_expression(&mut self, member: &MemberExpression<'a>) {
        let defined = member.object().is_specific_id("require")
            && member.static_property_name().is_some_and(|name| DEFINED.contains(&name));
        if !defined {
            walk::walk_member_expression(self, member);
        }
    }

    fn visit_identifier_reference(&mut self, identifier: &IdentifierReference<'a>) {
        if identifier.name == "require" {
            self.at.insert(identifier.span.start);
        }
    }
}

/// Whether the bundler knows the specifier: a text, or a choice between two texts.
fn is_known(expression: &Expression<'_>) -> bool {
    match expression {
        Expression::StringLiteral(_) => true,
        Expression::TemplateLiteral(template) => template.expressions.is_empty(),
        Expression::ConditionalExpression(choice) => {
            is_known(&choice.consequent) && is_known(&choice.alternate)
        }
        _ => false,
    }
}

struct Rename<'m>(&'m BTreeSet<u32>);

impl<'a> VisitMut<'a> for Rename<'_> {
    fn visit_identifier_reference(&mut self, identifier: &mut IdentifierReference<'a>) {
        if self.0.contains(&identifier.span.start) {
            identifier.name = NAME.into();
        }
    }
}
