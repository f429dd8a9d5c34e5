//! One run: carries out the plan of a seed, and checks the output.

use super::{
    ChaosSetup,
    chance::Chance,
    context::Context,
    edits::edited,
    job::Input,
    judge::judge,
    machine::machines,
    master::{Life, MasterProcess},
    plan::{ChaosPlan, Deed},
    relay::MortalRelay,
    tab::ChaosTab,
    volunteer::Volunteer,
};
use pando::journal::{Format, Record};
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::task::{JoinHandle, JoinSet};

/// A run with a wrong output or wrong behaviour.
#[derive(Debug)]
pub struct Violation {
    /// The seed that repeats the run.
    pub seed: u64,
    /// The options that repeat the run, besides the seed.
    pub options: String,
    /// Everything that was wrong, in words.
    pub what: Vec<String>,
    /// The description of the plan.
    pub plan: String,
    /// The folder with the input, the outputs and the log.
    pub kept: PathBuf,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, options, what, plan, kept } = self;
        writeln!(f, "--- VIOLATION with seed {seed}; again with: chaos{options} --seed {seed}")?;
        what.iter().try_for_each(|what| writeln!(f, "{what}"))?;
        write!(f, "{plan}what it read, printed and said, and all steps: {}", kept.display())
    }
}

/// Carries out the plan of `seed`.
pub(super) async fn run(setup: &ChaosSetup, seed: u64) -> Result<(), Violation> {
    let folder = tempfile::Builder::new()
        .prefix(&format!("pando-chaos-{seed}-"))
        .tempdir_in(&setup.keep)
        .expect("a folder can be made");
    let context =
        Arc::new(Context::new(setup, ChaosPlan::new(seed, setup.tabs, setup.machines, setup.pace)));
    let mut chance = Chance::of(context.plan.chance_seed);
    let words = prepare(&context, folder.path(), &mut chance).expect("files can be written");
    let relay = match &context.plan.relay {
        Some(_) => Some(
            MortalRelay::start(context.clone(), folder.path())
                .await
                .expect("a relay can be started"),
        ),
        None => None,
    };
    let relay = relay.map(|relay| tokio::spawn(relay.live()));
    let volunteers = volunteers(setup, &context, folder.path(), &mut chance);
    let lives = lives(&context, folder.path(), &words, &mut chance).await;
    volunteers.abort();
    let _ = volunteers.await;
    if let Some(relay) = relay {
        relay.abort();
        let _ = relay.await;
    }
    setup.counts.add(&context, &lives);
    let what = judge(&context, &lives, folder.path());
    if what.is_empty() {
        return Ok(());
    }
    let kept = folder.keep();
    let plan = context.plan.to_string();
    let _ = keep(&context, &lives, &what, &plan, &words, &kept);
    let tabs = if context.plan.tab.is_some() { " --tabs 1" } else { "" };
    let machines = if context.plan.machines.is_empty() { "" } else { " --machines 1" };
    let pace = if setup.pace > 1 { format!(" --pace {}", setup.pace) } else { String::new() };
    Err(Violation { seed, options: pace + tabs + machines, what, plan, kept })
}

/// Writes the input and the function. Returns the words of the command line.
fn prepare(context: &Context, folder: &Path, chance: &mut Chance) -> io::Result<Vec<String>> {
    let job = &context.plan.job;
    fs::write(folder.join("input"), &context.input().bytes)?;
    fs::write(folder.join("f.js"), job.function())?;
    let mut words = job.options().to_vec();
    words.extend(["f.js".into(), "--port".into(), context.port.to_string()]);
    if chance.toss(0.5) {
        words.extend(["--token".into(), format!("token-{}", context.plan.seed)]);
    }
    if job.journal {
        words.extend(["--journal".into(), "journal".into()]);
    }
    if context.plan.relay.is_some() {
        words.extend(MortalRelay::options(context));
    }
    words.extend(job.items());
    Ok(words)
}

