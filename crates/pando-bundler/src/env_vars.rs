//! Finds variables of the environment that the user's files read, because a function has only
//! those that it is given.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use oxc::{
    ast::ast::{
        AssignmentExpression, AssignmentTarget, BindingPattern, Expression, ImportDeclaration,
        ImportDeclarationSpecifier, MemberExpression, Program, VariableDeclarator,
    },
    ast_visit::{Visit, walk},
    span::Span,
};

use crate::location::Location;

/// The only variable defined by the bundler.
const KNOWN: &str = "NODE_ENV";

/// The variables read but not set by the file `file`, each with the location of the first use.
pub(crate) fn read(program: &Program<'_>, file: &Path, source: &str) -> Vec<(String, String)> {
    let mut environment = Environment::default();
    environment.visit_program(program);
    let Environment { read, set, .. } = environment;
    let read = read.into_iter().filter(|(name, _)| !set.contains(name) && name != KNOWN);
    read.map(|(name, span)| {
        (name, Location::at_offset(file, source, span.start as usize).to_string())
    })
    .collect()
}

/// The warning about these variables.
pub(crate) fn note(read: &BTreeMap<String, String>) -> Option<String> {
    let (_, location) = read.first_key_value()?;
    let names: Vec<_> = read.keys().map(|name| format!("process.env.{name}")).collect();
    let are = if names.len() == 1 { "is" } else { "are" };
    let options: Vec<_> = read.keys().map(|name| format!("--env {name}")).collect();
    Some(format!(
        "{location}: {} {are} not set in the function, which has only the variables of the environment that --env gives it: add {}",
        names.join(", "),
        options.join(" ")
    ))
}

#[derive(Default)]
struct Environment {
    read: BTreeMap<String, Span>,
    set: BTreeSet<String>,
    /// Names of variables whose value is `process.env`.
    aliases: BTreeSet<String>,
}

impl Environment {
    fn is_environment(&self, expression: &Expression<'_>) -> bool {
        expression.is_specific_member_access("process", "env")
            || expression
                .get_identifier_reference()
                .is_some_and(|name| self.aliases.contains(name.name.as_str()))
    }

    fn note_read(&mut self, name: &str, span: Span) {
        self.read.entry(name.to_owned()).or_insert(span);
    }
}

impl<'a> Visit<'a> for Environment {
    fn visit_import_declaration(&mut self, import: &ImportDeclaration<'a>) {
        if !["process", "node:process"].contains(&import.source.value.as_str()) {
            return;
        }
        for specifier in import.specifiers.iter().flatten() {
            if let ImportDeclarationSpecifier::ImportSpecifier(named) = specifier
                && named.imported.name() == "env"
            {
                self.aliases.insert(named.local.name.to_string());
            }
        }
    }

    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        let Some(value) = &declarator.init else { return };
        let of_process = value.is_specific_id("process");
        match &declarator.id {
            BindingPattern::BindingIdentifier(name) if self.is_environment(value) => {
                self.aliases.insert(name.name.to_string());
            }
            BindingPattern::ObjectPattern(pattern) if of_process || self.is_environment(value) => {
                for property in &pattern.properties {
                    match (property.key.static_name(), &property.value) {
                        (Some(name), BindingPattern::BindingIdentifier(local))
                            if of_process && name == "env" =>
                        {
                            self.aliases.insert(local.name.to_string());
                        }
                        (Some(name), _) if !of_process => self.note_read(&name, property.span),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        walk::walk_variable_declarator(self, declarator);
    }

    fn visit_assignment_expression(&mut self, assignment: &AssignmentExpression<'a>) {
        if let AssignmentTarget::StaticMemberExpression(member) = &assignment.left
            && self.is_environment(&member.object)
        {
            self.set.insert(member.property.name.to_string());
        }
        walk::walk_assignment_expression(self, assignment);
    }

    fn visit_member_expression(&mut self, member: &MemberExpression<'a>) {
        if let Some(name) = member.static_property_name()
            && self.is_environment(member.object())
        {
            self.note_read(name, oxc::span::GetSpan::span(member));
        }
        walk::walk_member_expression(self, member);
    }
}
