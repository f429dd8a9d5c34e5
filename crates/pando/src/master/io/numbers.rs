//! Numbers with too many digits for JavaScript: `JSON.parse` rounds them silently.

use crate::{
    master::{items::Cut, run::Master},
    protocol::{Form, Value},
};
use std::ops::Range;

/// A number with fewer digits in a row is taken for exact.
const DIGITS: usize = 16;
/// A decimal with at most so many significant digits is not reported: 17 digits always name the
/// number of 64 bits that a program printed.
const DECIMAL_DIGITS: usize = 17;
/// The most digits shown in a message.
const SHOWN: usize = 40;

impl Master {
    /// As [`mind_numbers`](Self::mind_numbers), for values after the first `before` ones.
    pub(super) fn mind_numbers_of(&self, values: &[Cut], before: u64) {
        if self.job.framing.form == Form::Json {
            let values = (before + 1..).zip(values);
            values.for_each(|(number, value)| {
                value.iter().for_each(|value| self.mind_numbers(number, value))
            });
        }
    }

    /// Warns, once per run, if `value` contains a number to be rounded. `number` is the number of
    /// the item in the input.
    pub(super) fn mind_numbers(&self, number: u64, value: &Value) {
        // A program receives the JSON text itself.
        if value.form != Form::Json || self.job.function.code.is_empty() || self.is_rounding_told()
        {
            return;
        }
        let Some(text) = first_rounded(&value.bytes) else { return };
        if self.tell_rounding() {
            let cut = if text.len() > SHOWN { "…" } else { "" };
            let (kind, remedy) = match text.contains(['.', 'e', 'E']) {
                true => ("number", "put such numbers in quotes if all digits matter"),
                false => ("whole number", "put such numbers in quotes and use BigInt"),
            };
            self.console.say(format!(
                "warning: item {number} has the {kind} {}{cut}, which JavaScript rounds to {}: {remedy} (this is said once)",
                &text[..text.len().min(SHOWN)],
                rounded(text)
            ));
        }
    }
}

/// The first number in the JSON text `json` which JavaScript would round.
fn first_rounded(json: &[u8]) -> Option<&str> {
    let mut strings = Strings { json, at: 0, inside: false };
    let mut at = DIGITS - 1;
    // Only every sixteenth byte is checked, because [`DIGITS`] digits in a row always include a
    // checked byte.
    while at < json.len() {
        if !json[at].is_ascii_digit() {
            at += DIGITS;
            continue;
        }
        let digits = around(json, at, u8::is_ascii_digit);
        let end = digits.end;
        if digits.len() >= DIGITS && !strings.advance_to(digits.start) {
            let number = around(json, at, |byte| {
                byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')
            });
            let text = std::str::from_utf8(&json[number]).ok()?;
            if is_rounded(text) {
                return Some(text);
            }
        }
        at += DIGITS * ((end - at) / DIGITS + 1);
    }
    None
}

/// The longest range around `at` whose bytes all are of a kind.
fn around(bytes: &[u8], at: usize, is_of_kind: impl Fn(&u8) -> bool) -> Range<usize> {
    let before = bytes[..at].iter().rposition(|byte| !is_of_kind(byte));
    let after = bytes[at..].iter().position(|byte| !is_of_kind(byte));
    before.map_or(0, |before| before + 1)..after.map_or(bytes.len(), |after| at + after)
}

/// Whether JavaScript prints the number `text` with other digits that matter.
fn is_rounded(text: &str) -> bool {
    let Ok(number) = text.parse::<f64>() else { return false };
    let digits = significant(text);
    let is_decimal = text.contains(['.', 'e', 'E']) && number.is_normal();
    !(is_decimal && digits.len() <= DECIMAL_DIGITS) && significant(&format!("{number:e}")) != digits
}

/// The significant digits of a number.
fn significant(number: &str) -> String {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    mantissa.replace(['.', '-'], "").trim_matches('0').into()
}

/// The number into which JavaScript rounds `text`, as JavaScript prints numbers.
fn rounded(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) if number == 0.0 || (1e-6..1e21).contains(&number.abs()) => number.to_string(),
        Ok(number) if number.is_finite() => format!("{number:e}"),
        Ok(number) if number < 0.0 => "-Infinity".into(),
        _ => "Infinity".into(),
    }
}

/// Tells which positions of a JSON text are inside strings.
struct Strings<'a> {
    json: &'a [u8],
    at: usize,
    inside: bool,
}

impl Strings<'_> {
    /// Goes on to `place`, and returns whether the byte there is inside a string. Places must come
    /// in ascending order.
    fn advance_to(&mut self, place: usize) -> bool {
        while self.at < place {
            match self.json[self.at] {
                b'"' => self.inside = !self.inside,
                b'\\' => self.at += 1,
                _ => {}
            }
            self.at += 1;
        }
        self.inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_change_are_found_wherever_they_are() {
        for number in [
            "9007199254740993",
            "12345678901234567890",
            "18446744073709551615",
            "1152921504606846976",
            "0.12345678901234567890",
            "-1234567890123456789.5",
            "3.14159265358979323846e-2",
            "1e-12345678901234567",
        ] {
            for before in 0..40 {
                let json = format!("{{\"a\":[{}{number},1]}}", " ".repeat(before));
                assert_eq!(first_rounded(json.as_bytes()), Some(number), "{json}");
                assert_eq!(
                    first_rounded(format!("{}{number}", " ".repeat(before)).as_bytes()),
                    Some(number)
                );
            }
        }
        let long = "7".repeat(1000);
        assert_eq!(first_rounded(format!("[0,{long}]").as_bytes()), Some(&*long));
    }

    #[test]
    fn numbers_that_keep_their_digits_and_texts_are_passed_over() {
        for json in [
            "9007199254740992",
            "9007199254740991",
            "10000000000000000000000",
            "-0.30000000000000004",
            "0.10000000000000001",
            "9.0071992547409935",
            "0.0000000000000000000",
            "1.50000000000000000000",
            "12345678901234567e3",
            "\"12345678901234567890\"",
            "{\"id 12345678901234567890\":\"\\\"12345678901234567890\\\\\"}",
            "[1,2,3]",
            "",
        ] {
            for before in 0..20 {
                let json = " ".repeat(before) + json;
                assert_eq!(first_rounded(json.as_bytes()), None, "{json}");
            }
        }
        assert_eq!(
            first_rounded(br#"["\\",12345678901234567890,"12345678901234567891"]"#),
            Some("12345678901234567890")
        );
    }

    #[test]
    fn what_they_become_is_as_javascript_writes_it() {
        assert_eq!(rounded("9007199254740993"), "9007199254740992");
        assert_eq!(rounded("12345678901234567890"), "12345678901234567000");
        assert_eq!(rounded("1152921504606846976"), "1152921504606847000");
        assert_eq!(rounded("12345678901234567890123"), "1.2345678901234568e22");
        assert_eq!(rounded(&"7".repeat(1000)), "Infinity");
        assert_eq!(rounded("-0.12345678901234567890"), "-0.12345678901234568");
        assert_eq!(rounded("0.00000012345678901234567890"), "1.2345678901234568e-7");
        assert_eq!(rounded("1e-12345678901234567"), "0");
    }
}
