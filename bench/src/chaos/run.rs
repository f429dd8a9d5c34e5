//! One run: the plan of a seed carried out, and its output judged.

use super::{
    Setup,
    chance::Chance,
    job::Expected,
    judge::difference,
    master::{Life, Master},
    plan::{Deed, Plan},
    tab::Tab,
    volunteer::Volunteer,
};
use crate::{swarm::link::Address, system::has_ended};
use std::{
    collections::BTreeSet,
    fmt, fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU16, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// A run that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(90);
/// Ports of which masters get one: below those that the system gives out by itself.
const PORTS: std::ops::Range<u16> = 10_000..32_000;
/// Lines of what happened, at most.
const TOLD: usize = 20_000;

/// A run whose output was not what it has to be.
#[derive(Debug)]
pub struct Violation {
    /// What repeats it.
    pub seed: u64,
    /// What was not as it has to be.
    pub what: Vec<String>,
    /// The run's description.
    pub plan: String,
    /// Where its input, outputs and all that happened are.
    pub kept: PathBuf,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, what, plan, kept } = self;
        let tabs = if plan.contains("\nthe tab") { " --tabs 1" } else { "" };
        writeln!(f, "--- VIOLATION with seed {seed}; again with: chaos --seed {seed}{tabs}")?;
        what.iter().try_for_each(|what| writeln!(f, "{what}"))?;
        write!(f, "{plan}what it read, printed and said, and all steps: {}", kept.display())
    }
}

/// What happened in all runs.
#[derive(Debug, Default)]
pub(super) struct Counts {
    values: AtomicU64,
    volunteers: AtomicU64,
    steps: AtomicU64,
    tabs: AtomicU64,
    local: AtomicU64,
    journals: AtomicU64,
    restarts: AtomicU64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |count: &AtomicU64| count.load(Relaxed);
        write!(
            f,
            "{} values, {} volunteers by hand, {} things that happened to them, {} runs with a tab, {} with local cores, {} with a journal, {} restarts of the master",
            of(&self.values),
            of(&self.volunteers),
            of(&self.steps),
            of(&self.tabs),
            of(&self.local),
            of(&self.journals),
            of(&self.restarts)
        )
    }
}

/// What the parts of a run share.
pub(crate) struct Context {
    pub(crate) plan: Plan,
    pub(crate) pando: PathBuf,
    pub(crate) expected: Expected,
    /// How many values there are.
    pub(crate) count: u64,
    pub(crate) forge: bool,
    begun: Instant,
    start: OnceLock<Instant>,
    address: watch::Sender<Option<Address>>,
    told: Mutex<Vec<String>>,
    complaints: Mutex<BTreeSet<String>>,
}

impl Context {
    /// Where the master is, or was.
    pub(crate) fn address(&self) -> Address {
        self.address.borrow().clone().expect("volunteers come when it is known")
    }

    pub(crate) fn set_address(&self, address: Address) {
        self.start.get_or_init(Instant::now);
        self.address.send_replace(Some(address));
    }

    /// When volunteers' time began: when the address was known.
    pub(crate) fn start(&self) -> Instant {
        *self.start.get_or_init(Instant::now)
    }

    /// Notes what happened.
    pub(crate) fn tell(&self, what: &str) {
        let mut told = self.told.lock().expect("nobody panics with it");
        if told.len() < TOLD {
            told.push(format!("{:9.3} {what}", self.begun.elapsed().as_secs_f64()));
        }
    }

    /// Notes what must not happen.
    pub(crate) fn complain(&self, what: String) {
        self.tell(&what);
        self.complaints.lock().expect("nobody panics with it").insert(what);
    }
}

