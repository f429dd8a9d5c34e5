//! The words of the command line.

use super::{RandomJob, Shape, ValueFormat};
use crate::chaos::{chance::Chance, trust::RandomTrust};

/// The options of a job, by chance and by what the job needs.
pub(super) fn options(chance: &mut Chance, job: &RandomJob) -> Vec<String> {
    let mut options = vec!["--heartbeat".to_owned(), format!("{}ms", job.heartbeat.as_millis())];
    let mut option = |name: &str, value: String| options.extend([name.to_owned(), value]);
    match job.poison {
        None => option("--retries", "1000000".into()),
        Some((_, on_error)) => {
            option("--retries", chance.one(&["0", "1", "2"]).into());
            option("--on-error", format!("{on_error:?}").to_lowercase());
        }
    }
    option("--cores", if chance.toss(0.12) { chance.one(&["1", "2"]) } else { "0" }.into());
    if chance.toss(0.5) {
        option("--window", chance.one(&["1", "2", "5", "20", "100", "1000"]).into());
    }
    if chance.toss(0.4) {
        option("--batch-size", chance.one(&["1", "2", "3", "10", "100"]).into());
    }
    if chance.toss(0.15) {
        option("--concurrency", chance.one(&["2", "5"]).into());
    }
    match job.framing {
        ValueFormat::Lines => {}
        ValueFormat::Null => options.push("-0".into()),
        ValueFormat::Json => options.push("--json".into()),
    }
    let flags = [
        ("--speculate", if job.trust.is_none() { 0.25 } else { 0.0 }),
        ("-v", 0.1),
        ("--progress=always", 0.1),
        ("--events=events", 0.1),
        ("-q", 0.1),
    ];
    options.extend(
        flags.iter().filter(|(_, share)| chance.toss(*share)).map(|(flag, _)| (*flag).to_owned()),
    );
    if job.values.len() < 60 && !job.counts_attempts() && chance.toss(0.05) {
        // The command rejects about one in five results, and the master has to obtain them again.
        options.extend(
            ["--confirm", "test $(($(od -An -N1 -tu1 /dev/urandom) % 5)) != 0"].map(str::to_owned),
        );
    }
    match job.shape {
        Shape::Plain => {}
        Shape::Chunk(size) => options.extend(["--chunk".into(), size.to_string()]),
        Shape::Table => options.push("--csv".into()),
    }
    options.extend(job.tags.then(|| "--tag".to_owned()));
    options.extend(job.trust.iter().flat_map(RandomTrust::words));
    options.extend(job.unordered.then(|| "--unordered".to_owned()));
    if !job.as_items {
        options.push("--stdin".into());
    }
    options
}
