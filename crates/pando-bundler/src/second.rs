//! The use of the second argument, as far as the source tells it: the argument is a context with
//! members, and can also be called as a callback.

use std::collections::BTreeSet;

use oxc::{
    ast::ast::{
        ArrowFunctionBody, ArrowFunctionExpression, AssignmentTarget, BindingPattern,
        CallExpression, ExportDefaultDeclarationKind, Expression, FormalParameters, Function,
        FunctionBody, IdentifierReference, ModuleDeclaration, Program, ReturnStatement, Statement,
        StaticMemberExpression, UnaryOperator, VariableDeclarator,
    },
    ast_visit::{Visit, walk},
    semantic::ScopeFlags,
};

/// What a module's function does with its second argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecondArgument {
    /// Nothing, because the function takes one argument.
    Unused,
    /// The function reads these members of it, and nothing else.
    Context(BTreeSet<String>),
    /// The function may also call it. A call that returns `undefined` may still call back.
    /// `returns`: whether the function may also answer by a value that it returns, and does not
    /// only return what a call with its callback gives, such as the number of a timer.
    Callback { returns: bool },
    /// The function names no second parameter, but has another way to its arguments.
    Hidden,
    /// The source does not tell which function is exported.
    Unknown,
}

impl SecondArgument {
    /// The use by the default export of `program`.
    pub(crate) fn of(program: &Program<'_>) -> Self {
        let found = program.body.iter().find_map(|statement| exported(statement, program));
        found.map_or(Self::Unknown, |function| function.second())
    }
}

/// A function in the source.
struct FunctionParts<'p> {
    parameters: &'p FormalParameters<'p>,
    body: Body<'p>,
    /// Whether `arguments` in the body are those of this function.
    has_arguments: bool,
}

enum Body<'p> {
    Missing,
    Function(&'p FunctionBody<'p>),
    Arrow(&'p ArrowFunctionBody<'p>),
}

impl<'p> FunctionParts<'p> {
    fn of(function: &'p Function<'_>) -> Self {
        let body = function.body.as_deref().map_or(Body::Missing, Body::Function);
        Self { parameters: &function.params, body, has_arguments: true }
    }

    fn second(&self) -> SecondArgument {
        let Some(parameter) = self.parameters.items.get(1) else {
            let is_hidden = self.parameters.rest.is_some()
                || self.has_arguments && self.uses_of("arguments").is_some_and(|uses| uses.any);
            return if is_hidden { SecondArgument::Hidden } else { SecondArgument::Unused };
        };
        let members = match &parameter.pattern {
            BindingPattern::BindingIdentifier(name) => {
                self.uses_of(&name.name).filter(|uses| !uses.otherwise).map(|uses| uses.members)
            }
            BindingPattern::ObjectPattern(pattern) => names_in(pattern),
            _ => None,
        };
        let is_plain = parameter.initializer.is_none();
        match members.filter(|_| is_plain) {
            Some(members) => SecondArgument::Context(members),
            None => SecondArgument::Callback { returns: self.returns_values(&parameter.pattern) },
        }
    }

    /// Whether the function may answer by a value that it returns.
    fn returns_values(&self, second: &BindingPattern<'_>) -> bool {
        let name = match second {
            BindingPattern::BindingIdentifier(name) => name.name.to_string(),
            _ => return true,
        };
        let mut returns = ReturnVisitor { name, any: false };
        match self.body {
            Body::Missing => {}
            Body::Function(body) => returns.visit_function_body(body),
            Body::Arrow(body) => match body.as_expression() {
                Some(value) => returns.note(value),
                None => returns.visit_arrow_function_body(body),
            },
        }
        returns.any
    }

    /// The uses of the variable `name`. `None` without a body.
    fn uses_of(&self, name: &str) -> Option<Uses> {
        let mut uses = Uses { name: name.to_owned(), ..Uses::default() };
        uses.visit_formal_parameters(self.parameters);
        match self.body {
            Body::Missing => return None,
            Body::Function(body) => uses.visit_function_body(body),
            Body::Arrow(body) => uses.visit_arrow_function_body(body),
        }
        Some(uses)
    }
}

/// The names of the members in a pattern; `None` if the pattern also has others.
fn names_in(pattern: &oxc::ast::ast::ObjectPattern<'_>) -> Option<BTreeSet<String>> {
    if pattern.rest.is_some() {
        return None;
    }
    pattern.properties.iter().map(|property| Some(property.key.static_name()?.into())).collect()
}

