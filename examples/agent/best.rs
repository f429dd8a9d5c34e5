//! Prints the best learning rate, and draws the rewards of all rates.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Parser;
use serde::Deserialize;

/// Print the learning rate with the highest reward and this reward, from lines such as
/// {"rate":0.01,"reward":187.5}.
#[derive(Parser)]
#[command(name = "learning-best", version)]
struct Options {
    /// Draw rewards over rates into this file, anew with each line
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

/// The result of one agent.
#[derive(Deserialize)]
struct Trial {
    rate: f64,
    reward: f64,
    /// A person has stopped the agent early.
    #[serde(default)]
    stopped: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    pando_examples::run("learning-best", || name_best(options))
}

fn name_best(options: Options) -> anyhow::Result<()> {
    let mut trials: Vec<Trial> = Vec::new();
    pando_examples::for_each_line(|line| {
        let trial: Trial = serde_json::from_str(line).context("expected what an agent reached")?;
        if trial.rate <= 0.0 {
            bail!("the rate is not above 0: {}", trial.rate);
        }
        trials.push(trial);
        options.plot.as_deref().map_or(Ok(()), |file| draw(&trials, file))
    })?;
    let best = best(&trials).context("no lines on standard input")?;
    writeln!(io::stdout(), "{} {}", best.rate, best.reward)?;
    Ok(())
}

/// The first trial with the highest reward.
fn best(trials: &[Trial]) -> Option<&Trial> {
    trials.iter().reduce(|best, trial| if trial.reward > best.reward { trial } else { best })
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
const MARGIN: f64 = 60.0;

/// The scales of the plot. The horizontal scale is logarithmic.
struct Scale {
    lowest: f64,
    highest: f64,
    top: f64,
}

impl Scale {
    fn of(trials: &[Trial]) -> Self {
        let exponents = || trials.iter().map(|trial| trial.rate.log10());
        let (least, most) = (
            exponents().fold(f64::INFINITY, f64::min),
            exponents().fold(f64::NEG_INFINITY, f64::max),
        );
        let top = trials.iter().map(|trial| trial.reward).fold(1.0, f64::max);
        // Whole powers of ten, with a range even for a single rate.
        Self { lowest: least.floor(), highest: most.ceil().max(least.floor() + 1.0), top }
    }

    fn x(&self, exponent: f64) -> f64 {
        MARGIN + (exponent - self.lowest) / (self.highest - self.lowest) * (WIDTH - 2.0 * MARGIN)
    }

    fn y(&self, reward: f64) -> f64 {
        HEIGHT - MARGIN - reward / self.top * (HEIGHT - 2.0 * MARGIN)
    }
}

fn draw(trials: &[Trial], file: &Path) -> anyhow::Result<()> {
    fs::write(file, svg(trials)?).with_context(|| format!("{} cannot be written", file.display()))
}

fn svg(trials: &[Trial]) -> anyhow::Result<String> {
    let scale = Scale::of(trials);
    let (left, right, bottom) = (MARGIN, WIDTH - MARGIN, HEIGHT - MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for quarter in 0..=4 {
        let reward = scale.top * f64::from(quarter) / 4.0;
        let y = scale.y(reward);
        writeln!(svg, "<path d=\"M{left} {y:.1}H{right}\" stroke=\"#ddd\"/>")?;
        writeln!(
            svg,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{reward:.0}</text>",
            left - 8.0,
            y + 4.0
        )?;
    }
    for exponent in scale.lowest as i32..=scale.highest as i32 {
        let x = scale.x(f64::from(exponent));
        writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">1e{exponent}</text>",
            bottom + 20.0
        )?;
    }
    writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">learning rate</text>",
        WIDTH / 2.0,
        HEIGHT - 16.0
    )?;
    writeln!(svg, "<text x=\"{left}\" y=\"{}\">reward</text>", MARGIN - 20.0)?;
    let mut sorted: Vec<&Trial> = trials.iter().collect();
    sorted.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    let place = |trial: &Trial| (scale.x(trial.rate.log10()), scale.y(trial.reward));
    let line: String =
        sorted.iter().map(|trial| place(trial)).map(|(x, y)| format!("{x:.1},{y:.1} ")).collect();
    writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#3b82a0\" stroke-width=\"2\"/>",
        line.trim_end()
    )?;
    for trial in sorted {
        let ((x, y), fill) = (place(trial), if trial.stopped { "white" } else { "#3b82a0" });
        let stopped = if trial.stopped { ", stopped" } else { "" };
        writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{fill}\" stroke=\"#3b82a0\" stroke-width=\"2\">\
             <title>{}: {:.1}{stopped}</title></circle>",
            trial.rate, trial.reward
        )?;
    }
    if let Some(best) = best(trials) {
        let (x, y) = place(best);
        writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-weight=\"bold\">{}</text>",
            y - 12.0,
            best.rate
        )?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}
