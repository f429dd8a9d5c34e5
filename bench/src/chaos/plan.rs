//! The plan of a run. Its seed determines the plan completely.

mod characters;
mod machines;

pub(crate) use machines::{MachinePlan, MachineStep};

use super::{chance::Chance, job::RandomJob, lies::Lie, trust};
use characters::{characters, share, spare, unfit};
use std::{fmt, time::Duration};

const MS: Duration = Duration::from_millis(1);

/// The plan of a run. `Display` shows everything except the values.
pub struct ChaosPlan {
    pub(crate) seed: u64,
    pub(crate) job: RandomJob,
    pub(crate) volunteers: Vec<Character>,
    /// The events of the master, in order.
    pub(crate) deeds: Vec<(DeedTime, Deed)>,
    /// The pauses of the output's reader: the share of the output at which each starts, and its
    /// length.
    pub(crate) reader_stops: Vec<(f64, Duration)>,
    /// The plan of the tab, if a tab takes part.
    pub(crate) tab: Option<TabPlan>,
    /// The machines that take part by real processes.
    pub(crate) machines: Vec<MachinePlan>,
    /// The relay, if one takes part: the time of each kill, and how long the relay is away.
    pub(crate) relay: Option<Vec<(Duration, Duration)>>,
    /// Nobody reads the standard error of the master after its address.
    pub(crate) unheard: bool,
    /// Whether each further master finds its input edited.
    pub(crate) edits: Vec<bool>,
    /// The seed for all random choices outside the plan.
    pub(crate) chance_seed: u64,
}

/// The character of a volunteer, and its events.
#[derive(Debug, Clone)]
pub(crate) struct Character {
    pub(crate) name: String,
    /// The delay before the volunteer joins.
    pub(crate) joins: Duration,
    /// The cores that the volunteer lends. A volunteer that lends none lies all the time.
    pub(crate) cores: u32,
    /// The factor by which its calls take longer.
    pub(crate) slowness: f64,
    /// The volunteer connects through the relay, if there is a relay.
    pub(crate) afar: bool,
    /// The latency of messages from the volunteer to the master.
    pub(crate) latency: Duration,
    /// The volunteer computes its values in a random order.
    pub(crate) shuffles: bool,
    /// Another volunteer comes in its place after [`Step::Die`] and [`Step::Leave`].
    pub(crate) stays: bool,
    /// How the volunteer is unfit for the job, from start to end.
    pub(crate) unfit: Option<Unfit>,
    /// How the volunteer lies, if it lies about results.
    pub(crate) lie: Option<trust::Lie>,
    /// The events, each with its time on the volunteers' clock.
    pub(crate) steps: Vec<(Duration, Step)>,
}

/// A way in which a volunteer is unfit for the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// The volunteer fails every value.
    Fails,
    /// The volunteer hands every value back at once, careful (the value may have ended a core) or
    /// not.
    Returns { careful: bool },
}

/// An event of a volunteer.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// The socket is dropped without a goodbye. Another volunteer comes in its place after a
    /// while.
    Die(Duration),
    /// The link is cut. The volunteer computes on, and reconnects after a while with the values
    /// that it holds.
    Cut(Duration),
    /// The volunteer is suspended.
    Freeze(Duration),
    /// The volunteer does not send its results.
    Withhold(Duration),
    /// The volunteer reads nothing, but still sends pings.
    Deaf(Duration),
    /// The volunteer sends every result more than once.
    Repeat(Duration),
    /// The volunteer answers with errors.
    Fail(Duration),
    /// The volunteer says goodbye properly, and another comes in its place after a while.
    Leave(Duration),
    /// The volunteer lends another number of cores for a while.
    Lend(u32, Duration),
    /// The volunteer opens a second link while the first is still open.
    Twin,
    /// The volunteer sends a false or malformed message.
    Lie(Lie),
}

/// The time of an event of the master.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DeedTime {
    /// The time since the start of the process.
    After(Duration),
    /// The share of the output that the master has printed.
    Printed(f64),
}

/// An event of the master.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    /// The master is suspended.
    Freeze(Duration),
    /// One of the master's cores is killed.
    KillCore,
    /// One of the master's cores is suspended.
    FreezeCore(Duration),
    /// The master is killed, and starts again after a while. The journal loses so many bytes, as
    /// if they had not reached the disk.
    Kill(Duration, u64),
    /// The master receives Ctrl-C so many times, and starts again after its end.
    Interrupt(Duration, u32),
}

