//! Which failures are told, and how: the first items of a kind on one line each, the very first one
//! with its stack, and all later ones as a number.

use crate::protocol::Failure;
use std::collections::HashMap;
use stream_lender::Index;

/// The most kinds that are told apart. All further ones are one kind.
const MOST_KINDS: usize = 100;
/// The most items of a kind with a line of their own.
const MOST_ITEMS: u64 = 20;
/// The most attempts of a kind with a line of their own, when the item is tried again.
const MOST_ATTEMPTS: u64 = 3;
/// The frames of a stack that make a kind.
const FRAMES: usize = 2;
/// The most characters of a message that make a kind, and of a message in a line.
const LONGEST_KIND: usize = 200;
const LONGEST_MESSAGE: usize = 300;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct FailureKinds {
    kinds: HashMap<String, FailureKind>,
}

/// The failures that have one cause, as far as their messages and stacks say.
#[derive(Debug, Default)]
struct FailureKind {
    /// The first item, and its message.
    first: Option<(Index, String)>,
    /// Items that failed for good.
    items: u64,
    /// Items that are counted and not yet told.
    untold: u64,
    /// Failed attempts at items that were tried again.
    attempts: u64,
}

/// How the final failure of an item is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// On a line, followed by the stack.
    WithStack,
    /// On a line.
    Line,
    /// With others, in these words.
    Counted(String),
    /// Later, with others.
    Later,
}

impl FailureKinds {
    /// Counts a failed attempt at an item that is tried again. Returns whether the attempt has a
    /// line of its own.
    pub(super) fn count_attempt(&mut self, failure: &Failure) -> bool {
        let kind = self.kind(failure);
        kind.attempts += 1;
        kind.attempts <= MOST_ATTEMPTS
    }

    /// Counts the item `index`, which failed for good. Returns how that is told.
    pub(super) fn count_item(&mut self, index: Index, failure: &Failure) -> Telling {
        let is_known = self.kinds.len() <= MOST_KINDS;
        let kind = self.kind(failure);
        kind.items += 1;
        if kind.items <= MOST_ITEMS {
            let is_first = kind.first.is_none();
            kind.first.get_or_insert_with(|| (index, on_one_line(&failure.message)));
            return if is_first && is_known { Telling::WithStack } else { Telling::Line };
        }
        if !is_round(kind.items) {
            kind.untold += 1;
            return Telling::Later;
        }
        kind.untold = 0;
        let like = kind.like();
        Telling::Counted(format!(
            "{} items have failed {like}, the newest is item {} (-v tells each)",
            kind.items,
            index + 1
        ))
    }

    /// Lines about the items that were counted and not told, at the end of a run.
    pub(super) fn last_words(&self) -> Vec<String> {
        let kinds = self.kinds.values().filter(|kind| kind.untold > 0);
        let mut lines: Vec<_> = kinds
            .map(|kind| format!("{} items have failed {} in all", kind.items, kind.like()))
            .collect();
        lines.sort_unstable();
        lines
    }

    fn kind(&mut self, failure: &Failure) -> &mut FailureKind {
        let name = name(failure);
        let is_one_more = !self.kinds.contains_key(&name) && self.kinds.len() >= MOST_KINDS;
        self.kinds.entry(if is_one_more { String::new() } else { name }).or_default()
    }
}

impl FailureKind {
    fn like(&self) -> String {
        let Some((index, message)) = &self.first else { return String::new() };
        format!("like item {} ({message})", index + 1)
    }
}

/// The first line of a message, cut short.
pub(super) fn on_one_line(message: &str) -> String {
    let line = message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let short: String = line.chars().take(LONGEST_MESSAGE).collect();
    if short.len() < message.trim_end().len() { format!("{short}…") } else { short }
}

