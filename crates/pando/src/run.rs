//! One run, from the command line to the exit status.

mod function;
mod local;
mod signals;

use crate::{
    channel::Peers,
    cli::{BatchSize, Cli, DEFAULT_PORT, OnError, When},
    console::{Console, printable},
    events::Events,
    ice::IceServer,
    master::{self, Ending, Files, Framing, Job, Master, Values},
    protocol::{Form, JobOptions},
    server::{self, Hosts, Site},
    uplink::{Program, Relay, Uplink},
};
use function::Function;
use std::{
    io::{ErrorKind, IsTerminal, Write},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
};

/// Letters of a token: lower case, none that is easily taken for another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Length of a fresh token.
const TOKEN: usize = 10;
/// Nobody has joined after this long: a hint is given.
const ALONE: Duration = Duration::from_secs(30);
/// Time for last frames to arrive over peer connections.
const LAST_FRAMES: Duration = Duration::from_secs(1);
/// Time for last words on standard error.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why a run cannot start: what is said, and exit status 2.
#[derive(Debug)]
struct Refused(String);

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

/// Runs as `cli` says; gives the exit status.
pub fn run(cli: Cli) -> i32 {
    let console = Console::start();
    raise_file_limit();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: threads cannot be started: {error}");
            return 1;
        }
    };
    let status = runtime.block_on(deploy(cli, console.clone())).unwrap_or_else(|Refused(why)| {
        console.say(format!("error: {why}"));
        2
    });
    console.finish(LAST_WORDS);
    status
}

/// Each volunteer is a file descriptor.
fn raise_file_limit() {
    #[cfg(unix)]
    let _ = rlimit::increase_nofile_limit(u64::MAX);
}

async fn deploy(cli: Cli, console: Console) -> Result<i32, Refused> {
    let framing = Framing {
        separator: if cli.null { 0 } else { b'\n' },
        form: if cli.json || cli.sync_stdio { Form::Json } else { Form::Text },
    };
    let from_stdin = cli.stdin || cli.sync_stdio || cli.items.is_empty();
    if from_stdin && !cli.stdin && !cli.sync_stdio && std::io::stdin().is_terminal() {
        return Err(Refused(
            "there are no values: name some (pando FUNCTION 1 2 3), pipe them in (seq 10 | pando FUNCTION), or type lines with --stdin"
                .into(),
        ));
    }
    if cli.on_error == OnError::Report && !cli.json {
        return Err(Refused("--on-error report puts JSON in place of results: it needs --json".into()));
    }
    if cli.exec.is_some() && cli.cores == Some(0) {
        return Err(Refused("--exec runs on this machine's cores only, and --cores 0 uses none of them: leave it out".into()));
    }
    if cli.local && cli.cores == Some(0) {
        return Err(Refused(
            "--local uses only this machine's cores, and --cores 0 none of them: leave one of the two out".into(),
        ));
    }
    let items = master::items(cli.items.clone(), framing.form).map_err(|error| Refused(error.text))?;
    if let Some(files) = files(&cli) {
        files.check(&cli.items).map_err(|error| Refused(error.text))?;
    }
    let events = cli.events.as_deref().map(Events::open).transpose()?.unwrap_or_default();
    let options = job_options(&cli);
    // Said once the URLs are: those come first of all.
    let mut notes = Vec::new();
    let listener = if cli.local { None } else { Some(listen(&cli, &mut notes).await?) };
    let peers = listener.as_ref().and_then(|listener| meet_peers(&cli, listener, &mut notes));
    if cli.dom && cli.cores != Some(0) && !cli.start_idle {
        notes.push(
            "--dom: the function runs in volunteers' pages only, this machine's cores stay idle (as with --cores 0)".into(),
        );
    }
    let function = match (&cli.exec, &cli.function) {
        (Some(command), _) => Function::program(command, framing)?,
        (None, Some(path)) => Function::load(&cli, path, &options, &mut notes).await?,
        (None, None) => return Err(Refused("there is no function: name its file, or a program with --exec".into())),
    };
    let master = Master::new(job(&cli, options, framing, &function), console.clone(), events);

    let token = if cli.open_access { String::new() } else { cli.token.clone().unwrap_or_else(fresh_token) };
    let uplink = match &cli.host {
        Some(host) => Some(open_room(&cli, host, &token, &master, &function, peers.clone()).await?),
        None => None,
    };
    let mut hint = String::new();
    if let Some(listener) = listener {
        hint = open_to_volunteers(&cli, listener, token, peers.clone(), &master, &function, uplink.as_ref());
    }
    notes.into_iter().for_each(|note| console.say(printable(&note)));
    let has_local = local::lend_cores(&cli, &master, function);
    if !has_local && cli.local {
        let needs = if cfg!(unix) {
            "--local needs Node.js 20 or later on PATH: install it, or leave --local out and open the URL in a browser"
        } else {
            "--local is not possible on this system, where only browsers can compute: leave it out and open the URL in one"
        };
        return Err(Refused(needs.into()));
    }
    // A status line would wipe away what is being typed.
    let typed = from_stdin && std::io::stdin().is_terminal();
    let live = cli.progress == When::Always || cli.progress == When::Auto && Console::is_terminal() && !typed;
    let ended = start_ends(&master, items, from_stdin, live && std::io::stdout().is_terminal());
    tokio::spawn(master::watch(master.clone()));
    if let Some(command) = &cli.confirm {
        tokio::spawn(master::confirm(master.clone(), command.clone(), cli.timeout));
    }
    tokio::spawn(show_progress(cli.clone(), master.clone(), live));
    if !has_local {
        tokio::spawn(hint_when_alone(master.clone(), hint));
    }
    let ending = tokio::select! {
        ending = ended => ending.unwrap_or(Ending::OutputFailed("the output thread died".into())),
        () = signals::stopped(&master) => {
            if let Some(uplink) = &uplink {
                uplink.end().await;
            }
            return Ok(stopped_now(&master, peers.as_ref()).await);
        }
    };
    finish(&master, peers.as_ref(), uplink.as_ref()).await;
    Ok(conclude(&ending, &console))
}