/// The connection of a tab, and its events.
#[derive(Debug, Clone)]
pub(crate) struct TabPlan {
    pub(crate) protocol: &'static str,
    pub(crate) steps: Vec<(Duration, TabStep)>,
}

/// An event of a tab.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TabStep {
    /// The browser is suspended.
    Freeze(Duration),
    /// The browser is killed, and a new one opens after a while.
    Kill(Duration),
    /// The link is cut, and new connections are refused for so long.
    Cut(Duration),
    /// The link stays open, but passes nothing for so long.
    Silence(Duration),
}

impl ChaosPlan {
    /// The plan of `seed`. A tab takes part in the share `tabs` of all runs, and machines in the
    /// share `machines`. All times are multiplied by `pace`.
    pub fn new(seed: u64, tabs: f64, machines: f64, pace: u32) -> Self {
        let mut chance = Chance::of(seed);
        let has_tab = chance.toss(tabs);
        // Without machines, a seed has the same plan in all versions.
        let mut own = Chance::of(!seed);
        let has_machines = own.toss(machines);
        // Processes start slowly, and the job must still have values for them then.
        let is_slow = has_tab || has_machines;
        let scale = if is_slow { 5 * pace } else { pace };
        let heartbeat = chance.one(&[80, 120, 200]) * MS * scale;
        let least = if is_slow { 400.0 } else { 50.0 };
        let time = chance.of_size(least, 800.0) as u32 * MS * scale;
        let horizon = time + 300 * MS * scale;
        let count = match chance.of_range(0..100) {
            _ if is_slow => chance.of_range(150..500),
            0 => 0,
            1..5 => 1,
            5..12 => chance.of_size(1000.0, 6000.0) as u64,
            _ => chance.of_size(2.0, 400.0) as u64,
        };
        let mut volunteers = characters(&mut chance, horizon, heartbeat);
        let cores = volunteers.iter().map(|volunteer| volunteer.cores).sum::<u32>();
        let job = RandomJob::new(&mut chance, count as usize, time, cores, heartbeat, !has_tab);
        if job.counts_attempts() {
            spare(&mut volunteers);
        }
        // Where attempts count, a fit device must be there all the time.
        if !job.counts_attempts() || job.has_local_cores() {
            unfit(&mut chance, &mut volunteers);
        }
        if let Some(trust) = &job.trust {
            share(&mut chance, &mut volunteers, trust);
        }
        let mut deeds = deeds(&mut chance, &job, time, heartbeat);
        let relay = (!has_tab && !job.counts_attempts() && chance.toss(0.15))
            .then(|| relay_deaths(&mut chance, horizon));
        if relay.as_ref().is_some_and(|deaths| !deaths.is_empty()) {
            // A master that finds no relay at its start ends with an error.
            deeds.retain(|(_, deed)| !matches!(deed, Deed::Kill(..) | Deed::Interrupt(..)));
        }
        let reader_stops = match chance.toss(0.2) {
            true => (0..chance.of_range(1..4))
                .map(|_| (chance.0.f64(), chance.time(300 * MS)))
                .collect(),
            false => Vec::new(),
        };
        let tab = has_tab.then(|| {
            volunteers.truncate(2);
            let protocol = chance.one(&["websocket", "websocket", "webrtc"]);
            TabPlan { protocol, steps: tab_steps(&mut chance, horizon, heartbeat) }
        });
        let machines = match has_machines {
            true => machines::machines(&mut own, horizon, heartbeat, !job.counts_attempts()),
            false => Vec::new(),
        };
        let unheard = chance.toss(0.05);
        let edits = deeds.iter().map(|_| job.may_be_edited() && chance.toss(0.6)).collect();
        Self {
            seed,
            job,
            volunteers,
            deeds,
            reader_stops,
            tab,
            machines,
            relay,
            unheard,
            edits,
            chance_seed: chance.0.u64(..),
        }
    }
}

