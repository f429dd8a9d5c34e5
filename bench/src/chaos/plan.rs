//! What a run is to be: made of its seed alone.

use super::{chance::Chance, job::Job, lies::Lie};
use std::{fmt, time::Duration};

const MS: Duration = Duration::from_millis(1);

/// See the module. Shown, it tells all but the values.
pub struct Plan {
    pub(crate) seed: u64,
    pub(crate) job: Job,
    pub(crate) volunteers: Vec<Character>,
    /// What happens to the master, one after the other.
    pub(crate) deeds: Vec<(When, Deed)>,
    /// Whoever reads the output stops, when this share of it has come, for this time.
    pub(crate) reader_stops: Vec<(f64, Duration)>,
    /// What happens to the tab, if one takes part.
    pub(crate) tab: Option<TabPlan>,
    /// A relay through which some of them come: when it is killed, and for how long it is away.
    pub(crate) relay: Option<Vec<(Duration, Duration)>>,
    /// Nobody reads what it says, but its address.
    pub(crate) unheard: bool,
    /// For everything else that is left to chance.
    pub(crate) chance_seed: u64,
}

/// What a volunteer is like, and what happens to it.
#[derive(Debug, Clone)]
pub(crate) struct Character {
    pub(crate) name: String,
    /// Comes after so long.
    pub(crate) joins: Duration,
    /// Lent cores; one that lends none lies about everything, all the time.
    pub(crate) cores: u32,
    /// Its calls take so many times as long.
    pub(crate) slowness: f64,
    /// It comes through the relay, if there is one.
    pub(crate) afar: bool,
    /// Its link takes so long for what it says.
    pub(crate) latency: Duration,
    /// Takes its values in any order.
    pub(crate) shuffles: bool,
    /// Always comes back.
    pub(crate) stays: bool,
    /// It is not fit for the job, from start to end.
    pub(crate) unfit: Option<Unfit>,
    /// What happens, at which time after the first address was said.
    pub(crate) steps: Vec<(Duration, Step)>,
}

/// How a volunteer is not fit for the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It fails every value.
    Fails,
    /// It gives every value back at once, as one that may have ended a core or not.
    Returns { careful: bool },
}

/// What happens to a volunteer.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Its socket is dropped without a word; another one comes in its place after a while.
    Die(Duration),
    /// Its link is cut: it goes on, and comes back after a while with what it holds.
    Cut(Duration),
    /// It stands still.
    Freeze(Duration),
    /// It keeps its results back.
    Withhold(Duration),
    /// It reads nothing, and says that it is alive.
    Deaf(Duration),
    /// It says every result more than once.
    Repeat(Duration),
    /// It answers with errors.
    Fail(Duration),
    /// It says goodbye in order, and comes back after a while.
    Leave(Duration),
    /// It lends another number of cores for a while.
    Lend(u32, Duration),
    /// It joins on a second link while the first is open.
    Twin,
    /// It says what is not true, or makes no sense.
    Lie(Lie),
}

/// When something happens to the master.
#[derive(Debug, Clone, Copy)]
pub(crate) enum When {
    /// So long after it was started.
    After(Duration),
    /// When it has printed this share of the output.
    Printed(f64),
}

/// What happens to the master.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    /// It stands still.
    Freeze(Duration),
    /// One of its cores is killed.
    KillCore,
    /// One of its cores stands still.
    FreezeCore(Duration),
    /// It is killed, and started again after a while, with so many bytes less in its journal: they had not reached the disk.
    Kill(Duration, u64),
    /// So many times Ctrl-C; it is started again after its end.
    Interrupt(Duration, u32),
}

/// What a tab is like, and what happens to it.
#[derive(Debug, Clone)]
pub(crate) struct TabPlan {
    pub(crate) protocol: &'static str,
    pub(crate) steps: Vec<(Duration, TabStep)>,
}

/// What happens to a tab.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TabStep {
    /// Its browser stands still.
    Freeze(Duration),
    /// Its browser is killed, and another opened after a while.
    Kill(Duration),
    /// Its link is cut and refused for so long.
    Cut(Duration),
    /// Its link stays open, and nothing passes for so long.
    Silence(Duration),
}