/// Starts the volunteers as soon as the master's address is known. Aborting the task ends them.
fn volunteers(
    setup: &ChaosSetup,
    context: &Arc<Context>,
    folder: &Path,
    chance: &mut Chance,
) -> JoinHandle<()> {
    let all: Vec<_> = context
        .plan
        .volunteers
        .iter()
        .map(|character| Volunteer::new(context.clone(), character.clone(), chance.fork()))
        .collect();
    let tab = setup
        .chromium
        .clone()
        .zip(context.plan.tab.clone())
        .map(|(chromium, steps)| ChaosTab::new(chromium, context.clone(), steps));
    let machines = machines(context, folder);
    let context = context.clone();
    tokio::spawn(async move {
        context.is_known().await;
        let mut living = JoinSet::new();
        all.into_iter().for_each(|volunteer| drop(living.spawn(volunteer.live())));
        machines.into_iter().for_each(|machine| drop(living.spawn(machine.live())));
        tab.into_iter().for_each(|tab| drop(living.spawn(tab.live())));
        living.join_all().await;
    })
}

/// Runs the processes of the master one after the other.
async fn lives(
    context: &Arc<Context>,
    folder: &Path,
    words: &[String],
    chance: &mut Chance,
) -> Vec<Life> {
    let mut deeds = context.plan.deeds.clone();
    let mut lives: Vec<Life> = Vec::new();
    loop {
        let master =
            MasterProcess::start(context, folder, words, chance).expect("pando can be started");
        let life = master.live(&mut deeds).await;
        context.tell(&format!(
            "the master ended: {:?}, {} bytes printed",
            life.status,
            life.output.len()
        ));
        // A master that hung, or that ended with success just before the deed, is not started
        // again.
        let of_itself = life.status.is_none_or(|status| status.success());
        let ended = life.ended.filter(|_| !of_itself);
        lives.push(life);
        match ended {
            Some(Deed::Kill(pause, torn)) => {
                tear(&folder.join("journal"), torn);
                tokio::time::sleep(pause).await;
            }
            Some(Deed::Interrupt(pause, _)) => tokio::time::sleep(pause).await,
            _ => return lives,
        }
        edit(context, folder, lives.len(), chance).expect("the input can be written");
    }
}

/// Notes that another master starts, the one after `masters` others; perhaps with an edited input.
fn edit(context: &Context, folder: &Path, masters: usize, chance: &mut Chance) -> io::Result<()> {
    let (job, mut input) = (&context.plan.job, context.input());
    if context.plan.edits.get(masters - 1) == Some(&true) {
        let values = edited(chance, job.framing, &input.values);
        context.tell(&format!("the input has {} values now", values.len()));
        input = Arc::new(Input::new(job, values));
        fs::write(folder.join("input"), &input.bytes)?;
    }
    context.begin_life(input);
    Ok(())
}

/// Removes up to `bytes` bytes from the end of a journal, but not the description of the job: the
/// master syncs that record before it prints or computes anything.
fn tear(journal: &Path, bytes: u64) {
    let Ok(whole) = fs::read(journal) else { return };
    let Some(format) = Format::of(&whole) else { return };
    let (mut at, mut job) = (format.header_length(), 0);
    while let Some((record, length)) = whole.get(at..).and_then(|rest| format.first(rest)) {
        at += length;
        if let Record::Job(_) = record {
            job = at;
        }
    }
    if let Ok(file) = fs::OpenOptions::new().write(true).open(journal) {
        let _ = file.set_len((whole.len() as u64).saturating_sub(bytes).max(job as u64));
    }
}

/// Writes all records of a run to files.
fn keep(
    context: &Context,
    lives: &[Life],
    what: &[String],
    plan: &str,
    words: &[String],
    folder: &Path,
) -> io::Result<()> {
    fs::write(
        folder.join("plan"),
        format!("{plan}\npando {}\n\n{}\n", words.join(" "), what.join("\n")),
    )?;
    fs::write(folder.join("steps"), context.told().join("\n"))?;
    fs::write(folder.join("expected"), &context.input().expected.output)?;
    for (number, life) in lives.iter().enumerate() {
        let file = folder.join(format!("expected.{}", number + 1));
        fs::write(file, &life.input.expected.output)?;
        fs::write(folder.join(format!("printed.{}", number + 1)), &life.output)?;
        fs::write(folder.join(format!("said.{}", number + 1)), &life.said)?;
    }
    Ok(())
}
