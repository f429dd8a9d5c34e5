//! One run, from the command line to the exit status.

mod function;
mod local;
mod signals;

use crate::{
    cli::{Cli, DEFAULT_PORT, When},
    console::{Console, printable},
    events::Events,
    master::{self, Ending, Framing, Job, Master},
    protocol::{Form, JobOptions},
    server::{self, Hosts, Site},
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
    let framing = Framing { separator: if cli.null { 0 } else { b'\n' }, form: if cli.json { Form::Json } else { Form::Text } };
    let from_stdin = cli.stdin || cli.items.is_empty();
    if from_stdin && !cli.stdin && std::io::stdin().is_terminal() {
        return Err(Refused(
            "there are no values: name some (pando FUNCTION 1 2 3), pipe them in (seq 10 | pando FUNCTION), or type lines with --stdin"
                .into(),
        ));
    }
    if cli.local && cli.cores == Some(0) {
        return Err(Refused(
            "--local uses only this machine's cores, and --cores 0 none of them: leave one of the two out".into(),
        ));
    }
    let items = master::items(cli.items.clone(), framing.form).map_err(|error| Refused(error.0))?;
    let events = cli.events.as_deref().map(Events::open).transpose()?.unwrap_or_default();
    let options = job_options(&cli);
    // Said once the URLs are: those come first of all.
    let mut notes = Vec::new();
    let listener = if cli.local { None } else { Some(listen(&cli, &mut notes).await?) };
    if cli.dom && cli.cores != Some(0) && !cli.start_idle {
        notes.push(
            "--dom: the function runs in volunteers' pages only, this machine's cores stay idle (as with --cores 0)".into(),
        );
    }
    let function = Function::load(&cli, &options, &mut notes).await?;
    let master = Master::new(job(&cli, options, framing, &function), console.clone(), events);

    let mut hint = String::new();
    if let Some(listener) = listener {
        hint = open_to_volunteers(&cli, listener, &master, &function);
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
    let live = cli.progress == When::Always || cli.progress == When::Auto && Console::is_terminal();
    let ended = start_ends(&master, items, from_stdin, live && std::io::stdout().is_terminal());
    tokio::spawn(master::watch(master.clone()));
    tokio::spawn(show_progress(cli.clone(), master.clone(), live));
    if !has_local {
        tokio::spawn(hint_when_alone(master.clone(), hint));
    }
    let ending = tokio::select! {
        ending = ended => ending.unwrap_or(Ending::OutputFailed("the output thread died".into())),
        () = signals::stopped(&master) => return Ok(stopped_now(&master)),
    };
    finish(&master).await;
    Ok(conclude(&ending, &console))
}

fn job_options(cli: &Cli) -> JobOptions {
    JobOptions {
        concurrency: cli.concurrency,
        timeout: cli.timeout.map(|timeout| timeout.as_millis() as u64),
        dom: cli.dom,
        json: cli.json,
        heartbeat: cli.heartbeat.as_millis() as u64,
    }
}

fn job(cli: &Cli, options: JobOptions, framing: Framing, function: &Function) -> Job {
    Job {
        id: fresh_token(),
        function: function.bundle.clone(),
        options,
        framing,
        batch_size: cli.batch_size,
        retries: cli.retries,
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
            Ok(stdout) if over_status => draining.drain(OverStatus(stdout)),
            Ok(stdout) => draining.drain(stdout),
            Err(error) => Ending::OutputFailed(format!("standard output cannot be written: {error}")),
        };
        let _ = done.send(ending);
    });
    if from_stdin {
        let feeding = master.clone();
        std::thread::spawn(move || feeding.feed(std::io::stdin().lock()));
    } else {
        master.provide(items);
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

/// Serves volunteers on `listener` and says where; gives a hint for when nobody comes.
fn open_to_volunteers(cli: &Cli, listener: TcpListener, master: &Arc<Master>, function: &Function) -> String {
    let token = if cli.open_access { String::new() } else { cli.token.clone().unwrap_or_else(fresh_token) };
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
    show_qr(cli, master, &urls[0]);
    if cli.open && open::that_detached(&urls[0]).is_err() {
        master.console.say(format!("no browser could be opened: open {} yourself", urls[0]));
    }
    let first = urls[0].clone();
    format!(
        "nobody has joined yet: open {first} in a browser of this machine or of another device on the same network. \
         If another device cannot reach it, see that it is on the same network and that a firewall lets port {port} through"
    )
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
async fn finish(master: &Arc<Master>) {
    master.finish();
    let patience = Instant::now() + Duration::from_millis(500);
    while master.volunteers().0 > 0 && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Their last frames are on their way through the sockets' tasks.
    tokio::time::sleep(Duration::from_millis(20)).await;
    master.console.status(String::new());
    master.events.finish();
}

fn stopped_now(master: &Master) -> i32 {
    let (left, _) = master.interrupt();
    master.console.status(String::new());
    master.console.say(format!("stopped: {left} item{} not finished", if left == 1 { " was" } else { "s were" }));
    master.events.finish();
    1
}

fn conclude(ending: &Ending, console: &Console) -> i32 {
    let why = match ending {
        Ending::Complete | Ending::ReaderLeft => return 0,
        Ending::Interrupted => {
            console.say("stopped on request: what had been read is finished");
            return 1;
        }
        Ending::InputFailed(error) => printable(&error.0),
        Ending::ItemFailed(text) => printable(text),
        Ending::OutputFailed(text) => text.clone(),
    };
    console.say(format!("error: {why}"));
    1
}
