//! `--only-failed FILE`: the items of a list, to be computed again.

use super::object::{ListedItem, parse};
use crate::files;
use bytes::Bytes;
use std::{fs::File, io::Read, path::Path};

/// The items of a list, in its order.
#[derive(Debug, Clone, Default)]
pub(crate) struct FailedList {
    pub(crate) items: Vec<FailedAgain>,
}

/// An item to be computed again.
#[derive(Debug, Clone)]
pub(crate) struct FailedAgain {
    /// The number of the item in the whole input, from 1.
    pub(crate) number: u64,
    /// The value, or the text of an input that is no value.
    pub(crate) input: Bytes,
    /// Why the input is no value, if it is none.
    pub(crate) unusable: Option<String>,
}

/// Reads the list at `path`; `json`: values are JSON texts, and otherwise text.
///
/// # Errors
/// When the file cannot be read, or a line of it is no failed item: the problem, in words for
/// people, with the number of the line.
pub(crate) fn read(path: &Path, json: bool) -> Result<FailedList, String> {
    let name = path.display();
    let mut text = Vec::new();
    files::look(path, u64::MAX)
        .and_then(|_| File::open(path))
        .and_then(|mut file| file.read_to_end(&mut text))
        .map_err(|error| format!("--only-failed {name}: cannot be read: {error}"))?;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let mut items = Vec::new();
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let item = parse(line).and_then(|item| again(item, json));
        items.push(item.map_err(|why| format!("--only-failed {name}, line {number}: {why}"))?);
    }
    Ok(FailedList { items })
}

fn again(item: ListedItem, json: bool) -> Result<FailedAgain, String> {
    let ListedItem { number, input, unusable } = item;
    let input = match json && unusable.is_none() {
        true => input.into_string(),
        false => serde_json::from_str(&input).map_err(|_| {
            "its field \"input\" is no text: was the list written by a run with --json?".to_owned()
        })?,
    };
    Ok(FailedAgain { number, input: input.into(), unusable })
}
