//! Checks the output, the journal and the processes of a run.

use super::{
    context::Context,
    job::{HEADER, RandomJob},
    kept::{computed_wrongly, kept_wrongly},
    machine::panics,
    master::{Life, PATIENCE},
    trust::{LIAR, RandomTrust, names_of_liars, without_copies, without_lies},
};
use pando_testing::has_ended;
use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

/// The first difference between `got` and `expected` in words, or `None` when they are equal. Both
/// are sequences of records with `separator` after each.
pub fn difference(expected: &[u8], got: &[u8], separator: u8) -> Option<String> {
    if expected == got {
        return None;
    }
    let split =
        |bytes| <[u8]>::split_inclusive(bytes, move |byte| *byte == separator).collect::<Vec<_>>();
    let (expected, got) = (split(expected), split(got));
    let at = expected.iter().zip(&got).take_while(|(expected, got)| expected == got).count();
    let (number, all) = (at + 1, expected.len());
    let Some(found) = got.get(at) else {
        return Some(format!("the output ends after {at} of {all} results"));
    };
    let Some(wanted) = expected.get(at) else {
        return Some(format!("after the last result follows {}", excerpt(found)));
    };
    let place = expected.iter().position(|other| other == found).map(|place| place + 1);
    let what = match place {
        // Equal results may occur in several places, so `place` alone proves nothing.
        _ if expected.get(number) == Some(found) && got.get(number) != Some(wanted) => {
            "it is missing".to_owned()
        }
        _ if at > 0 && expected[at - 1] == *found => format!("that of {at} comes once more"),
        Some(place) => format!("that of {place} comes in its place"),
        None if got.len() == number && wanted.starts_with(found) => {
            "it is not whole, and nothing follows".to_owned()
        }
        None => format!("it is {}", excerpt(found)),
    };
    Some(format!("result {number} of {all} should be {}; {what}", excerpt(wanted)))
}

/// As [`difference`], for results in any order. `whole`: all expected ones must be there; otherwise
/// the last one may be cut off.
fn difference_in_any_order(
    expected: &[u8],
    got: &[u8],
    separator: u8,
    whole: bool,
) -> Option<String> {
    let sorted = |bytes| {
        let mut records: Vec<&[u8]> =
            <[u8]>::split_inclusive(bytes, move |byte| *byte == separator).collect();
        records.sort_unstable();
        records
    };
    let end = got.iter().rposition(|byte| *byte == separator).map_or(0, |last| last + 1);
    let got = if whole { got } else { &got[..end] };
    let (expected, got) = (sorted(expected), sorted(got));
    if whole {
        return difference(&expected.concat(), &got.concat(), separator);
    }
    let mut expected = expected.into_iter();
    let surplus = got.into_iter().find(|record| !expected.any(|other| other == *record))?;
    Some(format!("{} is no result, or comes once more", excerpt(surplus)))
}

/// The list of everything that is wrong after a run.
pub(super) fn judge(context: &Context, lives: &[Life], folder: &Path) -> Vec<String> {
    let job = &context.plan.job;
    let mut what: Vec<String> = context.complaints();
    let liars = names_of_liars(lives.iter().map(|life| &*life.said));
    for (number, life) in lives.iter().enumerate() {
        let mut wrong = |text: String| {
            what.push(format!("life {} of {} of the master: {text}", number + 1, lives.len()))
        };
        let last = number + 1 == lives.len();
        match life.status {
            None => wrong(format!("it hangs: it printed nothing for {PATIENCE:?}")),
            Some(status) if last && status.code() != Some(expected_status(life)) => {
                wrong(format!("it ended with {status}"))
            }
            // Earlier lives end with status 0 or 1 after Ctrl-C, and without a status after a
            // kill.
            Some(status) if !matches!(status.code(), Some(0 | 1) | None) => {
                wrong(format!("it ended with {status}"))
            }
            Some(_) => {}
        }
        let output = plain(job, life, &liars);
        let expected = &life.input.expected.output;
        let found = match job.unordered {
            true => {
                difference_in_any_order(expected, &output, job.separator(), is_whole(life, last))
            }
            false if is_whole(life, last) || !expected.starts_with(&output) => {
                difference(expected, &output, job.separator())
            }
            false => None,
        };
        found.into_iter().for_each(&mut wrong);
        if let Some(line) = life
            .said
            .lines()
            .find(|line| line.contains("panicked at") || line.contains("a process is left"))
        {
            wrong(line.to_owned());
        }
        if life.children.iter().any(|child| !ends_soon(*child)) {
            wrong("a child of it goes on without it".into());
        }
    }
    what.extend(panics(folder));
    what.extend(lives.iter().flat_map(|life| wrongly_accused(life, &liars)));
    if what.is_empty() {
        what.extend(computed_wrongly(context, lives));
    }
    if job.journal && what.is_empty() {
        what.extend(kept_wrongly(context, lives, &folder.join("journal")));
    }
    what
}