impl Plan {
    /// The plan of `seed`; a tab takes part in this share of the runs. All takes `pace` times as long.
    pub fn new(seed: u64, tabs: f64, pace: u32) -> Self {
        let mut chance = Chance::of(seed);
        let has_tab = chance.is(tabs);
        // A browser takes its time, and there has to be something left for it.
        let scale = if has_tab { 5 * pace } else { pace };
        let heartbeat = chance.one(&[80, 120, 200]) * MS * scale;
        let least = if has_tab { 400.0 } else { 50.0 };
        let time = chance.of_size(least, 800.0) as u32 * MS * scale;
        let horizon = time + 300 * MS * scale;
        let count = match chance.of_range(0..100) {
            _ if has_tab => chance.of_range(150..500),
            0 => 0,
            1..5 => 1,
            5..12 => chance.of_size(1000.0, 6000.0) as u64,
            _ => chance.of_size(2.0, 400.0) as u64,
        };
        let mut volunteers = characters(&mut chance, horizon, heartbeat);
        let cores = volunteers.iter().map(|volunteer| volunteer.cores).sum::<u32>();
        let job = Job::new(&mut chance, count as usize, time, cores, heartbeat);
        if job.counts_attempts() {
            spare(&mut volunteers);
        }
        // Where attempts count, there has to be somebody all the time who can do better.
        if !job.counts_attempts() || job.has_local_cores() {
            unfit(&mut chance, &mut volunteers);
        }
        let mut deeds = deeds(&mut chance, &job, time, heartbeat);
        let relay = (!has_tab && !job.counts_attempts() && chance.is(0.15)).then(|| relay_deaths(&mut chance, horizon));
        if relay.as_ref().is_some_and(|deaths| !deaths.is_empty()) {
            // A master that finds no relay when it starts says so, and ends.
            deeds.retain(|(_, deed)| !matches!(deed, Deed::Kill(..) | Deed::Interrupt(..)));
        }
        let reader_stops = match chance.is(0.2) {
            true => (0..chance.of_range(1..4)).map(|_| (chance.0.f64(), chance.time(300 * MS))).collect(),
            false => Vec::new(),
        };
        let tab = has_tab.then(|| {
            volunteers.truncate(2);
            let protocol = chance.one(&["websocket", "websocket", "webrtc"]);
            TabPlan { protocol, steps: tab_steps(&mut chance, horizon, heartbeat) }
        });
        let unheard = chance.is(0.05);
        Self { seed, job, volunteers, deeds, reader_stops, tab, relay, unheard, chance_seed: chance.0.u64(..) }
    }
}

fn characters(chance: &mut Chance, horizon: Duration, heartbeat: Duration) -> Vec<Character> {
    let count = chance.one(&[1, 2, 2, 3, 3, 4, 5, 6, 8]);
    let calm = chance.one(&[0.2, 1.0, 1.0, 1.0]);
    let mut volunteers: Vec<_> = (0..count)
        .map(|number| Character {
            name: chance.one(&["Phone", "Tablet", "Laptop", "Ann's \u{1b}[31mphone", ""]).to_owned() + &format!(" {number}"),
            joins: if chance.is(0.4) { chance.time(horizon) } else { Duration::ZERO },
            cores: chance.of_range(1..4) as u32,
            slowness: chance.of_size(0.3, 4.0),
            afar: chance.is(0.6),
            latency: if chance.is(0.25) { chance.time(30 * MS) } else { Duration::ZERO },
            shuffles: chance.is(0.3),
            stays: number == 0 || chance.is(0.6),
            unfit: None,
            steps: steps(chance, horizon, heartbeat, calm),
        })
        .collect();
    volunteers[0].joins = chance.time(horizon / 4);
    if chance.is(0.25) {
        let mut steps = steps(chance, horizon, heartbeat, calm);
        // What it holds it could answer wrongly.
        steps.retain(|(_, step)| !matches!(step, Step::Lend(..) | Step::Lie(Lie::Holds)));
        let liar = Character { name: "Liar".into(), cores: 0, stays: true, steps, ..volunteers[0].clone() };
        volunteers.push(liar);
    }
    volunteers
}

/// Adds some that are not fit for the job.
fn unfit(chance: &mut Chance, volunteers: &mut Vec<Character>) {
    for number in 0..chance.one(&[0, 0, 0, 1, 1, 3]) {
        let how = chance.one(&[Unfit::Fails, Unfit::Fails, Unfit::Returns { careful: false }, Unfit::Returns { careful: true }]);
        let unfit =
            Character { name: format!("Unfit {number}"), joins: Duration::ZERO, unfit: Some(how), ..volunteers[0].clone() };
        volunteers.push(Character { cores: chance.of_range(1..4) as u32, steps: Vec::new(), ..unfit });
    }
}

