//! An open run: the function is loaded, volunteers may join, and this machine's cores are lent. No
//! value is read yet: the opener of the run has the two ends of its stream.

use super::{
    Refused, awake::Awake, function::Function, journal::Journal, listen, local, progress, used,
};
use crate::{
    channel::Peers,
    cli::{BatchSize, Cli, When},
    console::{Console, printable},
    events::Events,
    journal::Digest,
    master::{self, Ending, Files, Framing, Job, Master},
    protocol::{Form, JobOptions},
    server,
    uplink::{Program, Relay, Uplink},
    volunteer::{self, Guard, TALKED},
};
use pando_web::Connections;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{
    sync::{oneshot, watch},
    task::{JoinSet, spawn_blocking},
};

/// Letters of a token: lower-case letters and digits, without look-alikes.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Length of a new token.
const TOKEN: usize = 10;
/// How long the last frames may take over peer connections.
const LAST_FRAMES: Duration = Duration::from_secs(1);

/// An open run; see the module. Dropping it ends the run: volunteers are told, and the children of
/// this machine's cores end.
pub(crate) struct Open {
    pub(crate) master: Arc<Master>,
    peers: Option<Peers>,
    uplink: Option<Uplink>,
    /// The program that computes, for `--exec`.
    program: Option<volunteer::Program>,
    /// Tasks that run as long as the run.
    beside: JoinSet<()>,
    /// Dropping this sender closes the server.
    _serving: oneshot::Sender<()>,
    /// Keeps the machine awake.
    _awake: Option<Awake>,
}

