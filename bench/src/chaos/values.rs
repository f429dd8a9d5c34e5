//! Values of all kinds and sizes.

use super::{chance::Chance, job::ValueFormat};

/// Texts that programs tend to mistake for something else.
const AWKWARD: [&str; 40] = [
    "",
    "",
    "",
    " ",
    "\t",
    "0",
    "-0",
    "-1",
    "1e400",
    "NaN",
    "null",
    "undefined",
    "true",
    "{}",
    "[]",
    "{",
    "\"",
    "\"a\"",
    "'",
    "\\",
    "\\n",
    "\\0",
    "${x}",
    "__proto__",
    "constructor",
    "</script>",
    "<b onclick=alert(1)>",
    "\u{1b}[2J\u{7}",
    "\r",
    "a\rb",
    "\u{7f}",
    "é",
    "e\u{301}",
    "ß",
    "\u{2028}\u{2029}",
    "👩\u{200d}👩\u{200d}👧",
    "\u{10ffff}",
    "\u{fffd}",
    "a\u{feff}b",
    "ｐａｎｄｏ\u{202e}",
];
/// Lengths near a limit: parts have 64 KiB, and so have blocks of the input.
const LENGTHS: [usize; 10] =
    [127, 128, 1023, 1024, 16_383, 65_500, 65_535, 65_536, 65_537, 131_072];
/// The greatest length of a value, in bytes.
const LONGEST: f64 = 300_000.0;

/// `count` values with about `budget` bytes in total at most.
pub(crate) fn values(
    chance: &mut Chance,
    framing: ValueFormat,
    count: usize,
    budget: usize,
) -> Vec<String> {
    let mut left = budget;
    let odd = chance.one(&[0.0, 0.1, 0.5]);
    let long = chance.one(&[0.0, 0.01, 0.2]);
    let values = (0..count).map(|number| {
        let mut text = if chance.toss(long) && left > 0 {
            long_text(chance)
        } else if chance.toss(odd) {
            chance.one(&AWKWARD).to_owned()
        } else {
            number.to_string()
        };
        left = left.saturating_sub(text.len());
        if number == 0 && text.starts_with('\u{feff}') {
            // The master would take this character for a byte-order mark.
            text.insert(0, 'x');
        }
        if framing == ValueFormat::Null && chance.toss(0.05) {
            text.push_str("\nand\r\n");
        }
        match framing {
            ValueFormat::Json => json(chance, text),
            _ => text,
        }
    });
    values.collect()
}

fn long_text(chance: &mut Chance) -> String {
    let length = if chance.toss(0.3) {
        chance.one(&LENGTHS)
    } else {
        chance.of_size(100.0, LONGEST) as usize
    };
    let piece = chance.one(&["a", "0123456789", "é", "😀x", "\\\"", "lorem ipsum "]);
    let mut text = piece.repeat(length / piece.len() + 1);
    text.truncate(text.floor_char_boundary(length));
    text
}

/// A JSON text for `text`, or for a value made from it.
fn json(chance: &mut Chance, text: String) -> String {
    let value = match chance.of_range(0..10) {
        0 => serde_json::json!([text, null, true]),
        1 => serde_json::json!(text.len()),
        _ => text.into(),
    };
    let json = value.to_string();
    match chance.of_range(0..10) {
        0 => format!(" {json}\t"),
        1 => json.replace('é', "\\u00e9").replace('😀', "\\ud83d\\ude00"),
        _ => json,
    }
}