/// Carries out the plan of `seed`.
pub(super) async fn run(setup: &Setup, seed: u64) -> Result<(), Violation> {
    let plan = Plan::new(seed, setup.tabs);
    let folder =
        tempfile::Builder::new().prefix(&format!("pando-chaos-{seed}-")).tempdir_in(&setup.keep).expect("a folder can be made");
    let (address, known) = watch::channel(None);
    let context = Arc::new(Context {
        expected: plan.job.expected(),
        count: plan.job.values.len() as u64,
        plan,
        pando: setup.pando.clone(),
        forge: setup.forge,
        begun: Instant::now(),
        start: OnceLock::new(),
        address,
        told: Mutex::default(),
        complaints: Mutex::default(),
    });
    let mut chance = Chance::of(context.plan.chance_seed);
    let words = prepare(&context, folder.path(), &mut chance).expect("files can be written");
    let volunteers = volunteers(setup, &context, known, &mut chance);
    let lives = lives(&context, folder.path(), &words, &mut chance).await;
    volunteers.abort();
    let _ = volunteers.await;
    setup.counts.add(&context, &lives);
    let what = judge(&context, &lives, folder.path());
    if what.is_empty() {
        return Ok(());
    }
    let kept = folder.keep();
    let plan = context.plan.to_string();
    let _ = keep(&context, &lives, &what, &plan, &words, &kept);
    Err(Violation { seed, what, plan, kept })
}

/// Writes the input and the function; gives the command line.
fn prepare(context: &Context, folder: &Path, chance: &mut Chance) -> io::Result<Vec<String>> {
    let job = &context.plan.job;
    fs::write(folder.join("input"), job.input())?;
    fs::write(folder.join("f.js"), job.function())?;
    let mut words = job.options().to_vec();
    words.extend(["f.js".into(), "--port".into(), free_port().to_string()]);
    if chance.is(0.5) {
        words.extend(["--token".into(), format!("token-{}", context.plan.seed)]);
    }
    if job.journal {
        words.extend(["--journal".into(), "journal".into()]);
    }
    words.extend(job.items());
    Ok(words)
}

/// A port that nobody has.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let count = PORTS.len() as u16;
    // Other processes of this program begin elsewhere.
    let first = (std::process::id().wrapping_mul(7919) % u32::from(count)) as u16;
    loop {
        let port = PORTS.start + (first + NEXT.fetch_add(1, Relaxed) % count) % count;
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}

/// Brings the volunteers in once the address is known; aborted, it ends them.
fn volunteers(
    setup: &Setup,
    context: &Arc<Context>,
    mut known: watch::Receiver<Option<Address>>,
    chance: &mut Chance,
) -> JoinHandle<()> {
    let all: Vec<_> = context
        .plan
        .volunteers
        .iter()
        .map(|character| Volunteer::new(context.clone(), character.clone(), chance.fork()))
        .collect();
    let tab = context.plan.tab.clone().map(|steps| Tab::new(setup.chromium.clone(), context.clone(), steps));
    tokio::spawn(async move {
        if known.wait_for(Option::is_some).await.is_err() {
            return;
        }
        let mut living = JoinSet::new();
        all.into_iter().for_each(|volunteer| drop(living.spawn(volunteer.live())));
        tab.into_iter().for_each(|tab| drop(living.spawn(tab.live())));
        living.join_all().await;
    })
}

/// The master's lives, one after the other.
async fn lives(context: &Arc<Context>, folder: &Path, words: &[String], chance: &mut Chance) -> Vec<Life> {
    let mut deeds = context.plan.deeds.clone();
    let mut lives = Vec::new();
    let until = Instant::now() + PATIENCE;
    loop {
        let master = Master::start(context, folder, words, chance).expect("pando can be started");
        let life = master.live(&mut deeds, until.saturating_duration_since(Instant::now())).await;
        context.tell(&format!("the master ended: {:?}, {} bytes printed", life.status, life.output.len()));
        // What had ended by itself is not to be ended.
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
    }
}

/// Takes bytes off the end of a journal.
fn tear(journal: &Path, bytes: u64) {
    if let Ok(file) = fs::OpenOptions::new().write(true).open(journal) {
        let _ = file.metadata().and_then(|about| file.set_len(about.len().saturating_sub(bytes)));
    }
}

