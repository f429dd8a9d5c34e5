//! An open run: the function is loaded, volunteers may join, and this machine's cores are lent. No
//! value is read yet: the opener of the run has the two ends of its stream.

use super::{
    StartError, awake::Awake, function::Function, job, journal::Journal, last_files, listen,
    local_cores::lend_cores, monitoring, status, used,
};
use crate::{
    channel::Peers,
    config::RunConfig,
    console::{Console, printable},
    events::{self, Events},
    failed::FailedItems,
    journal::JobFacts,
    master::{self, Ending, Master, RunSnapshot},
    monitor::{Ingredients, Monitor},
    server::{self, Site, VolunteerSite},
    uplink::{RoomContent, Uplink},
    volunteer::{self, Guard, TALKED},
};
use pando_protocol::page::PageOptions;
use pando_web::{Certificate, Connections};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task::{JoinSet, spawn_blocking},
};

/// Letters of a token: lower-case letters and digits, without look-alikes.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Length of a new token.
const TOKEN: usize = 10;
/// How long it may take to say goodbye to all volunteers, and to each of them more.
const GOODBYES: Duration = Duration::from_millis(500);
const GOODBYE: Duration = Duration::from_millis(1);
/// How long the last frames may take over peer connections.
const LAST_FRAMES: Duration = Duration::from_secs(1);

/// An open run; see the module. Dropping it ends the run: volunteers are told, and the children of
/// this machine's cores end.
pub(crate) struct OpenRun {
    pub(crate) master: Arc<Master>,
    /// Watches the run, if it has a monitoring page or a report.
    pub(super) monitor: Option<Arc<Monitor>>,
    pub(super) ingredients: Ingredients,
    peers: Option<Peers>,
    uplink: Option<Uplink>,
    /// The program that computes, for `--exec`.
    program: Option<volunteer::Program>,
    /// Whether any core of this machine can compute.
    pub(super) has_local: bool,
    /// The marks by which volunteers and the relay know the job.
    pub(crate) facts: JobFacts,
    /// Tasks that run as long as the run.
    beside: JoinSet<()>,
    /// Dropping this sender closes the server.
    _serving: Option<oneshot::Sender<()>>,
    /// Keeps the machine awake.
    _awake: Option<Awake>,
}

/// The marks by which volunteers and the relay know the job: new, or kept in the journal.
struct Identity {
    token: String,
    /// The token of the monitoring page.
    monitor: String,
    /// The proof for the relay: a room belongs to this job.
    key: String,
    certificate: Option<Certificate>,
}

impl OpenRun {
    /// Opens a run with `config`. Must be called within a tokio runtime.
    pub(crate) async fn start(config: &RunConfig, console: Console) -> Result<Self, StartError> {
        used::check(config)?;
        last_files::check(&config.report)?;
        let events = match &config.events {
            Some(path) => {
                used::check_content("--events", path, "a log of events", events::is_log)?;
                Events::open(path, console.clone())?
            }
            None => Events::default(),
        };
        // Notes are printed after the URLs, which come first.
        let mut notes = Vec::new();
        let mut journal = match &config.journal {
            Some(journal) => Some(Journal::open(journal, &mut notes)?),
            None => None,
        };
        let failed = config.failed.as_deref().map(FailedItems::open).transpose()?.map(Arc::new);
        // After the files are created, two names that differ only in case may turn out to be a
        // single file.
        used::check(config)?;
        let mut facts = journal.as_ref().map_or(&config.last, Journal::facts).clone();
        let listener = match &config.server {
            Some(server) => Some(listen::listen(server, facts.port, &mut notes).await?),
            None => None,
        };
        let meets = listener.as_ref().filter(|_| config.takes_volunteers());
        let peers = meets.and_then(|listener| listen::meet_peers(config, listener, &mut notes));
        notes.extend(config.notes.iter().cloned());
        let function = Function::of(config, &mut notes).await?;
        if let Some(journal) = &mut journal {
            journal.check(config, function.entry.as_deref(), &function.bundle)?;
        }
        let own = journal.as_mut().map(Journal::targets).unwrap_or_default();
        let mut open = Self {
            master: Master::new(job::job(config, &function, own, failed), console.clone(), events),
            monitor: None,
            ingredients: function.ingredients(),
            peers,
            uplink: None,
            program: function.program.clone(),
            has_local: false,
            facts: JobFacts::default(),
            beside: JoinSet::new(),
            _serving: None,
            _awake: if config.keeps_awake { Awake::start() } else { None },
        };
        open.watch_program();
        let identity = identify(config, &console, &mut facts, &mut notes)?;
        let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        facts.port = address.map(|address| address.port()).or(facts.port);
        open.facts = facts.clone();
        if let Some(journal) = journal {
            journal.start(&open.master, facts, &mut notes)?;
        }
        let (hint, url) = open.let_in(config, &function, identity, listener).await?;
        notes.into_iter().for_each(|note| console.say(printable(&note)));
        if let Some(failed) = &open.master.job.failed {
            failed.begin()?;
        }
        let has_local = open.lend(config, function)?;
        open.has_local = has_local;
        open.work(config, url)?;
        if !config.dry_run && (!has_local || config.report.live && config.takes_volunteers()) {
            let master = open.master.clone();
            open.beside(status::hint_when_alone(master, hint, has_local));
        }
        Ok(open)
    }

