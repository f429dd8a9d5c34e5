//! Runs in which several devices compute one value, some of which lie.

use super::{
    chance::Chance,
    job::{Input, RandomJob, Shape, ValueFormat},
};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Who counts as a liar, by the start of the device's name.
pub(crate) const LIAR: &str = "Eve";

/// The ends of wrong results: of liars that collude, and of one that lies alone.
const WORDS: [&str; 2] = [":all", ":alone"];

/// How several devices compute one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RandomTrust {
    /// `--copies N`.
    Copies(usize),
    /// `--verify N`.
    Quorum(usize),
    /// `--verify P%`.
    SpotChecks(u32),
}

/// How a device lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lie {
    /// The end of each wrong result. Devices with the same word collude.
    pub(crate) word: String,
    /// The share of the values with wrong results, in percent.
    pub(crate) share: u32,
    /// The number of items that the device answers rightly before its first lie.
    pub(crate) after: usize,
}

/// The rule of a run.
pub(super) fn rule(chance: &mut Chance, shape: Shape) -> RandomTrust {
    match chance.of_range(0..10) {
        0 | 1 if shape == Shape::Plain => RandomTrust::Copies(chance.one(&[2, 3])),
        2..5 => RandomTrust::SpotChecks(chance.one(&[5, 20, 50, 100])),
        _ => RandomTrust::Quorum(chance.one(&[2, 2, 3])),
    }
}

impl RandomTrust {
    /// The words of the command line.
    pub(crate) fn words(&self) -> [String; 2] {
        match self {
            Self::Copies(devices) => ["--copies".into(), devices.to_string()],
            Self::Quorum(devices) => ["--verify".into(), devices.to_string()],
            Self::SpotChecks(percent) => ["--verify".into(), format!("{percent}%")],
        }
    }

    /// Whether a run with this rule may have a journal.
    pub(crate) fn may_be_kept(&self) -> bool {
        !matches!(self, Self::SpotChecks(_))
    }

    /// The number of honest devices without which the run waits.
    pub(crate) fn honest(&self) -> usize {
        match self {
            Self::Copies(devices) | Self::Quorum(devices) => *devices,
            Self::SpotChecks(_) => 2,
        }
    }

    /// How the liars of a run lie. Fewer devices collude than could have a wrong result counted.
    pub(crate) fn lies(&self, chance: &mut Chance) -> Vec<Lie> {
        let mut lie = |word: &str| Lie {
            word: word.to_owned(),
            share: chance.one(&[5, 50, 100]),
            after: chance.one(&[0, 0, 3, 15]),
        };
        let colluding = lie(WORDS[0]);
        let (most, alone) = match self {
            Self::Copies(devices) | Self::Quorum(devices) => (devices - 1, lie(WORDS[1])),
            Self::SpotChecks(_) => (1, lie(WORDS[1])),
        };
        let colluding = vec![colluding; chance.0.usize(0..=most)];
        let mut lies: Vec<Lie> =
            colluding.into_iter().chain(chance.toss(0.2).then_some(alone)).collect();
        if let Self::Copies(devices) = self {
            // At least one of the devices of each value is honest.
            lies.truncate(devices - 1);
        }
        lies
    }
}

/// The records of what devices have computed for one master, as far as this is known.
#[derive(Debug, Default)]
pub(crate) struct Computed {
    /// The items that devices were sent.
    pub(crate) sent: BTreeSet<u64>,
    /// The devices that have answered each item rightly.
    pub(crate) right: BTreeMap<u64, BTreeSet<String>>,
}

/// The names that liars have taken, as masters have `said`. A liar keeps its name at the next
/// master.
pub(super) fn names_of_liars<'a>(said: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    for line in said.flat_map(str::lines) {
        if let Some((before, name)) = line.split_once(" is now called ")
            && (before.contains(LIAR) || names.contains(before))
        {
            names.insert(name);
        }
    }
    names
}

/// The output of `--copies` as that of a run without: the right result in place of each list of
/// answers, all of which are right except those of `liars`. A list at the end that is not whole is
/// left out: its master was killed meanwhile.
pub(super) fn without_copies(
    job: &RandomJob,
    devices: usize,
    output: &[u8],
    liars: &BTreeSet<&str>,
) -> Vec<u8> {
    let (separator, json) = (job.separator(), job.framing == ValueFormat::Json);
    let mut plain = Vec::new();
    for record in output.split_inclusive(|byte| *byte == separator) {
        let list = record.strip_suffix(&[separator]).unwrap_or(record);
        match right_answer(list, devices, liars) {
            Some(result) if json => plain.extend(Json::from(result).to_string().bytes()),
            Some(result) => plain.extend(result.bytes()),
            None if list.len() == record.len() => continue,
            None => plain.extend_from_slice(list),
        }
        plain.extend_from_slice(&record[list.len()..]);
    }
    plain
}

/// The only result in the answers of the honest devices to one value; `None` if something is wrong
/// with the answers.
fn right_answer(list: &[u8], devices: usize, liars: &BTreeSet<&str>) -> Option<String> {
    let answers: Vec<Json> = serde_json::from_slice(list).ok()?;
    let is_liar = |name: &str| name.starts_with(LIAR) || liars.contains(name);
    let honest: BTreeSet<&str> = answers
        .iter()
        .filter(|answer| !answer["device"].as_str().is_some_and(is_liar))
        .map(|answer| answer["result"].as_str().unwrap_or_default())
        .collect();
    let right = honest.first().filter(|_| honest.len() == 1 && answers.len() == devices)?;
    Some((*right).to_owned())
}

/// The numbers of the values that pando names as doubtful at its end.
pub(super) fn doubtful(said: &str) -> BTreeSet<u64> {
    let mut numbers = BTreeSet::new();
    let lists = said.split("may be wrong").skip(1).filter_map(|rest| rest.split_once(": item"));
    for (_, list) in lists {
        let list = list.split(['\n', ';']).next().unwrap_or_default().trim_start_matches('s');
        for range in list.trim().split(", ") {
            let range = range.split(" and others").next().unwrap_or_default();
            let mut ends = range.split(" to ").filter_map(|end| end.trim().parse::<u64>().ok());
            if let Some(first) = ends.next() {
                numbers.extend(first..=ends.next().unwrap_or(first));
            }
        }
    }
    numbers
}

/// Whether pando has noticed the liar with this word. A long result may be cut before its word.
fn is_caught(word: &str, said: &str) -> bool {
    let mut caught = said.lines().filter(|line| line.contains("is not trusted any more"));
    caught.any(|line| line.contains(word) || !WORDS.iter().any(|word| line.contains(word)))
}

/// The output of a run with spot checks, in which a proven device may lie, with the right line in
/// place of each wrong one that is explained: a liar told it, and pando names its value if it
/// noticed that liar.
pub(super) fn without_lies(job: &RandomJob, input: &Input, output: &[u8], said: &str) -> Vec<u8> {
    let doubtful = doubtful(said);
    let is_named =
        |place: u64| doubtful.contains(&(place + 1)) || said.contains(" and others up to ");
    let mut right_lines = BTreeMap::new();
    for word in WORDS {
        let may_stay = !is_caught(word, said);
        for (place, value) in
            (0..).zip(&input.values).filter(|(place, _)| may_stay || is_named(*place))
        {
            let right = job.right_line(place, value, "");
            right_lines.insert(job.right_line(place, value, word), right);
        }
    }
    let lines = output.split_inclusive(|byte| *byte == job.separator());
    let explained = lines.map(|line| right_lines.get(line).map_or(line, Vec::as_slice));
    explained.collect::<Vec<_>>().concat()
}
