//! One process of the program under test, from its start to its end.

use super::{
    chance::Chance,
    context::Context,
    job::Input,
    kept::{Counts, kept},
    plan::{Deed, DeedTime},
};
use crate::swarm::link::Address;
use pando_testing::{children, make_neutral};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::File,
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    sync::{oneshot, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};

/// The longest time without output before a master counts as hung.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// The time for standard error to end after the process has ended.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// The record of one process.
pub(crate) struct Life {
    pub(crate) input: Arc<Input>,
    /// How often the journal had each value at the start.
    pub(crate) kept: Counts,
    pub(crate) output: Vec<u8>,
    pub(crate) said: String,
    /// `None` when the process hung.
    pub(crate) status: Option<ExitStatus>,
    /// The deed that ended the process. A new process starts after a while.
    pub(crate) ended: Option<Deed>,
    /// The child processes at the moment of a kill.
    pub(crate) children: Vec<u32>,
}

/// A running master.
pub(crate) struct MasterProcess<'a> {
    context: &'a Arc<Context>,
    input: Arc<Input>,
    kept: Counts,
    child: Child,
    pid: Pid,
    started: Instant,
    printed: watch::Receiver<usize>,
    output: JoinHandle<Vec<u8>>,
    said: JoinHandle<String>,
    /// Dropped when the process ends.
    unheard: oneshot::Sender<()>,
    /// Whether the master has printed its address.
    serves: Arc<AtomicBool>,
    children: Vec<u32>,
}

impl<'a> MasterProcess<'a> {
    /// Starts the master in `folder`, which contains the function and the input.
    pub(crate) fn start(
        context: &'a Arc<Context>,
        folder: &Path,
        words: &[String],
        chance: &mut Chance,
    ) -> io::Result<Self> {
        let (input, kept) = (context.input(), kept(&folder.join("journal")));
        let file = folder.join("input");
        let trickles = context.plan.job.trickles;
        let mut command = Command::new(&context.pando);
        make_neutral(command.as_std_mut());
        let stdin = if trickles { Stdio::piped() } else { File::open(&file)?.into() };
        command
            .current_dir(folder)
            .args(words)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // Ctrl-C in the terminal is meant for the chaos program only.
        command.process_group(0);
        let mut child = command.spawn()?;
        let pid =
            child.id().and_then(|id| Pid::from_raw(id as i32)).expect("it was started just now");
        if let Some(stdin) = child.stdin.take() {
            tokio::spawn(trickle(input.bytes.clone(), stdin, chance.fork()));
        }
        let (progress, printed) = watch::channel(0);
        let (unheard, ends) = oneshot::channel();
        let serves = Arc::new(AtomicBool::new(false));
        let stdout = child.stdout.take().expect("it is a pipe");
        let stderr = child.stderr.take().expect("it is a pipe");
        let all = input.expected.output.len();
        Ok(Self {
            context,
            input,
            kept,
            child,
            pid,
            started: Instant::now(),
            printed,
            output: tokio::spawn(gather(stdout, context.clone(), all, progress)),
            said: tokio::spawn(listen(stderr, context.clone(), ends, serves.clone())),
            unheard,
            serves,
            children: Vec::new(),
        })
    }

    /// Waits until the master ends by itself or one of `deeds` ends it. Removes the deeds that are
    /// done.
    pub(crate) async fn live(mut self, deeds: &mut Vec<(DeedTime, Deed)>) -> Life {
        let (mut ended, mut hung) = (None, false);
        let hangs = hangs(self.printed.clone());
        tokio::pin!(hangs);
        while ended.is_none() && !hung && !deeds.is_empty() {
            let (when, deed) = deeds[0];
            tokio::select! {
                _ = self.child.wait() => break,
                () = comes(when, self.started, &mut self.printed, self.input.expected.output.len()) => {
                    deeds.remove(0);
                    self.context.tell(&format!("the master: {deed:?}"));
                    ended = self.suffer(deed).await.then_some(deed);
                }
                () = &mut hangs => hung = true,
            }
        }
        let status = tokio::select! {
            status = self.child.wait(), if !hung => status.ok(),
            () = &mut hangs, if !hung => None,
            else => None,
        };
        if status.is_none() {
            let _ = self.child.kill().await;
        }
        drop(self.unheard);
        let output = self.output.await.unwrap_or_default();
        // A child process that the master left behind could keep standard error open.
        let said = timeout(LAST_WORDS, self.said)
            .await
            .map_or("a process is left".into(), Result::unwrap_or_default);
        let (input, kept, children) = (self.input, self.kept, self.children);
        Life { input, kept, output, said, status, ended, children }
    }

