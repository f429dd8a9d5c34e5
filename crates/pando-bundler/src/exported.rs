//! Finds the default export of a module in its source, if this is a function.

use oxc::ast::ast::{
    AssignmentTarget, BindingPattern, ExportDefaultDeclarationKind, Expression, FormalParameters,
    ModuleDeclaration, Program, Statement,
};

/// The name of the second parameter of the default export.
pub(crate) fn second_parameter(program: &Program<'_>) -> Option<String> {
    let parameters = program.body.iter().find_map(|statement| exported(statement, program))?;
    match &parameters.items.get(1)?.pattern {
        BindingPattern::BindingIdentifier(name) => Some(name.name.to_string()),
        _ => None,
    }
}

/// The parameters of the function that `statement` exports by `export default …` or
/// `module.exports = …`.
fn exported<'p>(
    statement: &'p Statement<'_>,
    program: &'p Program<'_>,
) -> Option<&'p FormalParameters<'p>> {
    if let Some(ModuleDeclaration::ExportDefaultDeclaration(default)) =
        statement.as_module_declaration()
    {
        return match &default.declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(function) => Some(&function.params),
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

/// The parameters of `expression`, which may be the name of a function.
fn of<'p>(
    expression: &'p Expression<'_>,
    program: &'p Program<'_>,
) -> Option<&'p FormalParameters<'p>> {
    match expression.get_inner_expression() {
        Expression::Identifier(name) => {
            program.body.iter().find_map(|statement| declared(statement, &name.name))
        }
        expression => of_function(expression),
    }
}

fn of_function<'p>(expression: &'p Expression<'_>) -> Option<&'p FormalParameters<'p>> {
    match expression.get_inner_expression() {
        Expression::FunctionExpression(function) => Some(&function.params),
        Expression::ArrowFunctionExpression(function) => Some(&function.params),
        // `module.exports = exports = function …`
        Expression::AssignmentExpression(assignment) => of_function(&assignment.right),
        _ => None,
    }
}

fn declared<'p>(statement: &'p Statement<'_>, name: &str) -> Option<&'p FormalParameters<'p>> {
    match statement {
        Statement::FunctionDeclaration(function) => Some(&*function.params)
            .filter(|_| function.id.as_ref().is_some_and(|id| id.name == name)),
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
