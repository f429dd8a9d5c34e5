use super::*;
use crate::journal::{JobFacts, digest, open};
use fastrand::Rng;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::{Duration, Instant},
};

/// A run over `input` as far as `done` says: takes results from the journal, and adds new ones for
/// the other values. Returns, for each value, the results that were found, and how many were added.
fn run(
    path: &Path,
    input: &[u64],
    mut done: impl FnMut(usize) -> bool,
    stamp: &mut u64,
) -> (BTreeMap<u64, Vec<Bytes>>, BTreeMap<u64, usize>) {
    let opened = open(path, Duration::ZERO).unwrap();
    assert_eq!(opened.cut, 0);
    let (mut replay, mut writer) = opened.go_on(JobFacts::default()).unwrap();
    let (mut found, mut added) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::new());
    for (index, value) in input.iter().enumerate() {
        match replay.look_up(&digest(&value.to_le_bytes()), None).unwrap() {
            Known::Result(result) => {
                assert!(result.starts_with(format!("{value} ").as_bytes()), "{value}: {result:?}");
                found.entry(*value).or_default().push(result);
            }
            Known::InFile(_) => panic!("no result is in a file"),
            Known::Nothing if done(index) => {
                *stamp += 1;
                let result = format!("{value} {stamp}");
                *added.entry(*value).or_default() += 1;
                writer.push(&Record::Result(ResultRecord {
                    index: index as u64,
                    input: digest(&value.to_le_bytes()),
                    only_by: None,
                    in_file: None,
                    bytes: result.as_bytes(),
                }));
            }
            Known::Nothing => {}
        }
    }
    writer.write(Instant::now()).unwrap();
    (found, added)
}

fn edit(rng: &mut Rng, input: &mut Vec<u64>, values: u64) {
    for _ in 0..rng.usize(0..4) {
        let count = input.len();
        match rng.u32(0..5) {
            0 if count > 0 => drop(input.remove(rng.usize(0..count))),
            1 if count > 0 => input.swap(rng.usize(0..count), rng.usize(0..count)),
            2 if count > 0 => input.rotate_left(rng.usize(0..count)),
            3 if count > 0 => input[rng.usize(0..count)] = rng.u64(0..values),
            _ => input.insert(rng.usize(0..=count), rng.u64(0..values)),
        }
    }
}

#[test]
fn after_any_edits_each_result_is_used_once_and_nothing_kept_is_computed_again() {
    for seed in 0..300 {
        let mut rng = Rng::with_seed(seed);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let values = [3, 30, 1000][rng.usize(0..3)];
        let mut input: Vec<u64> = (0..rng.usize(0..40)).map(|_| rng.u64(0..values)).collect();
        let (mut kept, mut stamp) = (BTreeMap::<u64, usize>::new(), 0);
        for round in 0..8 {
            // Some items fail, or a run is killed before they are finished.
            let percent = rng.u32(0..100);
            let mut chance = rng.fork();
            let (found, added) = run(&path, &input, |_| chance.u32(0..100) >= percent, &mut stamp);
            for (value, results) in &found {
                let different: BTreeSet<_> = results.iter().collect();
                assert_eq!(different.len(), results.len(), "seed {seed}, round {round}: {value}");
            }
            let mut occurrences = BTreeMap::<u64, usize>::new();
            input.iter().for_each(|value| *occurrences.entry(*value).or_default() += 1);
            for (value, times) in occurrences {
                let most = kept.get(&value).copied().unwrap_or_default();
                let used = found.get(&value).map_or(0, Vec::len);
                assert_eq!(used, times.min(most), "seed {seed}, round {round}: value {value}");
            }
            added.into_iter().for_each(|(value, times)| *kept.entry(value).or_default() += times);
            edit(&mut rng, &mut input, values);
        }
    }
}

#[test]
fn an_input_as_it_was_makes_no_index_also_with_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let input: Vec<u64> = (0..30_000).collect();
    let mut stamp = 0;
    run(&path, &input, |index| index % 10 != 3 && index < 29_000, &mut stamp);
    let opened = open(&path, Duration::ZERO).unwrap();
    let (mut replay, _) = opened.go_on(JobFacts::default()).unwrap();
    for value in &input {
        let known = replay.look_up(&digest(&value.to_le_bytes()), None).unwrap();
        assert_eq!(known == Known::Nothing, value % 10 == 3 || *value >= 29_000, "{value}");
        assert!(replay.is_by_position(), "{value}");
    }
    assert_eq!(replay.left(), 0);
}

#[test]
fn a_value_that_is_no_more_where_it_was_is_found_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut stamp = 0;
    run(&path, &[1, 2, 3, 4], |_| true, &mut stamp);
    let opened = open(&path, Duration::ZERO).unwrap();
    let (mut replay, _) = opened.go_on(JobFacts::default()).unwrap();
    let mut look = |value: u64| replay.look_up(&digest(&value.to_le_bytes()), None).unwrap();
    assert_eq!(look(1), Known::Result("1 1".into()));
    assert_eq!(look(7), Known::Nothing);
    assert_eq!(look(4), Known::Result("4 4".into()));
    assert_eq!(look(1), Known::Nothing);
    assert_eq!(look(2), Known::Result("2 2".into()));
    assert_eq!((replay.is_by_position(), replay.left()), (false, 1));
}