/// The output of a master in the form of the expected one.
fn plain(job: &RandomJob, life: &Life, liars: &BTreeSet<&str>) -> Vec<u8> {
    match job.trust {
        Some(RandomTrust::Copies(devices)) => without_copies(job, devices, &life.output, liars),
        Some(RandomTrust::SpotChecks(_)) => {
            without_lies(job, &life.input, &life.output, &life.said)
        }
        // An interrupted run without results prints the columns of its input.
        _ if life.output == HEADER.as_bytes() && life.ended.is_some() => Vec::new(),
        _ => life.output.clone(),
    }
}

/// Whether a master took the function for one that gives different results. With two kinds of
/// liars, this may happen.
pub(super) fn is_muddled(life: &Life) -> bool {
    life.said.contains("the function gives different results")
}

/// Whether the output of a master, which may be the last one, must be there to its end.
fn is_whole(life: &Life, last: bool) -> bool {
    last && !is_muddled(life)
}

fn expected_status(life: &Life) -> i32 {
    let is_in_doubt = life.said.contains("may be wrong");
    if is_in_doubt || is_muddled(life) { 1 } else { life.input.expected.status }
}

/// The lines about honest devices that are said not to be trusted any more. Lines about a shortage
/// of devices only count those.
fn wrongly_accused(life: &Life, liars: &BTreeSet<&str>) -> Vec<String> {
    let lines = life.said.lines().filter(|line| {
        line.contains("is not trusted any more") && !line.contains("device is not trusted")
    });
    let is_liar =
        |line: &&str| line.contains(LIAR) || liars.iter().any(|name| line.starts_with(name));
    lines.filter(|line| !is_liar(line)).map(str::to_owned).collect()
}

/// Whether process `id` ends within ten seconds.
fn ends_soon(id: u32) -> bool {
    let until = Instant::now() + Duration::from_secs(10);
    while !has_ended(id) {
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// The start of a record, for a message.
fn excerpt(record: &[u8]) -> String {
    let start = String::from_utf8_lossy(&record[..record.len().min(60)]);
    format!("{start:?} ({} bytes)", record.len())
}

#[cfg(test)]
mod tests {
    use super::{difference, difference_in_any_order};

    const LINES: &str = "a\nb\nc\nd\n";

    fn told(got: &str) -> String {
        difference(LINES.as_bytes(), got.as_bytes(), b'\n').expect("they differ")
    }

    #[test]
    fn the_same_is_the_same() {
        assert_eq!(difference(LINES.as_bytes(), LINES.as_bytes(), b'\n'), None);
        assert_eq!(difference(b"", b"", 0), None);
    }

    #[test]
    fn in_any_order_each_result_comes_once() {
        let told = |got: &str, whole| {
            difference_in_any_order(LINES.as_bytes(), got.as_bytes(), b'\n', whole)
        };
        assert_eq!(told("c\na\nd\nb\n", true), None);
        assert_eq!(told("c\na\nhal", false), None);
        for (got, whole) in
            [("c\na\nd\n", true), ("c\na\nd\nb\nb\n", true), ("c\nc\n", false), ("x\n", false)]
        {
            assert!(told(got, whole).is_some(), "{got:?}");
        }
    }

    #[test]
    fn every_way_to_be_wrong_is_told() {
        let wrong = [
            ("a\nc\nd\n", "result 2 of 4 should be \"b\\n\" (2 bytes); it is missing"),
            ("a\nb\nb\nc\nd\n", "that of 2 comes once more"),
            (
                "a\nc\nb\nd\n",
                "result 2 of 4 should be \"b\\n\" (2 bytes); that of 3 comes in its place",
            ),
            ("a\nb\nc\n", "the output ends after 3 of 4 results"),
            ("", "the output ends after 0 of 4 results"),
            ("a\nb\nc\nd", "it is not whole"),
            (
                "a\nb\nx\nd\n",
                "result 3 of 4 should be \"c\\n\" (2 bytes); it is \"x\\n\" (2 bytes)",
            ),
            ("a\nb\nc\nd\n\n", "after the last result follows"),
            ("a\nb\nc\nd\nd\n", "after the last result follows"),
        ];
        for (got, words) in wrong {
            assert!(told(got).contains(words), "{got:?}: {}", told(got));
        }
    }
}
