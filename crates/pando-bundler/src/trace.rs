//! Translates stacks of errors: replaces places in the script by their origins.

use std::ops::Range;

use crate::origins::{Origins, Position};

/// The name of the script in engines' stacks.
const SCRIPT: &str = "function.js:";
/// The scripts of Pando in these stacks: in Node, in Deno, in tabs.
const PANDO: [&str; 3] = ["([eval]:", "(data:text/javascript,import", "/page.js:"];

/// See [`crate::Bundle::trace`].
pub(crate) fn trace(stack: &str, origins: &Origins) -> String {
    let lines = stack.lines().filter_map(|line| match frame(line) {
        None => (!is_of_pando(line)).then(|| line.to_owned()),
        // A frame in the bundler's own code is left out.
        Some((range, place)) => {
            Some(format!("{}{}{}", &line[..range.start], origins.at(place)?, &line[range.end..]))
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a line of a stack is a frame in a script of Pando: the mistake is not there.
fn is_of_pando(line: &str) -> bool {
    let is_frame = line.trim_start().starts_with("at ") || line.contains("@http");
    is_frame && PANDO.iter().any(|script| line.contains(script))
}

/// The range and the position of a place in the script that a line of a stack names.
fn frame(line: &str) -> Option<(Range<usize>, Position)> {
    let name = line.find(SCRIPT)?;
    let (row, after) = number(&line[name + SCRIPT.len()..])?;
    let (column, after) = number(after.strip_prefix(':')?)?;
    let start = line[..name].rfind(['@', '(', ' ']).map_or(0, |at| at + 1);
    let v8 = line.trim_start().starts_with("at ");
    // Safari names an anonymous function only by its place.
    let others = line[..start].ends_with('@') || start == 0 && line.starts_with("http");
    let place = Position { line: row.checked_sub(1)?, column: column.saturating_sub(1) };
    (v8 || others).then_some((start..line.len() - after.len(), place))
}

fn number(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) =
        text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_all_engines_are_found() {
        let place = |line: &str| {
            frame(line).map(|(range, at)| (line[range].to_owned(), at.line, at.column))
        };
        let url = "http://[::1]:5000/t/function.js:1:210";
        let found = Some((url.to_owned(), 0, 209));
        assert_eq!(place(&format!("    at f ({url})")), found);
        assert_eq!(place(&format!("    at {url}")), found);
        assert_eq!(place(&format!("    at async Promise.all (index 0) {url}")), found);
        assert_eq!(place(&format!("    at eval (eval at f ({url}), <anonymous>:1:1)")), found);
        assert_eq!(place(&format!("f@{url}")), found);
        assert_eq!(place(&format!("@{url}")), found);
        assert_eq!(place(url), found);
        assert_eq!(
            place("    at f (function.js:1:210)"),
            Some(("function.js:1:210".to_owned(), 0, 209))
        );
        assert_eq!(place("    at f (http://h/t/worker.js:1:210)"), None);
        assert_eq!(place("Error: see function.js:1:2"), None);
    }

    #[test]
    fn frames_of_pando_are_left_out() {
        for line in [
            "    at Core.invoke (eval at <anonymous> ([eval]:16:1), <anonymous>:892:17)",
            "    at Core.begin (eval at <anonymous> (data:text/javascript,import%20%7B:14:1), <anonymous>:881:10)",
            "    at e.values (http://192.168.1.2:5000/t/page.js:1:210)",
            "values@http://192.168.1.2:5000/t/page.js:1:210",
        ] {
            assert!(is_of_pando(line), "{line}");
        }
        for line in [
            "TypeError: see [eval]: and /page.js:",
            "    at f (http://192.168.1.2:5000/t/function.js:1:210)",
            "    at eval (eval at g (http://h/t/function.js:1:2), <anonymous>:1:1)",
            "    at new Worker (blob:http://h/1:3:4)",
        ] {
            assert!(!is_of_pando(line), "{line}");
        }
    }
}
