//! The machines of a plan, and their events.

use super::MS;
use crate::chaos::chance::Chance;
use std::{fmt, time::Duration};

/// A machine that takes part by a real `pando join`.
#[derive(Debug, Clone)]
pub(crate) struct MachinePlan {
    pub(crate) name: String,
    /// The delay before the machine joins for the first time.
    pub(crate) joins: Duration,
    pub(crate) cores: u32,
    /// Whether the machine shares the job (`--share`). Then its own cores stay idle.
    pub(crate) shares: bool,
    /// The gateway that the machine joins, by its place among the machines; without one, it joins
    /// the run.
    pub(crate) behind: Option<usize>,
    /// The machine joins through the relay, if there is a relay.
    pub(crate) afar: bool,
    /// The events, each with its time on the volunteers' clock.
    pub(crate) steps: Vec<(Duration, MachineStep)>,
}

/// An event of a machine.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MachineStep {
    /// The process is killed, and starts again after a while.
    Kill(Duration),
    /// The process is suspended for so long.
    Freeze(Duration),
    /// The process is told to leave by SIGTERM, and starts again after its end and a while.
    Leave(Duration),
    /// A scheduler takes the machine away: SIGTERM, SIGKILL after the first time, and a new start
    /// after the second one.
    Preempt(Duration, Duration),
}

/// Machines of every kind. Where attempts count, none vanishes with values (`may_vanish`).
pub(super) fn machines(
    chance: &mut Chance,
    horizon: Duration,
    heartbeat: Duration,
    may_vanish: bool,
) -> Vec<MachinePlan> {
    let mut machines: Vec<MachinePlan> = Vec::new();
    for number in 0..chance.of_range(0..3) as usize {
        let behind = (number > 0 && chance.toss(0.3)).then(|| number - 1);
        machines.push(MachinePlan {
            name: format!("Gateway {number}"),
            shares: true,
            behind,
            ..machine(chance, horizon, heartbeat, may_vanish)
        });
    }
    let gateways = machines.len();
    // A gateway without devices is rare.
    for number in 0..chance.of_range(1..4) as usize {
        let behind = match chance.0.usize(..=gateways) {
            at if at < gateways => Some(at),
            _ => None,
        };
        machines.push(MachinePlan {
            name: format!("Machine {number}"),
            behind,
            ..machine(chance, horizon, heartbeat, may_vanish)
        });
    }
    machines
}

fn machine(
    chance: &mut Chance,
    horizon: Duration,
    heartbeat: Duration,
    may_vanish: bool,
) -> MachinePlan {
    MachinePlan {
        name: String::new(),
        joins: if chance.toss(0.3) { chance.time(horizon / 3) } else { Duration::ZERO },
        cores: chance.of_range(1..3) as u32,
        shares: false,
        behind: None,
        afar: chance.toss(0.5),
        steps: steps(chance, horizon, heartbeat, may_vanish),
    }
}

fn steps(
    chance: &mut Chance,
    horizon: Duration,
    heartbeat: Duration,
    may_vanish: bool,
) -> Vec<(Duration, MachineStep)> {
    let silence = heartbeat * 3;
    let mut steps: Vec<_> = (0..chance.of_range(0..4))
        .map(|_| {
            let away = chance.time(horizon / 4);
            let step = match chance.of_range(0..7) {
                0 | 1 => MachineStep::Kill(away),
                2 => MachineStep::Freeze(silence + chance.time(silence)),
                3 => MachineStep::Freeze(chance.time(silence)),
                4 => MachineStep::Preempt(chance.time(100 * MS), away),
                _ => MachineStep::Leave(away),
            };
            (chance.time(horizon), step)
        })
        .collect();
    steps.retain(|(_, step)| may_vanish || matches!(step, MachineStep::Leave(_)));
    steps.sort_by_key(|(at, _)| *at);
    steps
}

impl fmt::Display for MachinePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, joins, cores, shares, behind, afar, steps } = self;
        writeln!(
            f,
            "{name}, a process: joins after {joins:?}, {}{}{}",
            if *shares { "shares the job".to_owned() } else { format!("{cores} cores") },
            behind.map(|at| format!(", behind Gateway {at}")).unwrap_or_default(),
            if *afar { ", from afar" } else { "" }
        )?;
        steps.iter().try_for_each(|(at, step)| writeln!(f, "  at {at:?}: {step:?}"))
    }
}
