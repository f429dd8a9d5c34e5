//! When each device was connected. Pure: time is an argument.

use std::{collections::BTreeMap, time::Instant};

/// The most devices of which the stays are kept.
const MOST_DEVICES: usize = 1_000;
/// The most stays of a device. With more, the shortest absence is forgotten.
const MOST_STAYS: usize = 50;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Presence {
    stays: BTreeMap<u64, Vec<Stay>>,
}

/// A time for which a device was connected without interruption.
#[derive(Debug)]
struct Stay {
    from: Instant,
    /// The end, if no session is open any more.
    until: Instant,
    /// The open sessions: two while the device changes its channel.
    sessions: u32,
}

impl Presence {
    /// Notes that a session of the device with this number begins.
    pub(super) fn join(&mut self, number: u64, now: Instant) {
        if self.stays.len() >= MOST_DEVICES && !self.stays.contains_key(&number) {
            return;
        }
        let stays = self.stays.entry(number).or_default();
        match stays.last_mut() {
            Some(stay) if stay.sessions > 0 => stay.sessions += 1,
            _ => stays.push(Stay { from: now, until: now, sessions: 1 }),
        }
        if stays.len() > MOST_STAYS {
            forget_shortest_absence(stays);
        }
    }

    /// Notes that a session of the device with this number ends.
    pub(super) fn leave(&mut self, number: u64, now: Instant) {
        if let Some(stay) = self.stays.get_mut(&number).and_then(|stays| stays.last_mut()) {
            stay.sessions = stay.sessions.saturating_sub(1);
            stay.until = now;
        }
    }

    /// The stays of each device up to `now`, by its number: the begin and the end of each.
    pub(super) fn stays(&self, now: Instant) -> BTreeMap<u64, Vec<[Instant; 2]>> {
        let ends = |stay: &Stay| [stay.from, if stay.sessions > 0 { now } else { stay.until }];
        self.stays.iter().map(|(id, stays)| (*id, stays.iter().map(ends).collect())).collect()
    }
}

fn forget_shortest_absence(stays: &mut Vec<Stay>) {
    let absence = |at: &usize| stays[at + 1].from.saturating_duration_since(stays[*at].until);
    if let Some(at) = (0..stays.len() - 1).min_by_key(absence) {
        let later = stays.remove(at + 1);
        (stays[at].until, stays[at].sessions) = (later.until, later.sessions);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn seconds(presence: &Presence, start: Instant, now: u64, number: u64) -> Vec<[u64; 2]> {
        let since = |time: Instant| time.saturating_duration_since(start).as_secs();
        let stays = presence.stays(start + Duration::from_secs(now)).remove(&number);
        stays.unwrap_or_default().into_iter().map(|stay| stay.map(since)).collect()
    }

    #[test]
    fn each_stay_is_kept_and_a_change_of_the_channel_is_no_absence() {
        let (mut presence, start) = (Presence::default(), Instant::now());
        let at = |second| start + Duration::from_secs(second);
        presence.join(1, at(1));
        presence.join(1, at(3));
        presence.leave(1, at(4));
        assert_eq!(seconds(&presence, start, 5, 1), [[1, 5]]);
        presence.leave(1, at(6));
        presence.join(1, at(8));
        assert_eq!(seconds(&presence, start, 9, 1), [[1, 6], [8, 9]]);
        assert_eq!(seconds(&presence, start, 9, 2), [[0; 2]; 0]);
    }

    #[test]
    fn a_device_that_comes_and_goes_all_day_is_kept_in_few_stays() {
        let (mut presence, start) = (Presence::default(), Instant::now());
        for second in 0..10_000 {
            presence.join(1, start + Duration::from_secs(10 * second));
            presence.leave(1, start + Duration::from_secs(10 * second + 1 + second % 5));
        }
        let stays = seconds(&presence, start, 100_000, 1);
        assert_eq!(stays.len(), MOST_STAYS);
        assert_eq!((stays[0][0], stays[MOST_STAYS - 1][1]), (0, 99_995));
    }
}
