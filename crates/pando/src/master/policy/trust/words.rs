//! The sentences about answers that differ, and about devices that are not trusted any more.

use super::{answers::GivenAnswer, records::Doubt};
use crate::{
    master::policy::account::excerpt,
    number::count,
    protocol::Form,
    table::{Element, elements},
};
use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::json;

/// The most characters of an answer in a sentence.
const LONGEST_ANSWER: usize = 40;
/// The most answers in a sentence.
const MOST_ANSWERS: usize = 3;
/// The most ranges of items in a sentence.
const MOST_RANGES: usize = 20;

/// The hint for functions whose results differ a little.
const HINT: &str =
    "if such results may differ, compare them by a rule of yours: --verify-with COMMAND";

/// The result of `--copies`: the JSON array of all answers.
pub(super) fn copies(answers: &[GivenAnswer]) -> Bytes {
    let one = |answer: &GivenAnswer| {
        let text = String::from_utf8_lossy(&answer.result);
        let is_json =
            answer.form == Form::Json && serde_json::from_str::<IgnoredAny>(&text).is_ok();
        let result = if is_json { text.into_owned() } else { json!(text).to_string() };
        format!(r#"{{"device":{},"result":{result}}}"#, json!(answer.name))
    };
    let all: Vec<String> = answers.iter().map(one).collect();
    Bytes::from(format!("[{}]", all.join(",")))
}

/// As [`copies`] for a chunk, to which each answer is a list of results: a list with all answers to
/// each value.
pub(super) fn copies_of_chunk(answers: &[GivenAnswer]) -> Bytes {
    let texts: Vec<_> =
        answers.iter().map(|answer| String::from_utf8_lossy(&answer.result)).collect();
    let lists: Vec<_> = texts.iter().map(|text| elements(text).unwrap_or_default()).collect();
    let values = lists.iter().map(Vec::len).min().unwrap_or_default();
    let answer = |(answer, list): (&GivenAnswer, &Vec<Element>), place: usize| {
        format!(r#"{{"device":{},"result":{}}}"#, json!(answer.name), list[place].get())
    };
    let of_value = |place| {
        let all: Vec<String> =
            answers.iter().zip(&lists).map(|given| answer(given, place)).collect();
        format!("[{}]", all.join(","))
    };
    let all: Vec<String> = (0..values).map(of_value).collect();
    Bytes::from(format!("[{}]", all.join(",")))
}

/// The answers that differ, in words: `Ada answered 1, Bob answered 2`.
fn answers_in_words(answers: &[&GivenAnswer]) -> String {
    let said = answers.iter().take(MOST_ANSWERS).map(|answer| {
        format!("{} answered {}", answer.name, excerpt(&answer.result, LONGEST_ANSWER))
    });
    said.collect::<Vec<_>>().join(", ")
}

/// One answer of each kind.
fn different(answers: &[GivenAnswer]) -> Vec<&GivenAnswer> {
    let mut different: Vec<&GivenAnswer> = Vec::new();
    for answer in answers {
        if different.iter().all(|other| other.result != answer.result) {
            different.push(answer);
        }
    }
    different
}

/// The answers to an item on which the devices differ.
pub(super) fn difference(item: &str, answers: &[GivenAnswer]) -> String {
    format!("{item}: {}", answers_in_words(&different(answers)))
}

/// Why an item failed whose answers differ.
pub(super) fn hopeless(answers: &[GivenAnswer]) -> String {
    format!(
        "the results of {} differ, and too few are the same ({}); {HINT}",
        count(answers.len() as u64, "device"),
        answers_in_words(&different(answers)),
    )
}

/// Why the run ends.
pub(super) fn nondeterministic(differences: &[String]) -> String {
    format!(
        "the function gives different results on different devices, or at each call ({}); {HINT}",
        differences.join("; ")
    )
}

/// Who answered otherwise, in words.
fn those(right: &[GivenAnswer]) -> String {
    match right {
        [one] => one.name.clone(),
        many => format!("{} other devices", many.len()),
    }
}

/// A device is not trusted any more; `again` of its answers are computed again.
pub(super) fn caught(
    item: &str,
    answer: &GivenAnswer,
    right: &[GivenAnswer],
    again: usize,
) -> String {
    let again = match again {
        0 => String::new(),
        1 => ", and an item that it answered is computed again".into(),
        _ => format!(", and {again} items that it answered are computed again"),
    };
    format!(
        "{} is not trusted any more: its result of {item} is {}, that of {} is {}; it gets no more values{again} ({HINT})",
        answer.name,
        excerpt(&answer.result, LONGEST_ANSWER),
        those(right),
        excerpt(&right[0].result, LONGEST_ANSWER),
    )
}

/// This machine's own cores have given another result than the devices that agree.
pub(super) fn own_cores_differ(item: &str, answer: &GivenAnswer, right: &[GivenAnswer]) -> String {
    format!(
        "this machine's own cores differ from {}: their result of {item} is {}, and {} counts, because it is the answer of the greater number ({HINT})",
        those(right),
        excerpt(&answer.result, LONGEST_ANSWER),
        excerpt(&right[0].result, LONGEST_ANSWER),
    )
}

/// Results that are output on the word of a device that is not trusted any more.
pub(super) fn doubt(doubt: &Doubt) -> String {
    let Doubt { device, items, count: number } = doubt;
    let named: u64 = items.iter().map(|(first, last)| last - first + 1).sum();
    let newest = if named < *number { ", the newest of them" } else { "" };
    format!(
        "{} of {device} {} output without a check, and may be wrong{newest}: {}",
        count(*number, "result"),
        if *number == 1 { "was" } else { "were" },
        ranges(items)
    )
}

/// How the output is in doubt at the end.
pub(super) fn doubts(doubts: &[Doubt]) -> String {
    let all: Vec<String> = doubts.iter().map(doubt).collect();
    all.join("; ")
}

/// Items in words: `items 3, 5 to 9, 12`.
fn ranges(items: &[(u64, u64)]) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for (first, end) in items.iter().copied() {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == first => *last = end,
            _ => ranges.push((first, end)),
        }
    }
    let shown = ranges.iter().take(MOST_RANGES).map(|(first, last)| match last - first {
        0 => first.to_string(),
        _ => format!("{first} to {last}"),
    });
    let shown: Vec<String> = shown.collect();
    let more = match ranges.len().saturating_sub(MOST_RANGES) {
        0 => String::new(),
        _ => format!(" and others up to {}", ranges.last().map_or(0, |(_, last)| *last)),
    };
    let is_one = matches!(ranges[..], [(first, last)] if first == last);
    let items = if is_one { "item" } else { "items" };
    format!("{items} {}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_that_follow_each_other_are_one_range() {
        let single = |numbers: &[u64]| numbers.iter().map(|n| (*n, *n)).collect::<Vec<_>>();
        assert_eq!(ranges(&single(&[3, 5, 6, 7, 12])), "items 3, 5 to 7, 12");
        assert_eq!(ranges(&single(&[1])), "item 1");
        assert_eq!(ranges(&[(1, 3), (4, 6), (10, 12)]), "items 1 to 6, 10 to 12");
        let many = single(&(0..50).map(|n| n * 2 + 1).collect::<Vec<u64>>());
        assert!(ranges(&many).ends_with(" and others up to 99"));
    }
}