fn files(cli: &Cli) -> Option<Files> {
    cli.files.then(|| Files { output_dir: cli.output_dir.clone(), ext: cli.ext.clone() })
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

fn job(cli: &Cli, options: JobOptions, framing: Framing, function: &Function) -> Job {
    Job {
        id: fresh_token(),
        function: function.bundle.clone(),
        options,
        framing,
        batch_size: if cli.sync_stdio && cli.batch_size == BatchSize::Auto {
            // Values are asked for as cores become free, and not before.
            BatchSize::Fixed(cli.concurrency)
        } else {
            cli.batch_size
        },
        sync: cli.sync_stdio,
        retries: cli.retries,
        on_error: cli.on_error,
        confirms: cli.confirm.is_some(),
        files: files(cli),
        local_only: cli.local || cli.exec.is_some(),
        window: cli.window as usize,
        quiet: cli.quiet,
    }
}

/// Starts the threads that read the input and write the output; gives how the run ended.
fn start_ends(
    master: &Arc<Master>,
    items: Vec<crate::protocol::Value>,
    from_stdin: bool,
    over_status: bool,
) -> oneshot::Receiver<Ending> {
    let (done, ended) = oneshot::channel();
    let draining = master.clone();
    std::thread::spawn(move || {
        let ending = match standard_output() {
            Ok(stdout) if draining.job.sync => draining.talk(stdout),
            Ok(stdout) if over_status => draining.drain(OverStatus(stdout)),
            Ok(stdout) => draining.drain(stdout),
            Err(error) => Ending::OutputFailed(format!("standard output cannot be written: {error}")),
        };
        let _ = done.send(ending);
    });
    let feeding = master.clone();
    if master.job.sync {
        std::thread::spawn(move || feeding.hear(std::io::stdin().lock()));
        return ended;
    }
    match (&master.job.files, from_stdin) {
        (None, true) => drop(std::thread::spawn(move || feeding.feed(std::io::stdin().lock()))),
        (None, false) => master.provide(items),
        (Some(files), true) => {
            let (files, names) = (files.clone(), Values::new(std::io::stdin(), master.job.framing));
            std::thread::spawn(move || feeding.feed_files(&files, names));
        }
        (Some(files), false) => {
            let (files, names) = (files.clone(), items.into_iter().map(Ok));
            std::thread::spawn(move || feeding.feed_files(&files, names));
        }
    }
    ended
}

/// As a file: `std::io::Stdout` takes a descriptor that is not open for writing for a success.
#[cfg(unix)]
fn standard_output() -> std::io::Result<std::fs::File> {
    use std::os::fd::AsFd;
    Ok(std::io::stdout().as_fd().try_clone_to_owned()?.into())
}

#[cfg(not(unix))]
fn standard_output() -> std::io::Result<std::io::StdoutLock<'static>> {
    Ok(std::io::stdout().lock())
}