    /// Does `deed` to the master. Returns whether the deed ends the master.
    async fn suffer(&mut self, deed: Deed) -> bool {
        match deed {
            Deed::Freeze(time) => freeze(self.pid, time).await,
            Deed::KillCore => {
                if let Some(core) = self.core() {
                    let _ = kill_process(core, Signal::KILL);
                }
            }
            Deed::FreezeCore(time) => {
                if let Some(core) = self.core() {
                    freeze(core, time).await;
                }
            }
            Deed::Kill(..) => {
                self.children = children(self.pid.as_raw_nonzero().get() as u32);
                let _ = self.child.start_kill();
                return true;
            }
            Deed::Interrupt(_, times) => {
                for _ in 0..times {
                    let _ = kill_process(self.pid, Signal::INT);
                    sleep(Duration::from_millis(10)).await;
                }
                return true;
            }
        }
        false
    }

    /// A process of one of the master's cores. Before the address is printed, the only process is
    /// the one that tests whether the function loads.
    fn core(&self) -> Option<Pid> {
        if !self.serves.load(Relaxed) {
            return None;
        }
        let is_core = |id: &u32| {
            std::fs::read(format!("/proc/{id}/cmdline"))
                .is_ok_and(|words| words.starts_with(b"node\0"))
        };
        let core = children(self.pid.as_raw_nonzero().get() as u32).into_iter().find(is_core)?;
        Pid::from_raw(core as i32)
    }
}

async fn freeze(process: Pid, time: Duration) {
    let _ = kill_process(process, Signal::STOP);
    sleep(time).await;
    let _ = kill_process(process, Signal::CONT);
}

/// Completes when the master has printed nothing for too long.
async fn hangs(mut printed: watch::Receiver<usize>) {
    loop {
        match timeout(PATIENCE, printed.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return sleep(PATIENCE).await,
            Err(_) => return,
        }
    }
}

async fn comes(when: DeedTime, started: Instant, printed: &mut watch::Receiver<usize>, all: usize) {
    match when {
        DeedTime::After(time) => tokio::time::sleep_until((started + time).into()).await,
        DeedTime::Printed(share) => {
            let enough = (all as f64 * share) as usize;
            if printed.wait_for(|printed| *printed >= enough).await.is_err() {
                // The output has ended, so the process ends soon.
                std::future::pending().await
            }
        }
    }
}

/// Writes the input in pieces, with pauses.
async fn trickle(input: Vec<u8>, mut stdin: ChildStdin, mut chance: Chance) {
    let mut rest = &input[..];
    let pause = Duration::from_millis(chance.of_range(1..20));
    let piece = (input.len() / 20).max(1);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(chance.0.usize(1..=piece).min(rest.len()));
        // The exit status of the master shows why it stopped reading.
        if stdin.write_all(now).await.is_err() {
            return;
        }
        rest = later;
        sleep(chance.time(pause)).await;
    }
}

async fn gather(
    mut stdout: ChildStdout,
    context: Arc<Context>,
    all: usize,
    progress: watch::Sender<usize>,
) -> Vec<u8> {
    let mut output = Vec::new();
    let mut stops = context.plan.reader_stops.clone();
    while let Ok(1..) = stdout.read_buf(&mut output).await {
        progress.send_replace(output.len());
        let share = output.len() as f64 / all.max(1) as f64;
        if let Some(at) = stops.iter().position(|(from, _)| share >= *from) {
            sleep(stops.remove(at).1).await;
        }
    }
    output
}

/// Collects the standard error of the master, and takes its address from there.
async fn listen(
    stderr: ChildStderr,
    context: Arc<Context>,
    ends: oneshot::Receiver<()>,
    serves: Arc<AtomicBool>,
) -> String {
    let mut ends = Some(ends).filter(|_| context.plan.unheard);
    let mut said = String::new();
    let mut lines = BufReader::new(stderr);
    let mut line = Vec::new();
    while let Ok(1..) = lines.read_until(b'\n', &mut line).await {
        let text = String::from_utf8_lossy(&line);
        let url = text.split_once("Serving volunteer code at ").map(|(_, url)| url.trim());
        let address =
            url.filter(|url| url.starts_with("http://127.0.0.1:")).and_then(Address::parse);
        // The address of the room at the relay comes first.
        if address.is_some_and(|address| context.set_address(address)) {
            serves.store(true, Relaxed);
            if let Some(ends) = ends.take() {
                let _ = ends.await;
            }
        }
        said.push_str(&text);
        line.clear();
    }
    said
}