fn steps(chance: &mut Chance, horizon: Duration, heartbeat: Duration, calm: f64) -> Vec<(Duration, Step)> {
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

/// Leaves out what would fail values that are fine, where that counts: a value over which five devices have vanished, and then one
/// that had it alone, is taken to be the reason.
fn spare(volunteers: &mut [Character]) {
    let mut vanish = 4;
    for volunteer in volunteers {
        volunteer.steps.retain(|(_, step)| match step {
            Step::Fail(_) | Step::Lie(Lie::Twice) => false,
            Step::Die(_) | Step::Cut(_) | Step::Freeze(_) | Step::Deaf(_) | Step::Lie(Lie::Holds | Lie::Hello) if vanish == 0 => {
                false
            }
            Step::Die(_) | Step::Cut(_) | Step::Freeze(_) | Step::Deaf(_) | Step::Lie(Lie::Holds | Lie::Hello) => {
                vanish -= 1;
                true
            }
            _ => true,
        });
    }
}

fn deeds(chance: &mut Chance, job: &Job, time: Duration, heartbeat: Duration) -> Vec<(When, Deed)> {
    let mut deeds = Vec::new();
    let when = |chance: &mut Chance| match chance.is(0.5) {
        true => When::After(chance.time(time + 300 * MS)),
        false => When::Printed(chance.0.f64()),
    };
    if chance.is(0.1) {
        deeds.push((when(chance), Deed::Freeze(chance.time(heartbeat * 5))));
    }
    if job.has_local_cores() && !job.counts_attempts() && chance.is(0.6) {
        let deed = if chance.is(0.6) { Deed::KillCore } else { Deed::FreezeCore(chance.time(heartbeat * 5)) };
        deeds.push((when(chance), deed));
    }
    if job.journal {
        for _ in 0..chance.one(&[0, 1, 1, 1, 2, 3]) {
            let pause = if chance.is(0.5) { Duration::ZERO } else { chance.time(200 * MS) };
            let torn = if chance.is(0.3) { chance.of_size(1.0, 3000.0) as u64 } else { 0 };
            let deed =
                if chance.is(0.8) { Deed::Kill(pause, torn) } else { Deed::Interrupt(pause, chance.of_range(1..3) as u32) };
            deeds.push((when(chance), deed));
        }
    }
    deeds
}

fn relay_deaths(chance: &mut Chance, horizon: Duration) -> Vec<(Duration, Duration)> {
    let mut deaths: Vec<_> = (0..chance.of_range(0..3)).map(|_| (chance.time(horizon), chance.time(300 * MS))).collect();
    deaths.sort();
    deaths
}

fn tab_steps(chance: &mut Chance, horizon: Duration, heartbeat: Duration) -> Vec<(Duration, TabStep)> {
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

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}", self.seed)?;
        writeln!(f, "job: {}{}", self.job, if self.job.journal { "; with a journal" } else { "" })?;
        for (when, deed) in &self.deeds {
            writeln!(f, "the master: {when:?}: {deed:?}")?;
        }
        for (share, time) in &self.reader_stops {
            writeln!(f, "the reader of the output stops at {:.0} % for {time:?}", share * 100.0)?;
        }
        if let Some(deaths) = &self.relay {
            writeln!(f, "a relay")?;
            deaths.iter().try_for_each(|(at, away)| writeln!(f, "  at {at:?}: killed, away for {away:?}"))?;
        }
        for Character { name, joins, cores, slowness, afar, latency, shuffles, stays, unfit, steps } in &self.volunteers {
            writeln!(
                f,
                "{name:?}: joins after {joins:?}, {cores} cores, {slowness:.1} times as slow, latency {latency:?}{}{}{}{}",
                if *afar { ", from afar" } else { "" },
                if *shuffles { ", in any order" } else { "" },
                if *stays { ", stays" } else { "" },
                unfit.map(|unfit| format!(", not fit: {unfit:?}")).unwrap_or_default()
            )?;
            for (at, step) in steps {
                writeln!(f, "  at {at:?}: {step:?}")?;
            }
        }
        if self.unheard {
            writeln!(f, "nobody reads what it says")?;
        }
        let Some(TabPlan { protocol, steps }) = &self.tab else { return Ok(()) };
        writeln!(f, "the tab: by {protocol}")?;
        steps.iter().try_for_each(|(at, step)| writeln!(f, "  at {at:?}: {step:?}"))
    }
}
