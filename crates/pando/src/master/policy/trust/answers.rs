//! The answers to one value, which several devices compute, and whether they are enough. Pure.

use crate::{config::TrustRule, master::registry::DeviceKey, protocol::Form};
use bytes::Bytes;
use stream_lender::SubStreamId;

/// The number of equal answers that a spot check needs.
const CHECKED_BY: usize = 2;

/// The answers to one value so far, and the devices that compute the value now.
#[derive(Debug, Default)]
pub(super) struct ItemAnswers {
    /// How many answers are wanted, as far as this is known.
    wanted: usize,
    /// The devices that compute the value now, with their sessions.
    computing: Vec<(SubStreamId, DeviceKey)>,
    given: Vec<GivenAnswer>,
    /// The devices that failed the value.
    failed: Vec<DeviceKey>,
    /// Whether the difference of the answers is on record.
    is_noted: bool,
}

/// The answer of one device.
#[derive(Debug, Clone)]
pub(super) struct GivenAnswer {
    pub(super) key: DeviceKey,
    pub(super) sub: SubStreamId,
    /// The name of the device.
    pub(super) name: String,
    pub(super) form: Form,
    pub(super) result: Bytes,
    /// The number of the first answer that this one equals; `None` until the answers are compared.
    group: Option<usize>,
    /// How many of the groups this answer was compared with, and differs from.
    differs_from: usize,
}

/// What the answers to one value come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// So many answers are wanted in total.
    Wants(usize),
    /// These two answers are still to be compared, by their numbers.
    Compare(usize, usize),
    /// The only answer, which is of a proven device, counts when its turn in the output comes.
    Provisional,
    /// All devices have answered whose answers are wanted.
    AllGiven,
    /// The answers of this group count. `by_owner`: because this machine's own cores gave one.
    Settled { group: usize, by_owner: bool },
    /// Many devices have answered, and too few answers are equal.
    Hopeless,
}

/// Devices.
impl ItemAnswers {
    /// No answers yet, of `wanted`.
    pub(super) fn wants(wanted: usize) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// Sets how many answers are wanted.
    pub(super) fn set_wanted(&mut self, wanted: usize) {
        self.wanted = wanted;
    }

    /// How many devices more are wanted.
    pub(super) fn missing(&self) -> usize {
        self.wanted.saturating_sub(self.computing.len() + self.given.len())
    }

    /// Whether as many devices as are wanted, and no more, compute the value or have answered.
    pub(super) fn is_just_enough(&self) -> bool {
        self.wanted == self.computing.len() + self.given.len()
    }

    /// Whether no device computes the value, and none has answered.
    pub(super) fn is_untouched(&self) -> bool {
        self.computing.is_empty() && self.given.is_empty()
    }

    /// Whether the device neither computes the value nor has answered it.
    pub(super) fn is_new_to(&self, key: &DeviceKey) -> bool {
        !self.computing.iter().any(|(_, other)| other == key)
            && !self.given.iter().any(|answer| answer.key == *key)
    }

    pub(super) fn has_failed(&self, key: &DeviceKey) -> bool {
        self.failed.contains(key)
    }

    pub(super) fn has_failures(&self) -> bool {
        !self.failed.is_empty()
    }

    /// The sessions that compute the value.
    pub(super) fn computing(&self) -> impl Iterator<Item = SubStreamId> {
        self.computing.iter().map(|(sub, _)| *sub)
    }

    /// Notes that a device computes the value.
    pub(super) fn begin(&mut self, sub: SubStreamId, key: DeviceKey) {
        self.computing.push((sub, key));
    }

    /// Notes that a session does not compute the value any more. Returns whether it did.
    pub(super) fn end(&mut self, sub: SubStreamId) -> bool {
        let before = self.computing.len();
        self.computing.retain(|(other, _)| *other != sub);
        self.computing.len() < before
    }

    /// Notes that a device failed the value.
    pub(super) fn fail(&mut self, key: DeviceKey) {
        if !self.failed.contains(&key) {
            self.failed.push(key);
        }
    }

    /// Forgets what the device has answered or computes. Returns the bytes of its answer, if
    /// anything is forgotten. The other answers are to be compared again.
    pub(super) fn forget(&mut self, key: &DeviceKey) -> Option<u64> {
        let before = self.computing.len() + self.given.len();
        let forgotten = self.given.iter().filter(|answer| answer.key == *key);
        let bytes = forgotten.map(|answer| answer.result.len() as u64).sum();
        self.computing.retain(|(_, other)| other != key);
        self.given.retain(|answer| answer.key != *key);
        for answer in &mut self.given {
            (answer.group, answer.differs_from) = (None, 0);
        }
        (self.computing.len() + self.given.len() < before).then_some(bytes)
    }
}

