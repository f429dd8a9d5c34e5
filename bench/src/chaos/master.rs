//! The program under test: one life of it, from its start to its end.

use super::{
    chance::Chance,
    plan::{Deed, When},
    run::Context,
};
use crate::swarm::link::Address;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::File,
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// What a life was.
pub(crate) struct Life {
    pub(crate) output: Vec<u8>,
    pub(crate) said: String,
    /// None: it did not end.
    pub(crate) status: Option<ExitStatus>,
    /// It was ended, and is to be started again.
    pub(crate) ended: bool,
}

/// A running one.
pub(crate) struct Master<'a> {
    context: &'a Arc<Context>,
    child: Child,
    pid: Pid,
    started: Instant,
    printed: watch::Receiver<usize>,
    output: JoinHandle<Vec<u8>>,
    said: JoinHandle<String>,
}

impl<'a> Master<'a> {
    /// Starts it in `folder`, where its function and its input are.
    pub(crate) fn start(context: &'a Arc<Context>, folder: &Path, words: &[String], chance: &mut Chance) -> io::Result<Self> {
        let input = folder.join("input");
        let trickles = context.plan.job.trickles;
        let mut command = Command::new(&context.pando);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PANDO_")) {
            command.env_remove(name);
        }
        let stdin = if trickles { Stdio::piped() } else { File::open(&input)?.into() };
        command.current_dir(folder).args(words).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let pid = child.id().and_then(|id| Pid::from_raw(id as i32)).expect("it was started just now");
        if let Some(stdin) = child.stdin.take() {
            tokio::spawn(trickle(std::fs::read(input)?, stdin, chance.fork()));
        }
        let (progress, printed) = watch::channel(0);
        let stdout = child.stdout.take().expect("it is a pipe");
        let stderr = child.stderr.take().expect("it is a pipe");
        Ok(Self {
            context,
            child,
            pid,
            started: Instant::now(),
            printed,
            output: tokio::spawn(gather(stdout, context.clone(), progress)),
            said: tokio::spawn(listen(stderr, context.clone())),
        })
    }

    /// Lets it live until its own end, or until one of `deeds` ends it: those that have been done are taken off.
    pub(crate) async fn live(mut self, deeds: &mut Vec<(When, Deed)>, patience: Duration) -> Life {
        let mut ended = false;
        while !ended && !deeds.is_empty() {
            let (when, deed) = deeds[0];
            tokio::select! {
                _ = self.child.wait() => break,
                () = comes(when, self.started, &mut self.printed, self.context.expected.len()) => {}
                () = sleep(patience) => break,
            }
            deeds.remove(0);
            self.context.tell(&format!("the master: {deed:?}"));
            ended = self.suffer(deed).await;
        }
        let status = timeout(patience, self.child.wait()).await.ok().and_then(Result::ok);
        if status.is_none() {
            let _ = self.child.kill().await;
        }
        let output = self.output.await.unwrap_or_default();
        // A child that it left behind could keep it open.
        let said =
            timeout(Duration::from_secs(10), self.said).await.map_or("a process is left".into(), Result::unwrap_or_default);
        Life { output, said, status, ended }
    }

    /// Gives whether that ends it.
    async fn suffer(&mut self, deed: Deed) -> bool {
        match deed {
            Deed::Freeze(time) => {
                let _ = kill_process(self.pid, Signal::STOP);
                sleep(time).await;
                let _ = kill_process(self.pid, Signal::CONT);
                false
            }
            Deed::Kill(_) => {
                let _ = self.child.start_kill();
                true
            }
            Deed::Interrupt(_) => {
                let _ = kill_process(self.pid, Signal::INT);
                true
            }
        }
    }
}

async fn comes(when: When, started: Instant, printed: &mut watch::Receiver<usize>, all: usize) {
    match when {
        When::After(time) => tokio::time::sleep_until((started + time).into()).await,
        When::Printed(share) => {
            let enough = (all as f64 * share) as usize;
            if printed.wait_for(|printed| *printed >= enough).await.is_err() {
                // Its output has ended, and so will it.
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
        // Why it does not read any more is told by its end.
        if stdin.write_all(now).await.is_err() {
            return;
        }
        rest = later;
        sleep(chance.time(pause)).await;
    }
}

async fn gather(mut stdout: ChildStdout, context: Arc<Context>, progress: watch::Sender<usize>) -> Vec<u8> {
    let mut output = Vec::new();
    let mut stops = context.plan.reader_stops.clone();
    while let Ok(1..) = stdout.read_buf(&mut output).await {
        progress.send_replace(output.len());
        let share = output.len() as f64 / context.expected.len().max(1) as f64;
        if let Some(at) = stops.iter().position(|(from, _)| share >= *from) {
            sleep(stops.remove(at).1).await;
        }
    }
    output
}

/// Gathers what it says, and learns its address of that.
async fn listen(stderr: ChildStderr, context: Arc<Context>) -> String {
    let mut said = String::new();
    let mut lines = BufReader::new(stderr);
    let mut line = Vec::new();
    while let Ok(1..) = lines.read_until(b'\n', &mut line).await {
        let text = String::from_utf8_lossy(&line);
        let url = text.strip_prefix("Serving volunteer code at ").filter(|url| url.starts_with("http://127.0.0.1:"));
        if let Some(address) = url.and_then(|url| Address::parse(url.trim())) {
            context.set_address(address);
        }
        said.push_str(&text);
        line.clear();
    }
    said
}
