//! Makes ES modules and TypeScript strict again, in a script that is not strict.
//!
//! The bundle is one sloppy function, because old CommonJS code fails in strict mode. rolldown
//! wraps each CommonJS module in its own function and joins all ES modules. So the statements of
//! the one function are sorted: the wrappers stay in place, and the other statements, the *rest*,
//! go into an inner, strict function:
//!
//! ```js
//! (function () {
//!   var shared                        // declared by the rest, used in wrappers
//!   var require_a = wrap(function (exports, module) { … })
//!   (function () { "use strict"; shared = …; the rest })();
//! })();
//! ```
//!
//! A wrapper runs only when the rest calls it, so the order of execution stays the same.

use std::collections::{BTreeMap, BTreeSet};

use oxc::{
    allocator::Allocator,
    ast::ast::{
        Expression, Function, Program, Statement, VariableDeclaration, VariableDeclarationKind,
    },
    parser::Parser,
    semantic::{Semantic, SemanticBuilder},
    span::{GetSpan, SourceType, Span},
};

use crate::{
    origins::Rearranged,
    source::{STRICT_MARK, parse_options},
};

/// The name of rolldown's function that wraps a CommonJS module.
const WRAP: &str = "__commonJSMin";

/// The bundle `code` with strict ES modules; `None` if the bundle does not have the expected form.
pub(crate) fn restore(code: &str) -> Option<Rearranged> {
    let allocator = Allocator::default();
    let parsed =
        Parser::new(&allocator, code, SourceType::script()).with_options(parse_options()).parse();
    if parsed.panicked {
        return None;
    }
    let semantic = SemanticBuilder::new().with_build_nodes(true).build(&parsed.program).semantic;
    let function = whole_function(&parsed.program)?;
    let mut sorted = Sorted::new(code, function)?;
    sorted.keep_together(&uses(&sorted, function, &semantic));
    Some(sorted.render())
}

/// The function of `(function () { … })()`.
fn whole_function<'a>(program: &'a Program<'a>) -> Option<&'a Function<'a>> {
    let [Statement::ExpressionStatement(statement)] = program.body.as_slice() else { return None };
    let Expression::CallExpression(call) = &statement.expression else { return None };
    let Expression::FunctionExpression(function) = &call.callee else { return None };
    Some(function)
}

struct Sorted<'a> {
    code: &'a str,
    body: Span,
    statements: Vec<Sortable<'a>>,
    /// Names that the rest declares with `var` and wrappers use.
    shared: BTreeSet<&'a str>,
}

struct Sortable<'a> {
    span: Span,
    /// Whether the statement stays in the sloppy function: a wrapper, or the function that makes
    /// wrappers.
    outside: bool,
    /// The declaration, for `var a = …, b`, whose names can be declared elsewhere.
    variables: Option<&'a VariableDeclaration<'a>>,
}

/// The statements that use a name of another statement, by the index of the declaring statement.
type StrictUses<'a> = BTreeMap<usize, Vec<(usize, &'a str)>>;

fn uses<'a>(
    sorted: &Sorted<'a>,
    function: &'a Function<'a>,
    semantic: &'a Semantic<'a>,
) -> StrictUses<'a> {
    let scoping = semantic.scoping();
    let mut uses = StrictUses::new();
    for &symbol in scoping.get_bindings(function.scope_id()).values() {
        let Some(declared) = sorted.index_at(scoping.symbol_span(symbol)) else { continue };
        let references = scoping
            .get_resolved_references(symbol)
            .map(|reference| semantic.reference_span(reference));
        let users =
            references.filter_map(|span| sorted.index_at(span)).filter(|&by| by != declared);
        let users: Vec<_> = users.map(|by| (by, scoping.symbol_name(symbol))).collect();
        uses.entry(declared).or_default().extend(users);
    }
    uses
}

impl<'a> Sorted<'a> {
    fn new(code: &'a str, function: &'a Function<'a>) -> Option<Self> {
        let body = function.body.as_ref()?;
        let statements = body.statements.iter().map(|statement| {
            let variables = simple_variables(statement);
            Sortable {
                span: statement.span(),
                outside: variables.is_some_and(is_wrapper),
                variables,
            }
        });
        Some(Self {
            code,
            body: body.span,
            statements: statements.collect(),
            shared: BTreeSet::new(),
        })
    }

    fn index_at(&self, span: Span) -> Option<usize> {
        let index = self.statements.partition_point(|statement| statement.span.end <= span.start);
        self.statements
            .get(index)
            .filter(|statement| statement.span.start <= span.start)
            .map(|_| index)
    }

    /// Finds the names of the rest that wrappers use. A wrapper that uses a name which cannot be
    /// declared elsewhere (of a class, for example) contains an `import`, and is moved to the
    /// rest.
    fn keep_together(&mut self, uses: &StrictUses<'a>) {
        loop {
            let fixed = uses.iter().filter(|&(&declared, _)| self.is_fixed(declared));
            let users = fixed.flat_map(|(_, users)| users).map(|&(by, _)| by);
            let misplaced: Vec<usize> = users.filter(|&by| self.statements[by].outside).collect();
            if misplaced.is_empty() {
                break;
            }
            for index in misplaced {
                self.statements[index].outside = false;
            }
        }
        for (_, users) in uses.iter().filter(|&(&declared, _)| !self.statements[declared].outside) {
            let outside = users.iter().filter(|&&(by, _)| self.statements[by].outside);
            self.shared.extend(outside.map(|&(_, name)| name));
        }
    }