/// Answers.
impl ItemAnswers {
    /// The answers given so far.
    pub(super) fn given(&self) -> &[GivenAnswer] {
        &self.given
    }

    /// The bytes of all answers.
    pub(super) fn bytes(&self) -> u64 {
        self.given.iter().map(|answer| answer.result.len() as u64).sum()
    }

    /// Adds an answer.
    pub(super) fn add(&mut self, answer: GivenAnswer) {
        self.given.push(answer);
    }

    /// Notes whether two answers, by their numbers, are equal.
    pub(super) fn compared(&mut self, one: usize, first: usize, equal: bool) {
        match equal {
            true => self.given[one].group = Some(first),
            false => self.given[one].differs_from += 1,
        }
    }

    /// The number of different answers, as far as they are compared.
    pub(super) fn different(&self) -> usize {
        self.firsts().len()
    }

    /// Notes that the difference of the answers is on record. Returns whether it was not before.
    pub(super) fn note_difference(&mut self) -> bool {
        !std::mem::replace(&mut self.is_noted, true)
    }

    /// Splits the answers into those of the group and the others.
    pub(super) fn split(&self, group: usize) -> (Vec<&GivenAnswer>, Vec<&GivenAnswer>) {
        self.given.iter().partition(|answer| answer.group == Some(group))
    }

    /// What the answers come to by `rule`. Answers with the same bytes are equal; others differ,
    /// unless a command `compares` them.
    pub(super) fn judge(&mut self, rule: TrustRule, compares: bool) -> Finding {
        let quorum = match rule {
            TrustRule::Copies(devices) if self.given.len() >= devices as usize => {
                return Finding::AllGiven;
            }
            TrustRule::Copies(devices) => return Finding::Wants(devices as usize),
            TrustRule::Quorum(devices) => devices as usize,
            TrustRule::SpotChecks(_) => CHECKED_BY,
        };
        if let Some((one, first)) = self.group(compares) {
            return Finding::Compare(one, first);
        }
        let is_spot_check = matches!(rule, TrustRule::SpotChecks(_));
        let by_owner = self.given.iter().find(|answer| answer.key.local).filter(|_| is_spot_check);
        if let Some(group) = by_owner.and_then(|answer| answer.group) {
            return Finding::Settled { group, by_owner: true };
        }
        if self.given.is_empty() {
            return Finding::Wants(if is_spot_check { self.wanted.max(1) } else { quorum });
        }
        if is_spot_check && self.wanted == 1 && self.given.len() == 1 {
            return Finding::Provisional;
        }
        let size = |group: &usize| self.split(*group).0.len();
        let largest = self.firsts().into_iter().max_by_key(size).unwrap_or_default();
        match size(&largest) {
            size if size >= quorum => Finding::Settled { group: largest, by_owner: false },
            _ if self.given.len() > 2 * quorum => Finding::Hopeless,
            size => Finding::Wants(self.given.len() + quorum - size),
        }
    }

    /// Groups equal answers. Returns two answers that a command must compare first.
    fn group(&mut self, compares: bool) -> Option<(usize, usize)> {
        for one in 0..self.given.len() {
            while self.given[one].group.is_none() {
                let firsts = self.firsts();
                let answer = &self.given[one];
                let same = firsts.iter().find(|first| self.given[**first].result == answer.result);
                let next = firsts.get(answer.differs_from);
                match (same, next) {
                    (Some(first), _) => self.given[one].group = Some(*first),
                    (None, Some(first)) if compares => return Some((one, *first)),
                    (None, _) => self.given[one].group = Some(one),
                }
            }
        }
        None
    }

    /// The first answer of each group.
    fn firsts(&self) -> Vec<usize> {
        let numbers = 0..self.given.len();
        numbers.filter(|number| self.given[*number].group == Some(*number)).collect()
    }
}

