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
use applications::{ExampleApplication, Pictures};
use clap::Args;
use happened::Happened;
use pando_testing::{Output, RunningProgram, Stdin, Streams};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant, SystemTime},
};
use tab::SlowedTab;

/// The time for devices to join, and for events to be written after a run.
const PATIENCE: Duration = Duration::from_secs(60);

/// The devices, and the times of the measure.
#[derive(Debug, Clone, Args)]
pub struct DevicesOptions {
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
    pub only: Vec<ExampleApplication>,
}

/// Runs the applications, and returns the table in Markdown.
///
/// # Errors
/// When an application cannot be run, or an expected device did not come.
pub fn run(options: &DevicesOptions) -> anyhow::Result<String> {
    let token: String = std::iter::repeat_with(fastrand::alphanumeric).take(12).collect();
    let mut tabs = Vec::new();
    let mut columns = Vec::new();
    let every = [
        ExampleApplication::Collatz,
        ExampleApplication::Mining,
        ExampleApplication::Testing,
        ExampleApplication::Raytracer,
        ExampleApplication::Blur,
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
    application: ExampleApplication,
    options: &DevicesOptions,
    token: &str,
    tabs: &mut Vec<SlowedTab>,
) -> anyhow::Result<Happened> {
    let folder = tempfile::tempdir()?;
    let events = folder.path().join("events");
    let mut pando = start(application, options, token, &events)?;
    let url = pando.hears("Serving volunteer code at http://")?;
    let url = &url[url.find("http").context("the line has a URL")?..];
    eprintln!("{application:?} at {url}");
    if tabs.is_empty() {
        for (index, factor) in options.tabs.iter().enumerate() {
            // The printed address is the best one for other devices; tabs of this machine use a
            // nearer one.
            let here = format!("http://127.0.0.1:{}/{token}/", options.port);
            tabs.push(SlowedTab::open(&options.chromium, &here, index + 1, *factor)?);
        }
    }
    // This machine's own cores join without a message.
    for _ in 0..tabs.len() + options.others {
        pando.hears(" joined ")?;
    }
    let pictures = match application {
        ExampleApplication::Blur => Some(Pictures::serve(&options.pando, folder.path(), url)?),
        _ => None,
    };
    feed(&mut pando, move |number| application.input(number, pictures.as_ref()));
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

/// Starts a run. Devices stay when a run is killed, because it says no goodbye.
fn start(
    application: ExampleApplication,
    options: &DevicesOptions,
    token: &str,
    events: &Path,
) -> anyhow::Result<RunningProgram> {
    let mut command = Command::new(&options.pando);
    command.arg(options.examples.join(application.function())).args(application.options());
    command.args(["--stdin", "--token", token, "--port", &options.port.to_string()]);
    command.args(["--cores", &options.cores.to_string()]).arg("--events").arg(events);
    let streams =
        Streams { stdin: Stdin::Open, stdout: Output::Ignored, ..Streams::without_input() };
    RunningProgram::try_start(&mut command, streams)
}

/// Writes inputs until the run stops reading.
fn feed(run: &mut RunningProgram, input: impl Fn(u64) -> String + Send + 'static) {
    let mut stdin = run.take_stdin();
    thread::spawn(move || (0..).try_for_each(|number| writeln!(stdin, "{}", input(number))));
}

fn factor(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|factor| (1.0..=100.0).contains(factor))
        .ok_or_else(|| "give a number from 1 to 100".to_owned())
}