/// What failures of one kind have in common: the place where they were thrown, or else the message
/// without its numbers and quotations.
fn name(failure: &Failure) -> String {
    let stack = failure.stack.as_deref().unwrap_or_default();
    let frames: Vec<String> = stack.lines().filter_map(frame).take(FRAMES).collect();
    let place = if frames.is_empty() { without_details(&failure.message) } else { frames.concat() };
    format!("{} {place}", failure.kind)
}

/// The function, the line and the column of a frame of a stack. The file is left out, because its
/// name differs from tab to tab.
fn frame(line: &str) -> Option<String> {
    let line = line.trim().trim_end_matches(')');
    let (rest, column) = line.rsplit_once(':')?;
    let (rest, row) = rest.rsplit_once(':')?;
    let numbers = [row, column].map(|number| number.parse::<u32>().is_ok());
    let function = rest.split_once(['(', '@']).map(|(function, _)| function.trim());
    (numbers == [true; 2]).then(|| format!("{} {row}:{column} ", function.unwrap_or_default()))
}

fn without_details(message: &str) -> String {
    let mut kind = String::new();
    let mut quote = None;
    for c in message.chars().take(LONGEST_KIND) {
        match quote {
            Some(end) if c != end => continue,
            Some(_) => quote = None,
            None if matches!(c, '"' | '`') => quote = Some(c),
            None if c.is_ascii_digit() && kind.ends_with('0') => continue,
            None => {}
        }
        kind.push(if c.is_ascii_digit() { '0' } else { c });
    }
    kind
}

/// Whether people are told of a number: 1, 2, 5, 10, 20, 50 and so on.
fn is_round(mut number: u64) -> bool {
    while number >= 10 && number.is_multiple_of(10) {
        number /= 10;
    }
    matches!(number, 1 | 2 | 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(message: &str, stack: Option<&str>) -> Failure {
        Failure { stack: stack.map(str::to_owned), ..Failure::new(message, "thrown") }
    }

    #[test]
    fn the_first_items_of_a_kind_have_lines_and_the_others_are_counted() {
        let mut kinds = FailureKinds::default();
        let told: Vec<_> = (0..1000)
            .map(|index| kinds.count_item(index, &failure(&format!("no {index}"), None)))
            .collect();
        assert_eq!(told[0], Telling::WithStack);
        assert!(told[1..20].iter().all(|told| *told == Telling::Line));
        let counted: Vec<_> =
            told.iter().filter(|told| matches!(told, Telling::Counted(_))).collect();
        assert_eq!(counted.len(), 5, "50, 100, 200, 500, 1000: {counted:?}");
        assert_eq!(
            *counted[0],
            Telling::Counted(
                "50 items have failed like item 1 (no 0), the newest is item 50 (-v tells each)"
                    .into()
            )
        );
        assert_eq!(kinds.last_words(), [] as [&str; 0]);
        kinds.count_item(1000, &failure("no 1000", None));
        assert_eq!(kinds.last_words(), ["1001 items have failed like item 1 (no 0) in all"]);
    }

    #[test]
    fn the_place_makes_the_kind_and_without_one_the_message() {
        let chrome = |tab: &str| {
            let stack = format!(
                "Error: boom\n    at f (blob:http://h/{tab}:3:5)\n    at blob:http://h/{tab}:9:1"
            );
            name(&failure("boom", Some(&stack)))
        };
        assert_eq!(chrome("a1"), chrome("b2"));
        assert_ne!(
            name(&failure("a", Some("f@x.js:1:2"))),
            name(&failure("a", Some("f@x.js:1:3")))
        );
        assert_eq!(
            name(&failure("cannot read \"a\" at 17", None)),
            name(&failure("cannot read \"bcd\" at 4", None))
        );
        assert_ne!(name(&failure("one", None)), name(&failure("two", None)));
    }

    #[test]
    fn a_message_takes_one_line() {
        assert_eq!(on_one_line("a\nb"), "a…");
        assert_eq!(on_one_line("a\n"), "a");
        assert_eq!(on_one_line(&"x".repeat(1000)).chars().count(), 301);
    }
}