/// The uses of a variable. Another variable of the same name counts as well.
#[derive(Default)]
struct Uses {
    name: String,
    any: bool,
    members: BTreeSet<String>,
    /// Whether it is called.
    called: bool,
    /// Whether there is a use other than reading a member.
    otherwise: bool,
}

impl<'a> Visit<'a> for Uses {
    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        self.called |= call.callee.is_specific_id(&self.name);
        walk::walk_call_expression(self, call);
    }

    fn visit_static_member_expression(&mut self, member: &StaticMemberExpression<'a>) {
        if member.object.is_specific_id(&self.name) {
            self.any = true;
            let name = member.property.name.as_str();
            // These call the object itself.
            self.called |= ["apply", "bind", "call"].contains(&name);
            self.otherwise |= self.called;
            self.members.insert(name.to_owned());
        } else {
            walk::walk_static_member_expression(self, member);
        }
    }

    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        let names = match (&declarator.id, &declarator.init) {
            (BindingPattern::ObjectPattern(pattern), Some(value))
                if value.is_specific_id(&self.name) =>
            {
                names_in(pattern)
            }
            _ => None,
        };
        match names {
            Some(names) => {
                self.any = true;
                self.members.extend(names);
                self.visit_binding_pattern(&declarator.id);
            }
            None => walk::walk_variable_declarator(self, declarator),
        }
    }

    fn visit_identifier_reference(&mut self, identifier: &IdentifierReference<'a>) {
        if identifier.name.as_str() == self.name {
            self.any = true;
            self.otherwise = true;
        }
    }
}

/// Names of parameters that are callbacks wherever they are passed on.
const CALLBACKS: [&str; 6] = ["callback", "cb", "done", "fn", "next", "respond"];

/// The values that a function returns, without those of functions in it.
struct ReturnVisitor {
    /// The name of the second parameter.
    name: String,
    /// Whether a returned value may be an answer.
    any: bool,
}

impl ReturnVisitor {
    fn note(&mut self, value: &Expression<'_>) {
        self.any |= !self.is_incidental(value);
    }

    /// Whether `value` is only what a call with the callback gives: `setTimeout(() => cb(…))`.
    fn is_incidental(&self, value: &Expression<'_>) -> bool {
        match value.get_inner_expression() {
            Expression::CallExpression(_) | Expression::NewExpression(_) => {}
            Expression::AwaitExpression(awaited) => return self.is_incidental(&awaited.argument),
            Expression::UnaryExpression(unary) => return unary.operator == UnaryOperator::Void,
            _ => return false,
        }
        let mut uses = Uses { name: self.name.clone(), ..Uses::default() };
        uses.visit_expression(value);
        uses.called || uses.otherwise && CALLBACKS.contains(&&*self.name)
    }
}

impl<'a> Visit<'a> for ReturnVisitor {
    fn visit_return_statement(&mut self, statement: &ReturnStatement<'a>) {
        if let Some(value) = &statement.argument {
            self.note(value);
        }
    }

    fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}

    fn visit_arrow_function_expression(&mut self, _: &ArrowFunctionExpression<'a>) {}
}

/// The function that `statement` exports by `export default …` or `module.exports = …`.
fn exported<'p>(
    statement: &'p Statement<'_>,
    program: &'p Program<'_>,
) -> Option<FunctionParts<'p>> {
    if let Some(ModuleDeclaration::ExportDefaultDeclaration(default)) =
        statement.as_module_declaration()
    {
        return match &default.declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                Some(FunctionParts::of(function))
            }
            expression => of(expression.as_expression()?, program),
        };
    }
    let Statement::ExpressionStatement(statement) = statement else { return None };
    let Expression::AssignmentExpression(assignment) = statement.expression.get_inner_expression()
    else {
        return None;
    };
    let target = match &assignment.left {
        AssignmentTarget::StaticMemberExpression(member) => member,
        _ => return None,
    };
    let exports = target.object.is_specific_id("module") && target.property.name == "exports"
        || target.property.name == "default"
            && (target.object.is_specific_id("exports")
                || target.object.is_specific_member_access("module", "exports"));
    of(&assignment.right, program).filter(|_| exports)
}

