//! The inputs of the fuzz targets, unchanged and with random changes.

use std::{fs, panic::catch_unwind, path::Path};

/// The number of changed forms of each input.
const FORMS: u64 = 2000;

fn replay(target: &str, take: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files: Vec<_> = fs::read_dir(&folder)
        .expect("there is a corpus")
        .map(|file| file.unwrap().path())
        .collect();
    assert!(files.len() >= 8, "{folder:?} has {} inputs", files.len());
    for file in files {
        let input = fs::read(&file).unwrap();
        for seed in 0..FORMS {
            let form = changed(&input, seed);
            assert!(catch_unwind(|| take(&form)).is_ok(), "{file:?} with seed {seed}: {form:?}");
        }
    }
}

/// The input itself for seed 0. Otherwise bytes of the input are changed, added, removed or
/// repeated.
fn changed(input: &[u8], seed: u64) -> Vec<u8> {
    let (mut random, mut form) = (fastrand::Rng::with_seed(seed), input.to_vec());
    for _ in 0..seed.min(random.u64(1..5)) {
        let at = random.usize(..=form.len());
        match random.u8(..5) {
            0 if at < form.len() => form[at] ^= 1 << random.u8(..8),
            1 if at < form.len() => {
                form[at] = random.choice([0, 0x7f, 0x80, 0xff, b'"', b'{']).unwrap()
            }
            2 => form.insert(at, random.u8(..)),
            3 => form.truncate(at),
            _ => {
                let end = (at + random.usize(..20)).min(form.len());
                let part = form[at..end].to_vec();
                form.splice(at..at, part);
            }
        }
    }
    form
}

#[test]
fn frames_of_the_protocol_never_panic_and_mean_the_same_when_said_again() {
    replay("protocol", pando::fuzz::protocol);
}

#[test]
fn a_journal_is_read_up_to_its_last_sound_record_whatever_it_holds() {
    replay("journal", pando::fuzz::journal);
}

#[test]
fn what_is_said_to_a_relay_and_by_it_never_panics_and_links_pass_the_same_however_it_comes() {
    replay("relay", pando::fuzz::relay);
}