    fn is_fixed(&self, index: usize) -> bool {
        let statement = &self.statements[index];
        !statement.outside && statement.variables.is_none()
    }

    fn render(&self) -> Rearranged {
        let mut out = Rearranged::default();
        let (start, end) = (self.body.start as usize + 1, self.body.end as usize - 1);
        out.copy(self.code, 0..start);
        if !self.shared.is_empty() {
            out.add(&format!("var {};", self.shared.iter().copied().collect::<Vec<_>>().join(",")));
        }
        self.statements
            .iter()
            .filter(|statement| statement.outside)
            .for_each(|statement| self.put(statement, &mut out));
        out.add("(function(){\"use strict\";");
        self.statements
            .iter()
            .filter(|statement| !statement.outside)
            .for_each(|statement| self.put(statement, &mut out));
        out.add("})();");
        out.copy(self.code, end..self.code.len());
        out
    }

    fn put(&self, statement: &Sortable<'_>, out: &mut Rearranged) {
        let start = out.code.len();
        match statement.variables {
            Some(variables) if !statement.outside => self.put_assignments(variables, out),
            _ => self.put_with_directive(statement.span, out),
        }
        let text = &out.code[start..];
        if text.is_empty() || text == ";" {
            out.truncate(start);
        } else if !text.ends_with(';') && (statement.variables.is_some() || !text.ends_with('}')) {
            out.add(";");
        }
    }

    /// Puts `var a = 1, b = 2` as `a = 1; var b = 2` if `a` is declared outside.
    fn put_assignments(&self, variables: &VariableDeclaration<'_>, out: &mut Rearranged) {
        for (index, declarator) in variables.declarations.iter().enumerate() {
            let name = declarator.id.get_identifier_name();
            out.add(if index > 0 { ";" } else { "" });
            out.add(if name.is_some_and(|name| self.shared.contains(name.as_str())) {
                ""
            } else {
                "var "
            });
            self.put_with_directive(declarator.span, out);
        }
    }

    /// Puts a statement. If it contains the mark of a strict module, the mark is removed, and the
    /// wrapper becomes strict.
    fn put_with_directive(&self, span: Span, out: &mut Rearranged) {
        let (start, end) = (span.start as usize, span.end as usize);
        let text = &self.code[start..end];
        let Some(mark) = text.find(STRICT_MARK) else { return out.copy(self.code, start..end) };
        let body = text[..mark].find("=>{").map_or(0, |at| at + "=>{".len());
        out.copy(self.code, start..start + body);
        out.add(if body > 0 { "\"use strict\";" } else { "" });
        out.copy(self.code, start + body..start + mark);
        let after = &text[mark + STRICT_MARK.len()..];
        out.copy(self.code, end - after.strip_prefix(';').unwrap_or(after).len()..end);
    }
}

fn simple_variables<'a>(statement: &'a Statement<'a>) -> Option<&'a VariableDeclaration<'a>> {
    let Statement::VariableDeclaration(variables) = statement else { return None };
    let simple = variables.kind == VariableDeclarationKind::Var
        && variables.declarations.iter().all(|declarator| declarator.id.is_binding_identifier());
    simple.then_some(variables)
}

/// Whether this is `var require_a = __commonJSMin(…)`, or the declaration of `__commonJSMin`
/// itself.
fn is_wrapper(variables: &VariableDeclaration<'_>) -> bool {
    let [declarator] = variables.declarations.as_slice() else { return false };
    if declarator.id.get_identifier_name().is_some_and(|name| name == WRAP) {
        return true;
    }
    let Some(Expression::CallExpression(call)) = &declarator.init else { return false };
    call.callee.get_identifier_reference().is_some_and(|callee| callee.name == WRAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &str) {
        let restored = restore(&format!("(function(){{{body}}})();")).unwrap();
        assert_eq!(restored.code, format!("(function(){{{expected}}})();"));
    }

    #[test]
    fn wrappers_stay_outside() {
        check(
            "var __commonJSMin=f=>f;var require_a=__commonJSMin((exports)=>{x=1});function b(){}b()",
            "var __commonJSMin=f=>f;var require_a=__commonJSMin((exports)=>{x=1});(function(){\"use strict\";function b(){}b();})();",
        );
    }

    #[test]
    fn what_wrappers_use_is_declared_outside() {
        check(
            "var a=1,c=2;var require_a=__commonJSMin(()=>{a()});",
            "var a;var require_a=__commonJSMin(()=>{a()});(function(){\"use strict\";a=1;var c=2;})();",
        );
    }

    #[test]
    fn a_wrapper_that_uses_a_class_goes_inside() {
        check(
            "class A{}var require_a=__commonJSMin(()=>{A});var require_b=__commonJSMin(()=>{require_a()});",
            "var require_a;var require_b=__commonJSMin(()=>{require_a()});\
             (function(){\"use strict\";class A{}require_a=__commonJSMin(()=>{A});})();",
        );
    }

    #[test]
    fn a_marked_wrapper_is_strict() {
        check(
            "var require_a=__commonJSMin(()=>{x=1;__pandoStrict__()});__pandoStrict__();",
            "var require_a=__commonJSMin(()=>{\"use strict\";x=1;});(function(){\"use strict\";})();",
        );
    }
}