/// What is not as it has to be.
fn judge(context: &Context, lives: &[Life], folder: &Path) -> Vec<String> {
    let job = &context.plan.job;
    let mut what: Vec<String> = context.complaints.lock().expect("nobody panics with it").iter().cloned().collect();
    for (number, life) in lives.iter().enumerate() {
        let mut wrong = |text: String| what.push(format!("life {} of {} of the master: {text}", number + 1, lives.len()));
        let last = number + 1 == lives.len();
        match life.status {
            None => wrong(format!("it hangs: it did not end within {PATIENCE:?}")),
            Some(status) if last && status.code() != Some(context.expected.status) => wrong(format!("it ended with {status}")),
            // Ctrl-C: what had been read was finished. Or it was killed.
            Some(status) if !matches!(status.code(), Some(0 | 1) | None) => wrong(format!("it ended with {status}")),
            Some(_) => {}
        }
        if last || !context.expected.output.starts_with(&life.output) {
            difference(&context.expected.output, &life.output, job.separator()).into_iter().for_each(&mut wrong);
        }
        if let Some(line) = life.said.lines().find(|line| line.contains("panicked at") || line.contains("a process is left")) {
            wrong(line.to_owned());
        }
        if life.children.iter().any(|child| !ends_soon(*child)) {
            wrong("a child of it goes on without it".into());
        }
    }
    if job.journal && what.is_empty() {
        what.extend(kept_wrongly(&context.expected, &folder.join("journal")));
    }
    what
}

/// What is wrong with what is in a journal after a run.
fn kept_wrongly(expected: &Expected, journal: &Path) -> Option<String> {
    let contents = match pando::journal::read(&fs::read(journal).unwrap_or_default()) {
        Ok(contents) => contents,
        Err(error) => return Some(format!("the journal cannot be read: {error}")),
    };
    let items: BTreeSet<u64> = contents.items.iter().copied().collect();
    if items.len() < contents.items.len() {
        return Some(format!("the journal has results more than once: {:?}", contents.items));
    }
    let missing = expected.results.iter().find(|index| !items.contains(index))?;
    Some(format!("the journal does not have the result of item {}", missing + 1))
}

/// Whether process `id` is gone, or goes within a while.
fn ends_soon(id: u32) -> bool {
    let until = Instant::now() + Duration::from_secs(10);
    while !has_ended(id) {
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Writes down all that is known of a run.
fn keep(context: &Context, lives: &[Life], what: &[String], plan: &str, words: &[String], folder: &Path) -> io::Result<()> {
    let told = context.told.lock().expect("nobody panics with it").join("\n");
    fs::write(folder.join("plan"), format!("{plan}\npando {}\n\n{}\n", words.join(" "), what.join("\n")))?;
    fs::write(folder.join("steps"), told)?;
    fs::write(folder.join("expected"), &context.expected.output)?;
    for (number, life) in lives.iter().enumerate() {
        fs::write(folder.join(format!("printed.{}", number + 1)), &life.output)?;
        fs::write(folder.join(format!("said.{}", number + 1)), &life.said)?;
    }
    Ok(())
}

impl Counts {
    fn add(&self, context: &Context, lives: &[Life]) {
        let plan = &context.plan;
        let told = context.told.lock().expect("nobody panics with it").len() as u64;
        self.values.fetch_add(context.count, Relaxed);
        self.volunteers.fetch_add(plan.volunteers.len() as u64, Relaxed);
        self.steps.fetch_add(told, Relaxed);
        self.tabs.fetch_add(plan.tab.is_some().into(), Relaxed);
        self.local.fetch_add(plan.job.has_local_cores().into(), Relaxed);
        self.journals.fetch_add(plan.job.journal.into(), Relaxed);
        self.restarts.fetch_add(lives.len() as u64 - 1, Relaxed);
    }
}