impl Open {
    /// Opens a run with the options of `cli`. Must be called within a tokio runtime.
    pub(crate) async fn start(cli: &Cli, console: Console) -> Result<Self, Refused> {
        check(cli)?;
        let framing = framing(cli);
        let events = cli
            .events
            .as_deref()
            .map(|path| Events::open(path, console.clone()))
            .transpose()?
            .unwrap_or_default();
        let options = job_options(cli);
        // Notes are printed after the URLs, which come first.
        let mut notes = Vec::new();
        let mut journal = Journal::open(cli, &mut notes)?;
        // After the files are created, two names that differ only in case may turn out to be a
        // single file.
        used::check(cli)?;
        let mut kept = journal.as_ref().map(|journal| journal.kept().clone()).unwrap_or_default();
        // A tab cannot run a program, so with --exec there is a port only if the user names one.
        let listens = !cli.local && (cli.exec.is_none() || cli.port.is_some());
        let listener =
            if listens { Some(listen::listen(cli, kept.port, &mut notes).await?) } else { None };
        let meets = listener.as_ref().filter(|_| cli.exec.is_none());
        let peers = meets.and_then(|listener| listen::meet_peers(cli, listener, &mut notes));
        if cli.dom && cli.cores != Some(0) && !cli.start_idle {
            notes.push(
                "--dom: the function runs in volunteers' pages only, this machine's cores stay idle (as with --cores 0)".into(),
            );
        }
        let function = match (&cli.exec, &cli.function) {
            (Some(command), _) => Function::program(command, framing)?,
            (None, Some(path)) => {
                used::check_function(path)?;
                Function::load(cli, path, &options, &mut notes).await?
            }
            (None, None) => {
                return Err(Refused(
                    "there is no function: name its file, or a program with --exec".into(),
                ));
            }
        };
        if let Some(journal) = &mut journal {
            journal.check(cli, &function.bundle.modules)?;
        }
        let own = journal.as_mut().map(Journal::targets).unwrap_or_default();
        let master =
            Master::new(job(cli, options, framing, &function, own), console.clone(), events);
        let (serving, closed) = oneshot::channel();
        let awake = if cli.allow_sleep { None } else { Awake::start() };
        let mut open = Self {
            master,
            peers,
            uplink: None,
            program: function.program.clone(),
            beside: JoinSet::new(),
            _serving: serving,
            _awake: awake,
        };
        let master = &open.master;
        if let Some(program) = open.program.clone() {
            let master = master.clone();
            open.beside.spawn(async move {
                program.talks().await;
                master.abandon_journal();
                master.mistrust(TALKED);
            });
        }

        let token = cli.token.clone().or(kept.token.take()).unwrap_or_else(fresh_token);
        let key =
            kept.key.take().unwrap_or_else(|| fresh_token() + &fresh_token() + &fresh_token());
        let certificate = match &listener {
            Some(_) => listen::certificate(cli, &console, &mut kept.certificate, &mut notes)?,
            None => None,
        };
        if let Some(journal) = journal {
            let port = listener
                .as_ref()
                .and_then(|listener| listener.local_addr().ok())
                .map(|address| address.port());
            (kept.port, kept.token, kept.key) =
                (port.or(kept.port), Some(token.clone()), Some(key.clone()));
            journal.start(master, kept, &mut notes)?;
        }
        let connections = Connections::fitting(
            cli.max_connections.unwrap_or(usize::MAX),
            cli.max_connections_per_address,
        );
        if let Some(host) = &cli.host {
            open.uplink = Some(
                open_room(cli, host, &token, key, &open, &function, connections.clone()).await?,
            );
        }
        let (mut hint, mut url) = (String::new(), watch::channel(String::new()).1);
        if let Some(listener) = listener {
            let token = if cli.open_access { String::new() } else { token };
            let site = listen::site(
                cli,
                token,
                certificate,
                open.peers.clone(),
                master,
                &function.bundle,
                connections,
            );
            if cli.exec.is_some() {
                tokio::spawn(server::serve(listener, site, closed));
                notes.push(
                    "--exec runs on this machine's cores only: who opens this port is told so"
                        .into(),
                );
            } else {
                let (told, best, follow) =
                    listen::open_to_volunteers(cli, listener, site, open.uplink.as_ref(), closed);
                (hint, url) = (told, best);
                open.beside.spawn(follow);
            }
        }
        notes.into_iter().for_each(|note| console.say(printable(&note)));
        if let Some(why) =
            function.for_browsers.as_ref().filter(|_| local::granted(cli, &open.master.console) > 0)
        {
            console.say(printable(&master.cannot_compute(why)));
        }
        let has_local = local::lend_cores(cli, master, function);
        if has_local && cli.deny_net {
            console.say("--deny-net closes the network to the function in tabs; on this machine's cores it stays open (--cores 0 leaves them idle)");
        }
        if !has_local && cli.local {
            let needs = if cfg!(unix) {
                "--local needs Node.js 20 or later on PATH, and one that starts: install or mend it, or leave --local out and open the URL in a browser"
            } else {
                "--local is not possible on this system, where only browsers can compute: leave it out and open the URL in one"
            };
            return Err(Refused(needs.into()));
        }
        open.beside.spawn(master::watch(master.clone()));
        open.beside.spawn(master::recall_stragglers(master.clone()));
        if let Some(command) = &cli.confirm {
            let guard = Guard::start()
                .map_err(|error| Refused(format!("--confirm: no shell can be started: {error}")))?;
            open.beside.spawn(master::confirm(master.clone(), command.clone(), cli.timeout, guard));
        }
        open.beside.spawn(progress::show(cli.clone(), master.clone(), shows_status(cli), url));
        if !has_local {
            open.beside.spawn(progress::hint_when_alone(master.clone(), hint));
        }
        Ok(open)
    }

    /// Runs `task` as long as the run goes on.
    pub(crate) fn beside(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.beside.spawn(task);
    }

    /// Tells volunteers that the run is over, and waits a moment for the messages to arrive. Takes
    /// the `ending` so far, and returns the final one.
    pub(crate) async fn finish(&self, mut ending: Ending) -> Ending {
        let master = &self.master;
        if self.program.is_none() {
            ending = self.close_journal(ending).await;
        }
        master.finish();
        let patience = Instant::now() + Duration::from_millis(500);
        while master.volunteers().0 > 0 && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The last frames are still in the sockets' tasks.
        tokio::time::sleep(Duration::from_millis(20)).await;
        if let Some(uplink) = &self.uplink {
            uplink.end().await;
        }
        if let Some(peers) = &self.peers {
            peers.finish(LAST_FRAMES).await;
        }
        if let Some(program) = &self.program {
            if matches!(ending, Ending::Complete | Ending::SomeFailed(_) | Ending::Interrupted)
                && program.talked().await
            {
                master.abandon_journal();
                ending = Ending::OutputFailed(TALKED.into());
            }
            ending = self.close_journal(ending).await;
        }
        master.console.status(Vec::new());
        let events = master.events.clone();
        let _ = spawn_blocking(move || events.finish()).await;
        ending
    }