impl GivenAnswer {
    /// An answer that is not compared with any other.
    pub(super) fn new(
        (sub, key): (SubStreamId, DeviceKey),
        name: String,
        (form, result): (Form, Bytes),
    ) -> Self {
        Self { key, sub, name, form, result, group: None, differs_from: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stream_lender::{Lender, Window};

    /// The answers of devices `a`, `b`, …; the device `@` is this machine's own cores.
    fn answers(wanted: usize, given: &[(char, &'static str)]) -> ItemAnswers {
        let mut answers = ItemAnswers::wants(wanted);
        for (device, result) in given {
            answers.add(GivenAnswer::new(
                (session(), key(*device)),
                device.to_string(),
                (Form::Text, Bytes::from(*result)),
            ));
        }
        answers
    }

    fn key(device: char) -> DeviceKey {
        DeviceKey { device: device.to_string().into(), local: device == '@' }
    }

    fn session() -> SubStreamId {
        Lender::<(), (), ()>::new(Window::default()).open()
    }

    fn settled(group: usize) -> Finding {
        Finding::Settled { group, by_owner: false }
    }

    #[test]
    fn a_result_counts_when_enough_devices_have_answered_the_same() {
        let rule = TrustRule::Quorum(3);
        let judge = |given: &[_]| answers(3, given).judge(rule, false);
        assert_eq!(judge(&[]), Finding::Wants(3));
        assert_eq!(judge(&[('a', "1"), ('b', "1")]), Finding::Wants(3));
        assert_eq!(judge(&[('a', "1"), ('b', "1"), ('c', "1")]), settled(0));
        assert_eq!(judge(&[('a', "2"), ('b', "1"), ('c', "1")]), Finding::Wants(4));
        assert_eq!(judge(&[('a', "2"), ('b', "1"), ('c', "1"), ('@', "1")]), settled(1));
        assert_eq!(judge(&[('@', "2"), ('b', "1"), ('c', "3")]), Finding::Wants(5));
        let all_differ: Vec<_> =
            "abcdefg".chars().zip(["1", "2", "3", "4", "5", "6", "7"]).collect();
        assert_eq!(judge(&all_differ[..6]), Finding::Wants(8));
        assert_eq!(judge(&all_differ), Finding::Hopeless);
    }

    #[test]
    fn a_spot_check_needs_two_equal_answers_or_that_of_this_machine() {
        let rule = TrustRule::SpotChecks(5.0);
        let judge = |wanted, given: &[_]| answers(wanted, given).judge(rule, false);
        assert_eq!(judge(1, &[]), Finding::Wants(1));
        assert_eq!(judge(1, &[('a', "1")]), Finding::Provisional);
        assert_eq!(judge(1, &[('a', "1"), ('b', "1")]), settled(0));
        assert_eq!(judge(1, &[('a', "1"), ('b', "2")]), Finding::Wants(3));
        assert_eq!(judge(2, &[('a', "1")]), Finding::Wants(2));
        assert_eq!(judge(2, &[('a', "1"), ('b', "2")]), Finding::Wants(3));
        assert_eq!(judge(3, &[('a', "1"), ('b', "2"), ('c', "2")]), settled(1));
        let by_owner = |group| Finding::Settled { group, by_owner: true };
        assert_eq!(judge(1, &[('@', "1")]), by_owner(0));
        assert_eq!(judge(2, &[('a', "1"), ('@', "2")]), by_owner(1));
        assert_eq!(judge(2, &[('a', "1"), ('@', "1")]), by_owner(0));
    }

    #[test]
    fn copies_are_complete_when_all_have_answered_whatever_they_say() {
        let rule = TrustRule::Copies(2);
        assert_eq!(answers(2, &[('a', "1")]).judge(rule, false), Finding::Wants(2));
        assert_eq!(answers(2, &[('a', "1"), ('b', "2")]).judge(rule, false), Finding::AllGiven);
    }

    #[test]
    fn a_command_compares_each_answer_with_the_first_of_each_group() {
        let rule = TrustRule::Quorum(2);
        let mut answers = answers(2, &[('a', "1"), ('b', "2"), ('c', "1"), ('d', "3")]);
        assert_eq!(answers.judge(rule, true), Finding::Compare(1, 0));
        answers.compared(1, 0, false);
        assert_eq!(answers.judge(rule, true), Finding::Compare(3, 0));
        answers.compared(3, 0, false);
        assert_eq!(answers.judge(rule, true), Finding::Compare(3, 1));
        answers.compared(3, 1, true);
        assert_eq!((answers.judge(rule, true), answers.different()), (settled(1), 2));
        // Who is not trusted any more leaves no trace.
        answers.forget(&key('a'));
        assert_eq!(answers.judge(rule, true), Finding::Compare(1, 0));
    }

    #[test]
    fn no_device_is_asked_twice() {
        let mut answers = answers(3, &[('a', "1")]);
        let sub = session();
        answers.begin(sub, key('b'));
        assert!(!answers.is_new_to(&key('a')) && !answers.is_new_to(&key('b')));
        assert_eq!(answers.missing(), 1);
        assert!(answers.end(sub) && !answers.end(sub) && answers.is_new_to(&key('b')));
        assert_eq!(answers.missing(), 2);
    }
}
