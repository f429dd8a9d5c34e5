//! A failed item as a JSON object.

use super::FailedInput;
use serde::de::IgnoredAny;
use serde_json::{Deserializer, json, to_string};
use std::ops::Range;

/// An item that failed for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailedItem {
    /// The number of the item in the whole input, from 1.
    pub(crate) number: u64,
    pub(crate) input: FailedInput,
    pub(crate) message: String,
    /// The stack of the last attempt.
    pub(crate) stack: Option<String>,
    /// The name of the device of the last attempt; `None` if nothing was attempted.
    pub(crate) device: Option<String>,
    pub(crate) attempts: u32,
}

impl FailedItem {
    /// About how much memory the item takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let stack = self.stack.as_ref().map_or(0, String::len);
        size_of::<Self>() + self.input.bytes().len() + self.message.len() + stack
    }

    /// Appends the item as a JSON object and a line feed.
    pub(super) fn append_line_to(&self, out: &mut Vec<u8>) {
        let Self { number, input, message, stack, device, attempts } = self;
        let unusable = if input.is_unusable() { ",\"unusable\":true" } else { "" };
        let line = format!(
            "{{\"index\":{number},\"input\":{}{unusable},\"message\":{},\"stack\":{},\"device\":{},\"attempts\":{attempts}}}\n",
            input.as_json(),
            json!(message),
            json!(stack),
            json!(device),
        );
        out.extend(line.into_bytes());
    }
}

/// The JSON text in place of the result of the item `number`, which failed.
pub(crate) fn error_in_place(number: u64, message: &str, input: &FailedInput) -> String {
    let unusable = if input.is_unusable() { ",\"unusable\":true" } else { "" };
    format!(
        "{{\"error\":{{\"index\":{number},\"message\":{},\"input\":{}{unusable}}}}}",
        to_string(message).expect("a string has a form in JSON"),
        input.as_json()
    )
}

/// A failed item, as it is read from a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedItem {
    /// The number of the item in the whole input, from 1.
    pub(crate) number: u64,
    /// The input as a JSON text.
    pub(crate) input: Box<str>,
    /// Why the input is no value, if it is none.
    pub(crate) unusable: Option<String>,
}

/// Reads one line of a list.
///
/// # Errors
/// When the line is no failed item: the problem, in words for people.
pub(super) fn parse(line: &[u8]) -> Result<ListedItem, String> {
    let line = std::str::from_utf8(line).map_err(|_| "it is not valid UTF-8".to_owned())?;
    serde_json::from_str::<IgnoredAny>(line)
        .map_err(|error| format!("it is not valid JSON: {error}"))?;
    let fields = fields(line).ok_or("it is no JSON object")?;
    // Of several fields with one name, the last one counts, as for JSON.parse.
    let field = |name: &str| {
        fields.iter().rfind(|(field, _)| field == name).map(|(_, range)| &line[range.clone()])
    };
    let number = field("index").and_then(|text| text.parse().ok()).filter(|number| *number > 0);
    let message =
        || field("message").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    Ok(ListedItem {
        number: number.ok_or("its field \"index\" is missing, or is no number from 1 up")?,
        input: field("input").ok_or("its field \"input\" is missing")?.into(),
        unusable: field("unusable").filter(|text| *text == "true").map(|_| message()),
    })
}

/// The fields of a JSON object in `text`, which is valid JSON: their names, and where their values
/// stand. The values stay texts, because a number may be longer than any number type.
fn fields(text: &str) -> Option<Vec<(String, Range<usize>)>> {
    let blank = |at: usize| at + text[at..].len() - text[at..].trim_start().len();
    let mut at = blank(0);
    let mut fields = Vec::new();
    let mut next = '{';
    while text[at..].starts_with(next) && !text[at + 1..].trim_start().starts_with('}') {
        at = blank(at + 1);
        let mut name = Deserializer::from_str(&text[at..]).into_iter::<String>();
        let read = name.next()?.ok()?;
        at = blank(at + name.byte_offset());
        at = blank(at + text[at..].strip_prefix(':').map(|_| 1)?);
        let mut value = Deserializer::from_str(&text[at..]).into_iter::<IgnoredAny>();
        value.next()?.ok()?;
        let end = at + value.byte_offset();
        fields.push((read, at..end));
        (at, next) = (blank(end), ',');
    }
    (next == ',' || text.trim_start().starts_with('{')).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whatever_its_order_and_blanks_are() {
        let line = br#" { "input" : [1e999, "a}\"" , {"index":5}] ,"x":{}, "index": 12 } "#;
        let read = parse(line).unwrap();
        assert_eq!((read.number, &*read.input), (12, r#"[1e999, "a}\"" , {"index":5}]"#));
        assert_eq!(read.unusable, None);
        let read = parse(br#"{"index":1,"input":"a","unusable":true,"message":"bad"}"#).unwrap();
        assert_eq!(read.unusable.as_deref(), Some("bad"));
    }

    #[test]
    fn what_is_no_failed_item_is_told() {
        for (line, why) in [
            ("7", "no JSON object"),
            ("[]", "no JSON object"),
            ("{}", "\"index\""),
            ("{\"index\":1}", "\"input\""),
            ("{\"index\":-1,\"input\":1}", "\"index\""),
            ("{\"index\":1,\"input\":1", "not valid JSON"),
            ("{\"index\":1,\"input\":1}}", "not valid JSON"),
        ] {
            let told = parse(line.as_bytes()).expect_err(line);
            assert!(told.contains(why), "{line}: {told}");
        }
    }

    #[test]
    fn the_error_in_place_has_the_input() {
        let json = error_in_place(3, "no \"7\"", &FailedInput::Json("{\"a\":7}".into()));
        assert_eq!(json, r#"{"error":{"index":3,"message":"no \"7\"","input":{"a":7}}}"#);
    }
}
