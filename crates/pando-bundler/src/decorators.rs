//! Decorators, which no browser knows: the older ones of TypeScript become plain code where
//! tsconfig.json asks for it, others stay.

use oxc::{
    allocator::Allocator,
    ast::ast::{Decorator, Program},
    ast_visit::Visit,
    parser::Parser,
    span::SourceType,
};

use crate::{error::Problem, location::Location, source::parse_options};

/// Where the first one of a module begins.
pub(crate) fn first(program: &Program<'_>) -> Option<u32> {
    let mut first = FirstDecorator(None);
    first.visit_program(program);
    first.0
}

/// Why a bundle in which one is left cannot be used; `location` is where it was written.
pub(crate) fn refusal(location: Location) -> Problem {
    Problem::at(Some(location), "no browser knows decorators".to_owned()).remedy(
        "write it without them, or, in TypeScript, set \"experimentalDecorators\": true in the compilerOptions of tsconfig.json",
    )
}

/// Whether one is left in the bundle `code`.
pub(crate) fn remain(code: &str) -> bool {
    let allocator = Allocator::default();
    first(
        &Parser::new(&allocator, code, SourceType::script())
            .with_options(parse_options())
            .parse()
            .program,
    )
    .is_some()
}

struct FirstDecorator(Option<u32>);

impl<'a> Visit<'a> for FirstDecorator {
    fn visit_decorator(&mut self, decorator: &Decorator<'a>) {
        self.0.get_or_insert(decorator.span.start);
    }
}
