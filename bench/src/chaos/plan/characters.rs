//! The volunteers of a plan, and their events.

use super::{Character, MS, Step, Unfit};
use crate::chaos::{
    chance::Chance,
    lies::Lie,
    trust::{LIAR, RandomTrust},
};
use std::time::Duration;

/// Volunteers of every kind.
pub(super) fn characters(
    chance: &mut Chance,
    horizon: Duration,
    heartbeat: Duration,
) -> Vec<Character> {
    let count = chance.one(&[1, 2, 2, 3, 3, 4, 5, 6, 8]);
    let calm = chance.one(&[0.2, 1.0, 1.0, 1.0]);
    let mut volunteers: Vec<_> = (0..count)
        .map(|number| Character {
            name: chance
                .one(&["Phone", "Tablet", "Laptop", "Ann's \u{1b}[31mphone", ""])
                .to_owned()
                + &format!(" {number}"),
            joins: if chance.toss(0.4) { chance.time(horizon) } else { Duration::ZERO },
            cores: chance.of_range(1..4) as u32,
            slowness: chance.of_size(0.3, 4.0),
            afar: chance.toss(0.6),
            latency: if chance.toss(0.25) { chance.time(30 * MS) } else { Duration::ZERO },
            shuffles: chance.toss(0.3),
            stays: number == 0 || chance.toss(0.6),
            unfit: None,
            lie: None,
            steps: steps(chance, horizon, heartbeat, calm),
        })
        .collect();
    volunteers[0].joins = chance.time(horizon / 4);
    if chance.toss(0.25) {
        let mut steps = steps(chance, horizon, heartbeat, calm);
        // The liar could answer wrongly for values that it holds, so it must never hold any.
        steps.retain(|(_, step)| !matches!(step, Step::Lend(..) | Step::Lie(Lie::Holds)));
        let liar = Character {
            name: "Liar".into(),
            cores: 0,
            stays: true,
            steps,
            ..volunteers[0].clone()
        };
        volunteers.push(liar);
    }
    volunteers
}

/// Adds some volunteers that are unfit for the job.
pub(super) fn unfit(chance: &mut Chance, volunteers: &mut Vec<Character>) {
    for number in 0..chance.one(&[0, 0, 0, 1, 1, 3]) {
        let how = chance.one(&[
            Unfit::Fails,
            Unfit::Fails,
            Unfit::Returns { careful: false },
            Unfit::Returns { careful: true },
        ]);
        let unfit = Character {
            name: format!("Unfit {number}"),
            joins: Duration::ZERO,
            unfit: Some(how),
            ..volunteers[0].clone()
        };
        volunteers.push(Character {
            cores: chance.of_range(1..4) as u32,
            steps: Vec::new(),
            ..unfit
        });
    }
}

/// Sees to it that enough honest volunteers stay for the rule of a run, and adds its liars.
pub(super) fn share(chance: &mut Chance, volunteers: &mut Vec<Character>, trust: &RandomTrust) {
    let pattern = volunteers[0].clone();
    let is_honest = |other: &Character| other.cores > 0 && other.unfit.is_none();
    for number in volunteers.iter().filter(|other| is_honest(other)).count()..trust.honest() {
        volunteers.push(Character { name: format!("More {number}"), ..pattern.clone() });
    }
    let honest = volunteers.iter_mut().filter(|other| is_honest(other));
    honest.take(trust.honest()).for_each(|other| other.stays = true);
    for (number, lie) in trust.lies(chance).into_iter().enumerate() {
        let liar = chance.one(volunteers);
        volunteers.push(Character {
            name: format!("{LIAR} {number}"),
            joins: chance.time(pattern.joins),
            cores: chance.of_range(1..4) as u32,
            stays: true,
            unfit: None,
            lie: Some(lie),
            ..liar
        });
    }
}

fn steps(
    chance: &mut Chance,
    horizon: Duration,
    heartbeat: Duration,
    calm: f64,
) -> Vec<(Duration, Step)> {
    let count = (chance.of_range(0..6) as f64 * calm) as usize;
    let silence = heartbeat * 3;
    let mut steps: Vec<_> = (0..count)
        .map(|_| {
            let away = chance.time(horizon / 2);
            let step = match chance.of_range(0..17) {
                0 | 1 => Step::Die(away),
                2..5 => Step::Cut(away),
                5 => Step::Freeze(silence + chance.time(silence)),
                6 => Step::Freeze(chance.time(silence)),
                7 => Step::Withhold(away),
                8 => Step::Deaf(away),
                9 | 10 => Step::Repeat(horizon),
                11 => Step::Fail(away / 4),
                12 => Step::Leave(away),
                13 => Step::Lend(chance.one(&[0, 1, 2, 8]), away / 2),
                14 => Step::Twin,
                _ => Step::Lie(Lie::any(chance)),
            };
            (chance.time(horizon), step)
        })
        .collect();
    steps.sort_by_key(|(at, _)| *at);
    steps
}

/// Removes the steps that could fail a right value, where attempts count. The master blames a
/// value over which five devices have vanished, and then one more that held the value alone.
pub(super) fn spare(volunteers: &mut [Character]) {
    let mut vanish = 4;
    for volunteer in volunteers {
        volunteer.steps.retain(|(_, step)| match step {
            Step::Fail(_) | Step::Lie(Lie::Twice) => false,
            Step::Die(_)
            | Step::Cut(_)
            | Step::Freeze(_)
            | Step::Deaf(_)
            | Step::Lie(Lie::Holds | Lie::Hello)
                if vanish == 0 =>
            {
                false
            }
            Step::Die(_)
            | Step::Cut(_)
            | Step::Freeze(_)
            | Step::Deaf(_)
            | Step::Lie(Lie::Holds | Lie::Hello) => {
                vanish -= 1;
                true
            }
            _ => true,
        });
    }
}