    /// See [`Master::close_journal`]. Runs on a thread of its own, because a disk may be slow.
    async fn close_journal(&self, ending: Ending) -> Ending {
        let master = self.master.clone();
        let closed = spawn_blocking(move || master.close_journal(ending)).await;
        closed.unwrap_or_else(|_| {
            Ending::OutputFailed(
                "the journal cannot be closed, by a fault of Pando's own (above)".into(),
            )
        })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.master.finish();
    }
}

/// Refuses options with which nothing could compute.
fn check(cli: &Cli) -> Result<(), Refused> {
    let why = match cli.cores {
        Some(0) if cli.exec.is_some() => {
            "--exec runs on this machine's cores only, and --cores 0 uses none of them: leave it out"
        }
        Some(0) if cli.local => {
            "--local uses only this machine's cores, and --cores 0 none of them: leave one of the two out"
        }
        _ => return used::check(cli),
    };
    Err(Refused(why.into()))
}

/// How `cli` separates values and results.
pub(super) fn framing(cli: &Cli) -> Framing {
    Framing {
        separator: if cli.null { 0 } else { b'\n' },
        form: if cli.json || cli.sync_stdio { Form::Json } else { Form::Text },
    }
}

/// The settings of `cli` for files. Earlier runs wrote the files whose paths have the hashes
/// `own`.
pub(super) fn files(cli: &Cli, own: HashSet<Digest>) -> Option<Files> {
    cli.files.then(|| Files {
        output_dir: cli.output_dir.clone(),
        ext: cli.ext.clone(),
        separator: framing(cli).separator,
        overwrite: cli.overwrite,
        used: used::all(cli, cli.items.is_empty()),
        own,
        inputs: Mutex::default(),
    })
}

/// Whether there is a live status line.
pub(super) fn shows_status(cli: &Cli) -> bool {
    cli.progress == When::Always || cli.progress == When::Auto && Console::is_terminal()
}

fn job_options(cli: &Cli) -> JobOptions {
    JobOptions {
        concurrency: cli.concurrency,
        timeout: cli.timeout.map(|timeout| timeout.as_millis() as u64),
        dom: cli.dom,
        json: cli.json || cli.sync_stdio,
        heartbeat: cli.heartbeat.as_millis() as u64,
    }
}

fn job(
    cli: &Cli,
    options: JobOptions,
    framing: Framing,
    function: &Function,
    own: HashSet<Digest>,
) -> Job {
    Job {
        id: fresh_token(),
        function: function.bundle.clone(),
        options,
        framing,
        batch_size: if cli.sync_stdio && cli.batch_size == BatchSize::Auto {
            // Values are requested as cores become free, and not before.
            BatchSize::Fixed(cli.concurrency)
        } else {
            cli.batch_size
        },
        sync: cli.sync_stdio,
        retries: cli.retries,
        speculate: cli.speculate,
        on_error: cli.on_error,
        confirms: cli.confirm.is_some(),
        files: files(cli, own).map(Arc::new),
        local_only: cli.local || cli.exec.is_some(),
        window: cli.window as usize,
        quiet: cli.quiet,
    }
}

/// Opens a room at the relay `host`, and announces its URL.
async fn open_room(
    cli: &Cli,
    host: &str,
    token: &str,
    key: String,
    open: &Open,
    function: &Function,
    connections: Arc<Connections>,
) -> Result<Uplink, Refused> {
    let relay = Relay::new(host, cli.secret.clone().unwrap_or_default()).map_err(Refused)?;
    let program = Program {
        function: function.bundle.code.clone(),
        hash: function.bundle.hash.clone(),
        dom: cli.dom,
        deny_net: cli.deny_net,
        token: token.into(),
        key,
        ice_servers: cli.ice_servers.clone(),
    };
    let uplink = Uplink::open(relay, program, open.master.clone(), open.peers.clone(), connections)
        .await
        .map_err(Refused)?;
    open.master.console.say(format!("Serving volunteer code at {}", uplink.url));
    Ok(uplink)
}

fn fresh_token() -> String {
    let mut random = [0; TOKEN];
    getrandom::fill(&mut random).expect("the system gives random bytes");
    random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}