    /// Ends the run if its program writes lines that answer no value.
    fn watch_program(&mut self) {
        let Some(program) = self.program.clone() else { return };
        let master = self.master.clone();
        self.beside(async move {
            program.talks().await;
            master.abandon_journal();
            master.mistrust(TALKED);
        });
    }

    /// Lets volunteers in, through the relay and on `listener`. Returns a hint for the case that no
    /// volunteer joins, and the best URL.
    async fn let_in(
        &mut self,
        config: &RunConfig,
        function: &Function,
        identity: Identity,
        listener: Option<TcpListener>,
    ) -> Result<(String, watch::Receiver<String>), StartError> {
        let (all, per_address) = config.max_connections;
        let connections = Connections::fitting(all, per_address);
        let mut page =
            PageOptions { function: function.bundle.hash.clone(), ..config.page.clone() };
        let Identity { token, monitor, key, certificate } = identity;
        let monitor = self.watch_by_page(config, monitor);
        if let Some(relay) = config.relay.clone() {
            let content = RoomContent {
                function: function.bundle.code.clone(),
                page: page.clone(),
                token: token.clone(),
                key,
                ice_servers: config.ice_servers.clone(),
                assets: config.asset_source(),
            };
            let (master, peers) = (self.master.clone(), self.peers.clone());
            let uplink = Uplink::open(relay, content, master, peers, connections.clone()).await;
            let uplink = uplink.map_err(StartError)?;
            self.master.console.say(format!("Serving volunteer code at {}", uplink.url));
            monitor.iter().for_each(|monitor| monitor.add_url(&uplink.url, true));
            // Without network, the page leads nowhere else.
            if !page.deny_net {
                page.relay_url = uplink.url.clone();
            }
            self.uplink = Some(uplink);
        }
        let nowhere = || (String::new(), watch::channel(String::new()).1);
        let Some(monitor) = monitor else { return Ok(nowhere()) };
        let (serving, closed) = oneshot::channel();
        self._serving = Some(serving);
        let console = self.master.console.clone();
        let allowed = config.server.as_ref().map(|server| &*server.allow_host).unwrap_or_default();
        let hosts = server::Hosts::new(allowed);
        let mut site = Site { volunteers: None, monitor, console, hosts, connections, certificate };
        let (Some(server), Some(listener)) = (&config.server, listener) else {
            monitoring::serve_alone(site, closed);
            return Ok(nowhere());
        };
        site.volunteers = Some(VolunteerSite {
            master: self.master.clone(),
            token: if server.open_access { String::new() } else { token },
            function: function.bundle.code.clone(),
            page,
            peers: self.peers.clone(),
            ice_servers: config.ice_servers.clone(),
            assets: config.asset_source(),
        });
        if !server.takes_volunteers {
            monitoring::announce(&site, &listener, server.bind);
            let program = self.master.job.program.as_ref();
            monitoring::announce_program(program, &site, &listener, server.bind);
            tokio::spawn(server::serve(listener, site, closed));
            return Ok(nowhere());
        }
        let uplink = self.uplink.as_ref();
        let (hint, url, follow) =
            listen::open_to_volunteers(server, listener, site, uplink, closed);
        self.beside(follow);
        Ok((hint, url))
    }

    /// Lends this machine's cores; returns whether any core can compute.
    fn lend(&self, config: &RunConfig, function: Function) -> Result<bool, StartError> {
        let console = &self.master.console;
        if let Some(why) = function.for_browsers.filter(|_| config.cores > 0) {
            console.say(printable(&self.master.cannot_compute(&why)));
        }
        let Some(local) = function.local.filter(|_| config.cores > 0) else {
            let others = config.takes_volunteers() || config.is_gateway();
            return match others || config.dry_run {
                true => Ok(false),
                false => Err(needs_node()),
            };
        };
        lend_cores(config.cores as u32, &self.master, local);
        if config.page.deny_net && !config.is_gateway() {
            console.say("--deny-net closes the network to the function in tabs; on this machine's cores it stays open (--cores 0 leaves them idle)");
        }
        Ok(true)
    }

