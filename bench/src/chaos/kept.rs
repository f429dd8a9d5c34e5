//! Checks what was computed, and what the journal keeps: nothing is computed again whose result was
//! kept, and results count only if enough devices have computed them.

use super::{context::Context, judge::is_muddled, master::Life, trust::RandomTrust};
use pando::journal::{Digest, digest};
use std::{collections::BTreeMap, fs, path::Path};

/// How often each value occurs.
pub(super) type Counts = BTreeMap<Digest, usize>;

/// How often the journal has a result of each value.
pub(super) fn kept(journal: &Path) -> Counts {
    let bytes = fs::read(journal).unwrap_or_default();
    let contents = pando::journal::read(&bytes);
    counted(contents.map(|contents| contents.values).unwrap_or_default())
}

/// What devices computed although its result was kept, and what fewer devices computed than must
/// have agreed on it.
pub(super) fn computed_wrongly(context: &Context, lives: &[Life]) -> Vec<String> {
    let job = &context.plan.job;
    let mut what = Vec::new();
    for (number, (life, (input, computed))) in lives.iter().zip(context.lives().iter()).enumerate()
    {
        let value = |index: &u64| input.items.get(*index as usize).map(|item| digest(item));
        let sent = counted(computed.sent.iter().filter_map(value));
        let all = counted(input.items.iter().map(|item| digest(item)));
        for (value, sent) in &sent {
            let (all, kept) = (count(&all, value), count(&life.kept, value));
            if *sent > all.saturating_sub(kept) {
                let item = input.items.iter().position(|item| digest(item) == *value);
                what.push(format!(
                    "master {}: {sent} of {all} items with the value of item {} are computed, and {kept} results were kept",
                    number + 1,
                    item.unwrap_or_default() + 1
                ));
            }
        }
        let is_complete = life.status.is_some_and(|status| status.success());
        let is_known = !job.journal
            && !job.has_local_cores()
            && context.plan.relay.is_none()
            && context.plan.machines.is_empty();
        let (Some(RandomTrust::Quorum(devices)), true) = (job.trust, is_complete && is_known)
        else {
            continue;
        };
        let items = input.expected.results.iter();
        let agreed = |item: &&u64| computed.right.get(item).map_or(0, |devices| devices.len());
        what.extend(items.filter(|item| agreed(item) < devices).map(|item| {
            format!("item {} is output on the word of {} devices", item + 1, agreed(&item))
        }));
    }
    what
}

/// The first error in a journal after a run: each value has at least as many results as its items
/// that do not fail, unless the run took the function for one that gives different results; and no
/// more than its items, so none was computed again although it was kept.
pub(super) fn kept_wrongly(context: &Context, lives: &[Life], journal: &Path) -> Option<String> {
    let contents = match pando::journal::read(&fs::read(journal).unwrap_or_default()) {
        Ok(contents) => contents,
        Err(error) => return Some(format!("the journal cannot be read: {error}")),
    };
    let last = lives.last()?;
    let input = &last.input;
    let value = |index: &u64| digest(&input.items[*index as usize]);
    let kept = counted(contents.values);
    let least = counted(input.expected.results.iter().map(value));
    let is_missing = |(value, least): &(&Digest, &usize)| count(&kept, value) < **least;
    if let Some((value, _)) = least.iter().find(is_missing).filter(|_| !is_muddled(last)) {
        let item = input.items.iter().position(|item| digest(item) == *value);
        return Some(format!(
            "the journal does not have the result of item {:?}",
            item.map(|at| at + 1)
        ));
    }
    // A value may have been more often in the input of an earlier master.
    let mut most = Counts::new();
    for (input, _) in context.lives().iter() {
        for (value, times) in counted(input.items.iter().map(|item| digest(item))) {
            let most = most.entry(value).or_default();
            *most = times.max(*most);
        }
    }
    let (_, count) = kept.iter().find(|(value, kept)| count(&most, value) < **kept)?;
    Some(format!("the journal has {count} results of a value that has fewer items"))
}

fn count(counts: &Counts, value: &Digest) -> usize {
    counts.get(value).copied().unwrap_or_default()
}

fn counted(values: impl IntoIterator<Item = Digest>) -> Counts {
    let mut counts = Counts::new();
    values.into_iter().for_each(|value| *counts.entry(value).or_default() += 1);
    counts
}