/// Standard output on the terminal that also has the status line, which gives way to results and is drawn again later.
struct OverStatus<W>(W);

impl<W: Write> Write for OverStatus<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(b"\r\x1b[K")?;
        self.0.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

async fn listen(cli: &Cli, notes: &mut Vec<String>) -> Result<TcpListener, Refused> {
    if let Some(port) = cli.port {
        let socket = SocketAddr::new(cli.bind, port);
        return listen_on(socket).map_err(|error| {
            let remedy = match error.kind() {
                ErrorKind::AddrNotAvailable => "choose another address with --bind",
                _ => "choose another with --port, or leave it out for the next free one",
            };
            Refused(format!("port {port} of {} cannot be used ({error}): {remedy}", cli.bind))
        });
    }
    for port in DEFAULT_PORT..DEFAULT_PORT + 100 {
        match listen_on(SocketAddr::new(cli.bind, port)) {
            Ok(listener) => {
                if port != DEFAULT_PORT {
                    notes.push(format!("port {DEFAULT_PORT} is taken; using {port}"));
                }
                return Ok(listener);
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => {
                return Err(Refused(format!("{} cannot be listened on ({error}): choose another address with --bind", cli.bind)));
            }
        }
    }
    Err(Refused(format!("no port from {DEFAULT_PORT} to {} is free: choose one with --port", DEFAULT_PORT + 99)))
}

/// With room for as many connections at a time as the system allows: one that finds none is only tried again after a second.
fn listen_on(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(4096)
}

/// Opens a room at the relay `host` and says where volunteers join.
async fn open_room(
    cli: &Cli,
    host: &str,
    token: &str,
    master: &Arc<Master>,
    function: &Function,
    peers: Option<Peers>,
) -> Result<Uplink, Refused> {
    let relay = Relay::new(host, cli.secret.clone().unwrap_or_default()).map_err(Refused)?;
    let program = Program {
        function: function.bundle.code.clone(),
        hash: function.bundle.hash.clone(),
        dom: cli.dom,
        token: if token.is_empty() { fresh_token() } else { token.into() },
        key: fresh_token() + &fresh_token() + &fresh_token(),
        ice_servers: cli.ice_servers.clone(),
    };
    let uplink = Uplink::open(relay, program, master.clone(), peers).await.map_err(Refused)?;
    master.console.say(format!("Serving volunteer code at {}", uplink.url));
    Ok(uplink)
}

/// Starts peer connections, on the UDP port of the same number if it is free.
fn meet_peers(cli: &Cli, listener: &TcpListener, notes: &mut Vec<String>) -> Option<Peers> {
    let address = listener.local_addr().ok()?;
    match Peers::start(address) {
        Ok(peers) => {
            if peers.port() != address.port() {
                notes.push(format!("UDP port {} is taken; direct connections use {}", address.port(), peers.port()));
            }
            peers.set_stun_servers(cli.ice_servers.iter().flat_map(IceServer::stun).map(str::to_owned).collect());
            Some(peers)
        }
        Err(error) => {
            notes.push(format!("no UDP port can be used ({error}): volunteers connect by WebSocket only"));
            None
        }
    }
}

/// Serves volunteers on `listener` and says where; gives a hint for when nobody comes.
fn open_to_volunteers(
    cli: &Cli,
    listener: TcpListener,
    token: String,
    peers: Option<Peers>,
    master: &Arc<Master>,
    function: &Function,
    uplink: Option<&Uplink>,
) -> String {
    let port = listener.local_addr().map(|address| address.port()).unwrap_or_default();
    let addresses = server::addresses(cli.bind);
    let urls: Vec<String> = addresses.iter().map(|address| url(*address, port, &token)).collect();
    let site = Site {
        master: master.clone(),
        token,
        function: function.bundle.code.clone(),
        hash: function.bundle.hash.clone(),
        dom: cli.dom,
        hosts: Hosts::new(&cli.allow_host),
        peers,
        ice_servers: cli.ice_servers.clone(),
    };
    let console = master.console.clone();
    tokio::spawn(async move {
        if let Err(error) = server::serve(listener, site).await {
            console.say(format!("no more volunteers can join: {error}"));
        }
    });
    for url in &urls {
        master.console.say(format!("Serving volunteer code at {url}"));
    }
    if cli.open_access {
        master.console.say("open access: anyone who finds this port can join");
    }
    show_qr(cli, master, uplink.map_or(&urls[0], |uplink| &uplink.url));
    if cli.open && open::that_detached(&urls[0]).is_err() {
        master.console.say(format!("no browser could be opened: open {} yourself", urls[0]));
    }
    match uplink {
        Some(uplink) => format!("nobody has joined yet: open {} in a browser of any device", uplink.url),
        None => format!(
            "nobody has joined yet: open {} in a browser of this machine or of another device on the same network. \
             If another device cannot reach it, see that it is on the same network and that a firewall lets port {port} through, \
             or let it join through a relay (--host)",
            urls[0]
        ),
    }
}

fn url(address: IpAddr, port: u16, token: &str) -> String {
    let socket = SocketAddr::new(address, port);
    if token.is_empty() { format!("http://{socket}/") } else { format!("http://{socket}/{token}/") }
}

fn show_qr(cli: &Cli, master: &Master, url: &str) {
    let wanted = cli.qr == When::Always || cli.qr == When::Auto && Console::is_terminal();
    if let Some(code) = wanted.then(|| server::qr(url)).flatten() {
        master.console.say(code);
    }
}

fn fresh_token() -> String {
    let mut random = [0; TOKEN];
    getrandom::fill(&mut random).expect("the system gives random bytes");
    random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

async fn show_progress(cli: Cli, master: Arc<Master>, live: bool) {
    let mut told = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    tick.tick().await;
    loop {
        tick.tick().await;
        let now = Instant::now();
        if live {
            master.console.status(master.status_line(now));
        }
        if now - told >= cli.reporting_interval {
            for line in master.report_lines((now - told).as_secs_f64()) {
                master.console.say(printable(&line));
            }
            master.write_statistics(now);
            if cli.verbose && !live {
                master.console.say(master.status_line(now));
            }
            told = now;
        }
    }
}

async fn hint_when_alone(master: Arc<Master>, hint: String) {
    tokio::time::sleep(ALONE).await;
    if !master.volunteers().1 {
        master.console.say(hint);
    }
}

/// Tells volunteers that the job is done, and waits a moment for them to hear it.
async fn finish(master: &Arc<Master>, peers: Option<&Peers>, uplink: Option<&Uplink>) {
    master.finish();
    let patience = Instant::now() + Duration::from_millis(500);
    while master.volunteers().0 > 0 && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Their last frames are on their way through the sockets' tasks.
    tokio::time::sleep(Duration::from_millis(20)).await;
    if let Some(uplink) = uplink {
        uplink.end().await;
    }
    if let Some(peers) = peers {
        peers.finish(LAST_FRAMES).await;
    }
    master.console.status(String::new());
    master.events.finish();
}

async fn stopped_now(master: &Master, peers: Option<&Peers>) -> i32 {
    let (left, _) = master.interrupt();
    if let Some(peers) = peers {
        peers.finish(Duration::ZERO).await;
    }
    master.console.status(String::new());
    master.console.say(format!("stopped: {left} item{} not finished", if left == 1 { " was" } else { "s were" }));
    master.events.finish();
    1
}

fn conclude(ending: &Ending, console: &Console) -> i32 {
    let why = match ending {
        Ending::Complete | Ending::ReaderLeft => return 0,
        Ending::SomeFailed(count) => {
            let (items, were) = if *count == 1 { ("item", "was") } else { ("items", "were") };
            console.say(format!("{count} {items} failed and {were} left out"));
            return 1;
        }
        Ending::Interrupted => {
            console.say("stopped on request: what had been read is finished");
            return 1;
        }
        Ending::CannotRun(why) => {
            console.say(format!("error: {}", printable(why)));
            return 2;
        }
        Ending::InputFailed(error) if error.usage => {
            console.say(format!("error: {}", printable(&error.text)));
            return 2;
        }
        Ending::InputFailed(error) => printable(&error.text),
        Ending::ItemFailed(text) => printable(text),
        Ending::OutputFailed(text) => text.clone(),
    };
    console.say(format!("error: {why}"));
    1
}