    /// Starts the tasks that go on beside the run.
    fn work(&mut self, config: &RunConfig, url: watch::Receiver<String>) -> Result<(), StartError> {
        let master = self.master.clone();
        self.beside(master::watch(master.clone()));
        self.beside(master::recall_stragglers(master.clone()));
        if let Some(command) = config.policies.confirm.clone() {
            let guard = Guard::start().map_err(|error| {
                StartError(format!("--confirm: no shell can be started: {error}"))
            })?;
            let timeout = config.job.timeout.map(Duration::from_millis);
            self.beside(master::confirm(master.clone(), command, timeout, guard));
        }
        if let Some(command) = config.policies.verify_with.clone() {
            let guard = Guard::start().map_err(|error| {
                StartError(format!("--verify-with: no shell can be started: {error}"))
            })?;
            let timeout = config.job.timeout.map(Duration::from_millis);
            self.beside(master::compare(master.clone(), command, timeout, guard));
        }
        self.beside(status::show(config.report.clone(), master, url));
        Ok(())
    }

    /// Runs `task` as long as the run goes on.
    pub(crate) fn beside(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.beside.spawn(task);
    }

    /// Tells volunteers that the run is over, and waits a moment for the messages to arrive. Takes
    /// the `last` state and the `ending` so far, and returns the final ending.
    pub(crate) async fn finish(&self, mut ending: Ending, last: RunSnapshot) -> Ending {
        let master = &self.master;
        if let (Ending::Complete | Ending::ReaderLeft, Some(why)) = (&ending, master.doubts()) {
            ending = Ending::InDoubt(why);
        }
        if self.program.is_none() {
            ending = self.close_files(ending).await;
        }
        master.finish();
        let patience = Instant::now() + GOODBYES + GOODBYE * master.volunteers() as u32;
        while master.volunteers().max(master.sockets()) > 0 && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if let (None, Some(monitor)) = (&self.program, &self.monitor) {
            monitor.close(last.clone(), monitoring::words(&ending)).await;
        }
        // The last frames of peer connections are still in their tasks.
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
            ending = self.close_files(ending).await;
            if let Some(monitor) = &self.monitor {
                monitor.close(last, monitoring::words(&ending)).await;
            }
        }
        master.console.status(Vec::new());
        let events = master.events.clone();
        let _ = spawn_blocking(move || events.finish()).await;
        ending
    }

    /// Closes the journal and the list of failed items. Runs on a thread of its own, because a disk
    /// may be slow.
    async fn close_files(&self, ending: Ending) -> Ending {
        let master = self.master.clone();
        let closed =
            spawn_blocking(move || master.close_failed(master.close_journal(ending))).await;
        closed.unwrap_or_else(|_| {
            Ending::OutputFailed(
                "the files of this run cannot be closed because of a bug in Pando (see above)"
                    .into(),
            )
        })
    }
}

impl Drop for OpenRun {
    fn drop(&mut self) {
        self.master.finish();
    }
}

/// The identity of the job, from `config`, or from `facts` of an earlier run, or new. The identity
/// becomes part of the facts.
fn identify(
    config: &RunConfig,
    console: &Console,
    facts: &mut JobFacts,
    notes: &mut Vec<String>,
) -> Result<Identity, StartError> {
    let token = config.token.clone().or(facts.token.take()).unwrap_or_else(fresh_token);
    let monitor = facts.monitor.take().unwrap_or_else(fresh_token);
    let fresh_key = || fresh_token() + &fresh_token() + &fresh_token();
    let key = facts.key.take().unwrap_or_else(fresh_key);
    (facts.token, facts.key) = (Some(token.clone()), Some(key.clone()));
    facts.monitor = Some(monitor.clone());
    let whose = match config.journal {
        Some(_) => "which is kept in the journal",
        None if config.is_gateway() => "which is made for this gateway",
        None => "which is made for this run",
    };
    let certificate = match &config.server {
        Some(server) => listen::certificate(server, whose, console, &mut facts.certificate, notes)?,
        None => None,
    };
    Ok(Identity { token, monitor, key, certificate })
}

fn needs_node() -> StartError {
    let needs = if cfg!(unix) {
        "--local needs a working Node.js 20 or later on PATH: install or repair it, or leave --local out and open the URL in a browser"
    } else {
        "--local is not possible on this system, where only browsers can compute: leave it out and open the URL in one"
    };
    StartError(needs.into())
}

/// A new random token.
pub(super) fn fresh_token() -> String {
    let mut random = [0; TOKEN];
    getrandom::fill(&mut random).expect("the system gives random bytes");
    random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}
