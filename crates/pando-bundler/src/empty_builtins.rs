//! Collects the uses of Node's empty built-ins in modules, so that errors about missing members
//! can be recognized by their messages.

use std::collections::{BTreeMap, BTreeSet};

use oxc::{
    ast::ast::{
        AssignmentExpression, AssignmentTarget, BindingPattern, Expression, ImportDeclaration,
        ImportDeclarationSpecifier, MemberExpression, Program, VariableDeclarator,
    },
    ast_visit::{Visit, walk},
};

use crate::{Options, builtins::Builtin};

/// Phrases in engines' errors about a missing member.
const NOT_THERE: &[&str] =
    &["is not a function", "is not a constructor", "undefined", "is not an object"];

/// Phrases in errors that do not name the missing member: `promisify(fs.readFile)`, `extends
/// net.Socket`.
const UNNAMED: &[&str] = &[
    "argument must be of type Function",
    "Class extends value undefined",
    "superclass is not a constructor",
];

/// The uses of empty built-ins in all modules of a bundle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Missing {
    /// The empty built-ins.
    builtins: BTreeSet<String>,
    /// Names of variables that hold a built-in, or a part of a built-in.
    holders: BTreeSet<String>,
    /// Names of used members, each with its built-in.
    members: BTreeMap<String, String>,
    /// Names of variables with a member as value, each with the built-in.
    locals: BTreeMap<String, String>,
}

impl Missing {
    /// Adds the uses in one module.
    pub(crate) fn add(&mut self, program: &Program<'_>, options: &Options) {
        let mut uses = MissingUses { missing: self, options, holders: BTreeMap::new() };
        uses.visit_program(program);
        if !uses.holders.is_empty() {
            // The second visit finds uses that stand before the variables.
            uses.visit_program(program);
        }
    }

    /// The empty built-in behind an error with this message.
    pub(crate) fn behind(&self, message: &str) -> Option<&str> {
        if UNNAMED.iter().any(|words| message.contains(words)) {
            return self.builtins.first().filter(|_| self.builtins.len() == 1).map(String::as_str);
        }
        if !NOT_THERE.iter().any(|words| message.contains(words)) {
            return None;
        }
        identifiers(message)
            .find_map(|(start, name)| self.named(&message[..start], name))
            .map(String::as_str)
    }

    /// The built-in to which `name` belongs, when it follows `before` in a message.
    fn named(&self, before: &str, name: &str) -> Option<&String> {
        let Some(object) = before.strip_suffix('.') else {
            let member = before.ends_with("reading '") || before.ends_with("property '");
            return if member { self.members.get(name) } else { self.locals.get(name) };
        };
        let holder = identifiers(object)
            .last()
            .filter(|(start, holder)| object.len() == start + holder.len());
        // `(intermediate value).readFile`, `require_fs().readFile`, `import_fs.default.readFile`
        let known = match holder {
            None => object.ends_with(')'),
            Some((_, holder)) => {
                let holder = plain(holder);
                self.holders.contains(holder)
                    || holder == "default"
                    || holder.starts_with("import_")
            }
        };
        self.members.get(name).filter(|_| known)
    }
}

/// The words of a text that can be names in a program, with their positions.
fn identifiers(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let words = text.split(move |c: char| !part(c)).filter(|word| !word.is_empty());
    words.map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

/// The original name in the module. If two modules have the same name, the bundler calls the
/// second one `name$1`.
pub(crate) fn plain(name: &str) -> &str {
    name.rsplit_once('$')
        .filter(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(name, |(name, _)| name)
}

struct MissingUses<'m> {
    missing: &'m mut Missing,
    options: &'m Options,
    /// The variables of this module with a built-in as value, each with the built-in.
    holders: BTreeMap<String, String>,
}

impl MissingUses<'_> {
    fn empty(&mut self, specifier: &str) -> Option<String> {
        let Some(Builtin::Empty(name)) = Builtin::find(specifier, self.options) else {
            return None;
        };
        self.missing.builtins.insert(name.clone());
        Some(name)
    }

    /// The empty built-in that is the value of `expression`, or of which `expression` is a member.
    fn owner(&mut self, expression: &Expression<'_>) -> Option<String> {
        match expression.get_inner_expression() {
            Expression::Identifier(name) => self.holders.get(name.name.as_str()).cloned(),
            Expression::CallExpression(call) => match call.arguments.first()?.as_expression()? {
                Expression::StringLiteral(text) if call.callee.is_specific_id("require") => {
                    self.empty(&text.value)
                }
                // `__importStar(require('fs'))`
                argument => self.owner(argument),
            },
            Expression::AwaitExpression(awaited) => match awaited.argument.get_inner_expression() {
                Expression::ImportExpression(import) => match &import.source {
                    Expression::StringLiteral(text) => self.empty(&text.value),
                    _ => None,
                },
                _ => None,
            },
            expression => self.owner(expression.as_member_expression()?.object()),
        }
    }

    fn hold(&mut self, name: &str, builtin: &str, of_member: bool) {
        if of_member {
            self.missing.locals.insert(name.to_owned(), builtin.to_owned());
        }
        self.missing.holders.insert(name.to_owned());
        self.holders.insert(name.to_owned(), builtin.to_owned());
    }

    fn member(&mut self, name: &str, builtin: &str) {
        self.missing.members.insert(name.to_owned(), builtin.to_owned());
    }
}