fn deeds(
    chance: &mut Chance,
    job: &RandomJob,
    time: Duration,
    heartbeat: Duration,
) -> Vec<(DeedTime, Deed)> {
    let mut deeds = Vec::new();
    let when = |chance: &mut Chance| match chance.toss(0.5) {
        true => DeedTime::After(chance.time(time + 300 * MS)),
        false => DeedTime::Printed(chance.0.f64()),
    };
    if chance.toss(0.1) {
        deeds.push((when(chance), Deed::Freeze(chance.time(heartbeat * 5))));
    }
    if job.has_local_cores() && !job.counts_attempts() && chance.toss(0.6) {
        let deed = if chance.toss(0.6) {
            Deed::KillCore
        } else {
            Deed::FreezeCore(chance.time(heartbeat * 5))
        };
        deeds.push((when(chance), deed));
    }
    if job.journal {
        for _ in 0..chance.one(&[0, 1, 1, 1, 2, 3]) {
            let pause = if chance.toss(0.5) { Duration::ZERO } else { chance.time(200 * MS) };
            let torn = if chance.toss(0.3) { chance.of_size(1.0, 3000.0) as u64 } else { 0 };
            let deed = if chance.toss(0.8) {
                Deed::Kill(pause, torn)
            } else {
                Deed::Interrupt(pause, chance.of_range(1..3) as u32)
            };
            deeds.push((when(chance), deed));
        }
    }
    deeds
}

fn relay_deaths(chance: &mut Chance, horizon: Duration) -> Vec<(Duration, Duration)> {
    let mut deaths: Vec<_> =
        (0..chance.of_range(0..3)).map(|_| (chance.time(horizon), chance.time(300 * MS))).collect();
    deaths.sort();
    deaths
}

fn tab_steps(
    chance: &mut Chance,
    horizon: Duration,
    heartbeat: Duration,
) -> Vec<(Duration, TabStep)> {
    let silence = heartbeat * 3;
    let mut steps: Vec<_> = (0..chance.of_range(0..4))
        .map(|_| {
            let away = chance.time(horizon / 3);
            let step = match chance.of_range(0..5) {
                0 => TabStep::Freeze(silence + chance.time(silence)),
                1 => TabStep::Kill(away),
                2 => TabStep::Silence(silence + chance.time(silence)),
                _ => TabStep::Cut(away),
            };
            (1000 * MS + chance.time(horizon), step)
        })
        .collect();
    steps.sort_by_key(|(at, _)| *at);
    steps
}

impl fmt::Display for ChaosPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}", self.seed)?;
        writeln!(f, "job: {}{}", self.job, if self.job.journal { "; with a journal" } else { "" })?;
        for (when, deed) in &self.deeds {
            writeln!(f, "the master: {when:?}: {deed:?}")?;
        }
        if self.edits.contains(&true) {
            writeln!(f, "the input is edited before these masters: {:?}", self.edits)?;
        }
        for (share, time) in &self.reader_stops {
            writeln!(f, "the reader of the output stops at {:.0} % for {time:?}", share * 100.0)?;
        }
        if let Some(deaths) = &self.relay {
            writeln!(f, "a relay")?;
            deaths
                .iter()
                .try_for_each(|(at, away)| writeln!(f, "  at {at:?}: killed, away for {away:?}"))?;
        }
        for Character {
            name,
            joins,
            cores,
            slowness,
            afar,
            latency,
            shuffles,
            stays,
            unfit,
            lie,
            steps,
        } in &self.volunteers
        {
            writeln!(
                f,
                "{name:?}: joins after {joins:?}, {cores} cores, {slowness:.1} times as slow, latency {latency:?}{}{}{}{}{}",
                if *afar { ", from afar" } else { "" },
                if *shuffles { ", in any order" } else { "" },
                if *stays { ", stays" } else { "" },
                unfit.map(|unfit| format!(", not fit: {unfit:?}")).unwrap_or_default(),
                lie.as_ref().map(|lie| format!(", lies: {lie:?}")).unwrap_or_default()
            )?;
            for (at, step) in steps {
                writeln!(f, "  at {at:?}: {step:?}")?;
            }
        }
        if self.unheard {
            writeln!(f, "nobody reads what it says")?;
        }
        self.machines.iter().try_for_each(|machine| write!(f, "{machine}"))?;
        let Some(TabPlan { protocol, steps }) = &self.tab else { return Ok(()) };
        writeln!(f, "the tab: by {protocol}")?;
        steps.iter().try_for_each(|(at, step)| writeln!(f, "  at {at:?}: {step:?}"))
    }
}