/// The function of `expression`, which may be the name of a function.
fn of<'p>(expression: &'p Expression<'_>, program: &'p Program<'_>) -> Option<FunctionParts<'p>> {
    match expression.get_inner_expression() {
        Expression::Identifier(name) => {
            program.body.iter().find_map(|statement| declared(statement, &name.name))
        }
        expression => of_function(expression),
    }
}

fn of_function<'p>(expression: &'p Expression<'_>) -> Option<FunctionParts<'p>> {
    match expression.get_inner_expression() {
        Expression::FunctionExpression(function) => Some(FunctionParts::of(function)),
        Expression::ArrowFunctionExpression(function) => Some(FunctionParts {
            parameters: &function.params,
            body: Body::Arrow(&function.body),
            has_arguments: false,
        }),
        // `module.exports = exports = function …`
        Expression::AssignmentExpression(assignment) => of_function(&assignment.right),
        _ => None,
    }
}

fn declared<'p>(statement: &'p Statement<'_>, name: &str) -> Option<FunctionParts<'p>> {
    match statement {
        Statement::FunctionDeclaration(function) => {
            let is_named = function.id.as_ref().is_some_and(|id| id.name == name);
            is_named.then(|| FunctionParts::of(function))
        }
        Statement::VariableDeclaration(declaration) => {
            declaration.declarations.iter().find_map(|declarator| match &declarator.id {
                BindingPattern::BindingIdentifier(id) if id.name == name => {
                    of_function(declarator.init.as_ref()?)
                }
                _ => None,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxc::{allocator::Allocator, parser::Parser, span::SourceType};

    fn second(source: &str) -> SecondArgument {
        let allocator = Allocator::default();
        let kind = if source.contains("export ") { SourceType::mjs() } else { SourceType::cjs() };
        let parsed = Parser::new(&allocator, source, kind.with_typescript(true)).parse();
        assert!(!parsed.diagnostics.has_errors(), "{source}: {:?}", parsed.diagnostics);
        SecondArgument::of(&parsed.program)
    }

    #[test]
    fn a_second_parameter_that_is_called_or_passed_on_may_be_a_callback() {
        for (source, returns) in [
            ("module.exports = function (x, cb) { cb(null, x) }", false),
            ("module.exports = (x, cb) => cb(null, x)", false),
            ("module.exports = (x, cb) => { if (x) return 5; cb(null, x) }", true),
            ("export default function (x, cb) { return cb(null, x) }", false),
            ("function f (x, cb) { return read(x, cb) }\nmodule.exports = f", false),
            ("module.exports = (x, context) => helper(x, context)", true),
            ("module.exports = (x, other) => setTimeout(() => other(null, x))", false),
            ("const f = async (x, cb) => setTimeout(cb, 5)\nexport default f", false),
            ("module.exports = (x, cb) => x ? cb(null, x) : x", true),
            ("module.exports = exports = (x, cb) => cb.call(null, null, x)", false),
            ("module.exports = (x, cb) => { on(y => { return y }); setTimeout(cb) }", false),
            ("exports.default = (x, cb = () => {}) => cb(null, x)", false),
            ("export default (x, { index, ...rest }) => rest", true),
        ] {
            assert_eq!(second(source), SecondArgument::Callback { returns }, "{source}");
        }
    }

    #[test]
    fn a_second_parameter_whose_members_are_read_is_a_context() {
        let context =
            |names: &[&str]| SecondArgument::Context(names.iter().map(|&n| n.into()).collect());
        for (source, names) in [
            ("export default (x, context) => x", &[][..]),
            ("export default (x, context) => context.log(x)", &["log"]),
            ("export default (x, { index, log: say }) => say(index)", &["index", "log"]),
            (
                "module.exports = (x, c: C) => { const { env } = c; return c.name }",
                &["env", "name"],
            ),
        ] {
            assert_eq!(second(source), context(names), "{source}");
        }
    }

    #[test]
    fn a_function_of_one_argument_may_hide_others() {
        assert_eq!(second("export default x => x"), SecondArgument::Unused);
        assert_eq!(second("export default x => arguments"), SecondArgument::Unused);
        assert_eq!(second("module.exports = (x, ...rest) => x"), SecondArgument::Hidden);
        let source = "module.exports = function (x) { return arguments[1] }";
        assert_eq!(second(source), SecondArgument::Hidden);
        assert_eq!(second("module.exports = made(x => x)"), SecondArgument::Unknown);
        assert_eq!(second("module.exports['/pando/1.0.0'] = f"), SecondArgument::Unknown);
    }
}