impl<'a> Visit<'a> for MissingUses<'_> {
    fn visit_import_declaration(&mut self, import: &ImportDeclaration<'a>) {
        let Some(builtin) = self.empty(&import.source.value) else { return };
        for specifier in import.specifiers.iter().flatten() {
            let imported = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(named) => {
                    Some(named.imported.name()).filter(|name| name != "default")
                }
                _ => None,
            };
            self.hold(&specifier.local().name, &builtin, imported.is_some());
            if let Some(name) = imported {
                self.member(&name, &builtin);
            }
        }
    }

    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        if let Some(value) = &declarator.init
            && let Some(builtin) = self.owner(value)
        {
            match &declarator.id {
                BindingPattern::BindingIdentifier(name) => {
                    self.hold(&name.name, &builtin, value.is_member_expression())
                }
                BindingPattern::ObjectPattern(pattern) => {
                    for property in &pattern.properties {
                        if let Some(name) = property.key.static_name() {
                            self.member(&name, &builtin);
                        }
                        if let BindingPattern::BindingIdentifier(name) = &property.value {
                            self.hold(&name.name, &builtin, true);
                        }
                    }
                }
                _ => {}
            }
        }
        walk::walk_variable_declarator(self, declarator);
    }

    fn visit_assignment_expression(&mut self, assignment: &AssignmentExpression<'a>) {
        if let AssignmentTarget::AssignmentTargetIdentifier(name) = &assignment.left
            && let Some(builtin) = self.owner(&assignment.right)
        {
            self.hold(&name.name, &builtin, assignment.right.is_member_expression());
        }
        walk::walk_assignment_expression(self, assignment);
    }

    fn visit_member_expression(&mut self, member: &MemberExpression<'a>) {
        if let Some(name) = member.static_property_name()
            && let Some(builtin) = self.owner(member.object())
        {
            self.member(name, &builtin);
        }
        walk::walk_member_expression(self, member);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oxc::{allocator::Allocator, parser::Parser, span::SourceType};

    const OPTIONS: Options = Options::new(|_| None);

    fn missing(source: &str) -> Missing {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, source, SourceType::mjs()).parse();
        let mut missing = Missing::default();
        missing.add(&parsed.program, &OPTIONS);
        missing
    }

    #[track_caller]
    fn explains(source: &str, message: &str, builtin: Option<&str>) {
        assert_eq!(missing(source).behind(message), builtin, "{source}: {message}");
    }

    #[test]
    fn members_are_known_however_they_are_reached() {
        let fs = Some("fs");
        explains(
            "const fs = require('fs'); f = x => fs.readFileSync(x)",
            "TypeError: fs.readFileSync is not a function",
            fs,
        );
        explains(
            "const { readFileSync: read } = require('fs')",
            "TypeError: read is not a function",
            fs,
        );
        explains(
            "const read = require('fs').readFileSync",
            "TypeError: read is not a function",
            fs,
        );
        explains(
            "import a from 'node:fs'; a.open()",
            "TypeError: import_fs.default.open is not a function",
            fs,
        );
        explains(
            "import { existsSync } from 'fs'",
            "TypeError: (0 , import_fs.existsSync) is not a function",
            fs,
        );
        explains(
            "g = () => later.open(); const later = require('fs')",
            "TypeError: later.open is not a function",
            fs,
        );
        explains(
            "const fs_1 = __importStar(require('fs')); fs_1.open()",
            "TypeError: fs_1.open is not a function",
            fs,
        );
        explains(
            "const fs = await import('fs'); fs.open()",
            "TypeError: fs$2.open is not a function",
            fs,
        );
        explains(
            "(await import('fs')).open()",
            "TypeError: (intermediate value).open is not a function",
            fs,
        );
        explains(
            "let fs; try { fs = require('fs') } catch {} fs.open()",
            "TypeError: fs.open is not a function",
            fs,
        );
        let socket = "import * as net from 'net'; new net.Socket()";
        explains(socket, "TypeError: net.Socket is not a constructor", Some("net"));
        explains(
            "class S extends require('net').Socket {}",
            "TypeError: Class extends value undefined is not a constructor",
            Some("net"),
        );
        explains(
            "promisify(require('fs').readFile)",
            "TypeError: The \"original\" argument must be of type Function",
            fs,
        );
    }

    #[test]
    fn what_a_part_of_a_built_in_lacks_is_told_by_each_engine_in_its_own_words() {
        let source = "const { promises } = require('fs'), fs = require('fs'); promises.readFile(); fs.promises.open()";
        for message in [
            "TypeError: Cannot read properties of undefined (reading 'readFile')",
            "TypeError: Cannot read property 'open' of undefined",
            "TypeError: can't access property \"open\", fs.promises is undefined",
            "TypeError: undefined is not an object (evaluating 'fs.promises.open')",
            "TypeError: fs.promises.open is not a function. (In 'fs.promises.open()', 'fs.promises.open' is undefined)",
        ] {
            explains(source, message, Some("fs"));
        }
    }

    #[test]
    fn other_errors_are_not_explained() {
        let source = "const cp = require('child_process'); cp.exec('x'); /a/.exec(y)";
        explains(source, "TypeError: pattern.exec is not a function", None);
        explains(source, "TypeError: exec is not a function", None);
        explains(source, "Error: cp.exec failed", None);
        explains(
            "const path = require('left-pad'); path.open()",
            "TypeError: path.open is not a function",
            None,
        );
    }
}
