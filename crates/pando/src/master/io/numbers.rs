//! Whole numbers too large for JavaScript: `JSON.parse` rounds them silently.

use crate::{
    master::{items::Cut, run::Master},
    protocol::{Form, Value},
};

/// A whole number with fewer digits is exact.
const DIGITS: usize = 16;
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
        let Some(whole) = first_rounded(&value.bytes) else { return };
        if self.tell_rounding() {
            let cut = if whole.len() > SHOWN { "…" } else { "" };
            self.console.say(format!(
                "warning: item {number} has the whole number {}{cut}, which JavaScript rounds to {}: put such numbers in quotes and use \
                 BigInt (this is said once)",
                &whole[..whole.len().min(SHOWN)],
                rounded(whole)
            ));
        }
    }
}

/// The first whole number in the JSON text `json` which JavaScript would round.
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
        let start = json[..at]
            .iter()
            .rposition(|byte| !byte.is_ascii_digit())
            .map_or(0, |before| before + 1);
        let end = json[at..]
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .map_or(json.len(), |more| at + more);
        let is_whole = !matches!(json.get(end), Some(b'.' | b'e' | b'E'))
            && !ends_in_a_fraction(&json[..start]);
        if end - start >= DIGITS && is_whole && !strings.advance_to(start) {
            let digits = std::str::from_utf8(&json[start..end]).ok()?;
            if digits.parse::<f64>().is_ok_and(|number| number.to_string() != digits) {
                return Some(digits);
            }
        }
        at += DIGITS * ((end - at) / DIGITS + 1);
    }
    None
}

/// Whether digits after `before` belong to a fraction or an exponent.
fn ends_in_a_fraction(before: &[u8]) -> bool {
    matches!(before, [.., b'.' | b'e' | b'E' | b'+'] | [.., b'e' | b'E', b'-'])
}

/// The number into which JavaScript rounds `digits`, as JavaScript prints numbers.
fn rounded(digits: &str) -> String {
    match digits.parse::<f64>() {
        Ok(number) if number < 1e21 => number.to_string(),
        Ok(number) if number.is_finite() => format!("{number:e}"),
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
    fn whole_numbers_that_change_are_found_wherever_they_are() {
        for number in [
            "9007199254740993",
            "12345678901234567890",
            "18446744073709551615",
            "1152921504606846976",
        ] {
            for before in 0..40 {
                let json = format!("{{\"a\":[{}-{number},1]}}", " ".repeat(before));
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
    fn what_stays_as_it_is_and_what_is_no_whole_number_is_not() {
        for json in [
            "9007199254740992",
            "9007199254740991",
            "10000000000000000000000",
            "0.12345678901234567890",
            "1234567890123456789.5",
            "12345678901234567e3",
            "1e-12345678901234567",
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
    }
}
