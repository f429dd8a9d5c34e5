//! Measures how much each device computes: runs the applications one after the other on all
//! connected devices.
//!
//! The devices stay connected. Every run has the same address, so their pages join the next run
//! without help.

mod applications;
mod happened;
mod tab;
mod table;

use anyhow::{Context, ensure};
use applications::{Application, Pictures};
use clap::Args;
use happened::Happened;
use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant, SystemTime},
};
use tab::Tab;

/// The time for devices to join, and for events to be written after a run.
const PATIENCE: Duration = Duration::from_secs(60);

/// The devices, and the times of the measure.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The program that is measured; the programs of the examples must be beside it
    #[arg(long, default_value = "target/release/pando", value_name = "FILE")]
    pub pando: PathBuf,

    /// Folder of the applications
    #[arg(long, default_value = "examples", value_name = "DIR")]
    pub examples: PathBuf,

    /// The browser
    #[arg(long, default_value = "chromium", value_name = "FILE")]
    pub chromium: PathBuf,

    /// Tabs with one core each, as factors of slowness: 1,1,2 are two tabs at full speed and one
    /// at half speed
    #[arg(long, default_value = "1", value_delimiter = ',', value_name = "FACTORS", value_parser = factor)]
    pub tabs: Vec<f64>,

    /// Cores of this machine
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub cores: usize,

    /// Number of further devices to wait for; they open the address that is printed
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub others: usize,

    /// Time of the measure, for each application
    #[arg(long, default_value = "20s", value_name = "DUR", value_parser = humantime::parse_duration)]
    pub time: Duration,

    /// Time before each measure
    #[arg(long, default_value = "5s", value_name = "DUR", value_parser = humantime::parse_duration)]
    pub warm_up: Duration,

    /// Port of the runs
    #[arg(long, default_value_t = 5080)]
    pub port: u16,

    /// Only these applications
    #[arg(value_name = "APPLICATIONS")]
    pub only: Vec<Application>,
}

/// Runs the applications, and returns the table in Markdown.
///
/// # Errors
/// When an application cannot be run, or an expected device did not come.
pub fn run(options: &Options) -> anyhow::Result<String> {
    let token: String = std::iter::repeat_with(fastrand::alphanumeric).take(12).collect();
    let mut tabs = Vec::new();
    let mut columns = Vec::new();
    let every = [
        Application::Collatz,
        Application::Mining,
        Application::Testing,
        Application::Raytracer,
        Application::Blur,
    ];
    let chosen = if options.only.is_empty() { &every[..] } else { &options.only };
    for application in chosen {
        let happened = measure(*application, options, &token, &mut tabs)?;
        for (device, items) in &happened.devices {
            eprintln!(
                "{application:?}: {device}: {:.2} {}/s",
                items / options.time.as_secs_f64(),
                application.unit()
            );
        }
        columns.push((*application, happened));
    }
    Ok(table::markdown(&columns, options.time))
}

fn measure(
    application: Application,
    options: &Options,
    token: &str,
    tabs: &mut Vec<Tab>,
) -> anyhow::Result<Happened> {
    let folder = tempfile::tempdir()?;
    let events = folder.path().join("events");
    let mut pando = Pando::start(application, options, token, &events)?;
    let url = pando.wait_for("Serving volunteer code at http://")?;
    eprintln!("{application:?} at {url}");
    if tabs.is_empty() {
        for (index, factor) in options.tabs.iter().enumerate() {
            // The printed address is the best one for other devices; tabs of this machine use a
            // nearer one.
            let here = format!("http://127.0.0.1:{}/{token}/", options.port);
            tabs.push(Tab::open(&options.chromium, &here, index + 1, *factor)?);
        }
    }
    // This machine's own cores join without a message.
    for _ in 0..tabs.len() + options.others {
        pando.wait_for(" joined ")?;
    }
    let pictures = match application {
        Application::Blur => Some(Pictures::serve(&options.pando, folder.path(), &url)?),
        _ => None,
    };
    pando.feed(move |number| application.input(number, pictures.as_ref()));
    thread::sleep(options.warm_up);
    let from = SystemTime::now();
    thread::sleep(options.time);
    let until = SystemTime::now();
    let give_up = Instant::now() + PATIENCE;
    loop {
        match Happened::read(&events, from, until)? {
            Some(happened) => return Ok(happened),
            None => ensure!(Instant::now() < give_up, "no events came after {:?}", options.time),
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// A run, killed when dropped: devices stay when a run ends without a goodbye.
struct Pando {
    child: Child,
    said: Receiver<String>,
}

impl Pando {
    fn start(
        application: Application,
        options: &Options,
        token: &str,
        events: &std::path::Path,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(&options.pando);
        command.arg(options.examples.join(application.function())).args(application.options());
        command.args(["--stdin", "--token", token, "--port", &options.port.to_string()]);
        command.args(["--cores", &options.cores.to_string()]).arg("--events").arg(events);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("{} cannot be started", options.pando.display()))?;
        let stderr = BufReader::new(child.stderr.take().context("standard error is a pipe")?);
        let (voice, said) = channel();
        thread::spawn(move || {
            stderr.lines().map_while(Result::ok).for_each(|line| drop(voice.send(line)))
        });
        Ok(Self { child, said })
    }

    /// Waits for a line of standard error with `text` in it. Returns the line, from its URL on if
    /// it has one.
    fn wait_for(&self, text: &str) -> anyhow::Result<String> {
        let until = Instant::now() + PATIENCE;
        let mut heard = String::new();
        loop {
            let line = self.said.recv_timeout(until.saturating_duration_since(Instant::now()));
            let line =
                line.with_context(|| format!("`{}` was not said, but: {heard}", text.trim()))?;
            if line.contains(text) {
                return Ok(line[line.find("http").unwrap_or(0)..].to_owned());
            }
            heard += &(line + "\n");
        }
    }

    /// Writes inputs until the run stops reading.
    fn feed(&mut self, input: impl Fn(u64) -> String + Send + 'static) {
        let mut stdin = self.child.stdin.take().expect("piped, and given once");
        thread::spawn(move || (0..).try_for_each(|number| writeln!(stdin, "{}", input(number))));
    }
}

impl Drop for Pando {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn factor(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|factor| (1.0..=100.0).contains(factor))
        .ok_or_else(|| "give a number from 1 to 100".to_owned())
}
